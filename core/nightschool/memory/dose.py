"""Dose control: on a share of the days a project is told nothing from memory, so that the difference can be measured.

Which days is chosen by a hash of day and project: nobody, and no outcome, can move it. Sessions of one day share one
brief, so the day is what was assigned and the day is what is compared.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from math import sqrt
from statistics import fmean, variance
from typing import NamedTuple

from nightschool.files import append_line, read_lines
from nightschool.memory.rates import Z
from nightschool.paths import Home
from nightschool.records import Observation, ObservationKind, Observed

_WHOLE = 2**32


class Difference(NamedTuple):
    """A mean per session with memory minus without it, and its 95 % interval; days on either side."""

    what: str
    with_days: int
    without_days: int
    difference: float
    interval: tuple[float, float]


def chosen(project: str, day: str, share: float) -> bool:
    """Tell whether a project goes without memory on a day."""
    drawn = int.from_bytes(hashlib.sha256(f"dose\0{project}\0{day}".encode()).digest()[:4])
    return drawn < share * _WHOLE


def withheld_today(home: Home, project: str, share: float) -> bool:
    """Tell whether today is a day without, and put down what was assigned; without a share nothing is put down."""
    if share <= 0:
        return False
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    without = chosen(project, day, share)
    line = f"{day}\t{int(not without)}\t{project}"
    path = home.memory / "doses.log"
    if line.encode() not in {told.strip() for told in read_lines(path)}:
        append_line(path, line.replace("\n", " "))
    return without


def differences(home: Home, observed: Iterable[Observed]) -> list[Difference]:
    """Return what the days with memory differed in, per session: failed calls and corrections (Welch's interval)."""
    given = {}
    for line in read_lines(home.memory / "doses.log"):
        day, told, project = line.decode().rstrip("\n").split("\t", 2)
        given[project, day] = told == "1"
    days: dict[tuple[str, str], list[Observed]] = defaultdict(list)
    for one in observed:
        if one.observations and (key := (one.project, f"{one.observations[0].at:%Y-%m-%d}")) in given:
            days[key].append(one)
    return [
        found
        for what, count in (("failed calls", _failed), ("corrections", _corrected))
        if (found := _difference(what, [(given[key], fmean(map(count, ones))) for key, ones in days.items()]))
    ]


def _failed(one: Observed) -> int:
    return sum(_failures(o) for o in one.observations if o.kind is ObservationKind.TOOLS)


def _failures(observation: Observation) -> int:
    return sum(step.ok is False for step in observation.steps)


def _corrected(one: Observed) -> int:
    return sum(o.kind is ObservationKind.CORRECTION for o in one.observations)


def _difference(what: str, days: list[tuple[bool, float]]) -> Difference | None:
    with_it = [value for told, value in days if told]
    without = [value for told, value in days if not told]
    if min(len(with_it), len(without)) < 2:  # noqa: PLR2004  no variance, no interval
        return None
    middle = fmean(with_it) - fmean(without)
    half = Z * sqrt(variance(with_it) / len(with_it) + variance(without) / len(without))
    return Difference(what, len(with_it), len(without), middle, (middle - half, middle + half))
