"""Simulated raters: what the gate does to edits whose true effect is known.

A task's pass rate is drawn from a U-shaped Beta (mean 0.35): most tasks always fail or always pass. In the world
`shift` an edit moves every task alike; in `churn` every task also moves at random by its own amount (normal, 0.15); in
`skewed` three tasks of four gain a little and one loses a lot. Rates are cut at 0 and 1, and the shift is chosen so
that the mean effect over tasks is the stated one. The rulings are the product's: the looks, stops and verdicts of
`gate.py` in the order of `exam.py`.
"""

# ruff: noqa: S311  a simulation wants the same luck on every machine

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from nightschool.night.gate import asked_for, hopeless, round_size, rule
from nightschool.night.gating.lifetime import even_share, level, share
from nightschool.night.gating.reexam import removal_ruling, stale
from nightschool.records import Ruling

WORLDS = ("shift", "churn", "skewed")
CHURN = 0.15  # standard deviation of what a task moves by itself
_U = (0.35, 0.65)  # of the Beta
_LOSING, _LOSS, _GAIN = 0.25, -0.5, 0.1  # of the world `skewed`
_NOTHING = 1e-9  # thirds do not add up to 0 exactly


@dataclass(frozen=True, slots=True)
class Seen:
    """A simulated pair, as the gate reads it."""

    difference: float
    night: str
    recurrence: str = "own"
    shape_only: bool = False
    own: bool = True


@dataclass
class Rater:
    """A stream of held-out tasks of one world, each attempted `k` times on both sides, under an edit of an effect."""

    world: str
    effect: float
    k: int
    source: random.Random
    shift: float = field(init=False)

    def __post_init__(self) -> None:
        """Work out the shift that gives the effect."""
        self.shift = calibrated(self.world, self.effect)

    def rate(self) -> float:
        """Draw a task's pass rate without the edit."""
        return self.source.betavariate(*_U)

    def mean(self, rate: float) -> float:
        """Attempt a task k times."""
        draw = self.source.random
        return sum([draw() < rate for _ in range(self.k)]) / self.k

    def edited(self, rate: float) -> float:
        """Return a task's pass rate with the edit."""
        return _moved(self.world, rate, self.shift, self.source)


def _moved(world: str, rate: float, shift: float, source: random.Random) -> float:
    if world == "churn":
        rate += source.gauss(0.0, CHURN)
    elif world == "skewed":
        rate += _LOSS if source.random() < _LOSING else _GAIN
    return min(1.0, max(0.0, rate + shift))


@lru_cache(maxsize=64)
def calibrated(world: str, effect: float) -> float:
    """Return the shift whose mean effect over tasks is `effect`, by bisection on 20,000 seeded tasks."""
    if world == "shift" and effect == 0:
        return 0.0
    low, high = -1.5, 1.5
    for _ in range(20):
        middle, source, total = (low + high) / 2, random.Random(5), 0.0
        for _ in range(20_000):
            rate = source.betavariate(*_U)
            total += _moved(world, rate, middle, source) - rate
        low, high = (middle, high) if total / 20_000 < effect else (low, middle)
    return (low + high) / 2


@dataclass
class Life:
    """One edit's life at the gate."""

    pairs: list[Seen] = field(default_factory=list)
    ruling: Ruling = Ruling.PROBATION
    rollouts: int = 0


def night(
    life: Life, tasks: Sequence[tuple[float, float]], *, k: int, name: str, threshold: float, max_nights: int = 6
) -> Ruling:
    """Let an edit meet tonight's tasks, as (mean without, mean with), the way an exam does, and rule."""
    met = 0
    while met < len(tasks) and life.ruling is Ruling.PROBATION:
        if met and hopeless(life.pairs, len(tasks) - met, threshold=threshold, tonight=met):
            break
        for without, with_ in tasks[met : met + round_size(met)]:
            met += 1
            life.rollouts += 2 * k
            if life.ruling is Ruling.PROBATION:
                life.pairs.append(Seen(with_ - without, name))
                life.ruling, _ = rule(life.pairs, threshold=threshold, max_nights=max_nights, night_over=False)
    if life.ruling is Ruling.PROBATION and life.pairs:
        life.ruling, _ = rule(life.pairs, threshold=threshold, max_nights=max_nights)
    return life.ruling


def tasks_of(rater: Rater, count: int, edits: int = 1) -> list[list[tuple[float, float]]]:
    """Draw tasks and attempt each once without and once with every edit: all edits share one baseline."""
    drawn: list[list[tuple[float, float]]] = [[] for _ in range(edits)]
    for _ in range(count):
        rate = rater.rate()
        without = rater.mean(rate)
        for met in drawn:
            met.append((without, rater.mean(rater.edited(rate))))
    return drawn


@dataclass(frozen=True)
class Rate:
    """How often something happened, and what it cost."""

    accepted: float  # share of the repetitions
    rollouts: float  # mean, both sides together
    naive: float  # share in which "the mean rises" accepted


def accepts(
    world: str, effect: float, *, tasks: int, k: int, nights: int = 1, edits: int = 1, repetitions: int, seed: int = 7
) -> Rate:
    """Return how often at least one of `edits` wordings with this effect is accepted within `nights`."""
    rater = Rater(world, effect, k, random.Random(f"{seed} {world} {effect} {tasks} {k} {nights} {edits}"))
    threshold = asked_for(wordings=edits, level=level(share(1), 0))
    passed = naive = rollouts = 0
    for _ in range(repetitions):
        lives = [Life() for _ in range(edits)]
        risen = False
        for number in range(nights):
            drawn = tasks_of(rater, tasks, edits)
            risen = risen or any(sum(b - a for a, b in met) > _NOTHING for met in drawn)
            for life, met in zip(lives, drawn, strict=True):
                night(life, met, k=k, name=f"{number}", threshold=threshold)
        passed += any(life.ruling is Ruling.ACCEPT for life in lives)
        naive += risen
        rollouts += sum(life.rollouts for life in lives)
    return Rate(passed / repetitions, rollouts / repetitions / edits, naive / repetitions)


@dataclass(frozen=True)
class Lifetimes:
    """What many nights come to."""

    useless_share: float  # of the accepted, mean over the runs (nothing accepted counts as 0)
    found: float  # share of the useful that was accepted
    naive_share: float  # of useless ones among what "the mean rises" accepts


def lifetime(
    world: str, *, nights: int = 60, edits: int = 3, useless: float = 0.8, effect: float = 0.3, tasks: int = 20,
    k: int = 3, probation: int = 6, runs: int = 40, seed: int = 7,
) -> Lifetimes:  # fmt: skip
    """Live `nights` of `edits` each, and the nights after it that the last ones wait; every edit takes a place."""
    source = random.Random(f"{seed} {world}")
    good, none = Rater(world, effect, k, source), Rater(world, 0.0, k, source)
    shares, naive, found, useful = [], [], 0, 0
    for _ in range(runs):
        waiting: list[tuple[float, bool, Life]] = []
        right = wrong = risen_right = risen_wrong = 0
        for number in range(nights + probation):
            part = even_share(1 + number * edits, edits)
            for _ in range(edits if number < nights else 0):
                helps = source.random() >= useless
                useful += helps
                waiting.append((part, helps, Life()))
                risen = sum(b - a for a, b in tasks_of(good if helps else none, tasks)[0]) > _NOTHING
                risen_right, risen_wrong = risen_right + (risen and helps), risen_wrong + (risen and not helps)
            for at, helps, life in waiting:
                met = tasks_of(good if helps else none, tasks)[0]
                asked = asked_for(level=level(at, right + wrong))
                if night(life, met, k=k, name=f"{number}", threshold=asked, max_nights=probation) is Ruling.ACCEPT:
                    right, wrong = right + helps, wrong + (not helps)
            waiting = [one for one in waiting if one[2].ruling is Ruling.PROBATION]
        found += right
        shares.append(wrong / max(1, right + wrong))
        naive.append(risen_wrong / max(1, risen_right + risen_wrong))
    return Lifetimes(sum(shares) / runs, found / max(1, useful), sum(naive) / runs)


def deleted(world: str, effect: float, *, tasks: int, k: int, repetitions: int, seed: int = 7) -> tuple[float, float]:
    """Return how often an adopted rule's deletion is (accepted, offered by hand) within so many later tasks.

    One task comes after another, and the ruling is looked at after each of them, as if every one had a night.
    """
    rater = Rater(world, effect, k, random.Random(f"{seed} deleted {world} {effect} {tasks} {k}"))
    accepted = offered = 0
    for _ in range(repetitions):
        pairs: list[Seen] = []
        by_hand = ruled = False
        for number, (without, with_) in enumerate(tasks_of(rater, tasks)[0]):
            pairs.append(Seen(without - with_, f"{number}"))
            ruled = ruled or removal_ruling(pairs, alpha=0.05) is Ruling.ACCEPT
            by_hand = by_hand or stale(pairs)
        accepted += ruled
        offered += by_hand and not ruled
    return accepted / repetitions, offered / repetitions
