"""Uninstall: take back everything Nightschool has changed outside its home, and tell what it leaves.

A file that nobody has touched since gets the bytes back that it had before the first adoption; one that we made goes,
with the directories made for it. In a file that the user has edited since, our rules and the markers of our block go
and every other byte stays, also a rule that the user has reworded. It may be killed and called again at any time.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from nightschool.day.rest import at_rest
from nightschool.errors import NightschoolError
from nightschool.events import Record
from nightschool.files import single_flight
from nightschool.morning import brief, receipts
from nightschool.morning.adopt import LOCK_WAIT
from nightschool.morning.history import History, blocks_of, history_of
from nightschool.morning.place import bytes_now, look, remove_dirs
from nightschool.morning.recover import recover
from nightschool.morning.undo import Becoming, becoming, undo
from nightschool.night.rules.anatomy import Document
from nightschool.paths import Home

_TEMPORARY = re.compile(r"\.(.+)\.\d+\.[0-9a-f]{8}\.tmp")
_DATABASES = ("index.db", "journal.db", "ledger.db")  # with what SQLite puts beside them
_Told = Callable[[str], None]


class Touched(Record):
    """A file outside the home, and what becomes of it."""

    path: str
    action: Literal["restored", "removed", "cleaned", "failed"]
    notes: tuple[str, ...] = ()  # what stays in it, or why it could not be changed


def uninstall(home: Home, tell: _Told) -> tuple[Touched, ...]:
    """Take everything back that is still adopted and return what became of each file, in the order of adoption.

    A file that cannot be changed stops none of the others; it is `failed`, and stays adopted. Raises NightschoolError
    when a receipt cannot be read. With nothing to take back nothing is written, not even a home.
    """
    brief.clear(home)
    if not home.receipts.is_dir():
        return ()
    with single_flight(home.lock, "uninstalling", wait=LOCK_WAIT):
        for note in recover(home):
            tell(note)
    files = planned(home)
    faults = [*_undo_all(home), *_unmark_all(home)]
    left = {file.path: file for file in planned(home)}
    return tuple(_failed(left[file.path], faults) if file.path in left else file for file in files)


def planned(home: Home) -> tuple[Touched, ...]:
    """Return what `uninstall` would do; nothing is written."""
    return tuple(_touched(path, found) for path, found in _changes(home))


def purge(home: Home) -> list[str]:
    """Remove the home with all that was learned.

    Returns the names in it that are not Nightschool's; with any of these nothing is removed, for the directory may be
    somebody's. Raises NightschoolError when a night or a drain is at work, or something cannot be removed.
    """
    if not home.root.is_dir():
        return []
    foreign = sorted(path.name for path in home.root.iterdir() if not _is_ours(home, path.name))
    if foreign:
        return foreign
    locks = {path.with_suffix(end) for path in _locks(home) for end in (".lock", ".holder")}
    with single_flight(home.lock, "purging", wait=LOCK_WAIT), at_rest(home, "purging"):
        for path in sorted(home.root.iterdir()):
            if path not in locks:
                _remove(path)
    for path in locks:
        path.unlink(missing_ok=True)
    remove_dirs([str(home.root)])
    return []


def _locks(home: Home) -> tuple[Path, ...]:
    return home.lock, home.drain_lock, home.sessions_lock


def _changes(home: Home) -> Iterator[tuple[str, Becoming | str]]:
    """Yield every file that is not yet what it should be: what becomes of it, or why that cannot be worked out."""
    for path, taken in _taken(home).items():
        try:
            now, history = bytes_now(Path(path)), history_of(home, path)
            if now is None:
                continue
            found = becoming(now, history, taken) if taken else Becoming(now, (), "")
            found = found if found.whole else _unmarked(found, history, off=not taken)
            if found.then != now:
                look(path)  # refuses what cannot be changed
                yield path, found
        except NightschoolError as error:
            yield path, str(error)


def _taken(home: Home) -> dict[str, set[tuple[str, str]]]:
    """Return every file that an adoption went into, with the (receipt, edit) that are still in it."""
    files: dict[str, set[tuple[str, str]]] = {}
    for receipt in receipts.all_receipts(home):
        active = {edit.id for edit in receipts.active(receipt)}
        for change in receipt.files if receipts.happened(receipt) else ():
            files.setdefault(change.path, set()).update((receipt.id, name) for name in change.edits if name in active)
    return files


def _unmarked(found: Becoming, history: History, *, off: bool) -> Becoming:
    """Take the markers off a block that we have made; one that the user brought along stays.

    `off`: nothing is adopted any more. When our last write left no block, one that is there now came by other ways.
    """
    origin = history.origin()
    if found.then is None or origin is None or (off and not blocks_of(history.writes[-1].then)):
        return found
    document = Document.of(found.then)
    then = document.unmarked(origin.joint, origin.text) if document.blocks else found.then
    if origin.made_file and then == origin.text:
        return Becoming(None, origin.made_dirs, "", found.notes)
    return Becoming(then, (), "", found.notes)


def _touched(path: str, found: Becoming | str) -> Touched:
    if isinstance(found, str):
        return Touched(path=path, action="failed", notes=(found,))
    if found.then is None:
        return Touched(path=path, action="removed", notes=found.notes)
    return Touched(path=path, action="restored" if found.whole else "cleaned", notes=found.notes)


def _failed(file: Touched, faults: list[str]) -> Touched:
    why = file.notes if file.action == "failed" else tuple(faults)
    return file.model_copy(update={"action": "failed", "notes": why})


def _undo_all(home: Home) -> list[str]:
    """Take every adoption back, the newest first; return what went wrong."""
    faults = []
    for receipt in reversed(receipts.all_receipts(home)):
        if receipts.active(receipt):
            try:
                undo(home, receipt=receipt.id)
            except NightschoolError as error:
                faults.append(str(error))
    return faults


def _unmark_all(home: Home) -> list[str]:
    """Take off the markers around what the user has reworded, and directories whose file is gone; return the faults."""
    faults = []
    with single_flight(home.lock, "uninstalling", wait=LOCK_WAIT):
        adopted = {path for path, taken in _taken(home).items() if taken}
        for path in _taken(home).keys() - adopted:
            if not Path(path).exists():
                for write in history_of(home, path).writes:
                    remove_dirs(write.made_dirs)
        for path, found in _changes(home):
            if isinstance(found, str) or path in adopted:
                continue
            try:
                look(path).put(found.then)
                remove_dirs(found.made_dirs)
            except NightschoolError as error:
                faults.append(str(error))
    return faults


def _is_ours(home: Home, name: str) -> bool:
    """Tell whether a name directly below the home is one that Nightschool uses."""
    unfinished = _TEMPORARY.fullmatch(name)
    if unfinished:
        return _is_ours(home, unfinished[1])
    places = {found.name for key in dir(Home) if isinstance(found := getattr(home, key), Path) and key != "root"}
    others = {"bin", "crash", "rejected.jsonl", "ledger.locks"}
    others |= {f"{what}.{end}" for what in ("schedule", "sync") for end in ("lock", "holder")}
    others |= {f"{Path(lock).stem}.holder" for lock in places if lock.endswith(".lock")}
    return name in places | others or name.startswith(_DATABASES)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise NightschoolError("cannot remove a part of the home", where=path, why=error.strerror) from error
