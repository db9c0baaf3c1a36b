"""Patterns and anti-patterns: what ends well, or badly, more often after a step than without it.

A context is the one or two steps right before a step. Each session votes once per context, by its first time, so that
a long session weighs no more than a short one. The rate is compared with the sessions in which the same step came in
another context, by an exact test over all contexts at once: a step that fails at its usual rate makes no block.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from nightschool.memory.cases import Case, chain, found, percent
from nightschool.memory.rates import chance, passing
from nightschool.records import Block, BlockKind, Observation, Place

_LEAST_LIFT = 1.2
_LONGEST = 3  # steps of a sequence, the judged one included
Names = tuple[str, ...]
_Vote = tuple[bool, Place]


class _Tried(NamedTuple):
    names: Names
    good: bool
    hits: int
    of: int
    base_hits: int
    base_of: int
    places: list[Place]


def patterns(project: str, cases: list[Case], least: int, confidence: float) -> list[Block]:
    """Return the sequences of a project that `least` sessions bear out and whose outcome is not the usual one."""
    votes = _votes(cases)
    tried = [one for names in sorted(votes) if len(names) > 1 for one in _tried(names, votes, least)]
    kept = passing([chance(t.hits, t.of, t.base_hits, t.base_of) for t in tried])
    strong = [t for at, t in enumerate(tried) if at in kept and _holds(t, confidence)]
    shortest = {(t.names, t.good) for t in strong}
    return [_block(project, t) for t in strong if (t.names[1:], t.good) not in shortest]


def _votes(cases: list[Case]) -> dict[Names, dict[int, _Vote]]:
    """Return how each session voted on each sequence: a sequence of one is the step in whatever context."""
    votes: dict[Names, dict[int, _Vote]] = defaultdict(dict)
    for number, case in enumerate(cases):
        for names, ok, observation in _sequences(case):
            votes[names].setdefault(number, (ok, case.place(observation)))
    return votes


def _sequences(case: Case) -> Iterator[tuple[Names, bool, Observation]]:
    names: list[str] = []
    for step, observation in case.calls:
        if step.ok is not None:
            for length in range(1, min(_LONGEST, len(names) + 1) + 1):
                yield (*names[len(names) - length + 1 :], step.name), step.ok, observation
        if not names or names[-1] != step.name:
            names.append(step.name)


def _tried(names: Names, votes: dict[Names, dict[int, _Vote]], least: int) -> Iterator[_Tried]:
    mine = votes[names]
    if len(mine) < least or names[0] == names[-1] == names[-2]:
        return
    others: dict[int, _Vote] = {}
    for context, theirs in votes.items():
        if len(context) == len(names) and context[-1] == names[-1] and context != names:
            for number, vote in theirs.items():
                others.setdefault(number, vote)
    if not others:
        others = {}
    for good in (True, False):
        hits = [place for ok, place in mine.values() if ok is good]
        base = sum(ok is good for ok, _ in others.values())
        if len(hits) >= least and others:
            yield _Tried(names, good, len(hits), len(mine), base, len(others), hits)


def _holds(tried: _Tried, confidence: float) -> bool:
    rate, base = tried.hits / tried.of, tried.base_hits / tried.base_of
    return rate >= confidence and rate >= _LEAST_LIFT * base


def _block(project: str, tried: _Tried) -> Block:
    kind = BlockKind.PATTERN if tried.good else BlockKind.ANTI_PATTERN
    base = tried.base_hits / tried.base_of
    before, judged = chain(tried.names[:-1]), f"`{tried.names[-1]}`"
    went = "passes" if tried.good else "fails"
    lift = f"{tried.hits / tried.of / base:.1f} times as often" if base else "and never did"
    return found(
        kind,
        project,
        (tried.names, tried.good),
        tried.places,
        (tried.hits, tried.of),
        base,
        title=f"{judged} {went} after {before}",
        text=(
            f"In {tried.hits} of {tried.of} sessions {judged} {'passed' if tried.good else 'failed'} right after "
            f"{before}; "
            f"in other contexts in {percent(base)} of {tried.base_of} sessions: {lift}."
        ),
        not_when=f"Counted where {judged} came right after {before}. It is a correlation, not a cause.",
    )
