"""After a crash: finish what was begun, or put back what was there. Bytes that are neither are the user's, and stay."""

from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.morning import receipts
from nightschool.morning.place import ChangedMeanwhileError, bytes_now, look, remove_dirs, sweep
from nightschool.morning.receipts import Undoing
from nightschool.paths import Home
from nightschool.records import FileChange, Receipt, ReceiptState


def recover(home: Home) -> tuple[str, ...]:
    """Settle every transaction that a crash has left open. Call it with the lock held.

    Returns a line for each file that could not be settled, because someone has changed it since.
    """
    notes: list[str] = []
    receipts.clear_unwritten(home)
    for receipt in receipts.all_receipts(home):
        undoing = receipts.begun_undo(home, receipt.id)
        if receipt.state is ReceiptState.PREPARED:
            for change in receipt.files:
                sweep(Path(change.path))
            notes += settle(home, receipt)
        elif undoing is not None:
            for step in undoing.files:
                sweep(Path(step.path))
            notes += finish_undo(home, receipt, undoing)[1]
    return tuple(notes)


def settle(home: Home, receipt: Receipt) -> list[str]:
    """Commit a prepared adoption when all its files were replaced; else put back those that were."""
    if all(_hash_now(change.path) == change.after for change in receipt.files):
        receipts.save(home, receipt.model_copy(update={"state": ReceiptState.COMMITTED}))
        return []
    notes = roll_back(home, receipt)
    receipts.save(home, receipt.model_copy(update={"state": ReceiptState.UNDONE}))
    return notes


def roll_back(home: Home, receipt: Receipt) -> list[str]:
    """Put back the files that an adoption has replaced so far. Returns a line for each that is the user's now."""
    return [note for change in receipt.files if (note := _put_back(home, receipt, change))]


def _put_back(home: Home, receipt: Receipt, change: FileChange) -> str:
    now = _hash_now(change.path)
    if now == change.after:
        look(change.path).put(receipts.before(home, receipt, change))
    elif now != change.before:
        return f"{change.path} was changed by hand while it was being adopted into: it is left as it is"
    if change.before is None:
        remove_dirs(change.made_dirs)
    return ""


def finish_undo(home: Home, receipt: Receipt, undoing: Undoing) -> tuple[Receipt, list[str]]:
    """Carry out a taking back from wherever it stands, and write it down.

    Returns the receipt as it is now, and a line for each file that has other bytes than those it was worked out for.
    When there is one nothing is marked as taken back, so that it can be worked out again.
    """
    notes = []
    for step in undoing.files:
        try:
            now = _hash_now(step.path)
            if now == step.now:
                look(step.path).put(receipts.kept(home, receipt.id, step.then))
            elif now != step.then:
                notes.append(f"{step.path} was changed by hand while it was being restored; undo it again")
                continue
        except ChangedMeanwhileError as error:
            notes.append(str(error))
            continue
        if step.then is None:
            remove_dirs(step.made_dirs)
    if notes:
        receipts.drop_undo(home, receipt.id)
        return receipt, notes
    return receipts.end_undo(home, receipt, undoing), []


def _hash_now(path: str) -> str | None:
    try:
        data = bytes_now(Path(path))
    except NightschoolError:
        return "unreadable"
    return None if data is None else receipts.digest(data)
