"""What a night may spend, over all its resumptions, and what is written down when it stops for it."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from nightschool.config import Exam
from nightschool.models.budget import OutOfBudget
from nightschool.models.ledger import Ledger, Spend
from nightschool.night.prepare import Setting
from nightschool.records import CheckOp, Edit, Night, NightStatus, RealTask, Skipped

REST = timedelta(hours=20)  # a scheduled night comes every 24 hours, a little early at times
SHOWN = 200  # skipped questions that are listed one by one
WORDS = 160  # characters of a question in the list


def keep_limits(setting: Setting, opened: Night | None) -> dict[str, float]:
    """Put the limits that this night was ever told by flags over the configuration's; return them.

    A newer flag replaces an older one. Limits of the configuration are read anew every time.
    """
    told = (opened.budget if opened else {}) | setting.budget
    kept = type(setting.config.budget).model_validate(setting.config.budget.model_dump() | told)
    setting.config = setting.config.model_copy(update={"budget": kept})
    return told


def has_rested(night: Night, setting: Setting) -> bool:
    """Tell whether a night that stopped at its budget makes room for another with a budget of its own.

    Until then the same command stops at once, however often it is run, unless a flag allows more.
    """
    if night.status is not NightStatus.BUDGET or abs(setting.clock.now() - night.started) < REST:
        return False
    return not any(limit > night.budget.get(name, 0.0) for name, limit in setting.budget.items())


def most_calls(
    edits: Sequence[Edit],
    tasks: Sequence[RealTask],
    rules: Exam,
    *,
    sealed: Sequence[RealTask] = (),
    batch: bool = False,
) -> int:
    """Return how many calls an exam makes at most.

    Every edit and the document as it is, on every task it may meet; the sealed test tasks of each edit, should it be
    accepted; and the accepted ones of each document side by side, joining one by one. Where somebody answers a batch,
    sealed tasks are not asked. A model judge is asked twice for each criterion of a task.
    """
    examined = [edit for edit in edits if any(task.concerns(edit.recurrence) for task in tasks)]
    met = min(rules.max_tasks, len(tasks))
    alone = (len(examined) + len({edit.document for edit in examined})) * met
    added = [edit for edit in examined if edit.op != "delete"] if not batch else []
    families = [len({task.family for task in sealed if task.concerns(edit.recurrence)}) for edit in added]
    unsealed = sum(2 * min(rules.max_tasks, count) for count in families)
    sizes = Counter(edit.document for edit in examined).values()
    together = sum(2 * size * met for size in sizes if size > 1)
    judged = max((2 * sum(c.op is CheckOp.RUBRIC for c in task.checks) for task in (*tasks, *sealed)), default=0)
    return (alone + unsealed + together) * rules.rollouts_k * (1 + judged)


def counted(setting: Setting, night: Night, spent: Spend | None = None) -> Night:
    """Return a night with what the ledger says it spent."""
    ledger = Ledger(setting.home, check=False)
    try:
        spent = spent or ledger.spent(night.id)
        told = {
            "calls": spent.calls,
            "failed_calls": spent.failed + spent.lost,
            "tokens": spent.tokens,
            "cost": spent.cost if spent.calls + spent.failed + spent.lost else None,
            "minutes": round(ledger.minutes(night.id), 2),
        }
        return night.model_copy(update=told)
    finally:
        ledger.close()


def stopped(setting: Setting, night: Night, stop: OutOfBudget, most: int) -> Night:
    """Return a night as its budget stopped it: what it did not ask, and the most that would have cost."""
    night = counted(setting, night)
    listed = [
        Skipped(
            kind=question.kind,
            model=question.model,
            what=" ".join(question.prompt.split())[:WORDS],
            tokens=bound.tokens,
            usd=bound.cost,
        )
        for question, bound in stop.skipped.values()
    ]
    later = most - night.calls - len(listed)
    if later > 0 and listed:
        most_tokens = max(one.tokens for one in listed)
        usd = None if any(one.usd is None for one in listed) else later * max(one.usd or 0.0 for one in listed)
        what = f"at most {later} further questions of later rounds"
        listed = [*listed[:SHOWN], Skipped(kind="rollout", what=what, tokens=later * most_tokens, usd=usd)]
    return night.model_copy(
        update={"status": NightStatus.BUDGET, "notes": (str(stop),), "skipped": tuple(listed[: SHOWN + 1])}
    )
