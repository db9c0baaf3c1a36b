"""The client's sessions into neutral ones: `session-state/<id>/events.jsonl`, read on by byte offset.

A file that was truncated or replaced is read anew; one that moved is read on. A session that was killed leaves no
record of its end, but a lock that names a process which is gone. Chats of editors and the session store lie elsewhere
and are read by `editors.py` and `session_store.py`; what a path is tells which.
"""

import contextlib
import os
import re
import stat
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nightschool.records import NightRequest, Session, Source, TranscriptRef
from nightschool_copilot import editors, session_store
from nightschool_copilot.lines import head, records
from nightschool_copilot.place import config_dir, own_config_dir
from nightschool_copilot.turns import Builder, passed

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_LOCK = re.compile(r"inuse\.(\d{1,10})\.lock")
_QUIET = 600.0  # seconds without a word after which a session without a lock has ended
EVENTS = "events.jsonl"


def transcripts(request: NightRequest) -> Iterator[TranscriptRef]:
    """Yield every session's file; of the session store only what has no file any more."""
    root = config_dir(request)
    found = [*_in_folder(root / "session-state"), *editors.transcripts(request)]
    yield from found
    yield from session_store.transcripts(root, {ref.session for ref in found})


def _in_folder(root: Path) -> Iterator[TranscriptRef]:
    try:
        names = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    except OSError:
        return
    for name in names:
        path = root / name / EVENTS
        with contextlib.suppress(OSError):  # it has no events, or vanished
            info = path.stat()
            if _NAME.fullmatch(name) and stat.S_ISREG(info.st_mode):
                yield TranscriptRef(
                    platform="copilot", session=name, path=str(path), size=info.st_size, mtime_ns=info.st_mtime_ns
                )


def own_path(name: str) -> str:
    """Return where the client writes the session's events: the end of a session tells no path."""
    return str(own_config_dir() / "session-state" / name / EVENTS)


def read(name: str, path: str, known: Session | None) -> Session | None:
    """Read session `name` on from where `known` ends; from the start when there is none or the file is another.

    Returns `known` itself when nothing was added, without opening the file when its size and time are as they were,
    and None when there is no such file and nothing is known. Raises OSError when the file may not be read.
    """
    if editors.is_chat(path):
        return editors.read(name, path, known)
    if session_store.is_store(path):
        return session_store.read(name, path, known)
    try:
        info = os.stat(path)  # noqa: PTH116  hot: a night looks at thousands
        if not stat.S_ISREG(info.st_mode):  # a device or a pipe may never end
            return None
        if known is not None and _unchanged(known, path, info):
            return known
        with open(path, "rb") as stream:  # noqa: PTH123
            return _read(stream, name, path, known)
    except (FileNotFoundError, NotADirectoryError):
        return known


def _unchanged(known: Session, path: str, info: os.stat_result) -> bool:
    """Tell whether nothing was written, and nothing can be said anew of what was cut off."""
    source = known.source
    same = (source.path, source.size, source.mtime_ns) == (path, info.st_size, info.st_mtime_ns)
    return same and not (known.pending and has_ended(path, info.st_mtime))


def _read(stream: BinaryIO, name: str, path: str, known: Session | None) -> Session | None:
    info = os.fstat(stream.fileno())
    if known is not None and not _continues(stream, info.st_size, known.source):
        known = None
    end = begin = known.source.offset if known else 0
    builder = Builder(name, known)
    skipped: Counter[str] = Counter(known.skipped if known else {})
    for start, after, record in records(stream, begin, skipped, passed):
        if record is not None and not builder.add(record, start, after):
            skipped["unknown-type"] += 1
        end = after
    if has_ended(path, info.st_mtime):
        builder.ended()
    source = Source(path=path, offset=end, size=info.st_size, mtime_ns=info.st_mtime_ns, head=head(stream, end))
    return builder.session(source, dict(skipped), fallback=info.st_mtime)


def _continues(stream: BinaryIO, size: int, source: Source) -> bool:
    """Tell whether the file still begins with what was consumed from it."""
    return size >= source.offset and head(stream, source.offset) == source.head


def has_ended(path: str, written: float) -> bool:
    """Tell whether nobody writes the session any more. `written` is the file's time in seconds since 1970.

    While it runs the client keeps a lock with its process id beside the file. Where there is no lock, or none of a
    process that lives, the session has ended; without any lock it also has to have been quiet, for the last lines
    reach the disk late.
    """
    try:
        locks = [int(found[1]) for name in os.listdir(os.path.dirname(path)) if (found := _LOCK.fullmatch(name))]  # noqa: PTH208, PTH120
    except OSError:
        return True
    if locks:
        return not any(_lives(pid) for pid in locks)
    return time.time() - written > _QUIET


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # it is somebody else's
    return True
