"""Undo: take adoptions back, whole or rule by rule, in any order.

A file that nobody has touched since gets its exact bytes back, by hash. In one that was edited, or adopted into again,
only the rules that are taken back go; everything else stays byte for byte.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.files import single_flight
from nightschool.morning import receipts
from nightschool.morning.adopt import LOCK_WAIT
from nightschool.morning.chain import Link, Slot, chain_of, clean_start, origin_of, slots_of
from nightschool.morning.place import ChangedMeanwhileError, bytes_now, look
from nightschool.morning.receipts import Step, Undoing
from nightschool.morning.recover import finish_undo, recover
from nightschool.night.rules import block
from nightschool.night.rules.anatomy import Document, Item
from nightschool.paths import Home
from nightschool.records import FileChange, Receipt


@dataclass(frozen=True)
class Becoming:
    """What becomes of a file when rules are taken back. `whole`: its very bytes from before; `left`: what cannot go."""

    then: bytes | None
    made_dirs: tuple[str, ...]
    left: tuple[str, ...]
    whole: bool


_Chosen = list[tuple[Receipt, tuple[str, ...]]]


def _silent(_line: str) -> None:
    """Say nothing."""


def undo(
    home: Home,
    *,
    night: str | None = None,
    receipt: str | None = None,
    rule: str | None = None,
    tell: Callable[[str], None] = _silent,
) -> tuple[Receipt, ...]:
    """Take back the latest adoption, all of a night, one receipt, or one rule (an edit's id or its beginning).

    `tell` gets a line for each rule that is left because the user has changed or removed it. Returns the receipts as
    they are now, newest first. Raises NightschoolError when there is nothing to undo, and when a file cannot be
    changed; adoptions that were taken back before it stay taken back.
    """
    with single_flight(home.lock, "undoing", wait=LOCK_WAIT):
        for note in recover(home):
            tell(note)
        chosen = _chosen(home, night, receipt, rule)
        return tuple(_take_back(home, one, ids, tell) for one, ids in chosen)


def _chosen(home: Home, night: str | None, receipt: str | None, rule: str | None) -> _Chosen:
    """Return receipts, newest first, each with the ids of the edits to take back."""
    found = [
        (one, tuple(edit.id for edit in edits))
        for one in reversed(receipts.all_receipts(home))
        if (edits := receipts.active(one)) and night in {None, one.night} and receipt in {None, one.id}
    ]
    if rule is None:
        if not found:
            raise NightschoolError("there is nothing to undo", where=night or receipt or "")
        return found if night is not None else found[:1]
    begun: _Chosen = [(one, (name,)) for one, ids in found for name in ids if rule and name.startswith(rule)]
    exact: _Chosen = [(one, ids) for one, ids in begun if ids == (rule,)]
    if not begun:
        raise NightschoolError("there is nothing to undo: no such rule is adopted", where=rule)
    if not exact and len({ids for _, ids in begun}) > 1:
        names = ", ".join(name for _, ids in begun for name in ids)
        raise NightschoolError("several rules begin like this", where=rule, fix=f"Name one of: {names}.")
    return (exact or begun)[:1]


def _take_back(home: Home, receipt: Receipt, ids: Sequence[str], tell: Callable[[str], None]) -> Receipt:
    for _ in range(2):  # worked out again, once, when somebody writes to a file meanwhile
        notes: list[str] = []
        steps = []
        for change in receipt.files:
            taken = {(receipt.id, name) for name in ids if name in change.edits}
            if taken and (step := _step(home, receipt, change, taken, notes)):
                steps.append(step)
        undoing = Undoing(edits=tuple(ids), files=tuple(steps))
        receipts.begin_undo(home, receipt.id, undoing)
        done, unsettled = finish_undo(home, receipt, undoing)
        if not unsettled:
            for note in notes:
                tell(note)
            return done
    raise ChangedMeanwhileError("a file is being changed by someone else", why=unsettled[0])


def _step(
    home: Home, receipt: Receipt, change: FileChange, taken: set[tuple[str, str]], notes: list[str]
) -> Step | None:
    """Work out what becomes of one file; None when it stays as it is."""
    now = bytes_now(Path(change.path))
    before = receipts.before(home, receipt, change)
    whole = {name for _, name in taken} >= {name for name in change.edits if name not in receipt.undone}
    if now is None or (whole and now == before):
        if now is None and before is not None:
            notes.append(f"{change.path} is gone: nothing to take back there")
        return None
    found = becoming(now, chain_of(home, change.path), taken)
    notes += [f"{change.path}: {note}" for note in found.left]
    if found.then == now:
        return None
    look(change.path)  # refused here, before anything is written, when it cannot be changed
    keep = receipts.keep
    return Step(
        path=change.path,
        now=keep(home, receipt.id, now),
        then=keep(home, receipt.id, found.then),
        made_dirs=found.made_dirs if found.then is None else (),
    )


def becoming(now: bytes, chain: list[Link], taken: AbstractSet[tuple[str, str]]) -> Becoming:
    """Work out what the bytes `now` of a file become; `taken` holds (receipt, edit) of what is taken back."""
    start = clean_start(chain, receipts.digest(now), taken)
    if start is not None:
        return Becoming(start.before, start.change.made_dirs, (), whole=True)
    then, made_dirs, left = _without(now, chain, taken)
    return Becoming(then, made_dirs, tuple(left), whole=False)


def _without(
    now: bytes, chain: list[Link], taken: AbstractSet[tuple[str, str]]
) -> tuple[bytes | None, tuple[str, ...], list[str]]:
    """Return the file with the layers in `taken` off, and a line for each rule that cannot be taken back.

    None when nothing but what we made of the file would be left; the directories made for it are in the middle.
    """
    document, origin, notes = Document.of(now), origin_of(chain), []
    for slot in slots_of(chain):
        shown, wanted = slot.shown_without(set()), slot.shown_without(taken)
        if shown == wanted:
            if _is_covered(slot, taken):
                notes.append("a rule that was taken back had been replaced by a later one, which stays")
            continue
        like = _state_with(chain, wanted)
        if shown is None and wanted is not None and wanted not in document.rules():
            document.insert(wanted, like, origin.joint if origin else None)
        elif shown is not None and not document.exchange(shown, _item(like, wanted)):
            notes.append(f"a rule was changed or removed by hand and is left so: {shown.splitlines()[0][:80]}")
    if origin is not None:
        document.drop_empty(origin.joint, origin.text)
    then = document.joined()
    if origin and origin.made_file and then == origin.text:
        return None, origin.made_dirs, notes
    return then, (), notes


def _is_covered(slot: Slot, taken: AbstractSet[tuple[str, str]]) -> bool:
    ours = any((link.receipt.id, edit) in taken for link, edit, _ in slot.layers)
    return ours and slot.shown_without(set()) is not None


def _item(document: Document, rule: str | None) -> Item | None:
    if rule is None:
        return None
    where, at = document.find(rule)
    return where.items[at]


def _state_with(chain: list[Link], rule: str | None) -> Document:
    """Return the latest known state of the file that holds `rule`."""
    for link in reversed(chain):
        for data in (link.before, link.after):
            document = Document.of(data or b"")
            if rule in document.rules():
                return document
    return Document.of(block.with_rules(b"", [rule] if rule else []))
