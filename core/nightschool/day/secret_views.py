"""Other ways to read a text: without characters nobody sees, with wide letters as plain ones, with escapes resolved.

A secret hides from a pattern behind a zero-width space, a colour code, a NUL between letters, `&quot;` or `%3D`. Each
view is such a reading, and tells where its characters stand in the text as it came.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property, lru_cache
from html import unescape
from operator import itemgetter

_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"
)
_WIDE = "\u00a0\u00ab\u00bb\u2000-\u200a\u2018-\u201f\u202f\u2039\u203a\u3000\ufe55\uff01-\uff5e\U0001d400-\U0001d7ff"
_ODD = re.compile(f"[{_UNSEEN}]+|[{_WIDE}]")
_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]")
_NUL = re.compile("\x00+")
_ESCAPED = re.compile(
    r"\\(?:\\*u(?:0000|00[aA][dD]|200[b-fB-F]|20[26][0-9a-fA-F]|[fF][eE][fF][fF]|001[bB]\[[0-9;]*m|00[2-7][0-9a-fA-F])|"
    r"(?:x1b|033|e)\[[0-9;]*m)"
)
_ENTITY = re.compile(r"&(?:quot|apos|amp|#0*(?:3[3-9]|[4-9]\d|1[01]\d|12[0-6])|#x[2-7][0-9a-fA-F]);")
_ESCAPES = re.compile(r"\\(?:u(?:00|20|feff)|x1b|033)")
_OTHER = re.compile(rb"\?\?*")  # a letter first, for a fast search
_PERCENT = re.compile(r"%(?:[2-7][0-9a-fA-F]|0[aAdD])")
_PIECE = re.compile(r"[^\s\"'<>`]*")
_PIECE_BACK = re.compile(r"[^\s\"'<>`]{0,512}")
_PLAIN = dict.fromkeys("\u00ab\u00bb\u201c\u201d\u201e\u201f", '"') | dict.fromkeys(
    "\u2018\u2019\u201a\u201b\u2039\u203a", "'"
)
_PRINTABLE = range(32, 127)


class View:
    """A reading of a part of a text, where some pieces of it are read otherwise."""

    def __init__(self, source: str, start: int, end: int, found: list[tuple[int, int]]) -> None:
        """`found`: where the pieces stand, in order; one that overlaps the one before it is left as it is."""
        self._pieces: list[tuple[int, int, str]] = []  # from where to where, and how it is read
        parts, at = [], start
        for begin, stop in found:
            if begin >= at:
                plain = _plain(source[begin:stop])
                self._pieces.append((begin, stop, plain))
                parts += [source[at:begin], plain]
                at = stop
        self.text = "".join([*parts, source[at:end]])
        self._start, self._end = start, end

    def may_hold(self, head: str) -> bool:
        """Tell whether a literal may be here that is not in the source; not if it was there with a letter between."""
        return not self._signs.isdisjoint(head) or "\\" in self._signs or "" in self._signs

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span of the view stands in the text as it came."""
        return self._at(start)[0], self._at(end - 1)[1]

    @cached_property
    def _signs(self) -> set[str]:
        return {plain.lower() for _, _, plain in self._pieces}

    @cached_property
    def _stands(self) -> tuple[list[int], list[tuple[int, int]]]:
        """For each piece, and for each stretch between two: where it begins here, and where it stands there."""
        starts, stands, at, length = [], [], self._start, 0
        for begin, stop, plain in [*self._pieces, (self._end, self._end, "")]:
            for size, span in ((begin - at, (at, begin)), (len(plain), (begin, stop))):
                if size:
                    starts.append(length)
                    stands.append(span)
                    length += size
            at = stop
        return starts, stands

    def _at(self, place: int) -> tuple[int, int]:
        starts, stands = self._stands
        number = bisect_right(starts, place) - 1
        begin, end = stands[number]
        following = starts[number + 1] if number + 1 < len(starts) else len(self.text)
        if following - starts[number] != end - begin:  # one character that was written as several
            return begin, end
        return begin + place - starts[number], begin + place - starts[number] + 1


def views(text: str) -> Iterator[View]:
    """Yield the readings that differ from the text; most texts have none."""
    found = [] if text.isascii() else [*_odd(text)]
    patterns = []
    if "\x1b" in text:
        patterns.append(_COLOUR)
    if "\x00" in text:
        patterns.append(_NUL)
    if "\\" in text and _ESCAPES.search(text):
        patterns.append(_ESCAPED)
    if "&" in text:
        patterns.append(_ENTITY)
    found += [match.span() for pattern in patterns for match in pattern.finditer(text)]
    if found:
        yield View(text, 0, len(text), sorted(found, key=itemgetter(0)))
    if "%" in text:
        yield from _unquoted(text)


def _odd(text: str) -> Iterator[tuple[int, int]]:
    """Look where ASCII has no character: in bytes, which is many times as fast."""
    for other in _OTHER.finditer(text.encode("ascii", "replace")):
        yield from (match.span() for match in _ODD.finditer(text, *other.span()))


def _unquoted(text: str) -> Iterator[View]:
    """Yield each word that holds percent escapes, resolved: the rest of the text need not be read again."""
    done = 0
    for match in _PERCENT.finditer(text):
        if match.start() < done:
            continue
        back = _PIECE_BACK.match(text[max(done, match.start() - 512) : match.start()][::-1])
        start = match.start() - (back.end() if back else 0)
        piece = _PIECE.match(text, match.end())
        done = piece.end() if piece else match.end()
        yield View(text, start, done, [escape.span() for escape in _PERCENT.finditer(text, start, done)])


@lru_cache(10_000)
def _plain(odd: str) -> str:
    """Return what is meant by an odd character or an escape, in one character; nothing for what is not seen."""
    if odd.startswith("%"):
        return chr(int(odd[1:], 16))
    if odd.startswith("&"):
        return unescape(odd)
    if odd.startswith("\\"):
        code = odd.lstrip("\\")
        number = int(code[1:5], 16) if code[0] in "uU" else 0
        return chr(number) if number in _PRINTABLE and len(code) == len("u0000") else ""
    if odd in _PLAIN:
        return _PLAIN[odd]
    plain = unicodedata.normalize("NFKC", odd[:1])
    return plain if len(plain) == 1 and ord(plain) in _PRINTABLE else ""
