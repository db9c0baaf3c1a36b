"""Missing answers: a rule that turns failing answers into none would win the exam with what is left.

An attempt without a score is left out on both sides, because errors are no scores. That is fair only while answers go
missing as often on either side. Whether they do is told by the exact sign test for paired proportions (McNemar 1947)
over the attempts that one side alone could score.
"""

from collections.abc import Mapping
from math import comb, sqrt
from statistics import NormalDist

from nightschool.records import Ruling, Verdict

LEVEL = 0.05  # of the test; it is asked only of a rule that would be accepted
_MANY = 1000  # attempts; beyond, the normal distribution is as good


def held(verdict: Verdict, one_sided: Mapping[str, tuple[int, int]], *, last: bool) -> Verdict:
    """Return the verdict, without an acceptance where answers go missing with the edit more often than without it.

    `one_sided` is, by task, how many attempts only the side without the edit could score, and only the side with it.
    The edit waits for more tasks; on its `last` night it is rejected.
    """
    lost, kept = (sum(both[side] for both in one_sided.values()) for side in (0, 1))
    if verdict.ruling is not Ruling.ACCEPT or sign_test(lost, kept) > LEVEL:
        return verdict
    reason = f"Answers go missing with it, {lost} against {kept} without it: what is left cannot be compared."
    ruling = Ruling.REJECT if last else Ruling.PROBATION
    return verdict.model_copy(update={"ruling": ruling, "reason": reason})


def sign_test(lost: int, kept: int) -> float:
    """Return the chance of at least so many of `lost` among both, were they equally likely; in (0, 1]."""
    both = lost + kept
    if both > _MANY:
        return 1 - NormalDist().cdf((lost - 0.5 - both / 2) / (sqrt(both) / 2))
    ways = sum(comb(both, more) for more in range(lost, both + 1))
    return ways / (1 << both)
