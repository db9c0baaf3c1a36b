"""One task through the model: its parts, each of them, and the result, with an eye on the clock.

Every answer is kept as it comes, so whatever stops the work (time, money, answers to come, kill -9) costs none of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import Field, ValidationError

from nightschool.clock import Clock
from nightschool.events import Record
from nightschool.files import write_whole
from nightschool.models.door import Door
from nightschool.models.questions import Answer, CallError
from nightschool.night.incubation import pages, questions
from nightschool.night.incubation.packing import minutes_of
from nightschool.night.incubation.shelf import Queued, Shelf
from nightschool.versions import stored


class Notes(Record):
    """What a task has had so far: its parts, and the answers by a part's number."""

    parts: tuple[str, ...] = ()
    answers: dict[int, str] = Field(default_factory=dict)


class GivenUpError(Exception):
    """The user has ended the task meanwhile."""


@dataclass
class Research:
    """Work on one claimed task. `alive(seconds)` renews the claim and is False when the user has ended the task."""

    shelf: Shelf
    queued: Queued
    door: Door
    model: str
    clock: Clock
    web: bool
    backend: str
    batch: bool
    alive: Callable[[float], bool]
    began: datetime = field(init=False)
    written: datetime = field(init=False)  # the last checkpoint
    notes: Notes = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.written = self.clock.now()
        self.notes = _kept(self.shelf, self.queued.id)

    def used(self) -> float:
        """Return the seconds of its time budget that are gone, over all attempts."""
        return self.queued.progress.used_seconds + max(0.0, (self.clock.now() - self.began).total_seconds())

    def work(self) -> bool:
        """Carry the task to its result and write it; True when its time ran out and the result is what was there.

        Raises what the door raises, CallError when no part got an answer, GivenUpError; notes and checkpoint are kept.
        """
        try:
            text, time_boxed = self._text()
        except BaseException:
            self.checkpoint()
            raise
        why = f"its {minutes_of(self.queued.entry.task)} minutes are over, and this is how far it came."
        page = pages.result(
            self.queued.entry, text, web=self.web, backend=self.backend, time_boxed=why if time_boxed else ""
        )
        write_whole(self.shelf.result(self.queued.id), page.encode())
        if not time_boxed:  # of a time-boxed one the partial is kept beside it
            self.shelf.partial(self.queued.id).unlink(missing_ok=True)
        return time_boxed

    def checkpoint(self) -> None:
        """Write the partial page."""
        at = f"{self.clock.now():%Y-%m-%d %H:%M} UTC"
        page = pages.checkpoint(self.queued.entry, self.notes.parts, self.notes.answers, at)
        write_whole(self.shelf.partial(self.queued.id), page.encode())
        self.written = self.clock.now()

    def _text(self) -> tuple[str, bool]:
        task, text = self.queued.entry.task, self.queued.entry.text
        if not self.notes.parts and not self._late():
            reply = self.door.ask(questions.outline(task, text, self.model)).text
            self._keep(Notes(parts=questions.parts_of(task, reply)))
        failed = self._parts()
        if self._late():
            self.checkpoint()
            return pages.partial(self.notes.parts, self.notes.answers), True
        if not self.notes.answers and failed is not None:
            raise failed
        told = [f"{self.notes.parts[n]}\n\n{answer}" for n, answer in sorted(self.notes.answers.items())]
        return self.door.ask(questions.whole(task, text, told, self.model)).text, False

    def _parts(self) -> CallError | None:
        """Answer the parts that have no answer; return the last failure. One part that fails does not stop the rest."""
        task, text, failed = self.queued.entry.task, self.queued.entry.text, None
        left = [n for n in range(len(self.notes.parts)) if n not in self.notes.answers]
        together = [left] if self.batch and left else [[n] for n in left]
        for numbers in together:
            if self._late():
                break
            asked = [questions.part(task, text, self.notes.parts[n], self.model) for n in numbers]
            for n, answer in zip(numbers, self.door.ask_all(asked), strict=True):
                if isinstance(answer, Answer):
                    self._keep(Notes(parts=self.notes.parts, answers=self.notes.answers | {n: answer.text}))
                else:
                    failed = answer
        return failed

    def _keep(self, notes: Notes) -> None:
        self.notes = notes
        write_whole(self.shelf.notes(self.queued.id), notes.model_dump_json(indent=1).encode())
        every = timedelta(minutes=self.queued.entry.task.checkpoint_every_minutes)
        if self.clock.now() - self.written >= every:
            self.checkpoint()
        if not self.alive(self.used()):
            raise GivenUpError

    def _late(self) -> bool:
        return self.used() >= minutes_of(self.queued.entry.task) * 60


def _kept(shelf: Shelf, task: str) -> Notes:
    try:
        return stored(Notes, shelf.notes(task))
    except (OSError, ValidationError):
        return Notes()  # the ledger still has every answer
