"""Which corrections are one rule in other words: groups that talk about the same matter are merged, the likest first.

`cluster.alike` has brought together what is worded alike. Here each group is a profile: how many of its wordings hold
a stem, and whether they ask for it or forbid it. Profiles are compared by cosine, a stem weighing the more the fewer
groups hold it (tf-idf over groups, so that a rule said often does not make its own words common), and the two most
alike are merged until no two are alike enough: average linkage, which does not chain as single links do. Groups said
about the same kind of request are merged sooner, for paraphrases share what they correct; that alone never merges
two.
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace

from nightschool.night.mining.profiles import Group, Profile

SAME = 0.36
"""Cosine from which two groups are one rule."""

_ASKED = 0.4  # what it adds that two groups are said about the same kind of request, and
_FLOOR = 0.08  # how alike they have to be without that
_OPPOSED = 0.3  # what a word counts that one side asks for and the other forbids, unless they agree on another
_SUBJECT = 0.3  # what a word counts that the requests hold as well: it tells what they are about, not what is wanted
_CLOSE = 0.15  # mean likeness of requests, above the usual, at which they are taken for the same
_TELLS = 0.5  # what a word gains that many wordings share which are about one kind of request
_RARE = 3  # groups; a stem that fewer hold is no more telling for that
_ALONE = 3  # stems of a wording; in a longer one, what no other group holds counts the less: it is talk
_APART = 0.6  # what the likeness of two groups counts when each is about something that the other never names
_ONE_WORD = 0.75  # and when two single wordings have one stem in common, though each has others
_NEARLY_ALL = 0.75  # of the wordings
_TOLD = 3  # wordings
_CLEARLY = 0.8  # of the likeness to the likest group, at most, is that to the next
_COVERED = 0.25  # of the weight of what a message says is in the rule that it tells again
_AT_HOME = 3  # times as alike as to those of other rules are the requests of a rule to those of what tells it again
_COMMON = 400  # groups; a stem that more of them hold brings no two together by itself


def merged(groups: Sequence[Group], least: float = SAME, *, shared: int = 1, related: bool = False) -> list[list[int]]:
    """Return the positions of groups that are one rule, in the order of their first; that of `groups` decides ties.

    Groups whose numbers or literals differ are never merged, and neither are two that each ask for what the other
    forbids. Only groups that have `shared` stems in common are compared, and, with `related`, only those that are said
    about something in common.
    """
    weight = _weights(groups), _context(groups)
    alive = {at: _weighed(replace(group, members=[at]), weight) for at, group in enumerate(groups)}
    near = _neighbours(groups, shared, related=related)
    heap: list[tuple[float, int, int]] = []
    for one, others in near.items():
        found = ((-_likeness(alive[one], alive[at], weight), one, at) for at in others if one < at)
        heap += [pair for pair in found if pair[0] <= -least]
    heapq.heapify(heap)
    fresh = len(groups)
    while heap:
        _, one, other = heapq.heappop(heap)
        if one not in alive or other not in alive:
            continue
        joined = _weighed(_joined(alive.pop(one), alive.pop(other)), weight)
        around = {at for at in near[one] | near[other] if at in alive}
        alive[fresh], near[fresh] = joined, around
        for at in sorted(around):
            near[at].add(fresh)
            if (how := _likeness(alive[at], joined, weight)) >= least:
                heapq.heappush(heap, (-how, at, fresh))
        fresh += 1
    return sorted(sorted(group.members) for group in alive.values())


class Known:
    """Groups that others are held against, weighed as among all groups."""

    def __init__(self, groups: Sequence[Group], among: Sequence[Group]) -> None:
        self._weight = _weights(among), _context(among)
        self._groups = [_weighed(replace(group), self._weight) for group in groups]
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        for at, group in enumerate(groups):
            for stem in group.stems:
                self._holders[stem].append(at)

    def likest(self, group: Group, least: float = SAME, *, anywhere: bool = False, surely: bool = False) -> int | None:
        """Return the position of the group that this one tells again; None when it tells none, or two as well.

        Unless it may be told `anywhere`, it has to be told about the requests of that group rather than of others: "now
        run the tests" comes with any work. And so has one that must `surely` tell it, with more than a word in common.
        """
        group = _weighed(replace(group), self._weight)
        found = sorted(
            ((_likeness(self._groups[at], group, self._weight), at) for at in self._near(group)), reverse=True
        )
        if not found or found[0][0] < least or (len(found) > 1 and found[1][0] >= _CLEARLY * found[0][0]):
            return None
        at = found[0][1]
        by_chance = len(self._groups[at].stems.keys() & group.stems.keys()) < min(2, len(group.stems))
        if by_chance and surely:
            return None
        return at if (anywhere and not by_chance) or self._at_home(at, group) else None

    def _near(self, group: Group) -> list[int]:
        """Return which groups hold enough of what another is told by."""
        held: defaultdict[int, float] = defaultdict(float)
        for stem in group.stems:
            for at in self._holders.get(stem, ()):
                held[at] += self._weight[0][stem] * (not _is_subject(stem, self._groups[at]))
        least = _COVERED * sum(self._weight[0][stem] for stem in group.stems)
        return [at for at, weight in held.items() if weight >= least]

    def _at_home(self, at: int, group: Group) -> bool:
        near = [_in_context(known, group, self._weight[1]) for known in self._groups]
        return near[at] >= _AT_HOME * (sum(near) - near[at]) / max(1, len(near) - 1)


def _weights(groups: Sequence[Group]) -> dict[str, float]:
    """Return what stems weigh: more the fewer groups hold them, most what wordings about one kind of request share."""
    holders: defaultdict[str, list[Group]] = defaultdict(list)
    for group in groups:
        for stem in group.stems:
            holders[stem].append(group)
    context = _context(groups)
    usual = _gathered(groups, context)
    return {stem: _weight(stem, some, len(groups), context, usual) for stem, some in holders.items()}


def _weight(stem: str, holders: Sequence[Group], among: int, context: dict[str, float], usual: float) -> float:
    if len(holders) <= _RARE:
        alone = min(1.0, _ALONE * holders[0].size / len(holders[0].stems)) if len(holders) == 1 else 1.0
        return math.log(1 + (among + 10) / _RARE) * alone
    close = min(1.0, max(0.0, _gathered(holders, context) - usual) / _CLOSE)
    apart = 1 + (len(holders) - 1) * (1 - close)
    subject = sum(_is_subject(stem, group) for group in holders) / len(holders)
    return math.log(1 + (among + 10) / max(apart, _RARE)) * (1 + _TELLS * close * (subject < _SUBJECT))


def _gathered(groups: Sequence[Group], context: dict[str, float]) -> float:
    """Return how alike the requests are that groups are said about: their mean cosine in pairs."""
    total: defaultdict[str, float] = defaultdict(float)
    count = 0
    for group in groups:
        if length := _length(group.asked, context):
            count += 1
            for stem, often in group.asked.items():
                total[stem] += context[stem] * often / length
    return (sum(value**2 for value in total.values()) - count) / (count * (count - 1)) if count > 1 else 0.0


def _context(groups: Sequence[Group]) -> dict[str, float]:
    """Return what stems of requests weigh: nothing when all groups hold them."""
    held = Counter(stem for group in groups for stem in group.asked)
    return {stem: math.log(len(groups) / often) for stem, often in held.items()}


def _neighbours(groups: Sequence[Group], shared: int, *, related: bool) -> defaultdict[int, set[int]]:
    by_stem: defaultdict[str, list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        for stem in group.stems:
            by_stem[stem].append(at)
    near: defaultdict[int, set[int]] = defaultdict(set)
    for at, group in enumerate(groups):
        held = (by_stem[stem] for stem in group.stems)
        common = Counter(other for holders in held if len(holders) <= _COMMON for other in holders)
        near[at] = {other for other, count in common.items() if count >= shared and other != at}
        if related:
            near[at] = {other for other in near[at] if not group.asked.keys().isdisjoint(groups[other].asked)}
    return near


def _joined(one: Group, other: Group) -> Group:
    return Group(
        _sum(one.stems, other.stems),
        _sum(one.signs, other.signs),
        one.size + other.size,
        one.numbers | other.numbers,
        one.named | other.named,
        one.members + other.members,
        _sum(one.asked, other.asked),
    )


def _sum(one: Profile, other: Profile) -> Profile:
    return {key: one.get(key, 0.0) + other.get(key, 0.0) for key in {**one, **other}}


def _likeness(one: Group, other: Group, weights: tuple[dict[str, float], dict[str, float]]) -> float:
    weight, context = weights
    if _differ(one.numbers, other.numbers) or _differ(one.named, other.named):
        return 0.0
    less, more = (one, other) if len(one.stems) <= len(other.stems) else (other, one)
    shared = [stem for stem in less.stems if stem in more.stems]
    sign = [less.signs.get(stem, 0.0) * more.signs.get(stem, 0.0) for stem in shared]
    dots = [_told(stem, less, more) * weight[stem] ** 2 * less.stems[stem] * more.stems[stem] for stem in shared]
    total = sum(dots)
    if min(sign, default=0.0) < 0:
        if len({less.signs[stem] > 0 for stem, product in zip(shared, sign, strict=True) if product < 0}) > 1:
            return 0.0
        if max(sign) <= 0:  # they agree on nothing
            total = sum(dot * (_OPPOSED if product < 0 else 1) for dot, product in zip(dots, sign, strict=True))
    if len(shared) == one.size == other.size == 1 < len(less.stems):
        total *= _ONE_WORD
    apart = _APART if _core(less) - more.stems.keys() and _core(more) - less.stems.keys() else 1
    alike = apart * total / (one.length * other.length or 1)
    return alike + _ASKED * _in_context(one, other, context) if alike >= _FLOOR else alike


def _told(stem: str, one: Group, other: Group) -> float:
    """Return what a common stem counts: less when both are said about requests that hold it, too."""
    return _SUBJECT if _is_subject(stem, one) and _is_subject(stem, other) else 1


def _is_subject(stem: str, group: Group) -> bool:
    """Tell whether the requests that a group is said about hold a stem as often as what they are about."""
    return group.asked.get(stem, 0) > _SUBJECT * max(group.asked.values(), default=0)


def _in_context(one: Group, other: Group, weight: dict[str, float]) -> float:
    """Return the cosine of the requests that two groups are said about."""
    less, more = sorted((one.asked, other.asked), key=len)
    total = sum(weight[stem] ** 2 * often * more[stem] for stem, often in less.items() if stem in more)
    return total / (one.asked_length * other.asked_length) if total else 0.0


def _core(group: Group) -> set[str]:
    """Return what nearly all wordings of a group hold: what it is about; nothing for a group too small to tell."""
    return (
        {s for s, often in group.stems.items() if often >= _NEARLY_ALL * group.size} if group.size >= _TOLD else set()
    )


def _weighed(group: Group, weights: tuple[dict[str, float], dict[str, float]]) -> Group:
    group.length, group.asked_length = _length(group.stems, weights[0]), _length(group.asked, weights[1])
    return group


def _length(stems: Profile, weight: dict[str, float]) -> float:
    return math.sqrt(sum((weight[stem] * often) ** 2 for stem, often in stems.items()))


def _differ(one: frozenset[Hashable], other: frozenset[Hashable]) -> bool:
    return bool(one and other) and not (one <= other or other <= one)
