"""A file of mined tasks for a person to look through, and to take in again once somebody has.

The file says whether it was reviewed. Tasks of one that was not are kept, but no paid backend is asked them. What a
file claims is checked: ids are made anew from the words, and a check must be one that can be judged.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field, StrictBool, ValidationError

from nightschool.config import first_fault
from nightschool.day.redact import redact
from nightschool.errors import NightschoolError
from nightschool.events import Instant, Name, Record
from nightschool.files import write_whole
from nightschool.night.judging.judge import parse_check
from nightschool.night.mining.mine import Draft, Mined, task_id
from nightschool.records import Check, Origin, Recurrence

LARGEST = 32 * 2**20  # bytes of a file
LONGEST = 8_000  # characters of a request
MOST = 10_000  # tasks of a file
_FIX = "Correct it and import it again; nothing was taken in."


class FileTask(Record):
    """One task as the file tells it. Only `request` and `checks` must be there; without a check it is left out."""

    request: str = Field(min_length=1, max_length=LONGEST)
    checks: tuple[dict[str, Any], ...] = Field(max_length=20)
    rule: str = ""  # for the reader: what the user kept saying
    id: str = ""  # for the reader: made anew when the file is taken in
    recurrence: Name = ""
    family: str = ""  # for the reader: decided when the file is taken in
    intent: str = Field(default="", max_length=LONGEST)
    context: str = Field(default="", max_length=LONGEST)
    confidence: float = Field(default=0.0, ge=0, le=1)
    count: int = Field(default=0, ge=0)
    projects: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    first_seen: Instant | None = None
    last_seen: Instant | None = None


class TasksFile(Record):
    """The whole file."""

    version: int = Field(default=1, ge=1, le=1)
    reviewed: StrictBool = False
    tasks: tuple[FileTask, ...] = Field(max_length=MOST)


def export(path: Path, mined: Mined, family: Mapping[str, str]) -> tuple[int, int]:
    """Write tasks into a new file, the costliest first, as not reviewed; return how many, and how many unchecked.

    `family` tells the family of each by its id. Those without a check come last, for somebody to write one.

    Raises NightschoolError when there is such a file already: somebody may have reviewed it.
    """
    if path.exists():
        raise NightschoolError("there is such a file", where=path, fix="Name another one, or remove it.")
    said = {found.id: found.text for found in mined.recurrences}
    told = ("rule", "checks", "family")
    tasks = [
        FileTask(
            rule=said.get(draft.recurrence, ""),
            checks=tuple(check.model_dump(mode="json", exclude_defaults=True) for check in draft.checks),
            family=family.get(draft.id, ""),
            **{name: getattr(draft, name) for name in FileTask.model_fields if name not in told},
        )
        for draft in (*ranked(mined.tasks, mined.recurrences), *ranked(mined.unchecked, mined.recurrences))
    ][:MOST]
    write_whole(path, TasksFile(tasks=tuple(tasks)).model_dump_json(indent=1).encode() + b"\n")
    checked = sum(bool(task.checks) for task in tasks)
    return checked, len(tasks) - checked


def ranked(drafts: Sequence[Draft], recurrences: Sequence[Recurrence]) -> list[Draft]:
    """Return drafts by what their recurrence costs, then by how often they were asked, then the newest."""
    place = {found.id: at for at, found in enumerate(recurrences)}
    return sorted(drafts, key=lambda d: (place[d.recurrence], -d.count, -d.last_seen.timestamp(), d.id))


def read(path: Path, project: str, now: datetime) -> list[Draft]:
    """Read a file of tasks. Raises NightschoolError, naming the task, for anything that cannot be used."""
    file = _file(path)
    told = ((number, task) for number, task in enumerate(file.tasks, 1) if task.checks)
    return [_draft(path, number, task, file.reviewed, project, now) for number, task in told]


def _file(path: Path) -> TasksFile:
    try:
        if path.exists() and not path.is_file():  # a pipe or a device would be read without end
            raise NightschoolError("not a file of tasks", where=path, why="it is no plain file", fix=_FIX)
        if path.stat().st_size > LARGEST:
            raise NightschoolError("a file of tasks is too large", where=path, why=f"over {LARGEST:,} bytes")
        told = json.loads(path.read_bytes())
    except OSError as error:
        raise NightschoolError("cannot read the tasks", where=path, why=error.strerror, fix="Name a file.") from error
    except (ValueError, RecursionError) as error:
        raise NightschoolError("a file of tasks is not JSON", where=path, why=error, fix=_FIX) from error
    if not isinstance(told, dict):
        why = 'it has to be an object: {"reviewed": …, "tasks": […]}'
        raise NightschoolError("not a file of tasks", where=path, why=why, fix=_FIX)
    try:
        return TasksFile.model_validate_json(json.dumps(told))
    except ValidationError as error:
        raise NightschoolError("not a file of tasks", where=path, why=first_fault(error), fix=_FIX) from error


def _draft(path: Path, number: int, task: FileTask, reviewed: bool, project: str, now: datetime) -> Draft:
    checks = tuple(_check(path, number, told, reviewed) for told in task.checks)
    request = redact(task.request).strip()
    if not request:
        raise NightschoolError("not a file of tasks", where=f"{path}: task {number}", why="no request", fix=_FIX)
    name = task_id(request, checks)
    demanded = hashlib.sha256("\0".join(sorted(c.model_dump_json() for c in checks)).encode()).hexdigest()[:16]
    first, last = task.first_seen or task.last_seen or now, task.last_seen or task.first_seen or now
    return Draft(
        id=name,
        recurrence=task.recurrence or f"i-{demanded}",
        request=request,
        checks=checks,
        projects=task.projects or (project,),
        origins=task.origins or (Origin(platform="imported", session=name, turn=str(number), at=now),),
        first_seen=min(first, last),
        last_seen=max(first, last),
        intent=redact(task.intent),
        context=redact(task.context),
        confidence=task.confidence,
        count=task.count or 1,
        reviewed=reviewed,
    )


def _check(path: Path, number: int, told: object, reviewed: bool) -> Check:
    try:
        return parse_check(told, allow_command=reviewed)
    except NightschoolError as error:
        raise NightschoolError("not a file of tasks", where=f"{path}: task {number}", why=error, fix=_FIX) from error
