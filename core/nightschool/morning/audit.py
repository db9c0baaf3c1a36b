"""The self-audit's findings: what keeps failing, what you keep correcting, and rules that do not hold; worst first."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from nightschool.audit import backlog
from nightschool.day.journal import short_hash
from nightschool.errors import NightschoolError, UsageError
from nightschool.morning import receipts
from nightschool.night.mining.mine import Mined
from nightschool.night.steps import Steps, newest_proposal_night
from nightschool.paths import Home
from nightschool.records import AuditDecision, AuditEntry, Choice, FailureKind, Finding, Recurrence

POSTPONED = timedelta(days=7)
PLACES = 5
RECURRING = 2  # sessions from which something keeps coming back

_SEVERE = {FailureKind.MERGE: 3, FailureKind.DENIED: 2, FailureKind.TEST: 2, FailureKind.TYPES_LINT: 2}
_OPTIONS = {
    "failure": (Choice.CODIFY, Choice.GUARD, Choice.LOG, Choice.POSTPONE),
    "correction": (Choice.CODIFY, Choice.DIG, Choice.LOG, Choice.POSTPONE),
    "broken_rule": (Choice.DIG, Choice.GUARD, Choice.LOG, Choice.POSTPONE),
}


def findings(home: Home, project: str | None, now: datetime, *, everything: bool = False) -> list[Finding]:
    """Return a project's findings (None: of all), recurring ones first, then by severity, sessions and recency.

    Left out unless `everything`: what was decided and has not come again, and what was postponed less than a week ago.
    """
    decided = backlog.decisions(home)
    found = [*_failures(home, project), *_corrections(home, project)]
    found = [finding.model_copy(update={"decided": decided.get(finding.id)}) for finding in found]
    shown = [finding for finding in found if everything or _is_open(finding, now)]
    return sorted(shown, key=lambda f: (f.sessions < RECURRING, -f.severity, -f.sessions, -f.last.timestamp(), f.id))


def decide(home: Home, found: Sequence[Finding], told: str, choice: str, reason: str, now: datetime) -> AuditDecision:
    """Record what was decided about the finding whose id is, or begins with, `told`.

    Raises NightschoolError when there is none, UsageError for another choice.
    """
    finding = named(found, told)
    if choice not in list(Choice):  # what is offered is at most four of them
        raise UsageError("not a choice", where=choice, fix=f"There are: {', '.join(Choice)}.")
    decision = AuditDecision(finding=finding.id, choice=Choice(choice), at=now, reason=reason[:500])
    backlog.decide(home, decision)
    return decision


def named(found: Sequence[Finding], told: str) -> Finding:
    """Return the finding whose id is, or begins with, `told`. Raises NightschoolError."""
    fitting = [f for f in found if f.id == told] or [f for f in found if told and f.id.startswith(told)]
    if len(fitting) != 1:
        known = ", ".join(finding.id for finding in found) or "none"
        raise NightschoolError(
            "no such finding" if not fitting else "several findings begin so", where=told, fix=f"Known: {known}."
        )
    return fitting[0]


def named_after(recurrence: str) -> str:
    """Return the id of the finding that is a recurrence; those of failures begin with `f-`."""
    return (recurrence if recurrence.startswith("c-") else f"c-{recurrence}")[:128]


def _is_open(finding: Finding, now: datetime) -> bool:
    if finding.decided is None:
        return True
    if finding.decided.choice is Choice.POSTPONE:
        return now - finding.decided.at >= POSTPONED
    return finding.last > finding.decided.at


def _failures(home: Home, project: str | None) -> Iterable[Finding]:
    """Group error spikes by what failed: the same kind of failure of the same program is one finding."""
    seen: dict[str, list[tuple[AuditEntry, int]]] = defaultdict(list)
    severity: dict[str, int] = {}
    for entry in backlog.entries(home, "error_spike", project or ""):
        if _in_scope(entry, project):
            for failure in entry.failures:
                seen[failure.signature].append((entry, failure.count))
                severity[failure.signature] = _SEVERE.get(failure.kind, 1)
    for signature, spikes in seen.items():
        told = {"kind": "failure", "text": signature, "severity": severity[signature]}
        yield _finding(
            f"f-{short_hash(signature)[:10]}", told, [entry for entry, _ in spikes], sum(n for _, n in spikes)
        )


def _in_scope(entry: AuditEntry, project: str | None) -> bool:
    """Tell whether a session was held in the project or below it, as a night tells."""
    return project is None or entry.project == project or entry.project.startswith(f"{project.rstrip(os.sep)}{os.sep}")


def _finding(name: str, told: dict[str, object], entries: list[AuditEntry], times: int) -> Finding:
    places = dict.fromkeys(f"{entry.platform}/{entry.session}" for entry in reversed(entries))
    where = {"sessions": len(places), "places": tuple(places)[:PLACES], "last": max(entry.at for entry in entries)}
    return Finding.model_validate({"id": name, "times": times, "options": _OPTIONS[str(told["kind"])]} | where | told)


def _corrections(home: Home, project: str | None) -> Iterable[Finding]:
    """What the newest night found coming back; a correction that came after its rule was adopted breaks it."""
    night = newest_proposal_night(home, project or "")
    mined = Steps(home, night.id).found("mined", Mined) if night else None
    adopted = {
        edit.recurrence: receipt.at for receipt in receipts.all_receipts(home) for edit in receipts.active(receipt)
    }
    for recurrence in mined.recurrences if mined else ():
        if recurrence.kind != "correction":
            continue
        since = adopted.get(recurrence.id)
        if since is None:
            yield _correction(recurrence, "correction", recurrence.sessions, 2)
        elif again := {quote.session for quote in recurrence.quotes if quote.at > since}:
            yield _correction(recurrence, "broken_rule", len(again), 3)


def _correction(recurrence: Recurrence, kind: str, sessions: int, severity: int) -> Finding:
    places = dict.fromkeys(f"{quote.platform}/{quote.session}" for quote in recurrence.quotes)
    told = {"id": named_after(recurrence.id), "kind": kind, "text": recurrence.text, "severity": severity}
    counts = {"sessions": sessions, "times": len(recurrence.quotes), "last": recurrence.last_seen}
    return Finding.model_validate(told | counts | {"places": tuple(places)[:PLACES], "options": _OPTIONS[kind]})
