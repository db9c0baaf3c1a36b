"""Sessions as files, one each, and an index of their watermarks that can be deleted and is then made again."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from nightschool.files import PRIVATE_FILE, private_dir, write_whole
from nightschool.paths import Home, safe_name
from nightschool.records import Session

Key = tuple[str, str]  # platform, session id
Mark = tuple[str, int, int]  # path, size and modification time (ns) of the transcript as it was last read

_TABLE = (
    "CREATE TABLE IF NOT EXISTS sources (platform TEXT, session TEXT, path TEXT NOT NULL, size INTEGER NOT NULL, "
    "mtime_ns INTEGER NOT NULL, PRIMARY KEY (platform, session)) WITHOUT ROWID"
)


class SessionStore:
    """The sessions of a home. A session's file is the truth and holds its own watermark; the index only finds it."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def path(self, platform: str, name: str) -> Path:
        """Return where a session lies."""
        return self.home.sessions / safe_name(platform) / f"{safe_name(name)}.json"

    def load(self, platform: str, name: str) -> Session | None:
        """Return a session; None when it is not there or its file is damaged: its transcript is then read anew."""
        return _loaded(self.path(platform, name))

    def save(self, session: Session) -> None:
        """Write a session whole, without waiting for the disk: a lost one is read again from its transcript."""
        path = self.path(session.platform, session.id)
        write_whole(path, session.model_dump_json(exclude_defaults=True).encode(), durable=False)

    def sessions(self) -> Iterator[Session]:
        """Yield every session, ordered by platform and id."""
        for path in sorted(self.home.sessions.glob("*/*.json")):
            session = _loaded(path)
            if session is not None:
                yield session

    def marks(self) -> dict[Key, Mark]:
        """Return how every transcript was when it was last read; from the files when the index is gone or damaged."""
        with contextlib.suppress(sqlite3.Error), self._open(read_only=True) as index:
            rows = index.execute("SELECT platform, session, path, size, mtime_ns FROM sources").fetchall()
            return {(platform, name): (path, size, mtime) for platform, name, path, size, mtime in rows}
        known = list(self.sessions())
        if known:
            self._make_anew(known)
        return {(s.platform, s.id): _mark(s) for s in known}

    def mark(self, sessions: Iterable[Session]) -> None:
        """Put watermarks of saved sessions into the index, in one transaction."""
        rows = [(s.platform, s.id, *_mark(s)) for s in sessions]
        if not rows:
            return
        try:
            self._insert(rows)
        except sqlite3.DatabaseError:
            self._make_anew(self.sessions())

    def _make_anew(self, sessions: Iterable[Session]) -> None:
        rows = [(s.platform, s.id, *_mark(s)) for s in sessions]
        for suffix in ("", "-wal", "-shm"):
            self.home.index.with_name(self.home.index.name + suffix).unlink(missing_ok=True)
        with contextlib.suppress(sqlite3.Error):  # the next harvest makes it then; the files are the truth
            self._insert(rows)

    def _insert(self, rows: list[tuple[str, str, str, int, int]]) -> None:
        private_dir(self.home.root)
        self.home.index.touch(mode=PRIVATE_FILE)
        with self._open(read_only=False) as index, index:
            index.execute(_TABLE)
            index.executemany("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)", rows)

    @contextlib.contextmanager
    def _open(self, *, read_only: bool) -> Iterator[sqlite3.Connection]:
        uri = f"{self.home.index.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
        index = sqlite3.connect(uri, uri=True, timeout=10)
        try:
            yield index
        finally:
            index.close()


def _loaded(path: Path) -> Session | None:
    try:
        return Session.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _mark(session: Session) -> Mark:
    return (session.source.path, session.source.size, session.source.mtime_ns)
