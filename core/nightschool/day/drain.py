"""Spool to journal, and from there to sessions, error spikes and milestones. One drain at a time."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nightschool import files
from nightschool.audit import prompt
from nightschool.clock import Clock
from nightschool.config import Audit
from nightschool.day import arms, detect, find, journal, looks, spool
from nightschool.errors import NightschoolError
from nightschool.events import Event, Moment
from nightschool.paths import Home

if TYPE_CHECKING:
    from nightschool.platforms import Platforms

Redact = Callable[[str], str]

LIFE = 20.0  # seconds after which a drain stays for no more: others wait for its lock
PAUSE = 0.2  # seconds between two looks into an empty spool
AHEAD = timedelta(seconds=30)  # by which the hooks' mark is dated ahead, at each batch
TOGETHER = 64  # payloads that are journaled by one write
HELD = 800
"""Payloads that wait for platforms that are not installed; older ones are thrown away."""

_TOLD = {Moment.SESSION_START, Moment.TURN_END, Moment.TOOL_FAILURE, Moment.COMPACTION, Moment.SESSION_END}
"""What a hook may tell; spikes, milestones and nights are found, not told."""


@dataclass
class Drained:
    """What a drain did. `failed` names sessions that could not be read, and why in one redacted line."""

    events: list[Event] = field(default_factory=list)  # journaled now, those of spikes and milestones included
    spikes: list[tuple[Event, list[int]]] = field(default_factory=list)  # with the turns behind each
    milestones: list[tuple[Event, detect.Commit]] = field(default_factory=list)
    sessions: int = 0  # read on
    again: int = 0  # payloads of events that the journal already held
    rejected: int = 0  # payloads thrown away; `rejected.jsonl` says which and why
    held: int = 0  # payloads that wait for their platform
    failed: dict[str, str] = field(default_factory=dict)


def drain(
    home: Home,
    platforms: Platforms,
    *,
    clock: Clock,
    redact: Redact,
    wait: float = 0.0,
    linger: float = 0.0,
    rules: Audit | None = None,
    corrects: Callable[[str], bool] = find.never,
) -> Drained:
    """Empty the spool: journal each payload's event once, read on the sessions they hint at, look for what they show.

    A payload's file is deleted when its event is in the journal, so a crash at any point loses none and doubles none.
    `wait` is how many seconds to wait for another drain, and then for who else reads sessions, `linger` how many to
    stay for more when the spool is empty: a start costs more than a hundred payloads, and where many agents work there
    is always more. `rules` is what counts as a spike and who is told, `corrects` tells of a prompt whether it sets the
    answer before it right.

    Raises NightschoolError when another drain is at work, which then does what this one would have done, and when the
    disk refuses.
    """
    with files.single_flight(home.drain_lock, "draining the spool", wait=wait):
        spool.sweep(home.spool, clock.now())
        prompt.sweep(home, clock.now())
        told = home, platforms, clock, redact, rules or Audit(), corrects
        return _Drain(*told, wait=wait, linger=linger).run()


class _NotTheUsersError(Exception):
    """The platform says that the payload tells of no session of the user's: of a sub-agent, for one."""


class _Drain:
    """One drain, under the lock."""

    def __init__(
        self,
        home: Home,
        platforms: Platforms,
        clock: Clock,
        redact: Redact,
        rules: Audit,
        corrects: Callable[[str], bool],
        *,
        wait: float,
        linger: float,
    ) -> None:
        self.home, self.platforms, self.clock = home, platforms, clock
        self.looks = looks.Looks(home, platforms, lambda: self.known, clock, redact, rules, corrects, gently=linger > 0)
        self.linger, self.end = linger, time.monotonic() + (LIFE if linger else math.inf)
        self.patience = time.monotonic() + wait
        self.leaving = False  # its time is over
        self.marked = True  # what lies there later is the mark of the next drain
        self.done = Drained()

    @functools.cached_property
    def known(self) -> journal.Known:
        """Return what the journal holds; an empty spool never asks."""
        return journal.Known(self.home)

    def run(self) -> Drained:
        while (batch := self._next()) or self._waits():
            for at in range(0, len(batch), TOGETHER):
                for event in self._take(batch[at : at + TOGETHER]):
                    self.looks.hint(event)
            self.looks.on()
            if self.leaving and not self._waits():  # the mark is gone, so whatever comes now starts another
                break
        self.looks.given_up()
        self.done.sessions, self.done.failed = self.looks.sessions, self.looks.failed
        if finder := self.looks.found:
            self.done.events += finder.events
            self.done.spikes, self.done.milestones = finder.spikes, finder.milestones
        return self.done

    def _next(self) -> list[spool.Dropped]:
        """Return what can be taken now. The mark goes before the last look: what comes after it starts a drain."""
        batch = self._takeable()
        until = min(time.monotonic() + self.linger, self.end)
        while not batch and (time.monotonic() < until or self._waits() or (self.linger and self.looks.again())):
            if not self.looks.on():
                time.sleep(PAUSE)
            batch = self._takeable()
        self.leaving = time.monotonic() >= self.end
        if self.marked and (not batch or self.leaving):
            spool.unmark(self.home.spool)
            self.marked = False
            batch = self._takeable()
        return batch

    def _waits(self) -> bool:
        """Tell whether there is still something to look at, and time to wait until that is possible."""
        hurried = self.leaving or self.looks.blocked
        return self.looks.waiting and (not hurried or time.monotonic() < self.patience)

    def _takeable(self) -> list[spool.Dropped]:
        spool.hold(self.home.spool, self.clock.now() + AHEAD)
        ready: list[spool.Dropped] = []
        held: list[spool.Dropped] = []
        for drop in spool.waiting(self.home.spool):
            (held if drop.platform and self._reader(drop.platform) is None else ready).append(drop)
        surplus = max(0, len(held) - HELD)
        for drop in held[:surplus]:
            self._reject(drop, "its platform is not installed, and too many wait for theirs")
        self.done.held = len(held) - surplus
        return ready

    def _reader(self, platform: str) -> Any:
        plugin = self.platforms.manager.get_plugin(platform)
        return getattr(plugin, "read_payload", None)

    def _take(self, group: Sequence[spool.Dropped]) -> list[Event]:
        """Journal the payloads' events unless the journal has them, delete the files, return the events.

        One synced write for all: the disk would be the bottleneck where many agents work.
        """
        told, fresh = [], []
        for drop in group:
            event = self._read(drop)
            if event is None:
                continue
            told.append((drop, event))
            if event.id not in self.known:
                fresh.append(event)
                self.known.add(event)
        journal.append(self.home, *fresh)
        self.done.events += fresh
        self.done.again += len(told) - len(fresh)
        for drop, event in told:
            arms.note(self.home, drop, event)
            self._delete(drop)
        return [event for _, event in told]

    def _read(self, drop: spool.Dropped) -> Event | None:
        """Return the payload's event; None when it tells of none, and the file is then gone."""
        known = self.known  # asked for out here: a journal that cannot be read is no fault of the payload
        try:
            return self._event(drop, known)
        except FileNotFoundError:
            return None
        except _NotTheUsersError:
            self._delete(drop)
            return None
        except spool.Unreadable as error:
            self._reject(drop, str(error))
            return None
        except (Exception, SystemExit) as error:  # noqa: BLE001  a platform may raise anything about a payload that is anything
            self._reject(drop, f"its platform cannot read it: {type(error).__name__}")
            return None

    def _event(self, drop: spool.Dropped, known: journal.Known) -> Event:
        if drop.moment not in _TOLD:
            raise spool.Unreadable("its name tells no moment of a hook" if drop.platform else "not a name of a hook")
        data = spool.read(drop)
        told = self._reader(drop.platform)(Moment(drop.moment), data)
        if told is None:
            raise _NotTheUsersError
        data = str(told.get("once") or "").encode() or data  # what is the same however often the event was fired
        event_id = known.same_payload(drop.platform, drop.moment, data, drop.at)
        return Event(
            id=event_id or journal.event_id(drop.platform, drop.moment, data, drop.at),
            platform=drop.platform,
            moment=Moment(drop.moment),
            at=drop.at,
            session_id=told.get("session_id") or None,
            transcript=told.get("transcript") or None,
            project=told.get("project") or None,
        )

    def _reject(self, drop: spool.Dropped, reason: str) -> None:
        journal.log_rejected(self.home, drop.path.name, reason, self.clock.now())
        self._delete(drop)
        self.done.rejected += 1

    def _delete(self, drop: spool.Dropped) -> None:
        try:
            drop.path.unlink(missing_ok=True)
        except OSError as error:
            fix = "Make the spool writable; nothing is journaled twice."
            raise NightschoolError("cannot empty the spool", where=drop.path, why=error.strerror, fix=fix) from error
