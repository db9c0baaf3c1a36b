"""Phase A of a night: take from the queue what fits, work on it, and say what came of it."""

from dataclasses import dataclass, field

from nightschool.day.redact import redact
from nightschool.errors import BudgetReached, NightschoolError, WaitingForAnswers
from nightschool.models.backends import Backend, BatchBackend, open_backend
from nightschool.models.door import Door
from nightschool.models.questions import CallError
from nightschool.night.incubation.claims import Claims
from nightschool.night.incubation.packing import Packed, pack
from nightschool.night.incubation.research import GivenUpError, Research
from nightschool.night.incubation.shelf import Queued, Shelf
from nightschool.night.prepare import Setting
from nightschool.night.steps import Steps
from nightschool.records import Incubation, Night, NightStatus, QueueResult, QueueStatus

SKIPPED = (
    "A marathon had this night for itself: nothing was mined or examined, and no conflicts were looked for. New "
    "sessions wait for the next night."
)


@dataclass
class Slept:
    """What came of phase A: the night as it stands, and what it waits for."""

    night: Night
    waits: WaitingForAnswers | None = None

    def settled(self) -> None:
        """Raise WaitingForAnswers when answers to queued tasks are still to come."""
        if self.waits is not None:
            raise self.waits


@dataclass
class _Shift:
    """The work on one night's tasks."""

    setting: Setting
    night: Night
    backend: Backend | BatchBackend
    claims: Claims
    waits: WaitingForAnswers | None = None
    results: dict[str, QueueResult] = field(default_factory=dict)
    stopped: str = ""  # why no further task is begun


def due(setting: Setting) -> bool:
    """Say whether a night would find something to do in the queue."""
    return setting.config.models.backend != "none" and bool(_packed(setting).tasks)


def incubate(setting: Setting, night: Night, backend: Backend | BatchBackend | None) -> Slept:
    """Work on this night's tasks. A night that a marathon takes for itself comes back with the status of one."""
    shelf, steps = Shelf(setting.home), Steps(setting.home, night.id)
    _, faults = shelf.all()
    if backend is None:
        waiting = len(pack_open(setting))
        notes = [f"{waiting} queued task(s) wait: this night has no model (--backend)."] if waiting else []
        for line in notes:
            setting.say(line)
        return Slept(_told(steps, night, (), [*notes, *faults]))
    packed = steps.once("packed", Packed, lambda: _packed(setting))
    shift = _Shift(setting, night, backend, Claims(shelf, setting.config.queue, setting.clock))
    shift.results = {result.task: result for result in night.queue.results}
    for task in packed.tasks:
        _one(shift, shelf, task)
        night = _told(steps, night, tuple(shift.results.values()), [*_marathon(packed), *faults, shift.stopped])
    if packed.marathon and shift.waits is None:
        night = steps.pin("night", _over(setting, night, backend))
    return Slept(night, shift.waits)


def pack_open(setting: Setting) -> list[Queued]:
    """Return the tasks that no night has ended yet."""
    return [queued for queued in Shelf(setting.home).all()[0] if queued.entry.task.status.open]


def _packed(setting: Setting) -> Packed:
    rules = setting.config.queue
    found = Shelf(setting.home).all()[0]
    return pack(found, setting.clock.now(), max_tasks=rules.max_tasks, max_minutes=rules.max_minutes)


def _marathon(packed: Packed) -> list[str]:
    return [SKIPPED] if packed.marathon else []


def _told(steps: Steps, night: Night, results: tuple[QueueResult, ...], notes: list[str]) -> Night:
    queue = Incubation(results=results, notes=tuple(dict.fromkeys(note for note in notes if note)))
    return night if queue == night.queue else steps.pin("night", night.model_copy(update={"queue": queue}))


def _over(setting: Setting, night: Night, backend: Backend | BatchBackend) -> Night:
    with Door(setting.home, backend, clock=setting.clock, redact=redact, night=night.id) as door:
        spent = door.spent()
    told = {"calls": spent.calls, "failed_calls": spent.failed, "tokens": spent.tokens}
    return night.model_copy(update=told | {"status": NightStatus.MARATHON, "ended": setting.clock.now()})


def _one(shift: _Shift, shelf: Shelf, task: str) -> None:
    """Work on one task, and put down how it went."""
    try:
        before = shelf.find(task)
    except NightschoolError:  # purged meanwhile, or no queue file any more
        return
    if shift.stopped:
        _put(shift, before, "again", shelf.partial(task).is_file() and str(shelf.partial(task)), shift.stopped)
        return
    queued = shift.claims.take(task)
    if queued is None:
        after = shelf.find(task)
        if after.entry.task.status is QueueStatus.FAILED and before.entry.task.status.open:
            _put(shift, after, "failed", "", after.progress.reason)
        elif task not in shift.results and not after.entry.task.status.open:
            _put_ended(shift, shelf, after)
        return
    shift.setting.say(f"sleeping on: {queued.entry.title}")
    _research(shift, shelf, queued)


def _put_ended(shift: _Shift, shelf: Shelf, queued: Queued) -> None:
    """Put down a task that had ended right before this night was killed."""
    if queued.entry.task.status is QueueStatus.DONE and shelf.result(queued.id).is_file():
        outcome = "time-boxed" if queued.progress.time_boxed else "done"
        _put(shift, queued, outcome, str(shelf.result(queued.id)), "")
    elif queued.entry.task.status is QueueStatus.FAILED:
        _put(shift, queued, "failed", "", queued.progress.reason)


def _research(shift: _Shift, shelf: Shelf, queued: Queued) -> None:
    setting, task = shift.setting, queued.id
    backend = shift.backend
    if backend.batch:  # a folder of its own: its answers hold on whichever night they come
        opened = open_backend(setting.config, setting.home, f"queue-{task}", setting.platforms, setting.command)
        backend = opened or backend
    with Door(setting.home, backend, clock=setting.clock, redact=redact, night=shift.night.id) as door:
        research = Research(
            shelf=shelf,
            queued=queued,
            door=door,
            model=setting.config.models.target_model,
            clock=setting.clock,
            web=bool(getattr(backend, "web", False)),
            backend=backend.name,
            batch=backend.batch,
            alive=lambda used: shift.claims.renew(task, used),
        )
        try:
            time_boxed = research.work()
        except WaitingForAnswers as waits:
            shift.waits = shift.waits or waits
            setting.say(str(waits))  # the exam may have questions of its own, and the night ends with one line
            _let_go(shift, shelf, queued, research, waits, counts=False)
        except BudgetReached as spent:
            shift.stopped = str(spent)
            _let_go(shift, shelf, queued, research, spent, counts=False)
        except GivenUpError:
            return
        except NightschoolError as error:
            if not isinstance(error, CallError):
                shift.stopped = str(error)
            _let_go(shift, shelf, queued, research, error, counts=True)
        else:
            shift.claims.finish(task, time_boxed=time_boxed, used_seconds=research.used())
            _put(shift, queued, "time-boxed" if time_boxed else "done", str(shelf.result(task)), "")


def _let_go(
    shift: _Shift, shelf: Shelf, queued: Queued, research: Research, why: NightschoolError, *, counts: bool
) -> None:
    shift.claims.renew(queued.id, research.used())
    status = shift.claims.give_back(queued.id, reason=str(why), counts=counts)
    outcome = "waiting" if isinstance(why, WaitingForAnswers) else "again"
    outcome = "failed" if status is QueueStatus.FAILED else outcome
    reason = shelf.find(queued.id).progress.reason or str(why)
    _put(shift, queued, outcome, str(shelf.partial(queued.id)), reason)


def _put(shift: _Shift, queued: Queued, outcome: str, path: str | bool, reason: str) -> None:
    told = {"task": queued.id, "title": queued.entry.title, "outcome": outcome, "path": path or "", "reason": reason}
    shift.results[queued.id] = QueueResult.model_validate(told)
