"""Recurring work, and how to tell whether it was done right."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from nightschool.events import Instant, Name, Record
from nightschool.versions import Version


class CheckOp(StrEnum):
    """What a check asks. Semantics: `night/judging/judge.py`."""

    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    REGEX = "regex"
    SECTION_PRESENT = "section_present"
    SECTION_CONTAINS = "section_contains"
    MIN_CHARS = "min_chars"
    MAX_CHARS = "max_chars"
    NO_REFUSAL = "no_refusal"
    TOOL_CALLED = "tool_called"
    JSON_KEYS = "json_keys"
    EQUALS = "equals"
    NUMBER = "number"
    COMMAND = "command"
    CASE = "case"
    RUBRIC = "rubric"


class Check(Record):
    """One thing a rollout must show. `arg` is the operator's argument, `extra` its second where it has one."""

    op: CheckOp
    arg: str = ""
    extra: str = ""


class Quote(Record):
    """The user's own words, and where they stand."""

    text: str
    platform: Name
    session: Name
    turn: str
    at: Instant
    project: str = ""
    span: tuple[int, int] = (0, 0)
    elsewhere: bool = False  # as its session
    beside: tuple[str, ...] = ()  # what the screen finds in its whole prompt, when `text` is not all of it


class Origin(Record):
    """Where a task came from: the session's request that stands in it."""

    platform: Name
    session: Name
    turn: str
    at: Instant
    span: tuple[int, int] = (0, 0)


class Recurrence(Record):
    """Something that came back: a request, or a correction. Its id comes from its members, not from a wording."""

    id: Name
    kind: Literal["request", "correction"]
    text: str  # the most typical member, verbatim
    quotes: tuple[Quote, ...]  # newest first
    sessions: int  # distinct sessions, of which `quotes` may show fewer
    elsewhere: int = 0  # of these: given by another machine that is not known to be the user's
    projects: tuple[str, ...]
    first_seen: Instant
    last_seen: Instant
    checks: tuple[Check, ...] = ()  # derived from the words; empty when they cannot be checked without a model
    intent: str = ""  # what the user wants, in a model's words; "" when none was asked
    context: str = ""  # what one has to know to see whether it was kept, in a model's words
    count: int = 0  # times it was said, several in one session included
    confidence: float = 0.0  # lower bound (95 %) of the share of the sessions it concerns in which it was said
    cost: float = 0.0  # what it is ranked by; see `night/mining/mine.py`
    signals: dict[str, int] = Field(default_factory=dict)  # what else happened in the turns concerned
    origins: tuple[Origin, ...] = ()  # newest first, the newest thousand
    wordings: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # of a correction: its words -> some sessions


Split = Literal["train", "val", "test"]


class RealTask(Record):
    """Work a user really asked for. Its split is decided once, when it enters the bank."""

    version: Version = 1
    origin: Literal["real"] = "real"
    id: Name
    recurrence: Name  # what it is an instance of
    family: Name  # near-duplicates share one, and a split
    split: Split
    request: str
    checks: tuple[Check, ...] = Field(min_length=1)
    projects: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = Field(min_length=1)
    first_seen: Instant
    last_seen: Instant
    intent: str = ""  # what the user wants of the answer: a model's words where one was asked, else the user's own
    context: str = ""  # what was asked before it in its session, or what a model says one has to know; "" for nothing
    confidence: float = 0.0  # that of its recurrence: see there
    count: int = 0  # times it was asked
    reviewed: bool = True  # False: it came from a file that nobody has marked as reviewed; no paid backend is asked it

    @property
    def case(self) -> str:
        """Return the id of the commit that is to be done again; "" for a question."""
        return next((check.arg for check in self.checks if check.op is CheckOp.CASE), "")

    def concerns(self, recurrence: str) -> bool:
        """Tell whether a rule that answers this recurrence is meant to help here: work in a project is under its rules.

        So a commit of the user's own speaks for any rule, and a question only for one of its own kind.
        """
        return self.recurrence == recurrence or bool(self.case)


class DreamTask(Record):
    """A variant of a train task. There is no dream in val or test: the type has no room for one."""

    version: Version = 1
    origin: Literal["dream"] = "dream"
    id: Name
    recurrence: Name
    family: Name
    split: Literal["train"] = "train"
    request: str
    checks: tuple[Check, ...] = Field(min_length=1)
    derived_from: Name  # a train task's id


Task = Annotated[RealTask | DreamTask, Field(discriminator="origin")]
