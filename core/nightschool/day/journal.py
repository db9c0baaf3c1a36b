"""The append-only log of events, one JSON object a line."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError

from nightschool import files
from nightschool.day import tally
from nightschool.errors import NightschoolError
from nightschool.events import Event
from nightschool.paths import Home

Told = TypeVar("Told")
_SAME = 60  # seconds within which the same payload is the same event
_LOG_LIMIT = 2**20


def append(home: Home, *events: Event, durable: bool = True) -> None:
    """Put events at the end of the journal, durably unless told. Raises NightschoolError when the disk refuses."""
    if events:
        files.append_line(home.journal, *(event.model_dump_json() for event in events), durable=durable)


def read_events(home: Home, skipped: Counter[str] | None = None, *, offset: int = 0) -> Iterator[Event]:
    """Yield the events in the order they were journaled, from a byte on; nothing when there is no journal.

    Lines that are no event (torn by a crash, or somebody else's) are left out and counted in `skipped["journal"]`.
    Raises NightschoolError when there is a journal that cannot be read.
    """
    with _readable(home):
        for line in files.read_lines(home.journal, offset):
            try:
                yield Event.model_validate_json(line)
            except ValidationError:
                if skipped is not None:
                    skipped["journal"] += 1


@contextlib.contextmanager
def _readable(home: Home) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        fix = "Make it readable, or move it away: the sessions are kept elsewhere."
        raise NightschoolError("cannot read the journal", where=home.journal, why=error.strerror, fix=fix) from error


def counted(home: Home) -> Counter[tuple[str, str]]:
    """Return how many events the journal holds, by platform and moment."""
    counts, offset = Counter[tuple[str, str]](), 0
    with contextlib.suppress(sqlite3.Error):
        if told := tally.found(home):
            counts, offset = told.counts(), told.offset
    counts.update((event.platform, event.moment.value) for event in read_events(home, offset=offset))
    return counts


class Known:
    """Which events the journal holds, so that each is journaled once however often it is told."""

    def __init__(self, home: Home) -> None:
        """Read the journal; of a long one what its tally does not tell. The caller holds the drain's lock."""
        self.home = home
        self._at: dict[str, datetime] = {}
        self._sessions: dict[tuple[str, str], int] = {}
        self._tally = tally.caught_up(home)
        self._met = self._asked(tally.Tally.sessions) or 0
        self._upto = self._tally.offset if self._tally else 0
        self.refresh()

    def __contains__(self, event_id: str) -> bool:
        return self._when(event_id) is not None

    def add(self, event: Event) -> None:
        """Take note of an event that was just journaled."""
        self._at[event.id] = event.at
        key = (event.platform, event.session_id or "")
        if event.session_id and not self._asked(lambda told: told.ordinal(*key)):
            self._sessions.setdefault(key, self._met + len(self._sessions) + 1)

    def ordinal(self, platform: str, session: str) -> int:
        """Return the how manieth session this is, of all that events told of: the first is 1."""
        known = self._asked(lambda told: told.ordinal(platform, session))
        return known or self._sessions.get((platform, session), self._met + len(self._sessions) + 1)

    def met(self, platform: str, session: str) -> bool:
        """Tell whether an event of the session was journaled."""
        return self.ordinal(platform, session) <= self._met + len(self._sessions)

    def _when(self, event_id: str) -> datetime | None:
        return self._at.get(event_id) or self._asked(lambda told: told.at(event_id)) or self._at.get(event_id)

    def _asked(self, question: Callable[[tally.Tally], Told | None]) -> Told | None:
        """Ask the tally; one that turns out to be damaged is dropped, and the journal read instead."""
        try:
            return question(self._tally) if self._tally else None
        except sqlite3.Error:
            with contextlib.suppress(OSError):
                self.home.tally.unlink(missing_ok=True)
            self._tally, self._met, self._sessions, self._upto = None, 0, {}, 0
            self.refresh()
            return None

    def refresh(self) -> None:
        """Read what came into the journal since: a harvest writes there too. Raises NightschoolError if it cannot."""
        with _readable(self.home), contextlib.suppress(FileNotFoundError):
            for batch, end in tally.batches(self.home.journal, self._upto):
                self._upto = end
                for event in batch:
                    self.add(event)

    def same_payload(self, platform: str, moment: str, payload: bytes, at: datetime) -> str | None:
        """Return the id of the event that this payload already is, None when it is a new one.

        Clients fire a hook twice when it is wired twice; an hour later the same bytes are news. The id holds the
        minute, and its two neighbours are asked, so a pair that straddles a full minute is still one event.
        """
        for minutes in (-1, 0, 1):
            found = event_id(platform, moment, payload, at + timedelta(minutes=minutes))
            known = self._when(found)
            if known is not None and abs((known - at).total_seconds()) <= _SAME:
                return found
        return None


def event_id(platform: str, moment: str, payload: bytes, at: datetime) -> str:
    """Return the id of the event that a payload tells of: platform, moment, content and minute."""
    content = hashlib.sha256(payload).hexdigest()
    return short_hash(platform, moment, content, str(int(at.timestamp()) // _SAME))


def short_hash(*parts: str) -> str:
    """Return 24 hexadecimal digits that stand for `parts`, in their order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def log_rejected(home: Home, name: str, reason: str, at: datetime) -> None:
    """Note that a spooled payload was thrown away: its file's name and why, nothing of its content.

    The log starts anew at 1 MB; the one before is kept as `rejected.old.jsonl`.
    """
    path = home.root / "rejected.jsonl"
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_name("rejected.old.jsonl"))
    line: dict[str, Any] = {"at": at.isoformat(), "name": name, "reason": reason}
    files.append_line(path, json.dumps(line))
