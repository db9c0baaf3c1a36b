"""The adoptions into one file, in their order: who made its block, and what each rule was before.

A rule of the block has a slot. Each adopted edit lays its text on the slot of the rule it is about (None for a delete);
what shows is the topmost layer that is not taken back, and under all of them lies what the user had. Layers come off in
any order, so taking adoptions back in any order ends at the same bytes.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from nightschool.morning import receipts
from nightschool.night.rules import block
from nightschool.night.rules.anatomy import Document
from nightschool.paths import Home
from nightschool.records import Edit, FileChange, Receipt


@dataclass(frozen=True)
class Link:
    """One adoption into the file."""

    receipt: Receipt
    change: FileChange
    before: bytes | None
    after: bytes
    undone_from: dict[str, str]  # edit id -> number of the first adoption after it was taken back
    writes: tuple[tuple[str | None, str | None], ...]  # hashes of the file before and after each time we wrote it

    def edits(self) -> list[Edit]:
        """Return the edits that went into this file."""
        return [edit for edit in self.receipt.edits if edit.id in self.change.edits]

    def holds(self, edit: str, at: str) -> bool:
        """Tell whether an edit was in force when adoption number `at` was made."""
        return edit not in self.undone_from or self.undone_from[edit] > at


@dataclass(frozen=True)
class Origin:
    """How the present block came into the file. `text` is the user's text it was put behind."""

    joint: str
    text: bytes
    made_file: bool
    made_dirs: tuple[str, ...]


@dataclass
class Slot:
    """One rule and what was laid on it: (link, edit id, text). `base` is the user's own text."""

    base: str | None
    layers: list[tuple[Link, str, str | None]] = field(default_factory=list)

    def shown(self, at: str) -> str | None:
        """Return the text that showed when adoption number `at` was made."""
        held = [text for link, edit, text in self.layers if link.holds(edit, at)]
        return held[-1] if held else self.base

    def shown_without(self, taken: AbstractSet[tuple[str, str]]) -> str | None:
        """Return the text that shows now; `taken` holds (receipt, edit) of layers to take off in thought."""
        held = [
            text
            for link, edit, text in self.layers
            if edit not in link.undone_from and (link.receipt.id, edit) not in taken
        ]
        return held[-1] if held else self.base

    def has_had(self, text: str) -> bool:
        """Tell whether it ever showed `text`."""
        return text == self.base or any(text == laid for _, _, laid in self.layers)


def chain_of(home: Home, path: str) -> list[Link]:
    """Return the adoptions into the file at `path`, oldest first, those that a crash cut short left out."""
    return [
        _link(home, receipt, change)
        for receipt in receipts.all_receipts(home)
        if receipts.happened(receipt)
        for change in receipt.files
        if change.path == path
    ]


def _link(home: Home, receipt: Receipt, change: FileChange) -> Link:
    plans = receipts.undone_plans(home, receipt)
    undos = [(step.now, step.then) for _, plan in plans for step in plan.files if step.path == change.path]
    return Link(
        receipt,
        change,
        receipts.before(home, receipt, change),
        receipts.kept(home, receipt.id, change.after) or b"",
        {edit: number for number, plan in plans for edit in plan.edits},
        ((change.before, change.after), *undos),
    )


def clean_start(chain: list[Link], now: str, taken: AbstractSet[tuple[str, str]]) -> Link | None:
    """Return the adoption whose bytes before are what the file should be again, None when there is no such.

    That is the oldest from which on everything is taken back (with `taken`), and nobody but us has written: the hash
    `now` can be reached from the one before it by our own writes.
    """
    for at, first in enumerate(chain):
        since = chain[at:]
        if any(
            (link.receipt.id, e) not in taken and e not in link.undone_from for link in since for e in link.change.edits
        ):
            continue
        writes = [write for link in since for write in link.writes]
        known = {first.change.before}
        while new := {then for before, then in writes if before in known} - known:
            known |= new
        if now in known:
            return first
    return None


def origin_of(chain: list[Link]) -> Origin | None:
    """Return how the block came into being; None when no adoption of ours made it."""
    for link in reversed(chain):
        made = Document.of(link.after)
        if made.blocks and not block.has_block(link.before):
            joint = link.change.joint
            text = made.texts[0].removesuffix(joint.encode())
            return Origin(joint, text, link.before is None, link.change.made_dirs)
    return None


def slots_of(chain: list[Link]) -> list[Slot]:
    """Lay every edit of the chain on the slot of the rule it is about."""
    slots: list[Slot] = []
    for link in chain:
        at = link.receipt.id
        for edit in link.edits():
            text = block.canonical(edit.text) if edit.op != "delete" else None
            if edit.op == "add":
                fitting = [s for s in slots if s.shown(at) is None and text is not None and s.has_had(text)]
                slot = fitting[-1] if fitting else Slot(None)
            else:
                gone = edit.replaces.replace("\r\n", "\n").strip()
                fitting = [s for s in slots if s.shown(at) == gone]
                slot = fitting[-1] if fitting else Slot(gone)
            if not fitting:
                slots.append(slot)
            slot.layers.append((link, edit.id, text))
    return slots
