"""Repairs: what came between an error and a later pass of the same call, and how often it worked."""

from collections import Counter, defaultdict

from nightschool.memory.cases import Case, found, percent
from nightschool.memory.rates import wilson
from nightschool.memory.steps import LONGEST
from nightschool.records import Block, BlockKind, Observation, ObservationKind, Place, Step

Signature = tuple[str, str]  # step, error
Fix = tuple[str, str]  # step, detail
_PARTICULAR = 2.0  # times as often after the error as at large
_Votes = dict[int, tuple[bool, Place]]


def repairs(project: str, cases: list[Case], least: int, confidence: float) -> list[Block]:
    """Return for each error the fix that worked in at least `least` sessions and a share of `confidence` of them."""
    votes: dict[Signature, dict[Fix, _Votes]] = defaultdict(lambda: defaultdict(dict))
    outcome: dict[Signature, dict[int, bool]] = defaultdict(dict)
    for number, case in enumerate(cases):
        for observation in case.observed.observations:
            if observation.kind is ObservationKind.ERROR and observation.text:
                _count(number, case, observation, votes, outcome)
    everywhere = [Counter(_fix(step) for step, _ in case.calls) for case in cases]
    blocks = []
    for signature in sorted(votes):
        met = len(outcome[signature])
        fixes = {f: v for f, v in votes[signature].items() if _particular(f, signature, v, met, cases, everywhere)}
        if not fixes:
            continue
        best = max(sorted(fixes), key=lambda fix: _score(fixes[fix]))
        worked = [place for ok, place in fixes[best].values() if ok]
        if len(worked) >= least and len(worked) >= confidence * len(fixes[best]):
            others = [ok for number, ok in outcome[signature].items() if number not in fixes[best]]
            blocks.append(_block(project, signature, best, worked, len(fixes[best]), others))
    return blocks


def _count(
    number: int,
    case: Case,
    observation: Observation,
    votes: dict[Signature, dict[Fix, _Votes]],
    outcome: dict[Signature, dict[int, bool]],
) -> None:
    failing, *between = observation.steps
    signature = (failing.name, observation.text)
    outcome[signature][number] = observation.verified or outcome[signature].get(number, False)
    for fix in {_fix(step) for step in between if _may_mend(step)}:
        votes[signature][fix][number] = (observation.verified, case.place(observation))  # the last attempt counts


def _particular(
    fix: Fix, signature: Signature, votes: _Votes, met: int, cases: list[Case], everywhere: list[Counter[Fix]]
) -> bool:
    """Tell whether a step belongs to an error: it is done after it much more often than in sessions at large."""
    apart = sum(counts[fix] > _after(fix, signature, case) for case, counts in zip(cases, everywhere, strict=True))
    return len(votes) / met >= _PARTICULAR * apart / len(cases)


def _after(fix: Fix, signature: Signature, case: Case) -> int:
    """Count how often a session took a step between this error and the next run of the same call."""
    errors = (o for o in case.observed.observations if o.kind is ObservationKind.ERROR)
    same = (o.steps[1:] for o in errors if (o.steps[0].name, o.text) == signature)
    return sum(_fix(step) == fix for steps in same for step in steps)


def _may_mend(step: Step) -> bool:
    return step.ok is True and not step.checks and step.name != "read"


def _fix(step: Step) -> Fix:
    return step.name, step.detail


def _score(votes: _Votes) -> tuple[float, int]:
    worked = sum(ok for ok, _ in votes.values())
    return wilson(worked, len(votes))[0], worked


def _block(project: str, signature: Signature, fix: Fix, worked: list[Place], tried: int, others: list[bool]) -> Block:
    step, error = signature
    base = sum(others) / len(others) if others else None
    how = f"`{fix[0]}`" + (f" ({fix[1]})" if fix[1] else "")
    without = f" Without it {percent(base)} of {len(others)} sessions got through." if base is not None else ""
    return found(
        BlockKind.REPAIR,
        project,
        signature,
        worked,
        (len(worked), tried),
        base,
        title=f"`{step}`: {error} ← {how}"[:LONGEST],
        text=(
            f"`{step}` failed with: {error}\nWhat came before it passed again: {how}, in {len(worked)} of {tried} "
            f"sessions that did this.{without}"
        ),
        not_when="The pass came after it; other changes of the same stretch may have mended it.",
    )
