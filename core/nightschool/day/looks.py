"""The sessions that a drain's events hint at: read on and looked at, once nobody else reads sessions."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool import files
from nightschool.clock import Clock
from nightschool.config import Audit
from nightschool.day import find, journal
from nightschool.errors import BusyError
from nightschool.events import Event, Moment
from nightschool.paths import Home
from nightschool.records import Source

if TYPE_CHECKING:
    from nightschool.platforms import Platforms

_HINTS = {Moment.SESSION_END, Moment.TURN_END, Moment.TOOL_FAILURE, Moment.COMPACTION}  # a transcript has grown
_Key = tuple[str, str]


class Looks:
    """What a drain still has to look at. A harvest may hold the sessions for long; events are journaled meanwhile."""

    def __init__(
        self,
        home: Home,
        platforms: Platforms,
        known: Callable[[], journal.Known],
        clock: Clock,
        redact: Callable[[str], str],
        rules: Audit,
        corrects: Callable[[str], bool],
    ) -> None:
        """`known` is asked when there is something to look at: it reads the journal."""
        self.home, self.platforms, self.redact = home, platforms, redact
        self._known = known
        self._told = (clock, rules, corrects)
        self._hints: dict[_Key, Event] = {}
        self._done: dict[_Key, tuple[Event, Source | None]] = {}
        self.failed: dict[str, str] = {}

    @functools.cached_property
    def finder(self) -> find.Finder:
        """Return who looks at what a session shows."""
        return find.Finder(self.home, self.platforms, self._known(), *self._told)

    @property
    def found(self) -> find.Finder | None:
        """Return the finder when it has been needed."""
        return self.finder if "finder" in self.__dict__ else None

    @property
    def sessions(self) -> int:
        """Return how many sessions were read on."""
        return sum(source is not None for _, source in self._done.values())

    def hint(self, event: Event) -> None:
        """Keep in mind that the event's session has grown; the last one told knows best where its transcript is."""
        name = event.session_id or event.transcript
        if not name or event.moment not in _HINTS:
            return
        before = self._hints.pop((event.platform, name), None)
        ended = before is not None and before.moment is Moment.SESSION_END
        told = event.model_copy(update={"moment": Moment.SESSION_END}) if ended else event
        self._hints[event.platform, name] = told

    def settled(self) -> bool:
        """Look at all that waits, and tell whether nothing does: not while another process reads sessions."""
        if not self._hints:
            return True
        try:
            with files.single_flight(self.home.sessions_lock, "reading sessions"):
                self._known().refresh()
                while self._hints:
                    key = next(iter(self._hints))
                    self._look(key, self._hints[key])
                    del self._hints[key]
        except BusyError:
            return False
        return True

    def again(self) -> None:
        """Look once more at what was written after its hook ran: clients tell first and write then."""
        for key, (event, source) in list(self._done.items()):
            if key not in self._hints and _grown(source):
                self._hints[key] = event
        self.settled()

    def given_up(self) -> None:
        """Leave what still waits to the night, which lists every session."""
        for event in self._hints.values():
            self.failed[_name(event)] = "another process reads sessions; the next night reads this one"
        self._hints.clear()

    def _look(self, key: _Key, event: Event) -> None:
        """Read on the session that `event` hints at. One that cannot be read is left to the night, which lists all."""
        from nightschool.day.harvest import read_one

        source = None
        try:
            session = read_one(self.home, self.platforms, event, self.redact)
            if session is not None:
                source = session.source
                self.finder.look(event, session)
                self.failed.pop(_name(event), None)
        except Exception as error:  # noqa: BLE001  a platform may raise anything about a transcript that is anything
            self.failed[_name(event)] = " ".join(self.redact(f"{type(error).__name__}: {error}").split())[:300]
        self._done[key] = event, source


def _name(event: Event) -> str:
    return f"{event.platform}/{event.session_id or 'unnamed'}"


def _grown(source: Source | None) -> bool:
    """Tell whether more was written since a session was read; of one that could not be, nobody knows."""
    if source is None:
        return True
    with contextlib.suppress(OSError, ValueError):
        now = Path(source.path).stat()
        return (now.st_size, now.st_mtime_ns) != (source.size, source.mtime_ns)
    return False
