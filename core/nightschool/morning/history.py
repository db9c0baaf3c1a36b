"""What we ever wrote to one file, in order: who made its block, and whether anybody else has written since."""

from collections.abc import Callable, Hashable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from nightschool.morning import receipts
from nightschool.night.rules.anatomy import Document
from nightschool.paths import Home
from nightschool.records import Edit, FileChange, Receipt

Layers = AbstractSet[tuple[str, str]]
"""Adopted edits, as (receipt, edit)."""


@dataclass(frozen=True)
class Link:
    """One adoption into the file."""

    receipt: Receipt
    change: FileChange
    before: bytes | None
    undone_from: dict[str, str]  # edit id -> number of the first adoption after it was taken back

    def edits(self) -> list[Edit]:
        """Return the edits that went into this file."""
        return [edit for edit in self.receipt.edits if edit.id in self.change.edits]

    def holds(self, edit: str, at: str) -> bool:
        """Tell whether an edit was in force when adoption number `at` was made."""
        return edit not in self.undone_from or self.undone_from[edit] > at

    def is_off(self, taken: Layers) -> bool:
        """Tell whether all of it is taken back, with `taken`."""
        return all(edit in self.undone_from or (self.receipt.id, edit) in taken for edit in self.change.edits)


@dataclass(frozen=True)
class Write:
    """One time we wrote the file."""

    when: tuple[str, int, str]
    receipt: str  # adopted, or taken back
    before: bytes | None
    then: bytes | None
    joint: str
    made_dirs: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """How the present block came into the file. `text` is the user's text it was put behind."""

    joint: str
    text: bytes
    made_file: bool
    made_dirs: tuple[str, ...]


@dataclass(frozen=True)
class History:
    """All of it, oldest first; adoptions that a crash cut short are not in it."""

    links: tuple[Link, ...]
    writes: tuple[Write, ...]

    def origin(self) -> Origin | None:
        """Return how the present block came into being; None when it was not by us."""
        for at in reversed(range(len(self.writes))):
            write = self.writes[at]
            made = Document.of(write.then or b"")
            if made.blocks and not blocks_of(write.before):
                text = made.texts[0].removesuffix(write.joint.encode())
                made_file = write.before is None
                return Origin(write.joint, text, made_file, write.made_dirs)
        return None

    def clean_start(
        self, now: bytes, taken: Layers, part: Callable[[bytes | None], Hashable] = lambda data: data
    ) -> Link | None:
        """Return the adoption whose bytes before are what the file should be again, None when there is no such.

        That is the oldest from which on all is taken back (with `taken`), no older one was touched, and nobody but us
        has written. `part` chooses what of the bytes is looked at.
        """
        for at, first in enumerate(self.links):
            older, later = self.links[:at], self.links[at:]
            since = {link.receipt.id for link in later}
            touched = any(number > first.receipt.id for link in older for number in link.undone_from.values())
            if touched or not {one for one, _ in taken} <= since or not all(link.is_off(taken) for link in later):
                continue
            state = part(first.before)
            for write in self.writes:
                if write.when >= (first.receipt.id, 1, ""):
                    state = part(write.then) if part(write.before) == state else object()
            if state == part(now):
                return first
        return None

    def until(self, first: Link) -> "History":
        """Return the history before an adoption."""
        before = (first.receipt.id, 1, "")
        return History(
            tuple(link for link in self.links if link.receipt.id < first.receipt.id),
            tuple(write for write in self.writes if write.when < before),
        )


def history_of(home: Home, path: str) -> History:
    """Return the history of the file at `path`."""
    links, writes = [], []
    for receipt in receipts.all_receipts(home):
        for change in receipt.files if receipts.happened(receipt) else ():
            if change.path != path:
                continue
            plans = receipts.undone_plans(home, receipt)
            links.append(_link(home, receipt, change, plans))
            writes += _writes(home, receipt, change, plans)
    return History(tuple(links), tuple(sorted(writes, key=lambda write: write.when)))


def blocks_of(data: bytes | None) -> tuple[bytes, ...]:
    """Return the bytes of each managed block."""
    blocks = Document.of(data or b"").blocks
    return tuple(b"".join([block.begin, *(item.raw for item in block.items), block.end]) for block in blocks)


def _link(home: Home, receipt: Receipt, change: FileChange, plans: list[receipts.Undone]) -> Link:
    undone_from = {edit: plan.number for plan in plans for edit in plan.undoing.edits}
    return Link(receipt, change, receipts.kept(home, receipt.id, change.before), undone_from)


def _writes(home: Home, receipt: Receipt, change: FileChange, plans: list[receipts.Undone]) -> list[Write]:
    """Return the adoption and what was taken back of it. Taking back comes before the adoption of the same number."""
    at = receipt.id
    adopted = ((at, 1, ""), change.before, change.after, change.joint, change.made_dirs)
    undone = [
        ((plan.number, 0, plan.order), step.now, step.then, step.joint, step.made_dirs)
        for plan in plans
        for step in plan.undoing.files
        if step.path == change.path
    ]
    return [
        Write(when, at, receipts.kept(home, at, before), receipts.kept(home, at, then), joint, made_dirs)
        for when, before, then, joint, made_dirs in (adopted, *undone)
    ]
