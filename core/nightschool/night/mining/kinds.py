"""Which requests are of one kind: worded alike, or worded alike in part and corrected in the same way."""

from collections import defaultdict
from collections.abc import Sequence

from nightschool.night.mining import cluster, sameness
from nightschool.night.mining.gather import OPENING, grouped
from nightschool.night.mining.listen import Said
from nightschool.night.mining.profiles import Group, profile

SAME_REQUEST = 0.6  # Dice similarity of telling words


def kinds(requests: Sequence[Said], corrections: Sequence[Sequence[Said]]) -> list[list[Said]]:
    """Return the requests by kind, each kind in order of time.

    Requests whose first words are alike are of one kind; and so are two kinds that share a correction few others have
    been given, when their words are alike in part. Without a correction in common kinds stay apart.
    """
    found = grouped(requests, cluster.alike([said.tokens[:OPENING] for said in requests], SAME_REQUEST))
    place = {said.key: at for at, kind in enumerate(found) for said in kind}
    given: defaultdict[int, list[str]] = defaultdict(list)
    for number, correction in enumerate(corrections):
        for said in correction:
            if said.about and said.about.key in place:
                given[place[said.about.key]].append(f"c{number}")
    corrected = sorted(given)
    profiles = [_profile(found[at], given[at]) for at in corrected]
    same = sameness.merged(profiles, related=True)
    joined = [sorted((said for at in each for said in found[corrected[at]]), key=lambda s: s.order) for each in same]
    return sorted(
        [*joined, *(kind for at, kind in enumerate(found) if at not in given)], key=lambda kind: kind[0].order
    )


def _profile(kind: Sequence[Said], given: Sequence[str]) -> Group:
    wordings = ((said.text, said.tokens[:OPENING], ()) for said in kind)
    return profile(wordings, [(name,) for name in given], frozenset(), frozenset())
