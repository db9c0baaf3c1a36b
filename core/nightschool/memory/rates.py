"""Rates over sessions, with their uncertainty. Each session has one vote."""

from collections.abc import Sequence
from math import exp, lgamma, sqrt

Z = 1.959964  # 95 %


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate (E. B. Wilson, 1927); (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    rate, spread = hits / trials, Z * Z / trials
    middle = (rate + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def chance(hits: int, trials: int, base_hits: int, base_trials: int) -> float:
    """Return how probable at least so many hits are when the base has the same rate (R. A. Fisher's exact test)."""
    both, all_hits = trials + base_trials, hits + base_hits
    whole = _ways(both, trials)
    top = min(trials, all_hits)
    terms = (_ways(all_hits, k) + _ways(both - all_hits, trials - k) - whole for k in range(hits, top + 1))
    return min(1.0, sum(exp(term) for term in terms))


def _ways(of: int, taken: int) -> float:
    if not 0 <= taken <= of:
        return float("-inf")
    return lgamma(of + 1) - lgamma(taken + 1) - lgamma(of - taken + 1)


def passing(chances: Sequence[float], share: float = 0.05) -> set[int]:
    """Return which tests pass so that the expected share of false ones is bounded (Benjamini, Hochberg 1995)."""
    order = sorted(range(len(chances)), key=lambda at: chances[at])
    last = max((rank for rank, at in enumerate(order, 1) if chances[at] <= share * rank / len(order)), default=0)
    return set(order[:last])
