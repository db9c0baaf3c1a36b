"""The gate: held-out pairs in, a verdict out. Pure arithmetic, no files, no model, no clock.

The unit of evidence is one held-out task of the kind the edit is about (others can only speak against it): the
difference d in [-1, 1] between its mean reward with the edit and without. The e-value is the capital of a gambler who
bets a share of it on every task that the edit helps,

    E = sum over j of w_j * product over tasks t of (1 + b_j * sign(d_t) * |d_t| ** ROOT),  b_j in BETS, w_j in WEIGHTS,

a mixture over several shares because nobody knows the right one beforehand. What it is a bet against: that the edit
makes no difference, so that a task is as likely to get better as to get worse by the same amount (or likelier to get
worse). Then E is a test supermartingale, so it ever reaches 1/alpha with probability at most alpha, however often one
looks and over however many nights (Ville's inequality). Tasks may move as they like, each by its own amount and
several attempts at one task together: a task counts once. Method: betting, Waudby-Smith and Ramdas, "Estimating means
of bounded random variables by betting", JRSS-B 2024; against symmetry, Ramdas, Ruf, Larsson and Koolen, "Admissible
anytime-valid sequential inference must rely on nonnegative martingales", 2020; Vovk and Wang, "E-values: calibration,
combination and applications", Annals of Statistics 2021.

The root gives small steady gains more weight than their size has: with ROOT = 1 the bound would hold for every edit
whose mean difference is 0, and an edit of +0.3 would pass on 20 tasks in four nights of five instead of 19 of 20.
Edits that help most tasks a little and hurt a few a lot are simulated in `bench gate` (world `skewed`) instead.

Six tasks helped and none hurt give E = 36; five give 19. So fewer than six held-out tasks cannot certify anything
at alpha = 0.05, and the gate says so instead of lowering the bar.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Protocol

from nightschool.records import Pair, Ruling, Verdict

BETS = (0.5, 0.75, 0.9)
WEIGHTS = (0.12, 0.38, 0.5)  # most tasks do not move at all, so those that do are worth a bold bet
ROOT = 0.25
FIRST_ROUND = 5  # tasks before a night may stop for want of gain
NEXT_ROUND = 3  # tasks between two looks after that

_MOST = 1e300  # an endless number could not be written
_NOTHING = 1e-9  # thirds do not add up to 0 exactly
_HALVED, _SIGNS = 0.5, 2  # when to stop for tonight
_SEEMS = 4.0  # a useless edit looks this harmful, to one kind of task, in at most a quarter of its exams
_GRID = 200  # steps of the interval's bounds over [-1, 1]


class Met(Protocol):
    """What the gate reads of a pair."""

    @property
    def difference(self) -> float: ...  # noqa: D102
    @property
    def recurrence(self) -> str: ...  # noqa: D102
    @property
    def night(self) -> str: ...  # noqa: D102
    @property
    def shape_only(self) -> bool: ...  # noqa: D102
    @property
    def own(self) -> bool: ...  # noqa: D102


def e_value(differences: Sequence[float]) -> float:
    """Return the evidence that an edit helps; each difference lies in [-1, 1]. The order does not matter."""
    return _capital(tuple(sorted(differences)))


@lru_cache(maxsize=1 << 16)
def _capital(differences: tuple[float, ...]) -> float:
    stakes = [abs(d) ** ROOT * (1 if d > 0 else -1) for d in differences if abs(d) > _NOTHING]
    told = sum(w * prod([1 + b * stake for stake in stakes]) for w, b in zip(WEIGHTS, BETS, strict=True))
    return min(float(told), _MOST)


def interval(differences: Sequence[float], alpha: float = 0.05) -> tuple[float, float]:
    """Return a confidence sequence of the mean difference, by bets on its size (ROOT = 1).

    It holds its 1 - alpha at every look at once, whatever the differences' distribution, so it is wider than the
    gate's own bet and than a bootstrap over few tasks: (-1, 1) when nothing is known. The lower bound is the largest
    mean m on a grid of 0.01 that the data refute from above.
    """
    low = _refuted_below(differences, alpha / 2)
    high = -_refuted_below([-d for d in differences], alpha / 2)
    return (low, high)


def _refuted_below(differences: Sequence[float], alpha: float) -> float:
    """Return the largest m such that "the mean is at most m" is refuted at level alpha; -1 when none is."""
    best = -1.0
    for step in range(1, _GRID):
        mean = -1 + step * 2 / _GRID
        # scaled so that a loss of d = -1 costs the same share of the capital as it does at m = 0
        moved = [(d - mean) / (1 + mean) for d in differences]
        if sum(w * prod(1 + b * d for d in moved) for w, b in zip(WEIGHTS, BETS, strict=True)) < 1 / alpha:
            break
        best = mean
    return best


def asked_for(alpha: float = 0.05, wordings: int = 1, level: float = 1.0) -> float:
    """Return the e-value an edit must reach.

    `wordings` is among how many texts for the same recurrence it was tried: that many times 1/alpha (union bound).
    `level` is its share of the lifetime's budget (`gating/lifetime.py`); the stricter of the two holds.
    """
    return max(wordings / alpha, 1 / level)


def decide(
    pairs: Sequence[Pair],
    *,
    alpha: float = 0.05,
    wordings: int = 1,
    max_nights: int = 6,
    night_over: bool = True,
    level: float = 1.0,
) -> Verdict:
    """Rule on one edit from everything the exams ever showed of it. Without a pair: unexamined."""
    threshold = asked_for(alpha, wordings, level)
    pairs = [pair for pair in pairs if abs(pair.difference) <= 1]  # neither NaN nor a score outside of [0, 1]
    if not pairs:
        return Verdict(ruling=Ruling.UNEXAMINED, reason="No held-out task has been tried.", threshold=threshold)
    ruling, reason = rule(
        pairs, threshold=threshold, harm=1 / alpha, max_nights=max_nights, night_over=night_over, alone=wordings / alpha
    )
    telling = _telling(pairs)
    return Verdict(
        ruling=ruling,
        reason=reason,
        e_value=e_value(telling),
        e_harm=_e_harm(pairs),
        threshold=threshold,
        effect=sum(telling) / len(telling) if telling else None,
        interval=interval(telling) if telling else None,
        tasks=len(telling),
        nights=len({pair.night for pair in pairs}),
        rollouts=sum(pair.rollouts for pair in pairs),
        wins=sum(d > _NOTHING for d in telling),
        losses=sum(d < -_NOTHING for d in telling),
    )


def rule(
    pairs: Sequence[Met],
    *,
    threshold: float,
    harm: float = 20.0,
    max_nights: int = 6,
    night_over: bool = True,
    alone: float | None = None,
) -> tuple[Ruling, str]:
    """Return the ruling on at least one pair, and why in one sentence.

    Probation ends, for want of gain or of proof, only when the night is over. Tasks that are checked for shape alone
    can speak against an edit, never for it. `alone` is what the edit would have to show were it the only one ever.
    """
    if _worse_groups(pairs, harm):
        return Ruling.REJECT, f"It makes other work worse: {len(_worse_groups(pairs, harm))} kind(s) of task lost."
    if _e_harm(pairs) >= harm:
        return Ruling.REJECT, "It makes held-out tasks worse."
    telling = _telling(pairs)
    found = e_value(telling)
    if found >= threshold and not _worse_groups(pairs, _SEEMS):
        return Ruling.ACCEPT, "It made held-out tasks better."
    useless = (_useless(pairs, telling, max_nights) or _unprovable(pairs)) if night_over else ""
    return (Ruling.REJECT, useless) if useless else (Ruling.PROBATION, _waits(telling, found, threshold, alone))


def _waits(telling: Sequence[float], found: float, threshold: float, alone: float | None) -> str:
    if not telling:
        return "Only the shape of replies was checked, and that cannot justify a rule."
    if found >= threshold:
        return "Its own tasks got better, but other work seems to get worse: it waits for more tasks."
    if alone is not None and found >= alone:
        why = f"Alone it would pass, but so many rules were tried that e = {threshold:.3g} is asked for"
        return f"{why}: it waits for more held-out tasks."
    return f"Not proven by {len(telling)} task(s): it waits for more held-out tasks."


def round_size(tonight: int) -> int:
    """Return how many tasks an edit meets before the next look, when it has met `tonight` of them this night."""
    return NEXT_ROUND if tonight else FIRST_ROUND


def hopeless(pairs: Sequence[Met], left: int, *, threshold: float, tonight: int | None = None) -> bool:
    """Tell whether to stop for tonight, with `left` tasks to go, for want of gain.

    After a first round two of three signs suffice: no gain so far, the stake halved, half of the night's tasks met.
    Before it: no gain, and even winning all the rest would not do. `tonight` is how many of the pairs are this
    night's (all when it is not told); an earlier night's failure does not keep an edit from meeting new tasks. An edit
    that seems to harm some kind of task goes on, so that the night can say so and reject it. Stopping early can only
    lower the chance that a useless edit passes.
    """
    telling = _telling(pairs)
    tonight = len(pairs) if tonight is None else tonight
    no_gain = sum(telling) <= _NOTHING
    if not pairs or not tonight:
        return False
    if min(tonight, len(telling)) >= FIRST_ROUND:
        stop = no_gain + (e_value(telling) < _HALVED) + (tonight >= left) >= _SIGNS
    else:
        stop = no_gain and e_value([*telling, *([1.0] * left)]) < threshold
    return stop and not _worse_groups(pairs, _SEEMS)


def _telling(pairs: Sequence[Met]) -> list[float]:
    """Return what can speak for an edit: its own tasks, checked for more than shape.

    Tasks of other work can only speak against it: their noise would drown a gain they have no part in.
    """
    return [pair.difference for pair in pairs if pair.own and not pair.shape_only]


def _e_harm(pairs: Sequence[Met]) -> float:
    return e_value([-pair.difference for pair in pairs if not (pair.own and pair.shape_only)])


def _useless(pairs: Sequence[Met], telling: Sequence[float], max_nights: int) -> str:
    nights = len({pair.night for pair in pairs})
    if nights >= max_nights:
        return f"No proof after {nights} nights of probation."
    return f"No gain after {nights} nights." if nights > 1 and sum(telling) <= _NOTHING else ""


def _unprovable(pairs: Sequence[Met]) -> str:
    """An edit whose own tasks look at shape alone can never be proven: here a suspicion of harm is enough."""
    own = [pair for pair in pairs if pair.own]
    others = [-pair.difference for pair in pairs if not pair.own]
    if not own or not all(pair.shape_only for pair in own) or e_value(others) < _SEEMS:
        return ""
    return "Its own checks look at shape alone, which proves nothing, and other work got worse under it."


def _worse_groups(pairs: Sequence[Met], threshold: float) -> list[str]:
    """Name the kinds of task that got significantly worse, each judged alone and corrected for their number."""
    groups: dict[str, list[float]] = {}
    for pair in pairs:
        groups.setdefault(pair.recurrence, []).append(-pair.difference)
    return [name for name, losses in sorted(groups.items()) if e_value(losses) >= threshold * len(groups)]
