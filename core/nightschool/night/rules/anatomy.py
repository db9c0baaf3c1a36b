"""A document taken apart into the user's text and the managed blocks; put together again it is the same bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from nightschool.errors import NightschoolError
from nightschool.night.rules.markers import find_blocks, newline_of, split_lines

_BEGIN = b"<!-- nightschool:begin (rules you adopted; `nightschool undo` takes them back) -->"
_END = b"<!-- nightschool:end -->"
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # UTF-16 and UTF-32 begin so


@dataclass
class Item:
    """A rule of a block with its raw lines, or one line that is no rule (`text` is None)."""

    text: str | None
    raw: bytes


@dataclass
class Block:
    """One managed block. `begin` and `end` are the marker lines; `hollow`: it held nothing when it was read."""

    begin: bytes
    end: bytes
    items: list[Item] = field(default_factory=list)
    hollow: bool = False

    def is_empty(self) -> bool:
        """Tell whether there is no rule and no line of the user's in it."""
        return all(item.text is None and not item.raw.strip() for item in self.items)


@dataclass
class Document:
    """A document taken apart: `texts[i]`, `blocks[i]`, `texts[i + 1]`, and so on. Joined again it is the same bytes."""

    texts: list[bytes]
    blocks: list[Block]
    newline: bytes

    @classmethod
    def of(cls, data: bytes) -> "Document":
        """Take `data` apart. Raises NightschoolError when it is not in an encoding that ASCII lines can be put into."""
        if _is_wide(data):
            raise NightschoolError("a document is not UTF-8", why="it looks like UTF-16", fix="Save it as UTF-8.")
        bare = data.removeprefix(_BOM)
        lines = split_lines(bare)
        texts, blocks, at = [], [], 0
        for begin, end in find_blocks(lines):
            texts.append(b"".join(lines[at:begin]))
            block = Block(lines[begin], lines[end], _items(lines[begin + 1 : end]))
            block.hollow = block.is_empty()
            blocks.append(block)
            at = end + 1
        texts.append(b"".join(lines[at:]))
        texts[0] = data[: len(data) - len(bare)] + texts[0]
        return cls(texts, blocks, newline_of(data))

    def joined(self) -> bytes:
        """Return the bytes."""
        parts = [self.texts[0]]
        for block, text in zip(self.blocks, self.texts[1:], strict=True):
            parts += [block.begin, *(item.raw for item in block.items), block.end, text]
        return b"".join(parts)

    def rules(self) -> list[str]:
        """Return the rules' texts."""
        return [item.text for block in self.blocks for item in block.items if item.text is not None]

    def add(self, rule: str) -> str | None:
        """Append a rule to the last block. Where there is none, make one at the end and return its joint."""
        joint = None if self.blocks else self.begin_block()
        self.blocks[-1].items.append(Item(rule, raw_rule(rule, self.newline)))
        return joint

    def begin_block(self) -> str:
        """Make a block at the end of the text, parted from it by a joint, which is returned."""
        joint = joint_for(self.texts[-1], self.newline)
        self.texts[-1] += joint.encode()
        self.blocks.append(Block(_BEGIN + self.newline, _END + self.newline))
        self.texts.append(b"")
        return joint

    def insert(self, rule: str, like: "Document") -> str | None:
        """Put `rule` back where it stands in `like`, an older state of this document. Returns a new block's joint."""
        joint = None if self.blocks else self.begin_block()
        old, at = like.find(rule)
        items = self.blocks[min(like.blocks.index(old), len(self.blocks) - 1)].items
        rest = [item.raw for i, item in enumerate(old.items) if i != at]
        items.insert(_mapped(rest, [item.raw for item in items], at), old.items[at])
        return joint

    def find(self, rule: str) -> tuple[Block, int]:
        """Return where a rule that is there stands: its block, and its place among the items."""
        return next((b, i) for b in self.blocks for i, item in enumerate(b.items) if item.text == rule)

    def exchange(self, rule: str, new: Item | None) -> bool:
        """Put `new` for every copy of `rule` (once), or nothing. False when there is no such rule."""
        spots = [(block, i) for block in self.blocks for i, item in enumerate(block.items) if item.text == rule]
        for block, at in reversed(spots):
            del block.items[at]
        if spots and new is not None and new.text not in self.rules():
            block, at = spots[0]
            block.items.insert(at, new)
        return bool(spots)

    def drop_empty(self, joint: str, was: bytes | None = None) -> None:
        """Drop blocks that have become empty, each with its joint. `was`: see `without_joint`."""
        for at in reversed(range(len(self.blocks))):
            if self.blocks[at].is_empty() and not self.blocks[at].hollow:
                before, after = without_joint(self.texts[at], joint, was), self.texts[at + 1]
                if before and after and not before.endswith(b"\n"):
                    before += self.newline  # what was the last line of the text has something after it now
                self.texts[at : at + 2] = [before + after]
                del self.blocks[at]

    def unmarked(self, joint: str, was: bytes | None = None) -> bytes:
        """Return the bytes without markers: what stands in a block joins the text. `was`: see `without_joint`."""
        for block in self.blocks:
            block.hollow = False
        self.drop_empty(joint, was)
        for block in self.blocks:
            block.begin = block.end = b""
        return self.joined()


def joint_for(text: bytes, newline: bytes) -> str:
    """Return what parts a block from the text before it by one blank line."""
    if text.removeprefix(_BOM) in (b"", newline) or text.endswith((b"\n\n", b"\n\r\n")):
        return ""
    return (newline if text.endswith(b"\n") else newline * 2).decode()


def without_joint(text: bytes, joint: str, was: bytes | None = None) -> bytes:
    """Take the joint out of the text before a block.

    The joint goes where it would be put again. When the user has written right after it, it goes from the place where
    it was put: behind `was`, the text that was there. Otherwise it goes from the end, unless that would join lines.
    """
    put = joint.encode()
    if not put:
        return text
    rest = text.removesuffix(put)
    newline = b"\r\n" if put.startswith(b"\r") else b"\n"
    if rest != text and joint_for(rest, newline) == joint:
        return rest
    if was is not None and text.startswith(was + put):
        return was + (b"" if was.endswith(b"\n") else newline) + text[len(was + put) :]
    return rest if rest.endswith(b"\n") else text


def _is_wide(data: bytes) -> bool:
    if not data.startswith(_WIDE) or b"\0" not in data:
        return False
    try:
        return data.decode("utf-16") != ""
    except UnicodeDecodeError:
        return False


def raw_rule(rule: str, newline: bytes) -> bytes:
    """Return a rule as lines of a block: a bullet, and the lines after the first indented by two."""
    first, *more = rule.split("\n")
    lines = ["- " + first, *("  " + line if line else "" for line in more)]
    return b"".join(line.encode() + newline for line in lines)


def _items(lines: Sequence[bytes]) -> list[Item]:
    """Group a block's lines into rules and others. A rule goes on over indented lines and the blank ones between."""
    items: list[Item] = []
    at = 0
    while at < len(lines):
        if not lines[at].startswith(b"- "):
            items.append(Item(None, lines[at]))
            at += 1
            continue
        end = _while(lines, at + 1, lambda line: not line.strip(b"\r\n") or line.startswith((b"  ", b"\t")))
        while end > at + 1 and not lines[end - 1].strip():
            end -= 1
        parts = [line.rstrip(b"\n").removesuffix(b"\r").decode(errors="replace") for line in lines[at:end]]
        text = "\n".join([parts[0][2:], *(part.removeprefix("  ") for part in parts[1:])]).strip()
        items.append(Item(text or None, b"".join(lines[at:end])))
        at = end
    return items


def _while(lines: Sequence[bytes], at: int, holds: Callable[[bytes], bool]) -> int:
    while at < len(lines) and holds(lines[at]):
        at += 1
    return at


def _mapped(old: Sequence[bytes], new: Sequence[bytes], at: int) -> int:
    """Return the place in `new` that stands where `at` stands in `old`."""
    for _, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if old_from <= at <= old_to:
            return min(new_from + at - old_from, new_to)
    return len(new)
