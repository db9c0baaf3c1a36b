"""The gate: held-out pairs in, a verdict out. Pure arithmetic, no files, no model, no clock.

The unit of evidence is one held-out task: the difference d in [-1, 1] between its mean reward with the edit and
without. The e-value is the capital of a gambler who bets a fixed share of it on every task that the edit helps,

    E = sum over j of w_j * product over tasks t of (1 + b_j * d_t),      b_j in BETS, w_j in WEIGHTS,

a mixture over several shares because nobody knows the right one beforehand. While the edit helps nobody (mean of d
at most 0) E is a test supermartingale, so it ever reaches 1/alpha with probability at most alpha, however often one
looks and over however many nights (Ville's inequality). Method: Waudby-Smith and Ramdas, "Estimating means of
bounded random variables by betting", JRSS-B 2024; Vovk and Wang, "E-values: calibration, combination and
applications", Annals of Statistics 2021.

Six tasks helped and none hurt give E = 29; five give 16. So fewer than six held-out tasks cannot certify anything
at alpha = 0.05, and the gate says so instead of lowering the bar.
"""

from collections.abc import Sequence
from math import prod

from nightschool.records import Pair, Ruling, Verdict

BETS = (0.3, 0.5, 0.7, 0.9)
WEIGHTS = (0.1, 0.2, 0.3, 0.4)  # most tasks do not move at all, so those that do are worth a bold bet

_SEEMS = 3.0  # a useless edit looks this harmful, to one kind of task, in at most a third of its exams
_GRID = 200  # steps of the interval's bounds over [-1, 1]


def e_value(differences: Sequence[float]) -> float:
    """Return the evidence that the mean difference is above 0; each difference lies in [-1, 1]."""
    return sum(w * prod(1 + b * d for d in differences) for w, b in zip(WEIGHTS, BETS, strict=True))


def interval(differences: Sequence[float], alpha: float = 0.05) -> tuple[float, float]:
    """Return the confidence sequence of the mean difference that belongs to the same bets.

    It holds its 1 - alpha at every look at once, so it is wider than a bootstrap over few tasks: (-1, 1) when
    nothing is known. The lower bound is the largest mean m on a grid of 0.01 that the data refute from above.
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
        if e_value(moved) < 1 / alpha:
            break
        best = mean
    return best


def decide(
    pairs: Sequence[Pair], *, alpha: float = 0.05, wordings: int = 1, max_nights: int = 6, night_over: bool = True
) -> Verdict:
    """Rule on one edit from everything the exams ever showed of it.

    `wordings` is among how many texts for the same recurrence this one was tried: the threshold is that many times
    1/alpha (union bound). Probation ends, for want of gain or of proof, only when the night is over.
    Tasks that are checked for shape alone can speak against an edit, never for it. Without a pair: unexamined.
    """
    if not pairs:
        return Verdict(ruling=Ruling.UNEXAMINED, reason="No held-out task has been tried.", threshold=wordings / alpha)
    told = _measured(pairs, threshold=wordings / alpha)
    harm = _harm(pairs, told, 1 / alpha)
    if harm:
        return _ruled(told, Ruling.REJECT, harm)
    if told.e_value >= told.threshold:
        return _ruled(told, Ruling.ACCEPT, "It made held-out tasks better.")
    useless = (_useless(told, max_nights) or _unprovable(pairs)) if night_over else ""
    if useless:
        return _ruled(told, Ruling.REJECT, useless)
    if told.effect is None:
        return _ruled(told, Ruling.PROBATION, "Only the shape of replies was checked, and that cannot justify a rule.")
    return _ruled(told, Ruling.PROBATION, f"Not proven by {told.tasks} task(s): it waits for more held-out tasks.")


def _harm(pairs: Sequence[Pair], told: Verdict, threshold: float) -> str:
    worse = _worse_groups(pairs, threshold)
    if worse:
        return f"It makes other work worse: {len(worse)} kind(s) of task lost."
    return "It makes held-out tasks worse." if told.e_harm >= threshold else ""


def _useless(told: Verdict, max_nights: int) -> str:
    if told.nights >= max_nights:
        return f"No proof after {told.nights} nights of probation."
    return f"No gain after {told.nights} nights." if told.nights > 1 and (told.effect or 0.0) <= 0 else ""


def _unprovable(pairs: Sequence[Pair]) -> str:
    """An edit whose own tasks look at shape alone can never be proven: here a suspicion of harm is enough."""
    own = [pair for pair in pairs if pair.own]
    others = [-pair.difference for pair in pairs if not pair.own]
    if not own or not all(pair.shape_only for pair in own) or e_value(others) < _SEEMS:
        return ""
    return "Its own checks look at shape alone, which proves nothing, and other work got worse under it."


def hopeless(pairs: Sequence[Pair], left: int, *, threshold: float) -> bool:
    """Tell whether to stop for tonight: the sign is wrong and `left` more wins would not reach the threshold.

    An edit that seems to harm some kind of task goes on, so that the night can say so and reject it.
    """
    differences = [pair.difference for pair in pairs if not pair.shape_only]
    if not pairs or sum(differences) > 0 or e_value([*differences, *([1.0] * left)]) >= threshold:
        return False
    return not _worse_groups(pairs, _SEEMS)


def _measured(pairs: Sequence[Pair], *, threshold: float) -> Verdict:
    telling = [pair.difference for pair in pairs if not pair.shape_only]
    return Verdict(
        ruling=Ruling.PROBATION,
        reason="",
        e_value=e_value(telling),
        e_harm=e_value([-pair.difference for pair in pairs if not (pair.own and pair.shape_only)]),
        threshold=threshold,
        effect=sum(telling) / len(telling) if telling else None,
        interval=interval(telling) if telling else None,
        tasks=len(telling),
        nights=len({pair.night for pair in pairs}),
        rollouts=sum(pair.rollouts for pair in pairs),
        wins=sum(d > 0 for d in telling),
        losses=sum(d < 0 for d in telling),
    )


def _worse_groups(pairs: Sequence[Pair], threshold: float) -> list[str]:
    """Name the kinds of task that got significantly worse, each judged alone and corrected for their number."""
    groups: dict[str, list[float]] = {}
    for pair in pairs:
        groups.setdefault(pair.recurrence, []).append(-pair.difference)
    return [name for name, losses in sorted(groups.items()) if e_value(losses) >= threshold * len(groups)]


def _ruled(told: Verdict, ruling: Ruling, reason: str) -> Verdict:
    return told.model_copy(update={"ruling": ruling, "reason": reason})
