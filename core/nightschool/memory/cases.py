"""Sessions laid out for comparison, and the block that a finding over several of them becomes."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from nightschool.memory.rates import wilson
from nightschool.records import Block, BlockKind, Observation, ObservationKind, Observed, Place, Step

SHOWN = 12  # places a block names


@dataclass(frozen=True)
class Case:
    """One session and the calls in it, in order, each with the observation that holds it."""

    observed: Observed

    @cached_property
    def calls(self) -> list[tuple[Step, Observation]]:
        """All calls."""
        tools = (o for o in self.observed.observations if o.kind is ObservationKind.TOOLS)
        return [(step, observation) for observation in tools for step in observation.steps]

    def place(self, observation: Observation) -> Place:
        """Return where an observation stands."""
        told = self.observed
        return Place(
            platform=told.platform,
            session=told.session,
            turn=observation.turn,
            at=observation.at,
            span=observation.span,
        )


def block_id(kind: BlockKind, project: str, key: object) -> str:
    """Return a block's id: the same finding in the same project has the same one every night."""
    told = hashlib.sha256(f"{project}\0{key!r}".encode()).hexdigest()
    return f"{kind.replace('_', '-')}-{told[:10]}"


def found(
    kind: BlockKind,
    project: str,
    key: object,
    places: Iterable[Place],
    votes: tuple[int, int],
    base: float | None,
    **told: Any,
) -> Block:
    """Return a finding as a block. `votes`: how many sessions bear it out, of how many."""
    low, high = wilson(*votes)
    newest = sorted(set(places), key=lambda place: (place.at, place.session, place.turn), reverse=True)
    return Block(
        id=block_id(kind, project, key),
        kind=kind,
        project=project,
        branch="",
        created=newest[-1].at,
        seen=newest[0].at,
        sessions=votes[0],
        confidence=round(votes[0] / votes[1], 4),
        base_rate=None if base is None else round(base, 4),
        interval=(round(low, 4), round(high, 4)),
        evidence=tuple(newest[:SHOWN]),
        **told,
    )


def percent(rate: float) -> str:
    """Return a rate in words."""
    return f"{round(100 * rate)} %"


def by_project(observed: Iterable[Observed]) -> dict[str, list[Case]]:
    """Group sessions by their working directory, in an order that does not hang on the input's."""
    groups: dict[str, list[Case]] = {}
    for one in sorted(observed, key=lambda o: (o.platform, o.session)):
        groups.setdefault(one.project, []).append(Case(one))
    return groups


def alike(observed: Iterable[Observed]) -> Iterator[Observed]:
    """Yield sessions in which steps that tell the same are one object: those of a project do much the same.

    Of a project with many thousand sessions the steps are most of what has to be held.
    """
    known: dict[object, Step] = {}
    for one in observed:
        kept = tuple(_alike(told, known) if told.steps else told for told in one.observations)
        yield one.model_copy(update={"observations": kept})


def _alike(told: Observation, known: dict[object, Step]) -> Observation:
    steps = ((s, (s.name, s.detail, s.ok, s.error, s.edits, s.checks)) for s in told.steps)
    return told.model_copy(update={"steps": tuple(known.setdefault(key, step) for step, key in steps)})


def until_then(observed: Iterable[Observed], until: datetime | None) -> list[Observed]:
    """Return the sessions as they had been observed by an instant; without one, as they are."""
    if until is None:
        return list(observed)
    cut = ((one, tuple(o for o in one.observations if o.at <= until)) for one in observed)
    return [one.model_copy(update={"observations": kept}) for one, kept in cut if kept]


def chain(names: Sequence[str]) -> str:
    """Return steps as text."""
    return " → ".join(f"`{name}`" for name in names)
