"""Kept: the rules that are adopted, with where each stands and how often the user had asked for it."""

from nightschool.morning import receipts
from nightschool.night.steps import Steps
from nightschool.paths import Home
from nightschool.records import Kept, Proposal, Receipt


def kept(home: Home) -> tuple[Kept, ...]:
    """Return what is adopted and not taken back, oldest first. Raises NightschoolError when a record cannot be read."""
    found = {rule.id: rule for receipt in receipts.all_receipts(home) for rule in _of(home, receipt)}
    gone = {(e.path, e.replaces) for e in receipts.adopted_edits(home) if e.op != "add"}
    return tuple(rule for rule in found.values() if (rule.path, rule.text) not in gone)


def _of(home: Home, receipt: Receipt) -> list[Kept]:
    edits = [edit for edit in receipts.active(receipt) if edit.op != "delete"]
    if not edits:
        return []
    proposal = Steps(home, receipt.night).found("proposal", Proposal)
    scopes = {target.key: target.scope for target in proposal.targets} if proposal else {}
    sessions = {rule.edit.id: rule.sessions for rule in proposal.rules} if proposal else {}
    return [
        Kept(
            id=edit.id,
            text=edit.text,
            path=edit.path,
            scope=scopes.get(edit.document, "project"),
            sessions=sessions.get(edit.id, 0),
        )
        for edit in edits
    ]
