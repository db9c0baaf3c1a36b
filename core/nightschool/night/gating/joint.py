"""The accepted rules together: each passed alone, and now they meet the held-out tasks side by side.

Nothing is accepted here, so nothing is spent: rules that are fine alone can only be held back for what they do
together. They join one by one, the best proven first, and one whose joining makes some kind of task significantly
worse than it is without any of them waits.
"""

from collections.abc import Callable, Sequence

from nightschool.night.gate import rule
from nightschool.records import Edit, Evidence, Pair, Ruling

Meet = Callable[[Sequence[Edit]], list[Pair]]  # what held-out tasks show of several edits in one document


def held_back(held: Sequence[Evidence], meet: Meet, *, harm: float) -> list[Evidence]:
    """Return the evidence with those accepted edits put on probation that hurt beside better proven ones.

    `harm` is the e-value that tells. Edits of different documents do not meet. Raises what `meet` raises.
    """
    documents = sorted({found.edit.document for found in held})
    waits: dict[str, str] = {}
    for document in documents:
        waits |= _waiting([f for f in held if f.edit.document == document and _accepted(f)], meet, harm)
    return [_on_probation(found, waits[found.edit.id]) if found.edit.id in waits else found for found in held]


def _waiting(accepted: Sequence[Evidence], meet: Meet, harm: float) -> dict[str, str]:
    """Return {edit: the edit beside which it hurts}."""
    ranked = [found.edit for found in sorted(accepted, key=lambda f: (-_proof(f), f.edit.id))]
    if not ranked[1:] or not _worse(meet(ranked), harm):
        return {}
    kept, waits = ranked[:1], {}
    for edit in ranked[1:]:
        if _worse(meet([*kept, edit]), harm):
            waits[edit.id] = kept[-1].id
        else:
            kept.append(edit)
    return waits


def _worse(pairs: Sequence[Pair], harm: float) -> bool:
    if not pairs:
        return False
    return rule(pairs, threshold=float("inf"), harm=harm, night_over=False)[0] is Ruling.REJECT


def _accepted(found: Evidence) -> bool:
    return found.verdict is not None and found.verdict.ruling is Ruling.ACCEPT


def _proof(found: Evidence) -> float:
    return found.verdict.e_value if found.verdict else 0.0


def _on_probation(found: Evidence, beside: str) -> Evidence:
    if found.verdict is None:
        return found
    reason = f"It passed alone, but together with {beside} other work gets worse: it waits."
    verdict = found.verdict.model_copy(update={"ruling": Ruling.PROBATION, "reason": reason})
    return found.model_copy(update={"verdict": verdict})
