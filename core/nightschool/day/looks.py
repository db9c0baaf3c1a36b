"""The sessions that a drain's events hint at: read on and looked at, once nobody else reads sessions."""

from __future__ import annotations

import contextlib
import functools
import time
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
SPELL = 0.5  # seconds of looking, after which events are journaled again: the spool keeps a thousand
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
        *,
        gently: bool,
    ) -> None:
        """`known` is asked when there is something to look at: it reads the journal. `gently`: rest between looks."""
        self.home, self.platforms, self.redact = home, platforms, redact
        self._known = known
        self._told = (clock, rules, corrects)
        self._hints: dict[_Key, Event] = {}
        self._done: dict[_Key, tuple[Event, Source | None]] = {}
        self._twice: set[_Key] = set()  # looked at once more, or about to be
        self.failed: dict[str, str] = {}
        self.gently, self._rest = gently, 0.0
        self.blocked = False  # another process had the sessions, or waited for them

    @functools.cached_property
    def finder(self) -> find.Finder:
        """Return who looks at what a session shows."""
        return find.Finder(self.home, self.platforms, self._known(), *self._told)

    @property
    def found(self) -> find.Finder | None:
        """Return the finder when it has been needed."""
        return self.finder if "finder" in self.__dict__ else None

    @property
    def waiting(self) -> bool:
        """Tell whether there is anything to look at."""
        return bool(self._hints)

    @property
    def sessions(self) -> int:
        """Return how many sessions were read on."""
        return sum(source is not None for _, source in self._done.values())

    def hint(self, event: Event) -> None:
        """Keep in mind that the event's session has grown; the last one told knows best where its transcript is."""
        name = event.session_id or event.transcript
        if not name or event.moment not in _HINTS:
            return
        self._twice.discard((event.platform, name))
        before = self._hints.get((event.platform, name))
        ended = before is not None and before.moment is Moment.SESSION_END
        told = event.model_copy(update={"moment": Moment.SESSION_END}) if ended else event
        self._hints[event.platform, name] = told  # in the place it has: who is told of often does not wait for it

    def on(self) -> bool:
        """Look at what waits, at most for SPELL: not while another process reads sessions, or waits for them.

        Then rest for as long as it took, when there may be more to come: the machine belongs to the agents. Returns
        whether anything was looked at.
        """
        began = time.monotonic()
        if not self._hints or began < self._rest:
            return False
        self.blocked = files.wanted(self.home.sessions_wanted)
        if not self.blocked:
            try:
                with files.single_flight(self.home.sessions_lock, "reading sessions"):
                    self._known().refresh()
                    self._spell(began + SPELL)
            except BusyError:
                self.blocked = True
        if self.gently:
            self._rest = time.monotonic() + (time.monotonic() - began)
        return not self.blocked

    def _spell(self, until: float) -> None:
        while self._hints:
            key = next(iter(self._hints))
            self._look(key, self._hints[key])
            del self._hints[key]
            if time.monotonic() >= until or files.wanted(self.home.sessions_wanted):
                break

    def again(self) -> bool:
        """Tell whether there is more to look at, once: clients tell first and write then."""
        seen = self._hints.keys() | self._twice
        grown = {key: event for key, (event, source) in self._done.items() if key not in seen and _grown(source)}
        self._hints |= grown
        self._twice.update(grown)
        return bool(grown)

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
        except (Exception, SystemExit) as error:  # noqa: BLE001  a platform may raise anything about a transcript that is anything
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
