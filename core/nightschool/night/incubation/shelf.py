"""The queue as files: add, find, list, move on, purge. Every change happens under the queue's own lock."""

import contextlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from nightschool.day.redact import redact
from nightschool.errors import NightschoolError, UsageError
from nightschool.files import single_flight, write_whole
from nightschool.night.incubation.entries import Entry, checked_text, parsed
from nightschool.paths import Home
from nightschool.records import QueuePriority, QueueProgress, QueueStatus, QueueTask
from nightschool.versions import stored

LOCK_WAIT = 30.0  # seconds
_ID = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")


@dataclass(frozen=True)
class Queued:
    """A task with its text and how far it is."""

    entry: Entry
    progress: QueueProgress
    path: Path

    @property
    def id(self) -> str:
        """Its uuid."""
        return self.entry.task.uuid


class Shelf:
    """The queue of one home."""

    def __init__(self, home: Home) -> None:
        self.home = home

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the queue's lock."""
        with single_flight(self.home.queue_lock, "changing the queue", wait=LOCK_WAIT):
            yield

    def add(self, task: QueueTask, text: str) -> Queued:
        """Put a task in, without the secrets in it; its uuid is given here. Raises UsageError for no fit text."""
        body = checked_text(redact(text))
        marathon = task.priority is QueuePriority.MARATHON
        entry = Entry(task.model_copy(update={"uuid": str(uuid.uuid4()), "marathon": marathon}), body)
        with self.changing():
            order = 1 + max((found.progress.order for found in self.all()[0]), default=0)
            queued = Queued(entry, QueueProgress(order=order), self._path(entry.task.uuid))
            self.save(queued)
        return queued

    def all(self) -> tuple[list[Queued], list[str]]:
        """Return every task in the order of submission, and one line for each file that is not one."""
        found, faults = [], []
        for path in sorted(self.home.queue.glob("*.md")) if self.home.queue.is_dir() else []:
            try:
                found.append(self._read(path))
            except NightschoolError as error:
                faults.append(str(error))
        return sorted(found, key=lambda q: (q.entry.task.submitted_at, q.progress.order, q.id)), faults

    def find(self, name: str) -> Queued:
        """Return a task by its id or the beginning of it.

        Raises UsageError for what cannot be an id, NightschoolError when there is none or more than one.
        """
        if not _ID.fullmatch(name):
            raise UsageError("not a task's id", where=repr(name[:80]), fix="See: nightschool queue list.")
        paths = [path for path in sorted(self.home.queue.glob("*.md")) if path.name.startswith(name)]
        if len(paths) != 1:
            what = "no such task" if not paths else "several tasks begin like this"
            raise NightschoolError(what, where=name, fix="See: nightschool queue list.")
        return self._read(paths[0])

    def save(self, queued: Queued) -> Queued:
        """Write a task: what is known of it first, so that a file without it is a task nobody has begun."""
        name = queued.path.with_suffix(".json")
        write_whole(name, queued.progress.model_dump_json(indent=1).encode())
        write_whole(queued.path, queued.entry.data())
        return queued

    def move(self, queued: Queued, status: QueueStatus, **told: object) -> Queued:
        """Give a task another status, and its progress other values. The caller holds the lock."""
        task = queued.entry.task.model_copy(update={"status": status})
        progress = queued.progress.model_copy(update=told)
        return self.save(replace(queued, entry=replace(queued.entry, task=task), progress=progress))

    def settle(self, name: str, status: QueueStatus, at: datetime, reason: str) -> Queued:
        """End a task by hand. Raises NightschoolError when it has ended already."""
        self.find(name)  # what is no task makes no file, not even a lock
        with self.changing():
            queued = self.find(name)
            if not queued.entry.task.status.open:
                raise NightschoolError("this task has ended already", where=name, why=queued.entry.task.status)
            return self.move(queued, status, ended=at, claim=None, reason=reason)

    def purge(self, before: datetime) -> list[str]:
        """Remove tasks that ended before an instant, as they say themselves; results stay. Returns their ids."""
        gone = []
        with self.changing():
            for queued in self.all()[0]:
                ended = queued.progress.ended
                if queued.entry.task.status.open or ended is None or ended > before:
                    continue
                for path in (
                    queued.path,
                    queued.path.with_suffix(".json"),
                    self.notes(queued.id),
                    self.partial(queued.id),
                ):
                    path.unlink(missing_ok=True)
                gone.append(queued.id)
        return gone

    def result(self, task: str) -> Path:
        """Return where a task's result lies, or will."""
        return self.home.results / f"{task}.md"

    def partial(self, task: str) -> Path:
        """Return where its partial result lies."""
        return self.home.results / f"{task}.partial.md"

    def notes(self, task: str) -> Path:
        """Return where the answers lie that a task has had so far."""
        return self.home.queue / f"{task}.notes.json"

    def _path(self, task: str) -> Path:
        return self.home.queue / f"{task}.md"

    def _read(self, path: Path) -> Queued:
        try:
            progress = stored(QueueProgress, path.with_suffix(".json"))
        except (OSError, ValidationError):  # a task that came from elsewhere has none
            progress = QueueProgress()
        return Queued(parsed(path), progress, path)


def days_ago(now: datetime, days: int) -> datetime:
    """Return the instant so many days before `now`."""
    return now - timedelta(days=days)
