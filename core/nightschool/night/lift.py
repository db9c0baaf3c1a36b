"""What `bench lift` is slept on: sessions in which a made-up user gives one correction again and again."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from nightschool.errors import NightschoolError, UsageError
from nightschool.events import Name, Record
from nightschool.records import Session, Source, Turn

BEGUN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Lesson(Record):
    """One correction: what it is given for, what an agent answers unasked, and how the user words it."""

    name: Name
    requests: tuple[str, ...]  # with {} for the subject; they take turns
    unasked: str
    said: tuple[str, ...]
    subjects: tuple[str, ...]


class Lessons(Record):
    """The file."""

    rule: tuple[Lesson, ...]


def lessons(path: Path, wanted: tuple[str, ...] = ()) -> tuple[Lesson, ...]:
    """Read the lessons of a TOML file, all or those named. Raises NightschoolError, or UsageError for a name."""
    try:
        found = Lessons.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).rule
    except (OSError, ValueError, ValidationError) as error:
        raise NightschoolError("cannot read the lessons", where=path, why=error) from error
    known = {lesson.name: lesson for lesson in found}
    if missing := [name for name in wanted if name not in known]:
        raise UsageError("no such lesson", where=missing[0], fix=f"Known: {', '.join(known)}.")
    return tuple(known[name] for name in wanted) if wanted else found


def sessions(lesson: Lesson, platform: str, project: str) -> Iterator[Session]:
    """Yield one session a subject: the request, an answer, and the correction."""
    for number, subject in enumerate(lesson.subjects):
        at = BEGUN + timedelta(hours=6 * number)
        wanted = lesson.requests[number % len(lesson.requests)].format(subject)
        asked = Turn(id=f"{lesson.name}-{number}-a", at=at, prompt=wanted, reply=lesson.unasked)
        said = lesson.said[number % len(lesson.said)]
        told = Turn(id=f"{lesson.name}-{number}-b", at=at + timedelta(minutes=1), prompt=said, reply="Done.")
        yield Session(
            platform=platform,
            id=f"{lesson.name}-{number:03d}",
            source=Source(path=f"/lessons/{lesson.name}/{number}", offset=1),
            project=project,
            started=asked.at,
            ended=told.at,
            turns=(asked, told),
        )
