"""Gather what was heard into corrections: which rules are one, what is no rule, and what was one after all.

Words alone do not always show a rule. Two looks at all that was said mend what a look at one message misses:

- A sentence told in passing that comes again and again, each time about another particular thing ("the invoice job
  must have died", "the refund job must have died"), is how a user asks, and no rule.
- A message after an answer that no grammar marks ("please keep every timestamp in UTC") tells a rule again when it is
  as like one heard elsewhere as that rule's own wordings are like each other.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from nightschool.night.mining import cluster, sameness
from nightschool.night.mining.listen import Heard, Said
from nightschool.night.mining.literals import mask
from nightschool.night.mining.tokens import gist, unmarked
from nightschool.records import Check, CheckOp

OPENING = 12  # tokens by which the kind of a request is told: what follows is the case at hand
SAME_CORRECTION = 0.6  # Dice similarity of telling words
_COMPOUND = 6  # letters, at least, of a word in two halves
_CASES = 3  # wordings, each about another thing, that make a pattern
_PATTERN = 0.5  # of the words of a pattern's wordings are the same
_PARTICULAR = re.compile(
    r"(?:^|\s)(?:the|this|that|my|our|your|der|die|das|den|dem|mein\w*|le|la|les|l'|mon|ma|el|los|las|il|lo|gli|o|a|os|as)$",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"\w+(?:\.\w+)+")


def gathered(heard: Heard) -> tuple[list[list[Said]], Heard]:
    """Return the corrections, each as all that was said of it in order of time, and what is left as requests."""
    groups = [group for group in grouped(heard.rules, _same_rules(heard.rules)) if not _of_the_case(group)]
    again = _told_again(groups, heard.perhaps)
    for said, at in again:
        groups[at] = sorted([*groups[at], said], key=lambda one: one.order)
    taken = {(said.key, said.text) for said, _ in again}
    requests = [request for request in heard.requests if (request.key, request.text) not in taken]
    rules = [said for group in groups for said in group]
    return groups, heard._replace(requests=requests, rules=rules)


def grouped(said: Sequence[Said], positions: Iterable[tuple[int, ...]]) -> list[list[Said]]:
    """Return what stands at these positions, each group in order of time."""
    return [sorted((said[at] for at in group), key=lambda s: s.order) for group in positions]


# --- one rule in several wordings -----------------------------------------------------------------------------------


def _same_rules(rules: Sequence[Said]) -> list[tuple[int, ...]]:
    """Cluster rules: by their words, and by what they ask for; rules with other demands or numbers never meet.

    Rules with one demand in common are the same; of rules with different checks only those that name the same
    literals may be; a rule without checks is told by its words and its numbers.
    """
    gists = [gist(rule.tokens) for rule in rules]
    checks = [frozenset(rule.checks) for rule in rules]
    named = [_named(rule) for rule in rules]
    numbers = [_numbers(rule) for rule in rules]

    def agrees(one: int, other: int) -> bool:
        if cluster.opposed(gists[one], gists[other], SAME_CORRECTION):
            return False
        if not checks[one] or not checks[other]:
            return numbers[one] == numbers[other]
        return not checks[one].isdisjoint(checks[other]) or bool(named[one] and named[one] == named[other])

    alike = cluster.alike(
        [rule.tokens for rule in rules],
        SAME_CORRECTION,
        agrees,
        [_demands(rule.checks) for rule in rules],
        lambda tokens: unmarked(gist(tokens)),
        [[numbers[at], ("named", named[at]), *checks[at]] for at in range(len(rules))],
    )
    closed = _compounds(rules)
    profiles = [_profile([rules[at] for at in group], closed) for group in alike]
    return [tuple(sorted(at for each in groups for at in alike[each])) for groups in sameness.merged(profiles)]


def _compounds(rules: Iterable[Said]) -> frozenset[str]:
    """Return words that some write as one and others as two, as `inplace` and "in place" are."""
    words = {token.lstrip("!") for rule in rules for token in rule.tokens}
    pairs = {one.lstrip("!") + other.lstrip("!") for rule in rules for one, other in pairwise(rule.tokens)}
    return frozenset(pair for pair in words & pairs if len(pair) >= _COMPOUND)


def _as_one(tokens: cluster.Tokens, closed: frozenset[str]) -> cluster.Tokens:
    """Return tokens with the two halves of each compound put together."""
    put: list[str] = []
    for token in tokens:
        whole = put[-1].lstrip("!") + token.lstrip("!") if put else ""
        if whole in closed:
            put[-1] = f"!{whole}" if "!" in put[-1] + token else whole
        else:
            put.append(token)
    return tuple(put)


def _profile(group: Sequence[Said], closed: frozenset[str]) -> sameness.Group:
    return sameness.profile(
        ((said.text, _as_one(said.tokens, closed), _as_one(said.around, closed)) for said in group),
        (said.about.tokens[:OPENING] for said in group if said.about),
        frozenset().union(*(_numbers(said) for said in group)),
        frozenset().union(*(_named(said) for said in group)),
    )


def _named(said: Said) -> frozenset[str]:
    """Return the literals of a rule; `time.sleep` and `sleep()` both name `sleep`."""
    told = [literal.text.casefold().removesuffix("()") for literal in mask(said.text)[1]]
    return frozenset([*told, *(name.rpartition(".")[2] for name in told if _DOTTED.fullmatch(name))])


def _numbers(said: Said) -> frozenset[str]:
    return frozenset(token for token in said.tokens if token[:1].isdigit())


def _demands(checks: Sequence[Check]) -> list[Hashable]:
    """Return what marks a rule as the same as another: each thing it demands, or all that it bans."""
    wanted: list[Hashable] = [check for check in checks if check.op is not CheckOp.NOT_CONTAINS]
    return wanted or ([frozenset(checks)] if checks else [])


# --- what is told of the case at hand -------------------------------------------------------------------------------


def _of_the_case(group: Sequence[Said]) -> bool:
    """Tell whether a group is one sentence told in passing of a particular thing, each time of another."""
    if not all(said.passing for said in group):
        return False
    texts = sorted({said.text.casefold() for said in group}, key=lambda text: text.split())
    words = [text.split() for text in texts]
    if len(words) < _CASES:
        return False
    same = words[0]
    for one in words[1:]:
        same = [same[at] for block in SequenceMatcher(None, same, one, autojunk=False).get_matching_blocks()
                for at in range(block.a, block.a + block.size)]  # fmt: skip
    cases = {tuple(_left(one, same)) for one in words}
    particular = sum(any(_PARTICULAR.search(before) for before in _before(one, same)) for one in words)
    size = sum(map(len, words)) / len(words)
    return len(same) >= _PATTERN * size and len(cases) >= _CASES and 2 * particular >= len(words)


def _left(words: Sequence[str], same: Sequence[str]) -> list[str]:
    return [word for word, _ in _slots(words, same)]


def _before(words: Sequence[str], same: Sequence[str]) -> list[str]:
    return [before for _, before in _slots(words, same)]


def _slots(words: Sequence[str], same: Sequence[str]) -> list[tuple[str, str]]:
    """Return the words that are not of the pattern, each with the word before it."""
    kept = iter([*same, ""])
    expected, found = next(kept), []
    for at, word in enumerate(words):
        if word == expected:
            expected = next(kept)
        else:
            found.append((word, words[at - 1] if at else ""))
    return found


# --- what was a rule after all --------------------------------------------------------------------------------------


def _told_again(groups: Sequence[Sequence[Said]], perhaps: Sequence[Said]) -> list[tuple[Said, int]]:
    """Return which of the messages that may be rules tell one of the groups again, and which one."""
    back = [at for at, group in enumerate(groups) if len({said.where for said in group}) > 1]
    by_words: defaultdict[tuple[cluster.Tokens, cluster.Tokens], list[Said]] = defaultdict(list)
    for said in perhaps:
        by_words[said.tokens, said.about.tokens[:OPENING] if said.about else ()].append(said)
    closed = _compounds([*(said for group in groups for said in group), *perhaps])
    profiles = [_profile(group, closed) for group in groups]
    others = [_profile(alike[:1], closed) for alike in by_words.values()]
    known = sameness.Known([profiles[at] for at in back], among=[*profiles, *others])
    found = []
    for alike, profile in zip(by_words.values(), others, strict=True):
        at = known.likest(profile)
        found += [(said, back[at]) for said in alike] if at is not None else []
    return found
