"""The audit backlog: a line for what happened, and one for a decision; it is rewritten only where words have to go."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from nightschool import files
from nightschool.errors import NightschoolError
from nightschool.events import Record
from nightschool.paths import Home
from nightschool.records import AuditDecision, AuditEntry

Line = TypeVar("Line", bound=Record)


def add(home: Home, entry: AuditEntry, *, durable: bool = True) -> None:
    """Append an entry. An entry of a known id replaces that one for readers. Raises NightschoolError."""
    files.append_line(home.audit / "backlog.jsonl", entry.model_dump_json(exclude_defaults=True), durable=durable)


def entries(home: Home, kind: str = "", project: str = "") -> list[AuditEntry]:
    """Return the backlog, oldest first, each entry as it was last told. Lines that are none are left out.

    With `kind` only that kind; with `project` at least those of it and below, so that not all lines are validated.
    """
    word = json.dumps(project.rstrip("/\\"), ensure_ascii=False)[1:-1].encode(errors="replace")
    lines = _lines(home, "backlog.jsonl", AuditEntry, kind, word)
    return list({entry.id: entry for entry in lines}.values())


def offsets(home: Home) -> dict[str, int]:
    """Return how far each session had been read when its note was made, by the note's id. No note is validated."""
    noted: dict[str, int] = {}
    for told in map(_told, _bytes(home, "backlog.jsonl")):
        if told.get("kind") == "session" and isinstance(told.get("id"), str):
            noted[told["id"]] = told.get("offset", 0)
    return noted


def rewrite(home: Home, kept: Iterable[AuditEntry]) -> None:
    """Put these entries in the place of the whole backlog, where words have to go."""
    lines = "".join(f"{entry.model_dump_json(exclude_defaults=True)}\n" for entry in kept)
    files.write_whole(home.audit / "backlog.jsonl", lines.encode())


def decide(home: Home, decision: AuditDecision) -> None:
    """Append a decision, durably."""
    files.append_line(home.audit / "decisions.jsonl", decision.model_dump_json(exclude_defaults=True))


def decisions(home: Home) -> dict[str, AuditDecision]:
    """Return the latest decision about each finding."""
    return {decision.finding: decision for decision in _lines(home, "decisions.jsonl", AuditDecision)}


def _lines(home: Home, name: str, record: type[Line], kind: str = "", word: bytes = b"") -> Iterator[Line]:
    for line in _bytes(home, name):
        if word not in line or kind.encode() not in line or (kind and _told(line).get("kind") != kind):
            continue
        try:
            yield record.model_validate_json(line)
        except ValidationError:
            continue  # torn by a crash, or of a later version


def _told(line: bytes) -> dict[str, Any]:
    try:
        told = from_json(line)
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    if told.get("version", 1) != 1:
        AuditEntry.model_validate(told)  # refuses what is newer
    return told


def _bytes(home: Home, name: str) -> Iterator[bytes]:
    path = home.audit / name
    try:
        yield from files.read_lines(path)
    except OSError as error:
        fix = "Make it readable, or move it away: it starts anew."
        raise NightschoolError("cannot read the audit backlog", where=path, why=error.strerror, fix=fix) from error
