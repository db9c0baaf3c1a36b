"""What an exam is made of: an edit, its rollouts, the evidence they add up to, and the verdict."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from nightschool.events import Instant, Name, Record
from nightschool.versions import Version

Attempts = Annotated[int, Field(ge=0, le=10**6)]


class Edit(Record):
    """Add, replace or delete one rule of one document."""

    id: Name  # from operation, document and text: the same edit is the same edit on every night
    op: Literal["add", "replace", "delete"] = "add"
    document: str  # a Target's key
    path: str = ""  # the Target's file: the same rule in another project's document is another edit
    text: str = ""  # the rule; empty for a delete
    replaces: str = ""  # the text of the rule that goes, for replace and delete
    recurrence: Name  # what it answers
    wording: Literal["verbatim", "variant"] = "verbatim"


class Rollout(Record):
    """One attempt at a task under a document. `reward` is None when it cannot be scored: an error is not a score."""

    task: Name
    edit: Name | None  # None: the document as it is
    k: int  # which of the K attempts
    reward: float | None  # in [0, 1]
    reply: str = ""
    tokens: int = 0
    seconds: float = 0.0
    error: str = ""


class Pair(Record):
    """One held-out task, with the edit against without: the unit of evidence."""

    task: Name
    family: Name  # the task's near-duplicates: they would repeat this evidence, so a family counts once
    recurrence: Name  # the task's: what a veto is counted over
    night: Name
    without: float  # mean reward over the valid rollouts, in [0, 1]
    with_: float
    rollouts: int  # valid ones, both sides together
    shape_only: bool = False  # the task's checks look at shape alone: may harm, cannot justify
    own: bool = True  # the task is an instance of what the edit answers

    @property
    def difference(self) -> float:
        """Return the paired difference, in [-1, 1]; above 0 the edit helped."""
        return self.with_ - self.without


class Ruling(StrEnum):
    """What the gate decides."""

    ACCEPT = "accept"
    REJECT = "reject"
    PROBATION = "probation"
    UNEXAMINED = "unexamined"


class Sealed(Record):
    """What the sealed test tasks of an accepted edit showed: mean rewards in [0, 1]. It decided nothing."""

    tasks: int
    without: float
    with_: float


class FieldShown(Record):
    """What a field exam has shown: real sessions that were given the rule by a coin, and those that were not."""

    with_: int = 0  # sessions that were given the rule and could be judged
    without: int = 0
    passed_with: int = 0
    passed_without: int = 0
    e_value: float = 1.0
    e_harm: float = 1.0
    threshold: float = 20.0


class Verdict(Record):
    """The gate's decision on one edit and all that it rests on."""

    ruling: Ruling
    reason: str  # one plain sentence
    e_value: float = 1.0  # evidence that the edit helps; accept at `threshold`
    e_harm: float = 1.0  # evidence that it harms
    threshold: float = 20.0
    effect: float | None = None  # mean difference over tasks; None when nothing was measured
    interval: tuple[float, float] | None = None  # 95 %, over tasks
    tasks: int = 0  # that could speak for the edit: those checked for more than shape
    nights: int = 0
    rollouts: int = 0
    wins: int = 0
    losses: int = 0
    examiner: str = ""  # backend and model that were asked; "" when nothing was
    sealed: Sealed | None = None  # None until it is accepted and has test tasks
    by_hand: bool = False  # offered for want of a gain, without the gate's claim: only the user adopts it, by name
    field: FieldShown | None = None  # None when it is on no field exam


class Evidence(Record):
    """Everything the exams ever showed of one edit. A family of near-duplicate tasks counts once."""

    version: Version = 1
    edit: Edit
    examiner: str = ""  # backend and model: what one model shows says nothing of another
    pairs: tuple[Pair, ...] = ()
    first_seen: Instant
    verdict: Verdict | None = None
    ruled: Instant | None = None  # when it was accepted or rejected; None until then, and in records from before
    elsewhere: bool = False  # another machine, not known to be the user's, has added to it
    one_sided: dict[Name, tuple[Attempts, Attempts]] = Field(default_factory=dict)
    """By task, how many attempts only the side without the edit could score, and only the side with it."""
    set_aside: tuple[Name, ...] = ()  # families it met before it was reopened: it never meets them again
