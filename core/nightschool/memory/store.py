"""Sessions as files, one each, and an index of their watermarks that can be deleted and is then made again.

A row of the index holds for the very file it was made from, told by inode, size and time. Any other file is read and
its row made anew, so an index that is gone, damaged or behind, and a session's file that is lost, cost time only.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from nightschool.files import PRIVATE_FILE, private_dir, write_whole
from nightschool.paths import Home, safe_name
from nightschool.records import Session
from nightschool.versions import stored

Key = tuple[str, str]  # platform, session id
Mark = tuple[str, int, int]  # path, size and modification time (ns) of the transcript as it was last read


class Outline(NamedTuple):
    """What is asked of every session each time, so that a long history is not read for it."""

    project: str
    own: bool
    dated: bool  # it has begun or ended at a known time
    offset: int
    turns: int
    skipped: Mapping[str, int]


_Row = tuple[str, Mark, Outline]  # which file of ours it was made from

_VERSION = 1
_SCHEMA = f"""
DROP TABLE IF EXISTS sources;
CREATE TABLE sources (
  platform TEXT, session TEXT, file TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  PRIMARY KEY (platform, session)
) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""
_OUTLINES = """
CREATE TABLE IF NOT EXISTS outlines (
  platform TEXT, session TEXT, file TEXT NOT NULL, project TEXT NOT NULL, own INTEGER NOT NULL, dated INTEGER NOT NULL,
  offset INTEGER NOT NULL, turns INTEGER NOT NULL, skipped TEXT NOT NULL, PRIMARY KEY (platform, session)
) WITHOUT ROWID;
"""  # beside the first table, so that an engine that knows only that one goes on with it
_READ = """
SELECT platform, session, file, path, size, mtime_ns, project, own, dated, offset, turns, skipped
FROM sources JOIN outlines USING (platform, session, file)
"""


class SessionStore:
    """The sessions of a home. A session's file is the truth and holds its own watermark; the index only finds it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._saved: dict[Key, _Row] = {}
        self._last: dict[Key, _Row] | None = None  # what the index told; each row is held against its file again

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
        with contextlib.suppress(FileNotFoundError):
            self._saved[session.platform, session.id] = _row(_identity(path.stat()), session)

    def sessions(self) -> Iterator[Session]:
        """Yield every session, ordered by platform and id."""
        for key in sorted(self.files()):
            if session := _loaded(self.path(*key)):
                yield session

    def marks(self) -> dict[Key, Mark]:
        """Return how every transcript was when it was last read. The index is written only when it was behind."""
        return {key: mark for key, (_, mark, _) in self._known().items()}

    def outlines(self) -> dict[Key, Outline]:
        """Return the outline of every session, ordered by platform and id; read are only those the index lacks."""
        return {key: outline for key, (_, _, outline) in sorted(self._known().items())}

    def _known(self) -> dict[Key, _Row]:
        rows = self._rows() if self._last is None else self._last | self._saved
        files = self.files()
        held = {key: row for key, row in rows.items() if files.get(key) == row[0]}
        others = ((key, file, _loaded(self.path(*key))) for key, file in files.items() if key not in held)
        fresh = {key: _row(file, session) for key, file, session in others if session is not None}
        gone = rows.keys() - held.keys() - fresh.keys()
        if fresh or gone:
            self._write(fresh, gone)
        self._last = held | fresh
        return self._last

    def index(self) -> None:
        """Put the watermarks of what was saved since into the index, in one transaction."""
        if self._saved:
            self._write(self._saved, ())
            self._last = None if self._last is None else self._last | self._saved
            self._saved = {}

    def files(self) -> dict[Key, str]:
        """Return every session's file, as it is: another text means that it was written again."""
        found = {}
        for folder in _scan(self.home.sessions):
            for entry in _scan(Path(folder.path)):
                name, _, ending = entry.name.rpartition(".")
                if ending == "json" and not name.startswith("."):
                    with contextlib.suppress(FileNotFoundError):
                        found[folder.name, name] = _identity(entry.stat())
        return found

    def _rows(self) -> dict[Key, _Row]:
        with contextlib.suppress(sqlite3.Error, ValueError), self._open(read_only=True) as index:
            told = index.execute(_READ)
            return {
                (platform, name): (
                    file,
                    (path, size, at),
                    Outline(project, bool(own), bool(dated), offset, turns, json.loads(skipped) if skipped else {}),
                )
                for platform, name, file, path, size, at, project, own, dated, offset, turns, skipped in told
            }
        return {}

    def _write(self, rows: dict[Key, _Row], gone: Iterable[Key]) -> None:
        """Put rows in and take others out; what the disk or another writer refuses is made good the next time."""
        for _attempt in range(2):
            try:
                return self._put(rows, gone)
            except (sqlite3.OperationalError, OSError):
                return None
            except sqlite3.DatabaseError:  # damaged: nothing stands in it that the files do not tell
                with contextlib.suppress(OSError):
                    self.home.index.unlink()
        return None

    def _put(self, rows: dict[Key, _Row], gone: Iterable[Key]) -> None:
        private_dir(self.home.root)
        self.home.index.touch(mode=PRIVATE_FILE)
        with self._open(read_only=False) as index, index:
            if index.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("damaged")
            if index.execute("PRAGMA user_version").fetchone() != (_VERSION,):
                index.executescript(_SCHEMA)
            index.execute(_OUTLINES)
            for table in ("sources", "outlines"):
                index.executemany(f"DELETE FROM {table} WHERE platform = ? AND session = ?", list(gone))  # noqa: S608
            marks = [(*key, file, *mark) for key, (file, mark, _) in rows.items()]
            index.executemany("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?)", marks)
            told = [
                (*key, file, *outline[:-1], json.dumps(outline.skipped) if outline.skipped else "")
                for key, (file, _, outline) in rows.items()
            ]
            index.executemany("INSERT OR REPLACE INTO outlines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", told)

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
        session = stored(Session, path)
    except (OSError, ValidationError):
        return None
    return session if (session.platform, session.id) == (path.parent.name, path.stem) else None


def _mark(session: Session) -> Mark:
    """Return how the transcript was when it was read; nobody here has read one that another machine tells of."""
    if session.elsewhere:
        return ("", 0, 0)
    return (session.source.path, session.source.size, session.source.mtime_ns)


def _row(file: str, session: Session) -> _Row:
    source, dated = session.source, bool(session.ended or session.started)
    told = Outline(session.project, session.own, dated, source.offset, len(session.turns), session.skipped)
    return file, _mark(session), told


def _identity(info: os.stat_result) -> str:
    return f"{info.st_ino}-{info.st_size}-{info.st_mtime_ns}"


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
