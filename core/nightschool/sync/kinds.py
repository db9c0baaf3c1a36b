"""How each kind of thing is found in the home, and put there: one class, because only names and places differ."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from nightschool.errors import NightschoolError
from nightschool.files import private_dir, write_whole
from nightschool.night import evidence
from nightschool.night.mining.mine import Mined
from nightschool.night.steps import NIGHT
from nightschool.paths import Home
from nightschool.records import Block, Evidence, Night, NightStatus, Proposal, Session, Task
from nightschool.sync.layout import Place
from nightschool.sync.machine import Machine
from nightschool.versions import reading

_STEP: dict[str, type[BaseModel]] = {"night": Night, "proposal": Proposal, "mined": Mined}
_WHOLE: dict[str, TypeAdapter[Any]] = {
    "machines": TypeAdapter(Machine),
    "sessions": TypeAdapter(Session),
    "blocks": TypeAdapter(Block),
    "tasks": TypeAdapter(Task),
    "evidence": TypeAdapter(Evidence),
}
_MODELS = _WHOLE | {name: TypeAdapter[Any](kind) for name, kind in _STEP.items()}


@dataclass(frozen=True)
class Shelf:
    """The files of a home that are shared."""

    home: Home
    machine: str

    def file(self, place: Place) -> Path:
        """Return where a thing lies in the home."""
        kind, names = place.kind, place.names
        if kind == "nights":
            machine, night, step = names
            return self.home.nights / (night if machine == self.machine else f"{night}-{machine}") / f"{step}.json"
        root = {
            "machines": self.home.sync / "machines",
            "sessions": self.home.sessions,
            "blocks": self.home.memory / "blocks",
            "tasks": self.home.bank,
            "evidence": self.home.evidence,
        }[kind]
        return root.joinpath(*names[:-1], f"{names[-1]}.json")

    def places(self) -> Iterator[tuple[Place, os.stat_result]]:
        """Yield everything of this home that can be shared, with its file as it is."""
        yield from self._flat("blocks", self.home.memory / "blocks")
        yield from self._flat("tasks", self.home.bank)
        yield from self._flat("evidence", self.home.evidence)
        for folder in _scan(self.home.sessions):
            yield from self._flat("sessions", Path(folder.path), folder.name)
        for folder in _scan(self.home.nights):
            if folder.name.isdecimal() and NIGHT.fullmatch(folder.name) and self.done(folder.name):
                yield from self._nightly(folder.name)

    def load(self, place: Place) -> Any:
        """Return the record of a place; None when there is none, or its file is damaged: others keep a good one."""
        path = self.file(place)
        try:
            with reading(path):
                return read(place, from_json(path.read_bytes()))
        except (OSError, ValueError, NightschoolError):
            return None

    def save(self, place: Place, record: BaseModel) -> None:
        """Write a record into the home. A lost one comes again, so that nobody waits for the disk."""
        path = self.file(place)
        private_dir(path.parent)
        brief = place.kind in {"blocks", "sessions"}
        data = record.model_dump_json(exclude_defaults=brief).encode() + b"\n"
        write_whole(path, data, durable=place.kind in {"evidence", "tasks"})

    def _flat(self, kind: str, folder: Path, *above: str) -> Iterator[tuple[Place, os.stat_result]]:
        for entry in _scan(folder):
            if entry.name.endswith(".json") and not entry.name.startswith("."):
                yield Place(kind, (*above, entry.name.removesuffix(".json"))), entry.stat()

    def _nightly(self, night: str) -> Iterator[tuple[Place, os.stat_result]]:
        for step in _STEP:
            place = Place("nights", (self.machine, night, step))
            path = self.file(place)
            if path.is_file():
                yield place, path.stat()

    def done(self, name: str) -> bool:
        """Tell whether a night of this machine is finished: one under way is nobody else's."""
        night = self.load(Place("nights", (self.machine, name, "night")))
        return isinstance(night, Night) and night.status is NightStatus.DONE


def read(place: Place, told: Any) -> Any:
    """Validate JSON as the record it must hold. Raises NightschoolError when it holds another thing, or none."""
    model = _MODELS[place.names[2] if place.kind == "nights" else place.kind]
    try:
        record = model.validate_python(told)
        if not isinstance(record, Session):  # it has no such numbers, and is long
            model.validate_json(model.dump_json(record))  # what is no number is written as nothing, and read no more
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise NightschoolError("not a record", where=place.path, why=f"{where}: {fault['msg']}") from error
    if not _named(place, record):
        raise NightschoolError("it holds another thing than its name says", where=place.path)
    return record


def _named(place: Place, record: Any) -> bool:
    if isinstance(record, Session):
        return (record.platform, record.id) == place.names
    if isinstance(record, Evidence):
        return place.names[0] == evidence.name(record)
    if isinstance(record, Night | Proposal):
        told = record.id if isinstance(record, Night) else record.night
        return told in {place.names[1], f"{place.names[1]}-{place.names[0]}"}
    return isinstance(record, Mined) or bool(record.id == place.names[0])


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
