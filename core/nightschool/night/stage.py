"""Stage: put what the night found into a proposal. Nothing live changes; the morning decides."""

from collections.abc import Sequence
from datetime import datetime

from nightschool.events import Record
from nightschool.night.rules import block
from nightschool.night.rules.screen import beside, reasons
from nightschool.records import (
    Edit,
    Evidence,
    Proposal,
    ProposedRule,
    RealTask,
    Recurrence,
    Ruling,
    Target,
    Verdict,
)

SHOWN_QUOTES = 5
# why there is no measurement: how such a reason begins
NO_CHECK = "Its words hold nothing that can be checked without a model."
NO_TASK = "No held-out task asks for it yet"
NO_MODEL = "No model was asked."


class Candidates(Record):
    """The edits a night examines, pinned when it begins."""

    edits: tuple[Edit, ...] = ()
    waiting: int = 0  # further candidates that the cap left for later nights


class Recalled(Record):
    """The deletions a night examines, pinned when it begins."""

    edits: tuple[Edit, ...] = ()
    notes: tuple[str, ...] = ()


def stage(
    night: str,
    at: datetime,
    targets: Sequence[Target],
    edits: Sequence[Edit],
    held: Sequence[Evidence],
    recurrences: Sequence[Recurrence],
    tasks: Sequence[RealTask],
    *,
    asked: bool,
) -> Proposal:
    """Build the proposal. `held` is the evidence of the edits that were examined, `asked` tells whether a model was."""
    verdicts = {found.edit.id: found.verdict for found in held}
    sources = {recurrence.id: recurrence for recurrence in recurrences}
    rules = []
    for edit in edits:
        source = sources.get(edit.recurrence)
        verdict = verdicts.get(edit.id) or _unexamined(source, edit, tasks, asked=asked)
        if verdict.ruling is Ruling.UNEXAMINED:
            verdict = _unexamined(source, edit, tasks, asked=asked)
        rules.append(
            ProposedRule(
                edit=edit,
                verdict=verdict,
                quotes=source.quotes[:SHOWN_QUOTES] if source else (),
                sessions=source.sessions if source else 0,
                elsewhere=source.elsewhere if source else 0,
                quarantine=_quarantine(source, edit, held),
            )
        )
    return Proposal(night=night, at=at, targets=tuple(targets), rules=tuple(rules))


def _quarantine(source: Recurrence | None, edit: Edit, held: Sequence[Evidence]) -> tuple[str, ...]:
    """Say why a rule must be looked at: its shape, what it was said in, or what another's machine gave for it."""
    own = reasons(edit.text)
    why = [*own, *(() if own or source is None else beside(source.quotes))]
    why += given_elsewhere(source)
    if any(found.elsewhere for found in held if found.edit.id == edit.id):
        why.append("part of its evidence came from another machine")
    return tuple(why)


def given_elsewhere(source: Recurrence | None) -> list[str]:
    """Say that another machine's sessions are among those that something was said in; nothing when none is."""
    if source is None or not source.elsewhere:
        return []
    return [f"{source.elsewhere} of the {source.sessions} session(s) it was said in came from another machine"]


def _unexamined(source: Recurrence | None, edit: Edit, tasks: Sequence[RealTask], *, asked: bool) -> Verdict:
    """Say why there is no measurement."""
    own = [task for task in tasks if task.concerns(edit.recurrence)]
    if edit.op != "delete" and (fault := block.refusal(edit.text)):
        why = f"No document can hold it as it stands: {fault}. `nightschool review` takes other words for it."
    elif not own and source is not None and not source.checks:  # tasks that were taken in bring checks of their own
        why = NO_CHECK
    elif not own:
        why = f"{NO_TASK}; an exam needs at least six."
    elif not asked:
        why = f"{NO_MODEL} {len(own)} held-out task(s) are waiting for it."
    else:
        why = "No held-out task could be scored."
    return Verdict(ruling=Ruling.UNEXAMINED, reason=why)
