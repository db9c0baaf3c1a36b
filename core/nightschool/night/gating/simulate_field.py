"""Simulate field exams: real sessions whose arm a fair coin decides, looked at after every one of them.

The rulings are the product's. Sessions without the rule pass at one rate and those with it at another; a useless rule
has both alike.
"""

# ruff: noqa: S311  a simulation wants the same luck on every machine

import random
from dataclasses import dataclass

from nightschool.night.gating.field import MOST, Shown, rule, told
from nightschool.records import Ruling

LOOKED = 60  # sessions within which a rule that works should be found


@dataclass(frozen=True)
class Found:
    """How often a rule was accepted: within a whole exam, and within its first `LOOKED` sessions."""

    accepted: float
    early: float
    sessions: float  # mean of a whole exam


def tried(without: float, with_: float, *, repetitions: int, seed: int = 7) -> Found:
    """Return how often a rule with these pass rates is accepted."""
    source = random.Random(f"{seed} field {without} {with_}")
    at = []
    total = 0
    for _ in range(repetitions):
        shown: list[Shown] = []
        ruling = Ruling.PROBATION
        while ruling is Ruling.PROBATION and len(shown) < MOST:
            given = source.random() < 0.5  # noqa: PLR2004  a fair coin
            shown.append(Shown(given, source.random() < (with_ if given else without)))
            ruling, _ = rule(told(shown))
        total += len(shown)
        if ruling is Ruling.ACCEPT:
            at.append(len(shown))
    early = sum(count <= LOOKED for count in at)
    return Found(len(at) / repetitions, early / repetitions, total / repetitions)
