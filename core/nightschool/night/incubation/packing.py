"""Which tasks a night takes: in the order they came, as many as fit; a marathon has its night for itself."""

from collections.abc import Sequence
from datetime import datetime

from nightschool.events import Record
from nightschool.night.incubation.shelf import Queued
from nightschool.records import QueuePriority, QueueTask

MINUTES = {
    QueuePriority.QUICK: 15,
    QueuePriority.STANDARD: 60,
    QueuePriority.DEEP: 240,
    QueuePriority.MARATHON: 480,
    QueuePriority.WEEKLY: 60,
}
CHECKPOINTS = {QueuePriority.DEEP: 30, QueuePriority.MARATHON: 30}  # minutes; 20 for the others
SUNDAY = 6


class Packed(Record):
    """The tasks of one night, pinned when it begins."""

    tasks: tuple[str, ...] = ()
    marathon: bool = False


def minutes_of(task: QueueTask) -> int:
    """Return how long a task may take."""
    return task.time_budget_minutes or MINUTES[task.priority]


def may_run(task: QueueTask, now: datetime) -> bool:
    """Say whether a night that begins now may take a task."""
    return task.status.open and (task.priority is not QueuePriority.WEEKLY or now.weekday() == SUNDAY)


def pack(queued: Sequence[Queued], now: datetime, *, max_tasks: int, max_minutes: int) -> Packed:
    """Choose a night's tasks from `queued`, which is in the order of submission.

    What does not fit any more is passed over for what does; since the oldest is looked at first every night, nothing
    is passed over for ever. A marathon is taken only when it is the oldest, and then alone.
    """
    taken: list[str] = []
    left = max_minutes
    for found in queued:
        task = found.entry.task
        if not may_run(task, now):
            continue
        if task.priority is QueuePriority.MARATHON or task.marathon:
            if not taken and max_tasks > 0:
                return Packed(tasks=(task.uuid,), marathon=True)
            continue
        if len(taken) < max_tasks and minutes_of(task) <= left:
            taken.append(task.uuid)
            left -= minutes_of(task)
    return Packed(tasks=tuple(taken))
