"""What a night stages, what adopting it changed, and how to take it back."""

from enum import StrEnum
from typing import Literal

from nightschool.events import Instant, Name, Record
from nightschool.records.exams import Edit, Verdict
from nightschool.records.platforms import Target
from nightschool.records.tasks import Quote
from nightschool.versions import Version


class ProposedRule(Record):
    """One edit with the reasons for it."""

    edit: Edit
    verdict: Verdict
    quotes: tuple[Quote, ...] = ()
    sessions: int = 0
    elsewhere: int = 0  # of these: given by another machine that is not known to be the user's
    by: str = ""  # whose word all of this is, when it is not this home's
    quarantine: tuple[str, ...] = ()  # why it must not be adopted without a look; empty when nothing was found


class Proposal(Record):
    """What a night offers. Nothing live has changed."""

    version: Version = 1
    night: Name
    at: Instant
    targets: tuple[Target, ...]
    rules: tuple[ProposedRule, ...]


class FileChange(Record):
    """One file an adoption touched. Bytes lie beside the receipt under the two hashes."""

    path: str  # the real file, links resolved
    before: str | None  # SHA-256 of the bytes before; None: there was no file
    after: str
    made_dirs: tuple[str, ...] = ()  # directories that were made for it, innermost last
    joint: str = ""  # what was put between the user's last byte and the block
    edits: tuple[Name, ...] = ()  # ids of the edits that went into it


class ReceiptState(StrEnum):
    """How far a transaction came."""

    PREPARED = "prepared"
    COMMITTED = "committed"
    UNDONE = "undone"


class Receipt(Record):
    """One adoption."""

    version: Version = 1
    id: Name
    night: Name
    at: Instant
    state: ReceiptState
    edits: tuple[Edit, ...]
    undone: tuple[Name, ...] = ()  # ids of edits taken back one by one
    files: tuple[FileChange, ...]
    kind: Literal["adopt"] = "adopt"
