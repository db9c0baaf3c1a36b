"""Where a document really lies, and how its bytes are exchanged there."""

import contextlib
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.files import sync_dir, write_whole

MAX_BYTES = 10_000_000  # a document of rules is a few kilobytes; more is a mistake
NEW_FILE = 0o644  # a document is the project's, not ours
_WRITE = stat.S_IWUSR


class ChangedMeanwhileError(NightschoolError):
    """The file has other bytes than those that were read."""


@dataclass(frozen=True)
class Place:
    """A document as it was found. `path` is the real file, links resolved; `data` is None when there is none."""

    path: Path
    data: bytes | None
    mode: int = NEW_FILE
    owner: tuple[int, int] | None = None

    def missing_dirs(self) -> tuple[str, ...]:
        """Return the directories that have to be made for it, innermost last."""
        return tuple(str(folder) for folder in reversed(self.path.parents) if not folder.exists())

    def put(self, data: bytes | None) -> None:
        """Exchange what was found for `data`; None removes the file.

        Mode and, where allowed, owner stay. Raises ChangedMeanwhileError, with nothing done, when the file has other
        bytes by now, and NightschoolError when the disk refuses.
        """
        if data is not None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise NightschoolError("cannot make a directory", where=error.filename, why=error.strerror) from error
            write_whole(self.path, data, mode=self.mode, ready=self._ready)
            return
        self._unchanged()
        try:
            self.path.unlink(missing_ok=True)
            sync_dir(self.path.parent)
        except OSError as error:
            raise NightschoolError("cannot remove a file", where=self.path, why=error.strerror) from error

    def _ready(self, sibling: Path) -> None:
        if self.owner is not None:
            with contextlib.suppress(OSError):
                os.chown(sibling, *self.owner)
                sibling.chmod(self.mode)  # chown takes some bits away
        self._unchanged()

    def _unchanged(self) -> None:
        if bytes_now(self.path) != self.data:
            fix = "Run the same command again."
            raise ChangedMeanwhileError("a file is being changed by someone else", where=self.path, fix=fix)


def look(path: str) -> Place:
    """Find a document and read it, and make sure that it can be replaced.

    Raises NightschoolError, in one clear line, for what is no plain writable file of at most 10 MB, nor a place for
    one. A file whose owner bit says read-only is refused even where the system would let us.
    """
    told = Path(path)
    if not told.is_absolute():
        raise NightschoolError("a document's path is not absolute", where=path)
    real = Path(os.path.realpath(told))
    try:
        found = real.lstat()
    except FileNotFoundError:
        _check_room(told, real)
        return Place(real, None)
    except OSError as error:
        raise NightschoolError("cannot look at a document", where=told, why=error.strerror) from error
    if stat.S_ISLNK(found.st_mode):
        raise NightschoolError("a document is a link that leads back to itself", where=told, fix="Mend the link.")
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "not a plain file"
        raise NightschoolError("a document cannot be changed", where=told, why=f"it is {kind}")
    if found.st_size > MAX_BYTES:
        raise NightschoolError("a document is too large to hold rules", where=told, why=f"over {MAX_BYTES:,} bytes")
    if not found.st_mode & _WRITE or not os.access(real, os.W_OK):
        fix = f"Make it writable first: chmod u+w {real}"
        raise NightschoolError("a document cannot be changed", where=told, why="it is read-only", fix=fix)
    _check_writable(real.parent)
    try:
        return Place(real, real.read_bytes(), stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))
    except OSError as error:
        raise NightschoolError("cannot read a document", where=told, why=error.strerror) from error


def bytes_now(path: Path) -> bytes | None:
    """Return the file's bytes, None when there is no file. Raises NightschoolError when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NightschoolError("cannot read a document", where=path, why=error.strerror) from error


def remove_dirs(folders: Sequence[str]) -> None:
    """Remove those of the directories that are empty, innermost first. `folders` come innermost last."""
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def sweep(path: Path) -> None:
    """Remove what a killed write of `path` left beside it."""
    left = re.compile(re.escape(f".{path.name}.") + r"\d+\.[0-9a-f]{8}\.tmp")
    with contextlib.suppress(OSError):
        for sibling in path.parent.iterdir():
            if left.fullmatch(sibling.name):
                sibling.unlink()


def _check_room(told: Path, real: Path) -> None:
    folder = next(parent for parent in real.parents if parent.exists())
    if told.is_symlink() and folder != real.parent:
        raise NightschoolError("a document is a link to nowhere", where=told, why=f"{real.parent} does not exist")
    if not folder.is_dir():
        raise NightschoolError("a document cannot be made", where=told, why=f"{folder} is not a directory")
    _check_writable(folder)


def _check_writable(folder: Path) -> None:
    if not folder.stat().st_mode & _WRITE or not os.access(folder, os.W_OK | os.X_OK):
        fix = f"Make it writable first: chmod u+w {folder}"
        raise NightschoolError("a directory cannot be written to", where=folder, why="it is read-only", fix=fix)
