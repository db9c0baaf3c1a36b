"""The managed block: the part of a user's document that rules are written to. Bytes in, bytes out.

    <!-- nightschool:begin (rules you adopted; `nightschool undo` takes them back) -->
    - one rule
    - another rule
      and its second line
    <!-- nightschool:end -->

A marker counts when it stands alone on its line, unindented, and not inside a code fence. An end belongs to the nearest
begin before it, so a begin without an end is the user's text. Every byte outside the block is the user's and is passed
through; so is every line inside it that no edit names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nightschool.errors import NightschoolError
from nightschool.night.rules.anatomy import Document, Item, raw_rule
from nightschool.night.rules.hidden import hidden
from nightschool.night.rules.screen import open_fence
from nightschool.night.rules.screen_shapes import MARKED
from nightschool.records import Edit


@dataclass(frozen=True)
class Applied:
    """What came of edits. `joint` is what stands between the user's text and the block, "" when there is no block."""

    data: bytes
    applied: tuple[str, ...]  # ids of edits that changed something
    present: tuple[str, ...]  # ids of edits whose effect was there already
    conflicts: dict[str, str]  # id -> why it was not applied
    joint: str


def rules(data: bytes | None) -> list[str]:
    """Return the texts of the rules that the document's block holds, in their order. None: there is no document."""
    return Document.of(data or b"").rules()


def has_block(data: bytes | None) -> bool:
    """Tell whether the document has a managed block."""
    return bool(Document.of(data or b"").blocks)


def with_rules(data: bytes | None, wanted: Iterable[str]) -> bytes:
    """Return the document with those of the rules added that it does not hold yet."""
    document = Document.of(data or b"")
    for rule in map(canonical, wanted):
        if rule not in document.rules():
            document.add(rule)
    return document.joined()


def apply(data: bytes | None, edits: Sequence[Edit], joint: str | None = "") -> Applied:
    """Apply edits one after the other; those that meet a rule the user has changed or removed are conflicts.

    `joint` is what was put before the block when it was made. When the last rule goes, the block goes with its joint;
    None keeps the empty block, for it is the user's. Raises NightschoolError for a text that cannot be a rule (see
    `canonical`).
    """
    document = Document.of(data or b"")
    applied: list[str] = []
    present: list[str] = []
    conflicts: dict[str, str] = {}
    for edit in edits:
        wanted = "" if edit.op == "delete" else canonical(edit.text)
        gone = edit.replaces if edit.op == "add" else _clean(edit.replaces)
        held = document.rules()
        if wanted in held and (edit.op == "add" or gone not in held or gone == wanted):
            present.append(edit.id)
        elif edit.op == "add":
            new = document.add(wanted)
            joint = joint if new is None else new
            applied.append(edit.id)
        elif document.exchange(gone, Item(wanted, raw_rule(wanted, document.newline)) if wanted else None):
            applied.append(edit.id)
        else:
            conflicts[edit.id] = "the rule it is about was changed or removed by hand"
    if applied and joint is not None:
        document.drop_empty(joint)
    left = joint if joint and document.blocks else ""
    return Applied(document.joined(), tuple(applied), tuple(present), conflicts, left)


def canonical(text: str) -> str:
    """Return a rule's text as the block keeps it: LF line ends, no white space around it.

    Raises NightschoolError for an empty rule, one that holds a comment or block marker, a hidden or control character,
    or an open code fence: each would reach beyond the rule or hide from the reader.
    """
    rule = _clean(text)
    if why := refusal(rule):
        raise NightschoolError("a text cannot be a rule", where=repr(rule[:60]), why=why)
    return rule


def refusal(text: str) -> str:
    """Say why a text cannot be a rule; "" when it can."""
    rule = _clean(text)
    if not rule:
        return "it is empty"
    if MARKED.search(rule):
        return "it holds an HTML comment or a block marker"
    if unseen := hidden(rule):
        return f"it holds hidden characters ({', '.join(unseen[:5])})"
    return "it leaves a code block open" if open_fence(rule.split("\n")) else ""


def fits(edit: Edit) -> bool:
    """Say whether a document can hold what an edit leaves there."""
    return edit.op == "delete" or not refusal(edit.text)


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
