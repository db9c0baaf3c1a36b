"""Dose control: on a share of the days a project is told nothing from memory, so that the difference can be measured.

Which days is chosen by a hash of day and project: nobody, and no outcome, can move it. On the other days each block is
left out on the same share of them, by a hash of its own: so each has sessions with and without it. What was told is put
down whenever it changes, before any outcome is known, and holds from then until the next line of the project.
"""

import bisect
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from pydantic import Field, ValidationError

from nightschool.clock import Clock
from nightschool.events import Instant, Name, Record
from nightschool.files import append_line, read_lines
from nightschool.memory.rates import welch
from nightschool.paths import Home
from nightschool.records import ObservationKind, Observed
from nightschool.versions import Version

_WHOLE = 2**32


class Dose(Record):
    """What a project's sessions are told of from then on: the blocks told, and those the draw has left out."""

    version: Version = 1
    at: Instant
    project: str
    told: tuple[Name, ...] = Field(default=())
    left: tuple[Name, ...] = Field(default=())


class Difference(NamedTuple):
    """A mean per session with memory minus without it, its 95 % interval, and the stretches of time on either side."""

    what: str
    with_memory: int
    without: int
    difference: float
    interval: tuple[float, float]


class _Stretch(NamedTuple):
    dose: Dose
    sessions: list[Observed]


def chosen(project: str, day: str, share: float, block: str = "") -> bool:
    """Tell whether a project goes without memory, or without one block of it, on a day."""
    told = f"dose\0{project}\0{day}" + (f"\0{block}" if block else "")
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:4]) < share * _WHOLE


def given(home: Home, project: str, names: Iterable[str], share: float, clock: Clock) -> frozenset[str]:
    """Return which of the blocks that are due are told today, and put down what was drawn when it has changed.

    Without a share all are told and nothing is put down, but the end of a measurement that was under way.
    """
    now, due = clock.now(), tuple(sorted(names))
    last = _last(home, project)
    if share <= 0:
        if last is not None and (last.told or last.left):
            _put_down(home, Dose(at=now, project=project))
        return frozenset(due)
    day = f"{now:%Y-%m-%d}"
    nothing = chosen(project, day, share)
    left = tuple(name for name in due if nothing or chosen(project, day, share, name))
    told = tuple(name for name in due if name not in left)
    if last is None or (last.told, last.left) != (told, left):
        _put_down(home, Dose(at=now, project=project, told=told, left=left))
    return frozenset(told)


def measured(home: Home) -> bool:
    """Tell whether anything was ever left out to be measured."""
    return _path(home).exists()


def light(one: Observed) -> Observed:
    """Return a session with nothing in it but failed calls and corrections: all that is ever counted here."""
    kept = []
    for told in one.observations:
        steps = tuple(step for step in told.steps if step.ok is False) if told.kind is ObservationKind.TOOLS else ()
        if steps or told.kind is ObservationKind.CORRECTION:
            kept.append(told.model_copy(update={"steps": steps}))
    return one.model_copy(update={"observations": tuple(kept)})


def differences(home: Home, observed: Iterable[Observed]) -> list[Difference]:
    """Return what stretches with memory differed in from those without, per session (B. L. Welch's interval, 1947)."""
    stretches = [one for one in _stretches(home, observed) if one.dose.told or one.dose.left]
    return [found for what, count in _COUNTS.items() if (found := _difference(what, count, stretches))]


def waiting(home: Home, observed: Iterable[Observed]) -> tuple[int, int]:
    """Return how many stretches of time with sessions there were with memory, and without."""
    told = [bool(one.dose.told) for one in _stretches(home, observed) if one.dose.told or one.dose.left]
    return sum(told), len(told) - sum(told)


def credit(home: Home, observed: Iterable[Observed]) -> dict[str, tuple[int, int]]:
    """Return for each block in how many pairs of sessions the one that was told it had less trouble, and more.

    A session without the block is paired with the one nearest in time that was told it; each is used once. Stretches
    in which everything was left out say nothing of one block among several.
    """
    sides: dict[str, tuple[list[Observed], list[Observed]]] = defaultdict(lambda: ([], []))
    for one in _stretches(home, observed):
        for name in one.dose.told:
            sides[name][0].extend(one.sessions)
        for name in one.dose.left if one.dose.told or len(one.dose.left) == 1 else ():
            sides[name][1].extend(one.sessions)
    return {name: _compared(*both) for name, both in sides.items() if all(both)}


def _compared(with_it: list[Observed], without: list[Observed]) -> tuple[int, int]:
    free, helped, hurt = list(with_it), 0, 0
    for one in sorted(without, key=_begun):
        if not free:
            break
        nearest = min(free, key=lambda other: (abs(_begun(other) - _begun(one)), other.session))
        free.remove(nearest)
        trouble, usual = _trouble(nearest), _trouble(one)
        helped, hurt = helped + (trouble < usual), hurt + (trouble > usual)
    return helped, hurt


def _stretches(home: Home, observed: Iterable[Observed]) -> list[_Stretch]:
    """Lay the sessions into the stretches in which they began; those of no measured project are left out."""
    doses: dict[str, list[_Stretch]] = defaultdict(list)
    for dose in _doses(home):
        doses[dose.project].append(_Stretch(dose, []))
    for one in observed:
        lines = doses.get(_measured_in(one.project, doses), [])
        if one.started is not None and lines:
            at = bisect.bisect_right([line.dose.at for line in lines], one.started)
            if at:
                lines[at - 1].sessions.append(one)
    return [line for lines in doses.values() for line in lines if line.sessions]


def _measured_in(project: str, doses: Mapping[str, object]) -> str:
    """Return the nearest directory, from the session's own upwards, whose brief it was given."""
    at = project.rstrip("/\\")
    while at and at not in doses:
        at = at[: max(at.rfind("/"), at.rfind("\\"), 0)]
    return at


def _doses(home: Home) -> list[Dose]:
    found = []
    for line in read_lines(_path(home)):
        try:
            found.append(Dose.model_validate_json(line))
        except ValidationError:  # torn by a crash: what is told is put down again with the next brief
            continue
    return sorted(found, key=lambda dose: dose.at)


def _last(home: Home, project: str) -> Dose | None:
    return next((dose for dose in reversed(_doses(home)) if dose.project == project), None)


def _put_down(home: Home, dose: Dose) -> None:
    append_line(_path(home), dose.model_dump_json())


def _path(home: Home) -> Path:
    return home.memory / "doses.jsonl"


def _difference(what: str, count: Callable[[Observed], int | None], stretches: list[_Stretch]) -> Difference | None:
    sides: tuple[list[float], list[float]] = ([], [])
    for one in stretches:
        counted = [value for session in one.sessions if (value := count(session)) is not None]
        if counted:
            sides[0 if one.dose.told else 1].append(fmean(counted))
    if min(map(len, sides)) < 2:  # noqa: PLR2004  no variance, no interval
        return None
    return Difference(what, len(sides[0]), len(sides[1]), fmean(sides[0]) - fmean(sides[1]), welch(*sides))


def _begun(one: Observed) -> float:
    return one.started.timestamp() if one.started else 0.0


def _trouble(one: Observed) -> int:
    return _failed(one) + _corrected(one)


def _failed(one: Observed) -> int:
    tools = (told for told in one.observations if told.kind is ObservationKind.TOOLS)
    return sum(step.ok is False for told in tools for step in told.steps)


def _corrected(one: Observed) -> int:
    return sum(told.kind is ObservationKind.CORRECTION for told in one.observations)


def _tokens(one: Observed) -> int | None:
    return one.tokens or None  # a platform that tells none has not used none


_COUNTS: dict[str, Callable[[Observed], int | None]] = {
    "failed calls": _failed,
    "corrections": _corrected,
    "tokens": _tokens,
}
