"""Logs that only grow: each machine writes one of its own, so that no two ever write the same, and reads the others'.

A copy of each log that was read lies in `sync/logs/`: it tells which lines of this home's log are others', and which
lines of theirs are new.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from nightschool.clock import Clock
from nightschool.errors import NightschoolError
from nightschool.events import Instant, Name, Record
from nightschool.files import append_line, read_lines, write_whole
from nightschool.memory.blocks import BlockStore
from nightschool.memory.forget import note, put_away
from nightschool.night.decisions import Decision
from nightschool.paths import Home
from nightschool.records import AuditDecision, AuditEntry
from nightschool.sync.codec import Codec
from nightschool.sync.layout import LOGS, Place


class Burial(Record):
    """Blocks that must not come back, or may again."""

    at: Instant
    ids: tuple[Name, ...] = ()
    back: tuple[Name, ...] = ()


_MODELS: dict[str, type[Any]] = {
    "decisions": Decision,
    "audit": AuditEntry,
    "audit-decisions": AuditDecision,
    "forgotten": Burial,
}
_KEYS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "decisions": lambda line: (line.edit.id,),
    "audit": lambda line: (line.id,),
    "audit-decisions": lambda line: (line.finding,),
    "forgotten": lambda line: (*line.ids, *line.back),
}


class Logs:
    """The logs of a home."""

    def __init__(self, home: Home, codec: Codec, all_mine: Callable[[], bool], clock: Clock) -> None:
        self.home, self.codec, self.all_mine, self.clock = home, codec, all_mine, clock

    def file(self, log: str) -> Path:
        """Return where this home keeps a log, its own lines and others'."""
        return {
            "decisions": self.home.decisions,
            "audit": self.home.audit / "backlog.jsonl",
            "audit-decisions": self.home.audit / "decisions.jsonl",
            "forgotten": BlockStore(self.home).tombs,
        }[log]

    def own(self) -> Iterator[tuple[Place, bytes]]:
        """Yield the logs of this machine as they are shared: what it said itself."""
        for log in LOGS:
            foreign = set(self._foreign(log))
            lines = [told for line in self._lines(log) if (told := self.codec.line(line)) not in foreign]
            if lines:
                yield Place("logs", (log, self.codec.machine)), "".join(f"{line}\n" for line in lines).encode()

    def take(self, place: Place, data: bytes) -> int:
        """Take in what another machine has said since; return how many lines. Raises NightschoolError for a bad log."""
        log = place.names[0]
        mirror = self._mirror(place)
        known = set(_split(mirror.read_bytes())) if mirror.exists() else set()
        said = {self.codec.line(record): record for record in (self._read(place, line) for line in _split(data))}
        newest = self._newest(log)
        fresh = [record for line, record in said.items() if line not in known]
        # the copy first: a crash in between loses a line here, and never makes another's line this machine's own
        write_whole(mirror, "".join(f"{line}\n" for line in said).encode())
        for record in fresh:
            if isinstance(record, Decision) and record.did == "reopened" and not self.all_mine():
                continue  # what the user has turned down only the user may take up again
            if all(self._later(log, record, newest.get(key)) for key in _KEYS[log](record)):
                self._append(place, record)
        return len(fresh)

    def _append(self, place: Place, record: Any) -> None:
        log = place.names[0]
        append_line(self.file(log), record.model_dump_json(exclude_defaults=log != "decisions"))
        if isinstance(record, Burial):
            self._bury(record, f"forgotten on the machine {place.names[1]}")

    def _bury(self, burial: Burial, why: str) -> None:
        """Put blocks away, from today on, with a record: whoever wanted it and when, it can be taken back here."""
        store = BlockStore(self.home)
        found = [block for name in burial.ids if (block := store.load(name)) is not None]
        if found:
            note(self.home, why, self.clock, put_away=[block.id for block in found])
        for block in found:
            put_away(store, block, self.clock)

    def _newest(self, log: str) -> dict[str, Any]:
        return {key: record for record in self._lines(log) for key in _KEYS[log](record)}

    def _later(self, log: str, record: Any, known: Any) -> bool:
        if known is None:
            return True
        if log == "audit":
            return bool((record.offset, record.at) > (known.offset, known.at))
        return bool(record.at > known.at)

    def _lines(self, log: str) -> Iterator[Any]:
        for line in read_lines(self.file(log)):
            try:
                yield _MODELS[log].model_validate_json(line)
            except ValidationError:
                continue  # torn by a crash, or of a later version

    def _foreign(self, log: str) -> Iterator[str]:
        for path in sorted((self.home.sync / "logs" / log).glob("*.jsonl")):
            yield from _split(path.read_bytes())

    def _mirror(self, place: Place) -> Path:
        return self.home.sync / "logs" / place.names[0] / f"{place.names[1]}.jsonl"

    def _read(self, place: Place, line: str) -> Any:
        try:
            return _MODELS[place.names[0]].model_validate(self.codec.inward(from_json(line)), strict=False)
        except ValueError as error:
            why = " ".join(str(error).split())[:200]
            raise NightschoolError("a line of a log is none", where=place.path, why=why) from error


def _split(data: bytes) -> list[str]:
    try:
        return [line for line in data.decode().split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise NightschoolError("a log is no text", where=error.reason) from error
