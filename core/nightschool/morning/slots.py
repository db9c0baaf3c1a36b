"""What each rule of a block was before we touched it, and how layers come off.

A rule has a slot. Each adopted edit lays its text on the slot of the rule it is about (None for a delete); what shows
is the topmost layer that is not taken back, and under all of them lies what the user had. Layers come off in any order.
"""

from dataclasses import dataclass, field

from nightschool.morning.history import History, Layers, Link
from nightschool.night.rules import block
from nightschool.night.rules.anatomy import Document, Item


@dataclass
class Slot:
    """One rule and what was laid on it: (link, edit id, text). `base` is the user's own text."""

    base: str | None
    layers: list[tuple[Link, str, str | None]] = field(default_factory=list)

    def shown(self, at: str) -> str | None:
        """Return the text that showed when adoption number `at` was made."""
        held = [text for link, edit, text in self.layers if link.holds(edit, at)]
        return held[-1] if held else self.base

    def shown_without(self, taken: Layers) -> str | None:
        """Return the text that shows now; the layers in `taken` are taken off in thought."""
        held = [
            text
            for link, edit, text in self.layers
            if edit not in link.undone_from and (link.receipt.id, edit) not in taken
        ]
        return held[-1] if held else self.base

    def has_layer_in(self, taken: Layers) -> bool:
        """Tell whether one of its layers is among those."""
        return any((link.receipt.id, edit) in taken for link, edit, _ in self.layers)


def slots_of(history: History) -> list[Slot]:
    """Lay every adopted edit on the slot of the rule it is about."""
    slots: list[Slot] = []
    for link in history.links:
        held = set(block.rules(link.before))
        for edit in link.edits():
            gone = edit.replaces.replace("\r\n", "\n").strip() if edit.op != "add" else None
            text = block.canonical(edit.text) if edit.op != "delete" else None
            fitting = [slot for slot in slots if gone is not None and slot.shown(link.receipt.id) == gone]
            slot = fitting[-1] if fitting else Slot(gone)
            if not fitting:
                slots.append(slot)
            if text in held - {gone}:
                text = None  # it stood there already: this edit only took the other one away
            slot.layers.append((link, edit.id, text))
            held = (held - {gone}) | ({text} if text else set())
    return slots


def lift(document: Document, history: History, taken: Layers) -> tuple[str, list[str]]:
    """Lift the layers in `taken` off the document's rules.

    Rules that go leave a gap first, so that no order among them matters; then the gaps are filled. Returns the joint
    of a block that had to be made for it ("" when there is none), and a line for each rule that cannot be taken back.
    """
    slots = slots_of(history)
    ends = [(slot.shown_without(frozenset()), slot.shown_without(taken)) for slot in slots]
    stay = {wanted for shown, wanted in ends if shown == wanted}
    places: list[tuple[str | None, str]] = []  # the name of a gap, and the rule that belongs there
    notes = []
    for at, (slot, (shown, wanted)) in enumerate(zip(slots, ends, strict=True)):
        if shown == wanted:
            if shown is not None and slot.has_layer_in(taken):
                notes.append(
                    f"a rule that was taken back had been replaced by a later one, which stays: {_line(shown)}"
                )
        elif shown is None or shown in stay:
            places += [(None, wanted)] if wanted else []
        elif document.exchange(shown, Item(f"\0{at}", b"")):
            places.append((f"\0{at}", wanted or ""))
        else:
            notes.append(f"a rule was changed or removed by hand and is left so: {_line(shown)}")
    joint = ""
    for gap, wanted in places:
        like = _state_with(history, wanted)
        if gap is not None:
            document.exchange(gap, _item(like, wanted))
        elif wanted not in document.rules():
            joint = document.insert(wanted, like) or joint
    return joint, notes


def _line(rule: str) -> str:
    return rule.splitlines()[0][:80]


def _item(document: Document, rule: str) -> Item | None:
    if not rule:
        return None
    where, at = document.find(rule)
    return where.items[at]


def _state_with(history: History, rule: str) -> Document:
    """Return the latest known state of the file that holds `rule`."""
    for write in reversed(history.writes):
        for data in (write.before, write.then):
            document = Document.of(data or b"")
            if rule in document.rules():
                return document
    return Document.of(block.with_rules(b"", [rule] if rule else []))
