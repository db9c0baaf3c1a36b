"""The night, top to bottom: harvest, mine, bank, reflect, examine, stage.

Every step pins its result, every model call is in the ledger and every pair in the evidence, so a killed night goes
on where it was and pays for nothing twice. A night over the same sessions and settings as the last finished one finds
nothing new and writes nothing. Nothing outside Nightschool's home changes here: that is the morning's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nightschool.config import Config
from nightschool.day.redact import redact
from nightschool.errors import WaitingForAnswers
from nightschool.models.backends import Backend, BatchBackend, open_backend, resolved
from nightschool.models.budget import OutOfBudget, Terms
from nightschool.models.door import Door, TooManyLost
from nightschool.models.ledger import Spend
from nightschool.models.preflight import preflight
from nightschool.night import bank, casework, daily, evidence, field
from nightschool.night.bank import BankReport
from nightschool.night.conflicts import nightly
from nightschool.night.consolidate import consolidate
from nightschool.night.dream import dream
from nightschool.night.exam import Examiner, Paper
from nightschool.night.gating.choice import sealed
from nightschool.night.gating.reexam import offered
from nightschool.night.incubation.incubate import due, incubate
from nightschool.night.mining.mine import Mined
from nightschool.night.prepare import (
    Material,
    Setting,
    choose,
    documents_of,
    examiner_of,
    gather,
    held_out,
    judge_of,
    of_examiner,
    reexamined,
    settings_hash,
)
from nightschool.night.reviewed import cleared
from nightschool.night.rules import block
from nightschool.night.rules.documents import Documents
from nightschool.night.spending import counted, has_rested, keep_limits, most_calls, stopped
from nightschool.night.stage import Candidates, Recalled, stage
from nightschool.night.steps import Steps, all_nights, last_done, let_go, next_id
from nightschool.night.write import mined_with_model
from nightschool.records import Evidence, Night, NightStatus, Proposal, RealTask, Seen, Session, Task

_UNDONE = frozenset({NightStatus.OPEN, NightStatus.WAITING, NightStatus.BUDGET, NightStatus.FAILED})


@dataclass(frozen=True)
class Outcome:
    """How a night ended. `quiet` tells that there was nothing new and nothing was written."""

    night: Night
    proposal: Proposal | None
    quiet: bool = False


def run(setting: Setting) -> Outcome:
    """Sleep: go on with an open night, or start one when there is something new, and carry it to its proposal.

    The caller holds the home's lock. Raises WaitingForAnswers while a backend waits for somebody, BudgetReached when
    a budget is spent, TooManyLost when the backend failed too often; the same call then goes on from there.
    """
    setting.config = resolved(setting.config, setting.platforms)
    _go_on_as_told(setting)
    casework.nightly(setting)
    material = gather(setting)
    earlier = last_done(setting.home, setting.scope_project)
    opened = _resumable(setting, material)
    same = opened is None and earlier is not None and earlier.fingerprint == material.fingerprint and not earlier.left
    if same and earlier is not None and not due(setting) and not nightly.due(setting):
        return Outcome(earlier, Steps(setting.home, earlier.id).found("proposal", Proposal), quiet=True)
    limits = keep_limits(setting, opened)
    name = opened.id if opened else next_id(setting.home)
    # a backend or a target that cannot work stops here, before anything is consumed
    backend = open_backend(setting.config, setting.home, name, setting.platforms, setting.command)
    backend = casework.able(setting.home, setting.config, backend)
    documents = documents_of(setting, material.sessions)
    model = setting.config.models.target_model
    terms = Terms.of(setting.config, setting.config.models.backend)
    try:
        preflight(setting.home, backend, model=model, clock=setting.clock, redact=redact, night=name, terms=terms)
    except OutOfBudget as stop:  # the night is on record, so that a later one gets a budget of its own
        night = (opened or _opened(setting, name, material, earlier)).model_copy(update={"budget": limits})
        Steps(setting.home, name).pin("night", stopped(setting, night, stop, 0))
        raise
    night = opened or _opened(setting, name, material, earlier)
    anew = {"status": NightStatus.OPEN, "ended": None, "notes": (), "skipped": (), "budget": limits}
    night = Steps(setting.home, night.id).pin("night", night.model_copy(update=anew))
    try:
        slept = incubate(setting, night, backend)
        night = slept.night
        if night.status is NightStatus.MARATHON:
            return Outcome(night, None)
        outcome = _sleep(setting, night, backend, documents, material.sessions)
        slept.settled()
        return replace(outcome, night=nightly.deep_sleep(setting, outcome.night))
    except WaitingForAnswers:
        Steps(setting.home, night.id).pin("night", night.model_copy(update={"status": NightStatus.WAITING}))
        raise
    except OutOfBudget as stop:
        Steps(setting.home, night.id).pin("night", stopped(setting, night, stop, _most(setting, night)))
        raise
    except TooManyLost as error:
        told = {"status": NightStatus.FAILED, "ended": setting.clock.now(), "notes": (str(error),)}
        Steps(setting.home, night.id).pin("night", counted(setting, night).model_copy(update=told))
        raise


def _most(setting: Setting, night: Night) -> int:
    """Return how many calls this night's exam makes at most."""
    steps, banked = Steps(setting.home, night.id), bank.tasks(setting.home)
    chosen, recalled = steps.found("candidates", Candidates), steps.found("recalled", Recalled) or Recalled()
    if chosen is None:
        return 0
    edits, tested = (*chosen.edits, *recalled.edits), sealed(banked, setting.scope_project)
    return most_calls(edits, held_out(banked, setting.scope_project), setting.config.exam, sealed=tested)


def _go_on_as_told(setting: Setting) -> None:
    """Take up the settings of a night that waits, when this call names no backend: a plain `run` goes on with it."""
    if setting.config.models.backend != "none":
        return
    for night in all_nights(setting.home):
        if night.status is NightStatus.WAITING and night.project == setting.scope_project:
            told = Config.model_validate(night.config)
            setting.config = told.model_copy(update={"budget": setting.config.budget})


def _resumable(setting: Setting, material: Material) -> Night | None:
    """Find the open night with these settings; any other is abandoned: its answers and evidence stay."""
    found = None
    for night in all_nights(setting.home):
        if night.status not in _UNDONE or night.project != setting.scope_project:
            continue
        pinned = Steps(setting.home, night.id).found("mined", Mined) is not None
        same = night.settings == settings_hash(setting) and (pinned or night.fingerprint == material.fingerprint)
        if same and not has_rested(night, setting):
            found = night
        else:
            told = {"status": NightStatus.ABANDONED, "ended": setting.clock.now()}
            Steps(setting.home, night.id).pin("night", night.model_copy(update=told))
            if night.status is NightStatus.WAITING:
                setting.say(f"night {night.id} is given up: sessions or settings changed; its answers still count")
    return found


def _opened(setting: Setting, name: str, material: Material, earlier: Night | None) -> Night:
    steps = Steps(setting.home, name)
    before = Steps(setting.home, earlier.id).found("seen", Seen) if earlier else None
    new = material.seen.since(before)
    told = {"read": len(new), "new_bytes": sum(new.values())}
    night = Night(
        id=name,
        status=NightStatus.OPEN,
        started=setting.clock.now(),
        project=setting.scope_project,
        backend=setting.config.models.backend,
        target_model=setting.config.models.target_model,
        config=setting.config.model_dump(mode="json"),
        settings=settings_hash(setting),
        fingerprint=material.fingerprint,
        funnel=material.funnel.model_copy(update=told),
    )
    steps.pin("seen", material.seen)
    if earlier:
        let_go(setting.home, "seen", before=earlier)
    return steps.pin("night", night)


def _sleep(
    setting: Setting,
    night: Night,
    backend: Backend | BatchBackend | None,
    documents: Documents,
    sessions: list[Session],
) -> Outcome:
    """Carry an open night to its end."""
    steps = Steps(setting.home, night.id)
    setting.say("mining what keeps coming back")
    mined = steps.once("mined", Mined, lambda: mined_with_model(setting, sessions, night.id))
    remembered = consolidate(setting, night.id)
    casework.deposit(setting.home)
    banked = cleared(bank.deposit(setting.home, mined.tasks), backend, setting.home)
    dreamed = dream(setting, night.id, banked.tasks)
    tasks = held_out(banked.tasks, setting.scope_project)
    examiner = examiner_of(setting.config, backend)
    chosen = steps.once("candidates", Candidates, lambda: choose(setting, mined, banked.tasks, documents, examiner))
    recalled = steps.once("recalled", Recalled, lambda: reexamined(setting, night.id, tasks, documents, examiner))
    every = chosen.model_copy(update={"edits": (*chosen.edits, *recalled.edits)})
    exam = _examine(setting, night, backend, examiner, every, documents, tasks, banked.tasks)
    shown, notes = offered(every.edits, exam.held)
    setting.say("staging the proposal")
    found = mined.recurrences

    def staged() -> Proposal:
        at, targets = setting.clock.now(), documents.targets
        return stage(night.id, at, targets, shown, exam.held, found, tasks, asked=exam.asked)

    proposal = steps.once(
        "proposal",
        Proposal,
        lambda: daily.nightly(
            setting, field.nightly(setting, staged(), found, banked.tasks), documents, sessions, found, banked.tasks
        ),
    )
    used = daily.notes(setting.home, night.id, setting.config.exam.alpha)
    told = (*remembered, *dreamed, *recalled.notes, *notes, *used)
    return Outcome(steps.pin("night", _ended(setting, night, mined, banked, chosen, exam, told)), proposal)


def _ended(
    setting: Setting,
    night: Night,
    mined: Mined,
    banked: BankReport,
    chosen: Candidates,
    exam: "_Exam",
    told_more: Sequence[str],
) -> Night:
    counts = {
        "recurrences": sum(r.kind == "request" for r in mined.recurrences),
        "corrections": sum(r.kind == "correction" for r in mined.recurrences),
        "tasks": banked.totals,
        "candidates": len(chosen.edits),
    }
    counted_night = counted(setting, night, exam.spent) if exam.asked else night
    waiting = [f"{chosen.waiting} more candidate rule(s) wait"] if chosen.waiting else []
    told = {
        "status": NightStatus.DONE,
        "ended": setting.clock.now(),
        "left": exam.left,
        "notes": (*banked.notes, *waiting, *told_more),
        "funnel": night.funnel.model_copy(update=counts),
    }
    return counted_night.model_copy(update=told)


@dataclass(frozen=True)
class _Exam:
    """What came out of the exam; `asked` tells whether there was a model."""

    held: list[Evidence]
    left: int
    spent: Spend
    asked: bool


def _examine(
    setting: Setting,
    night: Night,
    backend: Backend | BatchBackend | None,
    examiner: str,
    chosen: Candidates,
    documents: Documents,
    tasks: list[RealTask],
    banked: Sequence[Task],
) -> _Exam:
    config = setting.config
    if backend is None:  # what real models showed on earlier nights still stands
        known = of_examiner(evidence.everything(setting.home), "")
        return _Exam([e for e in known if e.edit.id in {c.id for c in chosen.edits}], 0, Spend(), asked=False)
    papers = [
        Paper(e, documents.text(e.document), documents.text_with(e))
        for e in chosen.edits
        if block.fits(e)  # any other is shown to the user and not examined
    ]
    terms = Terms.of(config, config.models.backend)
    with Door(setting.home, backend, clock=setting.clock, redact=redact, night=night.id, terms=terms) as door:
        room = Examiner(
            home=setting.home,
            door=door,
            model=config.models.target_model,
            judge=judge_of(setting),
            rules=config.exam,
            clock=setting.clock,
            night=night.id,
            say=setting.say,
            in_one_batch=backend.batch,
            examiner=examiner,
            trained=bank.trained(banked),
            sealed=sealed(banked, setting.scope_project),
            together=documents.text_with,
        )
        held, left = room.examine(papers, tasks)
        door.check_losses()
        return _Exam(held, left, door.spent(), asked=True)
