"""The field exam: a rule that waits is told to a random half of the real sessions, and what those produced decides.

It asks no model. It happens only with the user's consent (`exam.field`), with one rule of a project at a time: what a
night stages as waiting or unexamined, whose words can be checked for more than shape, and in which the content screen
finds nothing. The hook throws the coin (`hooks/harvest`), the drain puts it down (`day/arms.py`), and each night judges
the sessions that are over: by the first reply to a request of the rule's kind, once. Kind and checks are fixed
when the trial begins. What the counts prove: `gating/field.py`.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from nightschool.day.arms import drawn
from nightschool.memory.store import SessionStore
from nightschool.night import evidence
from nightschool.night.gating import field as gate
from nightschool.night.gating import lifetime
from nightschool.night.judging.judge import Attempt, is_shape_only_task, reward
from nightschool.night.mining.cluster import Tokens, dice
from nightschool.night.mining.gather import OPENING
from nightschool.night.mining.kinds import SAME_REQUEST
from nightschool.night.mining.listen import Said, listen
from nightschool.night.mining.signals import content, normalise
from nightschool.night.prepare import Setting
from nightschool.night.trials import placeholder, save, shown, trials
from nightschool.paths import Home
from nightschool.records import (
    Check,
    CheckOp,
    FieldArm,
    FieldOutcome,
    FieldTrial,
    Proposal,
    ProposedRule,
    Recurrence,
    Ruling,
    Session,
    Task,
    Verdict,
)

QUIET = timedelta(hours=1)  # after which a session's last reply is taken to be whole
_SLACK = timedelta(seconds=2)  # between the clocks of a client and of the file system
_WAITS = frozenset({Ruling.PROBATION, Ruling.UNEXAMINED})
_ENDS = {Ruling.ACCEPT: "accepted", Ruling.REJECT: "rejected", Ruling.PROBATION: "running"}


def nightly(setting: Setting, proposal: Proposal, found: Sequence[Recurrence], tasks: Sequence[Task]) -> Proposal:
    """Judge the project's trials, begin one where none runs, and return the proposal with what they show.

    Raises NightschoolError when a record was damaged or the disk refuses.
    """
    ours = [trial for trial in trials(setting.home) if trial.project == setting.scope_project]
    staged = {rule.edit.id for rule in proposal.rules if rule.verdict.ruling is not Ruling.REJECT}
    known = {trial.edit.id: _carried_on(setting, trial, tasks, proposal.night, staged) for trial in ours}
    if setting.config.exam.field == "on" and not any(trial.state == "running" for trial in known.values()):
        begun = _begun(setting, proposal.rules, known, found, tasks)
        known |= {begun.edit.id: begun} if begun else {}
    rules = tuple(
        rule.model_copy(update={"verdict": _ruled(setting, rule.verdict, known[rule.edit.id])})
        if rule.edit.id in known
        else rule
        for rule in proposal.rules
    )
    return proposal.model_copy(update={"rules": rules})


def judged(home: Home, trial: FieldTrial, tasks: Iterable[Task], night: str, now: datetime) -> FieldTrial:
    """Return a trial with the sessions that are over and were not judged yet, each judged once."""
    store = SessionStore(home)
    done = {(one.platform, one.session) for one in trial.outcomes}
    turns = {(one.platform, one.turn) for one in trial.outcomes}  # a fork copies turns: they count once
    kinds = kinds_of(tasks, trial.about)
    new: list[FieldOutcome] = []
    for arm in drawn(home, trial.id):
        session = None if (arm.platform, arm.session) in done else store.load(arm.platform, arm.session)
        outcome = outcome_of(trial.checks, arm, session, kinds, turns, night, now) if session else None
        if outcome is not None:
            new.append(outcome)
            turns.add((outcome.platform, outcome.turn))
    new.sort(key=lambda one: (one.at, one.platform, one.session))
    return trial.model_copy(update={"outcomes": (*trial.outcomes, *new)})


def kinds_of(tasks: Iterable[Task], about: Collection[str]) -> list[frozenset[str]]:
    """Return what tells a request of a rule's kind, by the bank's tasks of that kind."""
    return [_telling(normalise(task.request)) for task in tasks if task.id in about]


def outcome_of(
    checks: Sequence[Check],
    arm: FieldArm,
    session: Session,
    kinds: Sequence[frozenset[str]],
    known: set[tuple[str, str]],
    night: str,
    now: datetime,
) -> FieldOutcome | None:
    """Judge the first request of the rule's kind whose reply can be scored; None while there is none."""
    if session.own:
        return None
    for said in listen([session], None).requests:
        turn = said.turn
        over = turn is not session.turns[-1] or now - (session.ended or turn.at) >= QUIET
        fits = over and turn.at >= arm.at - _SLACK and _is_about(said, kinds)
        if not fits or turn.interrupted or (arm.platform, turn.id) in known:
            continue
        score = reward(checks, Attempt(text=turn.reply, tool_calls=turn.calls))
        if score is not None:
            told = arm.model_dump(include={"platform", "session", "given"})
            return FieldOutcome(**told, turn=turn.id, passed=score == 1.0, at=turn.at, night=night)
    return None


def _is_about(said: Said, kinds: Sequence[frozenset[str]]) -> bool:
    words = _telling(said.tokens)
    return any(dice(words, kind) >= SAME_REQUEST for kind in kinds)


def _telling(tokens: Tokens) -> frozenset[str]:
    return frozenset(content(tokens[:OPENING]))


def _carried_on(
    setting: Setting, trial: FieldTrial, tasks: Iterable[Task], night: str, staged: Collection[str]
) -> FieldTrial:
    """Judge what a running trial has got since, and end it when that decides, or when its rule waits no more."""
    if trial.state != "running":
        return trial
    after = judged(setting.home, trial, tasks, night, setting.clock.now())
    rules = setting.config.exam
    ruling, why = gate.rule(shown(setting.home, after, alpha=rules.alpha, budget=rules.lifetime), harm=1 / rules.alpha)
    state = _ENDS[ruling]
    if state == "running" and trial.edit.id not in staged:
        state, why = "stopped", "It is no candidate any more."
    after = after.model_copy(update={"state": state, "why": why})
    if after != trial:
        save(setting.home, after)
    if state == "accepted":
        verdict = Verdict(ruling=Ruling.ACCEPT, reason=why)
        lifetime.keep(setting.home, [placeholder(after).model_copy(update={"verdict": verdict})])
    return after


def _begun(
    setting: Setting,
    rules: Sequence[ProposedRule],
    known: dict[str, FieldTrial],
    found: Sequence[Recurrence],
    tasks: Sequence[Task],
) -> FieldTrial | None:
    """Begin, or take up again, the trial of the first rule that can be tried; None when there is none."""
    checks = {recurrence.id: recurrence.checks for recurrence in found}
    for rule in rules:
        before = known.get(rule.edit.id)
        told = checks.get(rule.edit.recurrence, ())
        about = tuple(sorted(t.id for t in tasks if t.origin == "real" and t.recurrence == rule.edit.recurrence))
        elsewhere = any(t.edit.text == rule.edit.text and t.edit.id != rule.edit.id for t in known.values())
        if rule.verdict.ruling not in _WAITS or rule.quarantine or rule.edit.op != "add" or elsewhere:
            continue  # elsewhere: the same rule for another document; sessions are told the rule, not the document
        if before is not None and before.state == "stopped":
            trial = before.model_copy(update={"state": "running", "why": ""})
        elif before is not None or not about or not tells(told):
            continue
        else:
            name = "f" + hashlib.sha256(f"{setting.scope_project}\0{rule.edit.id}".encode()).hexdigest()[:10]
            at, project = setting.clock.now(), setting.scope_project
            trial = FieldTrial(id=name, edit=rule.edit, project=project, checks=told, about=about, started=at)
        everything = [e for e in evidence.everything(setting.home) if e.edit.op != "delete"]
        lifetime.taken(setting.home, everything, [placeholder(trial)])
        save(setting.home, trial)
        return trial
    return None


def tells(checks: Sequence[Check]) -> bool:
    """Tell whether a reply's passing says something; nothing is run over what real sessions wrote."""
    return bool(checks) and not is_shape_only_task(checks) and all(runnable(check) for check in checks)


def runnable(check: Check) -> bool:
    """Tell whether a check may be put to what real sessions wrote: it starts no program and asks no model."""
    return check.op not in {CheckOp.COMMAND, CheckOp.RUBRIC}


def _ruled(setting: Setting, verdict: Verdict, trial: FieldTrial) -> Verdict:
    """Put what a trial shows into a verdict. Harm in real sessions weighs more than any exam; want of proof less."""
    rules = setting.config.exam
    seen = shown(setting.home, trial, alpha=rules.alpha, budget=rules.lifetime)
    told: dict[str, object] = {"field": seen}
    harmed = trial.state == "rejected" and seen.e_harm >= 1 / rules.alpha
    if trial.state == "accepted" and verdict.ruling in _WAITS:
        told |= {"ruling": Ruling.ACCEPT, "reason": trial.why}
    elif harmed or (trial.state == "rejected" and verdict.ruling in _WAITS):
        told |= {"ruling": Ruling.REJECT, "reason": trial.why}
    return verdict.model_copy(update=told)
