"""Where managed blocks begin and end in a document's lines."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

_BEGIN = re.compile(rb"<!-- nightschool:begin(?: (?:(?!-->).)*)? ?-->[ \t]*")
_END = re.compile(rb"<!-- nightschool:end(?: (?:(?!-->).)*)? ?-->[ \t]*")
_FENCE = re.compile(rb" {0,3}(`{3,}|~{3,})(.*)")


def split_lines(data: bytes) -> list[bytes]:
    """Split after each LF; a CR belongs to its line. Joined again the lines are `data`."""
    return [line for line in re.split(rb"(?<=\n)", data) if line]


def newline_of(data: bytes) -> bytes:
    """Return the line end that most of the document's lines have."""
    crlf = data.count(b"\r\n")
    return b"\r\n" if crlf > data.count(b"\n") - crlf else b"\n"


def find_blocks(lines: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return the lines (of begin, of end) of each block.

    A pair that lies inside one closed code fence as a whole is an example. A fence that only something inside a block
    would close was left open by the user, and hides nothing.
    """
    pairs = _pairs(lines)
    if not pairs:
        return []
    found, fences = [], _fences(lines)
    for begin, end in pairs:
        at = bisect_left(fences, (begin, begin)) - 1
        if at < 0 or not fences[at][0] < begin < end < fences[at][1]:
            found.append((begin, end))
    return found


def _pairs(lines: Sequence[bytes]) -> list[tuple[int, int]]:
    marks = []
    for at, line in enumerate(lines):
        if b"nightschool:" in line:
            bare = line.rstrip(b"\r\n")
            if _BEGIN.fullmatch(bare):
                marks.append((at, True))
            elif _END.fullmatch(bare):
                marks.append((at, False))
    return [(one, two) for (one, begins), (two, begins_too) in pairwise(marks) if begins and not begins_too]


def _fences(lines: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return the lines (of opening, of closing) of the code fences that are closed."""
    pairs = _pairs(lines)
    begins = [begin for begin, _ in pairs]
    marks = [(at, found[1], found[2].strip()) for at, line in enumerate(lines) if (found := _FENCE.match(line))]
    closers = {
        char: [(at, fence) for at, fence, info in marks if not info and fence[:1] == char] for char in (b"`", b"~")
    }
    fences, until = [], -1
    for opened, fence, info in marks:
        if opened <= until or (fence[:1] == b"`" and b"`" in info):
            continue
        inside = bisect_left(begins, opened) - 1
        if inside >= 0 and opened < pairs[inside][1]:  # what a rule holds is not the document's structure
            continue
        these = closers[fence[:1]]
        first = bisect_left(these, (opened + 1, b""))
        closed = next((these[i][0] for i in range(first, len(these)) if len(these[i][1]) >= len(fence)), None)
        if closed is None:
            continue
        fences.append((opened, closed))
        until = closed
    return fences
