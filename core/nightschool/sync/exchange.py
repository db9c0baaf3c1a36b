"""One exchange with the shared repository: take in what others wrote, then give what is new here.

The home is the truth of this machine and the repository is where truths meet. What both sides had alike after the last
exchange is kept by a hash: so it is known who has changed what since, and only what both have changed is merged. A
repository that was written to meanwhile is listed and read again; the same step twice changes nothing.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from nightschool.clock import Clock, SystemClock
from nightschool.day.redact import redact
from nightschool.errors import NewerVersion, NightschoolError
from nightschool.files import single_flight
from nightschool.memory.blocks import BlockStore
from nightschool.night import bank, evidence
from nightschool.paths import Home
from nightschool.records import Edit, Evidence, Proposal, RealTask, Session
from nightschool.sync import layout
from nightschool.sync.codec import Codec
from nightschool.sync.kinds import Shelf, read
from nightschool.sync.layout import Place
from nightschool.sync.logs import Logs
from nightschool.sync.machine import Machine
from nightschool.sync.merge import goes_back, merged
from nightschool.sync.names import Names
from nightschool.sync.remote import Contended, Listing, Remote
from nightschool.sync.state import Agreed, State

TRIES = 6
PORTION = 64 * 2**20  # bytes that are published at once
_FIRST = ("machines/", "logs/")
_NIGHT_WAIT = 5.0  # seconds: a night may hold the home for hours, and the next exchange is soon

Guest = Callable[[Place, Any], Any | None]
"""Looks at what comes from another machine: returns it as it may come in, or None."""


@dataclass
class Exchanged:
    """What an exchange did, by path. `refused` tells why; `sent` and `taken` count files, `lines` those of logs."""

    sent: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    lines: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    tries: int = 1


@dataclass
class Exchange:
    """What it needs. `sessions` tells whether the text of this machine's sessions is given away.

    `met` is filled with the other machines that have written there; `all_mine` tells whether they are the user's.
    """

    home: Home
    remote: Remote
    codec: Codec
    state: State
    guest: Guest
    met: set[str] = field(default_factory=set)
    all_mine: Callable[[], bool] = bool
    sessions: bool = True
    author: str = ""
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.home, self.codec.machine)
        self.logs = Logs(self.home, self.codec, self.all_mine, self.clock)
        self.done = Exchanged()
        self.buried: frozenset[str] = frozenset()
        self.names = Names(self.home)

    def run(self) -> Exchanged:
        """Exchange until nobody was first in between. Raises Unreachable, and NightschoolError after some tries."""
        standing = ""
        for attempt in range(1, TRIES + 1):
            self.done.tries = attempt
            listing = self.remote.listing()
            self._take(listing)
            why = {path: known.refused for path, known in self.state.agreed.items() if known.refused}
            self.done.refused = listing.refused | why
            try:
                for changes in self._portions(listing):
                    self._give(changes)
            except Contended as met:
                standing = str(met)
                time.sleep(random.uniform(0.05, 0.2) * attempt)  # noqa: S311  two that met must not meet again
            else:
                return self.done
        if standing:
            left = f"{standing} is there, as a program that is killed while it writes leaves it"
            fix = "Nothing is lost. If nobody is writing to it, remove that file and run nightschool sync again."
            raise NightschoolError("the repository is locked", where=self.remote.where(), why=left, fix=fix)
        fix = "Nothing is lost: run nightschool sync again."
        raise NightschoolError("other machines keep writing to the repository", where=self.remote.where(), fix=fix)

    # --- in ----------------------------------------------------------------------------------------------------------

    def _take(self, listing: Listing) -> None:
        known = self.state.agreed
        places = (layout.placed(path) for path in listing.versions)
        self.met |= {place.machine for place in places if place and place.machine} - {self.codec.machine}
        for path in [path for path in known if path not in listing.versions]:
            del known[path]  # it is gone there: given again if it is still here and was not forgotten
        wanted = [
            path
            for path, version in listing.versions.items()
            if (path not in known or known[path].version != version) and self._concerns(path)
        ]
        if not wanted:
            return
        with single_flight(self.home.lock, "taking in what other machines wrote", wait=_NIGHT_WAIT):
            tasks: list[tuple[Place, Any, Agreed]] = []
            self.buried = BlockStore(self.home).buried()
            # first who writes here, and what was forgotten elsewhere: both must be known before a block comes in
            for path, data in self.remote.read(sorted(wanted, key=_turn)):
                agreed = Agreed(hash=_hash(data), version=listing.versions[path])
                try:
                    self._take_one(path, data, agreed, tasks)
                except NewerVersion as error:
                    # no version: looked at again each time, so that it comes in once this machine is up to date
                    known[path] = agreed.model_copy(update={"refused": str(error.told())[:300], "version": ""})
                except (NightschoolError, ValueError, RecursionError) as error:
                    known[path] = agreed.model_copy(update={"refused": " ".join(str(error).split())[:300]})
            self._take_tasks(tasks)
        self.state.save(self.home)

    def _concerns(self, path: str) -> bool:
        place = layout.placed(path)
        return place is not None and place.machine != self.codec.machine

    def _take_one(self, path: str, data: bytes, agreed: Agreed, tasks: list[tuple[Place, Any, Agreed]]) -> None:
        place = layout.placed(path)
        if place is None:
            return
        if place.kind == "logs":
            self.done.lines += self.logs.take(place, data)
            self.buried = BlockStore(self.home).buried()
            self.state.agreed[path] = agreed
            return
        told = self.codec.inward(from_json(data), night=place.kind == "nights" and place.names[2] == "night")
        record = self.guest(place, read(place, told))
        if place.kind == "tasks":
            tasks.append((place, record, agreed))
        else:
            self._keep(place, record, agreed)

    def _keep(self, place: Place, record: Any | None, agreed: Agreed) -> None:
        before = self.state.agreed.get(place.path)
        self.state.agreed[place.path] = agreed
        if record is None:
            return
        if place.kind == "blocks" and record.id in self.buried:
            return
        mine = self.shelf.load(place)
        if isinstance(record, Evidence) and any(_differ(known.edit, record.edit) for known in self._tried(record)):
            raise NightschoolError("it has the name of another rule here", where=place.path)
        if isinstance(record, Proposal) and not self.names.fit(record):
            raise NightschoolError("one of its rules has the name of another", where=place.path)
        here = self.codec.encode(mine) if mine is not None else b""
        if here and here == self.codec.encode(record):  # also whose it is stays as it is known here
            return
        unchanged = mine is not None and before is not None and _hash(here) == before.hash
        new = record if mine is None or (unchanged and not goes_back(mine, record)) else merged(mine, record)
        if new != mine:
            self.shelf.save(place, new)
            self.done.taken.append(place.path)

    def _tried(self, record: Evidence) -> list[Evidence]:
        """Return what is known here of the rule of that name, whichever model was asked."""
        return [known for known in evidence.everything(self.home) if known.edit.id == record.edit.id]

    def _take_tasks(self, found: list[tuple[Place, Any, Agreed]]) -> None:
        """Take tasks in, but none that is nearly the same as one of another split here: exams must not leak.

        Nor one that both sides had alike, and that is of another split or family now: those are decided once.
        """
        if not found:
            return
        here = {task.id: task for task in bank.read(self.home).real}
        coming = {record.id: record for _, record, _ in found if isinstance(record, RealTask)}
        clash: set[str] = set()
        for one, other in bank.straddles([*(t for t in here.values() if t.id not in coming), *coming.values()]):
            clash |= {one, other} & coming.keys()
        moved = {
            place.names[0]
            for place, record, _ in found
            if isinstance(record, RealTask) and place.path in self.state.agreed
            if (mine := here.get(record.id)) and (mine.split, mine.family) != (record.split, record.family)
        }
        for place, record, agreed in found:
            if record is not None and record.id in clash | moved:
                why = "it is nearly the same as a task of another split here"
                why = "its split and family were decided before" if record.id in moved else why
                self.state.agreed[place.path] = agreed.model_copy(update={"refused": why})
            else:
                self._keep(place, record, agreed)

    # --- out ---------------------------------------------------------------------------------------------------------

    def _portions(self, listing: Listing) -> Iterator[dict[str, bytes | None]]:
        """Yield what is to be published, so much at a time that a long history fits into memory; mostly it is one."""
        changes: dict[str, bytes | None] = {}
        held = 0
        for path, data in self.outgoing(listing):
            changes[path] = data
            held += len(data or b"")
            if held >= PORTION:
                yield changes
                changes, held = {}, 0
        if changes:
            yield changes

    def outgoing(self, listing: Listing) -> Iterator[tuple[str, bytes | None]]:
        """Yield what is to be published on top of a listing, who writes and what was forgotten first; None: remove."""
        gone = {Place("blocks", (name,)).path for name in BlockStore(self.home).buried()} & listing.versions.keys()
        yield from ((path, None) for path in sorted(gone))
        for path, data in self._own():
            if path not in listing.hidden:
                yield from self._changed(path, data, "")
        for place, identity in self._shared():
            known = self.state.agreed.get(place.path)
            if place.path in listing.hidden:
                continue
            if known is not None and (known.refused or known.identity == identity):
                continue
            record = self.shelf.load(place)
            if record is None or (place.kind == "sessions" and self._private(record)) or place.path in gone:
                continue
            yield from self._changed(place.path, self.codec.encode(record), identity)

    def _shared(self) -> Iterator[tuple[Place, str]]:
        for place, info in self.shelf.places():
            if layout.placed(place.path) is not None and (self.sessions or place.kind != "sessions"):
                yield place, f"{info.st_ino}-{info.st_size}-{info.st_mtime_ns}"

    def _own(self) -> Iterator[tuple[str, bytes]]:
        me = Machine(id=self.codec.machine, author=self.author)
        yield Place("machines", (me.id,)).path, self.codec.encode(me)
        for place, data in self.logs.own():
            yield place.path, data
        for path in sorted(self.home.nights.glob("*/report.md")):
            if path.parent.name.isdecimal() and self.shelf.done(path.parent.name):
                page = redact(path.read_text(encoding="utf-8", errors="replace"))
                yield f"nights/{me.id}/{path.parent.name}/report.md", page.encode()

    def _changed(self, path: str, data: bytes, identity: str) -> Iterator[tuple[str, bytes]]:
        known = self.state.agreed.get(path)
        if known is not None and known.hash == _hash(data):
            self.state.agreed[path] = known.model_copy(update={"identity": identity})
        else:
            self.state.pending[path] = identity
            yield path, data

    def _private(self, session: Session) -> bool:
        """Tell whether a session stays here: our own rehearsals, and those whose text is not kept and never was."""
        known = Place("sessions", (session.platform, session.id)).path in self.state.agreed
        return session.own or (not session.turns and not known)

    def _give(self, changes: dict[str, bytes | None]) -> None:
        author = f"{self.author} " if self.author else ""
        versions = self.remote.publish(changes, f"{author}({self.codec.machine}): {len(changes)} file(s)")
        for path, data in changes.items():
            if data is None:
                self.state.agreed.pop(path, None)
            else:
                told = {"hash": _hash(data), "version": versions[path], "identity": self.state.pending.get(path, "")}
                self.state.agreed[path] = Agreed.model_validate(told)
        self.state.pending.clear()
        self.done.sent += sorted(changes)


def _turn(path: str) -> tuple[bool, ...]:
    return tuple(not path.startswith(first) for first in _FIRST)


def _differ(mine: Edit, theirs: Edit) -> bool:
    return (mine.op, mine.text, mine.replaces) != (theirs.op, theirs.text, theirs.replaces)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
