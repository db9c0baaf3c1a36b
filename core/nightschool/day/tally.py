"""What a long journal holds, in a file beside it, so that no drain reads years of events to know one again.

Only whoever holds the drain's lock writes it. It tells up to which byte of which journal it goes; what comes after is
read. Lost, damaged, or of another journal, it is made again; a short journal has none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from nightschool.events import Event
from nightschool.files import PRIVATE_FILE
from nightschool.paths import Home

LONG = 4 * 2**20  # bytes of a journal that is worth a file beside it
BEHIND = 2**20  # bytes after which that file is brought up to date
_END = 256  # bytes before the place it goes to, by which the journal is known again
_BATCH = 10_000
_SCHEMA = """
CREATE TABLE upto (inode INTEGER, offset INTEGER, ending TEXT);
CREATE TABLE events (id TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE met (number INTEGER PRIMARY KEY, platform TEXT, session TEXT, UNIQUE (platform, session));
CREATE TABLE counts (platform TEXT, moment TEXT, count INTEGER NOT NULL, PRIMARY KEY (platform, moment)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
_COUNT = """
INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (platform, moment) DO UPDATE SET count = count + excluded.count
"""


class Tally:
    """A journal up to `offset`: ids with their times, sessions in the order they were met, and counts."""

    def __init__(self, index: sqlite3.Connection, offset: int) -> None:
        self.index, self.offset = index, offset

    def at(self, event_id: str) -> datetime | None:
        """Return when an event was, None when it is not known."""
        row = self.index.execute("SELECT at FROM events WHERE id = ?", (event_id,)).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def ordinal(self, platform: str, session: str) -> int:
        """Return the how manieth session this is, 0 when it was not met."""
        asked = "SELECT number FROM met WHERE platform = ? AND session = ?"
        row = self.index.execute(asked, (platform, session)).fetchone()
        return int(row[0]) if row else 0

    def sessions(self) -> int:
        """Return how many sessions were met."""
        return int(self.index.execute("SELECT coalesce(max(number), 0) FROM met").fetchone()[0])

    def counts(self) -> Counter[tuple[str, str]]:
        """Return how many events there are, by platform and moment."""
        return Counter({(p, m): n for p, m, n in self.index.execute("SELECT platform, moment, count FROM counts")})


def found(home: Home) -> Tally | None:
    """Return the tally of the journal as it is there, None without a usable one. Nothing is written."""
    try:
        if home.journal.stat().st_size < LONG or not home.tally.exists():
            return None
        index = sqlite3.connect(f"{home.tally.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        return _of(home.journal, index)
    except (sqlite3.Error, OSError):
        return None


def caught_up(home: Home) -> Tally | None:
    """Return the tally of a long journal, brought up to date when it is far behind; None when it cannot be had."""
    try:
        size = home.journal.stat().st_size
    except OSError:
        return None
    told = found(home)
    if size < LONG or (told is not None and size - told.offset < BEHIND):
        return told
    try:
        return _brought_up(home, anew=told is None)
    except (sqlite3.Error, OSError):
        return told


def _of(journal: Path, index: sqlite3.Connection) -> Tally | None:
    """Return what the file tells when it tells of this very journal."""
    inode, offset, ending = index.execute("SELECT inode, offset, ending FROM upto").fetchone() or (0, 0, "")
    known = offset and (inode, ending) == (journal.stat().st_ino, _ending(journal, offset))
    return Tally(index, offset) if known else None


def _brought_up(home: Home, *, anew: bool) -> Tally | None:
    if anew:
        for beside in ("", "-journal"):
            home.tally.with_name(home.tally.name + beside).unlink(missing_ok=True)
    os.close(os.open(home.tally, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE))
    index = sqlite3.connect(home.tally, timeout=10)
    if anew:
        index.executescript(_SCHEMA)
    with index:
        index.execute("BEGIN IMMEDIATE")  # a drain and a harvest may both be here: each line is counted once
        offset = index.execute("SELECT coalesce(max(offset), 0) FROM upto").fetchone()[0]
        for batch, end in batches(home.journal, offset):
            index.executemany("INSERT OR REPLACE INTO events VALUES (?, ?)", [(e.id, e.at.isoformat()) for e in batch])
            met = dict.fromkeys((e.platform, e.session_id) for e in batch if e.session_id)
            index.executemany("INSERT OR IGNORE INTO met (platform, session) VALUES (?, ?)", met)
            counts = Counter((e.platform, e.moment.value) for e in batch)
            index.executemany(_COUNT, [(*key, count) for key, count in counts.items()])
            offset = end
        index.execute("DELETE FROM upto")
        told = (home.journal.stat().st_ino, offset, _ending(home.journal, offset))
        index.execute("INSERT INTO upto VALUES (?, ?, ?)", told)
    return Tally(index, offset)


def batches(journal: Path, offset: int) -> Iterator[tuple[list[Event], int]]:
    """Yield the events of the whole lines from an offset on, and where each batch ends."""
    batch: list[Event] = []
    with journal.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if not line.endswith(b"\n"):
                break
            offset += len(line)
            with contextlib.suppress(ValidationError):
                batch.append(Event.model_validate_json(line))
            if len(batch) == _BATCH:
                yield batch, offset
                batch = []
    yield batch, offset


def _ending(journal: Path, offset: int) -> str:
    with journal.open("rb") as stream:
        stream.seek(max(0, offset - _END))
        return hashlib.sha256(stream.read(min(_END, offset))).hexdigest()
