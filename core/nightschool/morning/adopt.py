"""Adopt: write rules of a proposal into the user's documents, all or none, with a receipt.

The order is what makes it safe to be killed: work out every new file; put the old and the new bytes beside a receipt
that says `prepared`; replace the files, each only while it still has the bytes that were read; say `committed`. What
the user has changed since the night is merged rule by rule: bytes outside the block are never looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nightschool.clock import Clock
from nightschool.errors import NightschoolError
from nightschool.files import single_flight
from nightschool.morning import receipts
from nightschool.morning.history import history_of
from nightschool.morning.place import ChangedMeanwhileError, Place, look
from nightschool.morning.recover import recover, roll_back, settle
from nightschool.morning.skill import opening
from nightschool.night import decisions
from nightschool.night.rules import block, screen
from nightschool.paths import Home
from nightschool.records import Edit, FileChange, Proposal, ProposedRule, Receipt, ReceiptState, Ruling, Target

LOCK_WAIT = 10.0  # seconds


@dataclass(frozen=True)
class Replacement:
    """One file that is about to change, and what goes into it."""

    place: Place
    made_dirs: tuple[str, ...]
    result: block.Applied


def _silent(_line: str) -> None:
    """Say nothing."""


def adopt(
    home: Home,
    proposal: Proposal,
    rule_ids: Sequence[str] | None = None,
    *,
    clock: Clock,
    by_hand: bool = True,
    screened: bool = False,
    tell: Callable[[str], None] = _silent,
) -> Receipt | None:
    """Adopt the accepted rules of a proposal, or those that `rule_ids` names (ids, or beginnings of one id).

    Rules that are unexamined, on probation or quarantined are adopted only when they are named and `by_hand` is true;
    rejected ones never. With `screened` a quarantined one is refused even then. `tell` gets a line for every rule that
    was left out and why. Returns None when there was nothing to do. Raises NightschoolError, with every file as it
    was, when a document cannot be changed or a text cannot be a rule.
    """
    edits = _chosen(proposal, rule_ids, by_hand=by_hand, screened=screened, tell=tell)
    if rule_ids is None:  # what the user has turned down is adopted only by name
        edits = [edit for edit in edits if edit.id not in decisions.turned_down(home)]
    with single_flight(home.lock, "adopting", wait=LOCK_WAIT):
        for note in recover(home):
            tell(note)
        try:
            return _transact(home, proposal, edits, clock, tell)
        except ChangedMeanwhileError:
            return _transact(home, proposal, edits, clock, tell)


def _chosen(
    proposal: Proposal, rule_ids: Sequence[str] | None, *, by_hand: bool, screened: bool, tell: Callable[[str], None]
) -> list[Edit]:
    if rule_ids is not None:
        named = [_named(proposal, rule_id) for rule_id in dict.fromkeys(rule_ids)]
        for rule in named:
            _check_adoptable(rule, by_hand=by_hand, screened=screened)
        return list(dict.fromkeys(rule.edit for rule in named))
    edits = []
    for rule in proposal.rules:
        why = _quarantine(rule)
        if rule.verdict.ruling is Ruling.ACCEPT and why:
            tell(f"{rule.edit.id} is quarantined ({', '.join(why)}): it is adopted only when you name it")
        elif rule.verdict.ruling is Ruling.ACCEPT:
            edits.append(rule.edit)
    return edits


def _quarantine(rule: ProposedRule) -> tuple[str, ...]:
    """Return why a rule is quarantined. A proposal is a file: what it says of itself is not the only word."""
    return tuple(dict.fromkeys((*rule.quarantine, *screen.reasons(rule.edit.text))))


def _named(proposal: Proposal, rule_id: str) -> ProposedRule:
    exact = [rule for rule in proposal.rules if rule.edit.id == rule_id]
    found = exact or [rule for rule in proposal.rules if rule_id and rule.edit.id.startswith(rule_id)]
    if not found:
        known = ", ".join(rule.edit.id for rule in proposal.rules) or "none"
        raise NightschoolError("no such rule in this proposal", where=rule_id, fix=f"It has: {known}.")
    if len({rule.edit.id for rule in found}) > 1:
        ids = ", ".join(rule.edit.id for rule in found)
        raise NightschoolError("several rules begin like this", where=rule_id, fix=f"Name one of: {ids}.")
    return found[0]


def _check_adoptable(rule: ProposedRule, *, by_hand: bool, screened: bool) -> None:
    verdict = rule.verdict
    if verdict.ruling is Ruling.REJECT:
        why = f"its exam rejected it: {verdict.reason}"
        fix = "If you want it all the same, write it into the document yourself."
        raise NightschoolError("a rejected rule cannot be adopted", where=rule.edit.id, why=why, fix=fix)
    held = "; ".join(_quarantine(rule))
    if screened and held:
        fix = f"In a terminal: nightschool adopt --rule {rule.edit.id}."
        raise NightschoolError("only the user adopts a quarantined rule", where=rule.edit.id, why=held, fix=fix)
    if by_hand:
        return
    if verdict.ruling is not Ruling.ACCEPT or held:
        why = held or f"it is {verdict.ruling.value}"
        raise NightschoolError("a rule can be adopted by hand only", where=rule.edit.id, why=why)


def _transact(
    home: Home, proposal: Proposal, edits: Sequence[Edit], clock: Clock, tell: Callable[[str], None]
) -> Receipt | None:
    changes = _worked_out(home, proposal, edits, tell)
    if not changes:
        return None
    receipt = _prepared(home, proposal, edits, changes, clock)
    try:
        for change in changes:
            change.place.put(change.result.data)
    except ChangedMeanwhileError:
        roll_back(home, receipt)
        receipts.discard(home, receipt.id)
        raise
    except BaseException:
        settle(home, receipt)
        raise
    receipt = receipt.model_copy(update={"state": ReceiptState.COMMITTED})
    receipts.save(home, receipt)
    return receipt


def _worked_out(
    home: Home, proposal: Proposal, edits: Sequence[Edit], tell: Callable[[str], None]
) -> list[Replacement]:
    """Return what every file will be. Documents that are one file through links are worked on as one."""
    adopted = {edit.id for edit in receipts.adopted_edits(home)}
    files: dict[Path, tuple[Place, Target, list[Edit]]] = {}
    for edit in edits:
        target = _target(proposal, edit)
        place = look(target.path)
        files.setdefault(place.path, (place, target, []))[2].append(edit)
    changes = []
    for place, target, wanted in files.values():
        origin = history_of(home, str(place.path)).origin()
        base = opening(target) if place.data is None else place.data
        result = block.apply(base, wanted, origin.joint if origin else "")
        for edit in wanted:
            gone = edit.op == "delete" and edit.id in adopted and edit.id in result.conflicts
            if edit.id in result.present or gone:
                tell(f"{edit.id} is adopted already, or stands there by your own hand: nothing to do ({place.path})")
            elif edit.id in result.conflicts:
                tell(f"{edit.id} is not adopted: {result.conflicts[edit.id]} ({place.path})")
        if result.applied:
            changes.append(Replacement(place, place.missing_dirs(), result))
    return changes


def _target(proposal: Proposal, edit: Edit) -> Target:
    for target in proposal.targets:
        if target.key == edit.document:
            return target
    raise NightschoolError("a rule names a document that the proposal does not know", where=edit.document)


def _prepared(
    home: Home, proposal: Proposal, edits: Sequence[Edit], changes: Sequence[Replacement], clock: Clock
) -> Receipt:
    """Write the receipt and all bytes before anything is changed."""
    name = receipts.new_id(home)
    receipt = Receipt(
        id=name,
        night=proposal.night,
        at=clock.now(),
        state=ReceiptState.PREPARED,
        edits=tuple(edit for edit in edits if any(edit.id in change.result.applied for change in changes)),
        files=tuple(
            FileChange(
                path=str(change.place.path),
                before=receipts.keep(home, name, change.place.data),
                after=receipts.keep(home, name, change.result.data) or "",
                made_dirs=change.made_dirs,
                joint=change.result.joint,
                edits=change.result.applied,
            )
            for change in changes
        ),
    )
    receipts.save(home, receipt)
    return receipt
