"""The client's own database of sessions, as a last resort: for sessions whose events are gone.

It loses turns and tells neither tools nor failures. It is opened read-only, and never while it is all there is to know
of a session that still has its events.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from nightschool.records import OWN_MARK, Session, Source, TranscriptRef, Turn
from nightschool_copilot.texts import clip, instant, typed

STORE = "session-store.db"
_WAIT = 1.0  # seconds for the client's own locks


def is_store(path: str) -> bool:
    """Tell whether a path is the database."""
    return os.path.basename(path) == STORE  # noqa: PTH119


def transcripts(root: Path, have: set[str]) -> Iterator[TranscriptRef]:
    """Yield the sessions of the database that are not among those found as files."""
    path = root / STORE
    try:
        info = path.stat()
        rows = _asked(path, "SELECT session_id, COUNT(*), MAX(timestamp) FROM turns GROUP BY session_id")
    except (OSError, sqlite3.Error):
        return
    for name, turns, last in rows:
        at = instant(last)
        if isinstance(name, str) and name not in have and _is_name(name):
            written = int(at.timestamp() * 1e9) if at else info.st_mtime_ns
            yield TranscriptRef(
                platform="copilot", session=name, path=str(path), size=int(str(turns)), mtime_ns=written
            )


def read(name: str, path: str, known: Session | None) -> Session | None:
    """Read the session's turns; what is already known of it from its events stays."""
    if known is not None and not is_store(known.source.path):
        return known
    try:
        rows = _asked(
            Path(path),
            "SELECT turn_index, user_message, assistant_response, timestamp FROM turns WHERE session_id = ? "
            "ORDER BY turn_index",
            name,
        )
        places = _asked(Path(path), "SELECT cwd, branch FROM sessions WHERE id = ?", name)
    except (OSError, sqlite3.Error):
        return known
    turns = tuple(turn for row in rows if (turn := _turn(name, *row)))
    last = turns[-1].at if turns else None
    written = int(last.timestamp() * 1e9) if last else 0
    source = Source(path=path, offset=len(rows), size=len(rows), mtime_ns=written)
    if known is not None and known.source == source:
        return known
    project, branch = (str(value or "") for value in (places or [("", "")])[0])
    return Session(
        platform="copilot",
        id=name,
        source=source,
        project=project,
        branch=branch,
        started=turns[0].at if turns else None,
        ended=last,
        turns=turns,
        own=any(OWN_MARK in turn.prompt for turn in turns),
    )


def _turn(name: str, index: object, asked: object, said: object, stamp: object) -> Turn | None:
    at = instant(stamp)
    prompt = typed(asked) if isinstance(asked, str) else ""
    if at is None or not prompt:
        return None
    return Turn(id=f"{name}:{index}", at=at, prompt=clip(prompt), reply=clip(said if isinstance(said, str) else ""))


def _asked(path: Path, question: str, *values: str) -> list[tuple[object, ...]]:
    # without a log beside it nobody writes, and then not even a lock is made
    quiet = "" if path.with_name(f"{STORE}-wal").exists() else "&immutable=1"
    uri = f"file:{quote(str(path))}?mode=ro{quiet}"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_WAIT)) as database:
        return list(database.execute(question, values))


def _is_name(name: str) -> bool:
    return name.isascii() and name[:1].isalnum() and len(name) <= 128 and not set(name) - _LETTERS  # noqa: PLR2004


_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
