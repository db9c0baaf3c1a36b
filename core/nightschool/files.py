"""How a file of ours is written: whole or not at all, and readable by its owner alone."""

import contextlib
import errno
import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.errors import BusyError, NightschoolError

if TYPE_CHECKING:
    from filelock import BaseFileLock

PRIVATE_FILE, PRIVATE_DIR = 0o600, 0o700
LARGEST = 2**28  # bytes of a file that is read whole
_ELSEWHERE = "Nothing was changed. If it lies on a network's disk, point NIGHTSCHOOL_HOME at one of this machine."


def private_dir(path: Path) -> Path:
    """Make `path` and its missing parents with mode 0700, and return it.

    Raises NightschoolError when the directory cannot be made.
    """
    try:
        if path.is_dir():
            return path
        for folder in reversed([path, *path.parents]):
            if not folder.exists():
                folder.mkdir(mode=PRIVATE_DIR, exist_ok=True)
    except OSError as error:
        fix = "Make it writable, or point NIGHTSCHOOL_HOME elsewhere."
        raise NightschoolError("cannot make a directory", where=path, why=error.strerror, fix=fix) from error
    return path


def write_whole(
    path: Path,
    data: bytes,
    *,
    mode: int = PRIVATE_FILE,
    durable: bool = True,
    ready: Callable[[Path], None] | None = None,
) -> None:
    """Replace `path` by `data` so that a reader, or a crash at any instant, sees the old bytes or the new ones.

    Writes a sibling, syncs it, renames it over `path`, and syncs the directory. `durable=False` leaves both
    syncs out, for files that can be made again from others. `ready` is called with the finished sibling right before
    the rename; what it raises leaves `path` as it is.

    Raises NightschoolError, with the old bytes still in place, when the disk refuses.
    """
    private_dir(path.parent)
    sibling = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(sibling, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                stream.write(data)
                stream.flush()
                if durable:
                    os.fsync(stream.fileno())
            if ready is not None:
                ready(sibling)
            sibling.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                sibling.unlink()
            raise
        if durable:
            sync_dir(path.parent)
    except OSError as error:
        fix = "Nothing was changed; free space or make it writable, then run the same command again."
        raise NightschoolError("cannot write a file", where=path, why=error.strerror, fix=fix) from error


def read_plain(path: Path, most: int = LARGEST) -> bytes:
    """Return the bytes of a plain file, links followed. Raises OSError, also for a pipe or a device: it has no end."""
    at_once = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for its writer
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | at_once)) as stream:
        there = os.fstat(stream.fileno())
        if not stat.S_ISREG(there.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        if there.st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
        return stream.read()


def sync_dir(folder: Path) -> None:
    """Make renames and removals in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(root: Path, *, older_than: float) -> None:
    """Remove the siblings that a killed `write_whole` has left below `root`, those older than so many seconds."""
    for folder, _, names in os.walk(root):
        for name in names:
            if name.startswith(".") and name.endswith(".tmp"):
                path = Path(folder, name)
                with contextlib.suppress(OSError):
                    if time.time() - path.lstat().st_mtime > older_than:
                        path.unlink()


def append_line(path: Path, *lines: str, durable: bool = True) -> None:
    """Append lines to `path`, first ending a line that a crash has torn. Lines hold no line break.

    `durable=False` does not wait for the disk: for lines that would be found and written again.
    """
    private_dir(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        with os.fdopen(descriptor, "r+b", buffering=0) as stream:
            size = stream.seek(0, os.SEEK_END)
            torn = size > 0 and os.pread(stream.fileno(), 1, size - 1) != b"\n"
            data = (b"\n" if torn else b"") + "".join(f"{line}\n" for line in lines).encode()
            while data:  # a disk that fills up takes a part, and refuses only the next
                data = data[stream.write(data) :]
            if durable:
                os.fsync(stream.fileno())
    except OSError as error:
        fix = "Free space or make it writable, then run the same command again."
        raise NightschoolError("cannot append to a log", where=path, why=error.strerror, fix=fix) from error


def read_lines(path: Path, offset: int = 0) -> Iterator[bytes]:
    """Yield the whole lines of a log written by `append_line`, from a byte on; nothing when there is no such file."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if line.endswith(b"\n") and line.strip():
                yield line


@contextlib.contextmanager
def single_flight(path: Path, doing: str, *, wait: float = 0.0, sign: Path | None = None) -> Iterator[None]:
    """Hold the lock at `path` while the block runs; `doing` tells others what holds it.

    `wait` is how many seconds to wait for another holder. The lock is the operating system's, so one whose
    process died, even by kill -9, is free at once. `sign` is a second lock, held by who waits for the first: those who
    take the first again and again ask `wanted` and step back, or who waits would get it by luck.

    Raises BusyError that names the holder's process and what it does, NightschoolError where no lock can be taken.
    """
    from filelock import FileLock, Timeout

    private_dir(path.parent)
    lock = FileLock(path, mode=PRIVATE_FILE)
    holder = path.with_suffix(".holder")
    try:
        if sign is None or not _taken(lock):
            with FileLock(sign, mode=PRIVATE_FILE).acquire(timeout=wait) if sign else contextlib.nullcontext():
                lock.acquire(timeout=wait)
    except (Timeout, NotImplementedError):
        if why := _no_locks(path):  # some releases of filelock wait for what will never be
            raise NightschoolError("cannot take the lock", where=path, why=why, fix=_ELSEWHERE) from None
        what = "another nightschool process is at work"
        raise BusyError(what, where=path, why=_held_by(holder), fix="Run this again when it is done.") from None
    except OSError as error:
        raise NightschoolError("cannot take the lock", where=path, why=error.strerror, fix=_ELSEWHERE) from error
    try:
        with contextlib.suppress(NightschoolError):  # a word to others: on a full disk what frees room must go on
            write_whole(holder, json.dumps({"pid": os.getpid(), "doing": doing}).encode(), durable=False)
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def wanted(sign: Path) -> bool:
    """Tell whether somebody waits for the lock that `sign` belongs to; False where that cannot be told."""
    from filelock import FileLock, Timeout

    try:
        if sign.exists():
            with FileLock(sign, mode=PRIVATE_FILE).acquire(timeout=0):
                return False
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    return False


def _taken(lock: "BaseFileLock") -> bool:
    """Take a lock if it is free."""
    from filelock import Timeout

    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _no_locks(path: Path) -> str:
    """Say why the file system refuses a lock that nobody may be holding, "" when it does not."""
    try:
        import fcntl
    except ImportError:
        return ""
    try:
        with path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _held_by(holder: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(holder.read_bytes())
        return f"held by process {int(told['pid'])} ({told['doing']})"
    return "held by a process that has not said its name yet"
