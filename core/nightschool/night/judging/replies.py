"""Read a reply: its sections and its JSON."""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_NO_TITLE = re.compile(r"[ \t]{4}|\t| {0,3}(?:[-*+][ \t]|>|\|)")  # code, list item, quote, table row
_NUMBERING = re.compile(r"(?:\d+(?:\.\d+)*[.):]|\d+(?:\.\d+)+) ")
_EMPHASIS = re.compile(r"[*`~]+|(?<![^\W_])_+|_+(?![^\W_])")


def plain(text: str) -> str:
    r"""Return `text` in Unicode NFC with every line break as `\n`: what looks alike compares alike."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def anycase(text: str) -> str:
    """Return `text` as `plain` does, folded so that case no longer counts."""
    return unicodedata.normalize("NFC", plain(text).casefold())


@dataclass(frozen=True)
class Section:
    """A heading's level (1-6) and title, and all below it up to the next heading of the same or a higher level."""

    level: int
    title: str
    body: str

    def is_titled(self, wanted: str) -> bool:
        """Say whether this is the section that `wanted` names.

        Case, emphasis, closing #s, a closing colon and numbering ("2.", "2.1", "2)", in the heading also a bare "2")
        do not count.
        """
        key, sought = title_key(self.title), title_key(wanted)
        return sought in (key, re.sub(r"^\d+ ", "", key))


def title_key(title: str) -> str:
    """Return what two writings of one title have in common; empty when it names nothing."""
    title = re.sub(r"^#{1,6}[ \t]+", "", plain(title).strip())
    opening = title.rstrip("#")
    if not opening or opening[-1] in " \t":
        title = opening
    words = " ".join(_EMPHASIS.sub("", title).split())
    return anycase(_NUMBERING.sub("", words, count=1) if _NUMBERING.match(words) else words).rstrip(": ")


def sections(text: str) -> list[Section]:
    """Return the sections of a Markdown text in order, subsections as well as those that hold them.

    Headings are ATX (`## Title`) or setext (a single line, not of a list, quote or table, over === or ---), and never
    inside a fenced block, closed or not.
    """
    lines = plain(text).split("\n")
    found = list(_headings(lines))
    told = []
    for place, (_, below, level, title) in enumerate(found):
        later = (found[number] for number in range(place + 1, len(found)))
        end = next((start for start, _, other, _ in later if other <= level), len(lines))
        told.append(Section(level, title, "\n".join(lines[below:end])))
    return told


def json_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that the whole text is, or that its only ```json block holds; None otherwise.

    NaN and Infinity are not JSON.
    """
    try:
        told = _strict(text)
    except (ValueError, RecursionError):
        lines = plain(text).split("\n")
        blocks = [(start, end) for start, end, info in _fences(lines) if info.casefold().split()[:1] == ["json"]]
        if len(blocks) != 1:
            return None
        start, end = blocks[0]
        try:
            told = _strict("\n".join(lines[start + 1 : end]))
        except (ValueError, RecursionError):
            return None
    return told if isinstance(told, dict) else None


def _strict(text: str) -> object:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def _fences(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the first line, the last line and the info string of each fenced block; an open one ends with the text."""
    start, run, info = -1, "", ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark is None:
            continue
        if not run:
            if mark[1][0] == "~" or "`" not in mark[2]:
                start, run, info = number, mark[1], mark[2].strip()
        elif mark[1].startswith(run) and not mark[2].strip():
            yield start, number, info
            run = ""
    if run:
        yield start, len(lines), info


def _headings(lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield each heading's first line, the line below it, its level and its title."""
    code = {number for start, end, _ in _fences(lines) for number in range(start, end + 1)}
    fresh, above = True, ""  # no paragraph is open; the one-line paragraph that the next line may underline
    for number, line in enumerate(lines):
        atx, underline = _ATX.fullmatch(line), _UNDERLINE.fullmatch(line)
        if number in code:
            fresh, above = True, ""
        elif atx:
            yield number, number + 1, len(atx[1]), atx[2] or ""
            fresh, above = True, ""
        elif above and underline:
            yield number - 1, number + 1, 1 if underline[1][0] == "=" else 2, above
            fresh, above = True, ""
        else:
            above = line.strip() if fresh and not _NO_TITLE.match(line) else ""
            fresh = not line.strip()
