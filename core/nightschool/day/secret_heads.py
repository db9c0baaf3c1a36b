"""Which of the literals that searches begin with stand in a text. Most texts hold few of them, large ones too.

Looking a literal up costs a pass over the text, and there are about sixty; so each is looked for once, whoever asks,
and those that share a rare letter are looked for together, by that letter.
"""

import re
from collections.abc import Container
from functools import cached_property

# A literal is not there when a part of it is not that others share, or that is found faster.
_PARTS = {
    "password": "pass",
    "pass ": "pass",
    ",secret": "secret",
    ",token": "token",
    '"kty': "kty",
    'kty\\"': "kty",
    "-setcookie ": "cookie",
    "code=": "code",
    " codes": "code",
}
# Not those that many texts hold: these are found soon.
_TOGETHER = {
    "k": ("psk", "kennwort", "hook", "cookie", "kty", "key content", "dumpprivkey"),
    "b": ("bearer", "basic", "base64", "-----begin ", "---- begin ", "identified by ", "-b", "http-basic."),
    "w": ("pw", "wachtwoord", "whsec_", "rwrty0iy", "wifi:", "bw_session="),
    "h": ("senha", "phrase", "thin:", "echo "),
    "q": ("sqlplus ", "rabbitmqctl ", "sql:"),
    "j": ("eyj",),
    "|": ("--|", "-- |"),
    "@": ("@tcp(", "@unix("),
    "\t": ("e\t",),
    "{": ("d={",),
    "+": ("-+-",),
    "/": ("/p:", "1//0", "/key/", "/private-", "/user:", "/add"),
    "_": ("_pat", "_salt"),
}
_ASCII = "".join(map(chr, range(128)))
_OTHER = re.compile(rb"\?\?*")  # a letter first, for a fast search
LARGE = 2000  # characters of a text for which all this pays
_LONGEST = 16


def _by(letter: str, heads: tuple[str, ...]) -> re.Pattern[bytes]:
    """Match the letter where it stands in one of the literals; a search for one letter is the fastest there is."""
    cut = [head.partition(letter) for head in heads]
    either = "|".join(f"{re.escape(rest)}(?<={re.escape(head)})" for head, (_, _, rest) in zip(heads, cut, strict=True))
    return re.compile(f"{re.escape(letter)}(?:{either})".encode())


_LETTERS = tuple((letter.encode(), _by(letter, heads)) for letter, heads in _TOGETHER.items())
_JOINED = frozenset(head for heads in _TOGETHER.values() for head in heads)


class Heads:
    """The literals in a text in lower case."""

    def __init__(self, low: str, absent: Container[str] = ()) -> None:
        """`absent`: literals that are known not to be there."""
        self._known: dict[object, bool] = {}
        self._low, self._absent = low, absent
        self._flat = low.encode("ascii", "replace")  # a byte for each character is searched faster

    def __contains__(self, head: object) -> bool:
        there = self._known.get(head)
        if there is None:
            there = isinstance(head, str) and self._find(head)
            self._known[head] = there
        return there

    def absent(self) -> set[str]:
        """Return what was looked for in vain."""
        return {str(head) for head, there in self._known.items() if not there}

    def _find(self, head: str) -> bool:
        if head in self._absent or (head in _PARTS and _PARTS[head] not in self):
            return False
        if not head.isascii():
            return head.strip(_ASCII) in self._foreign and head in self._low
        return head.encode() in (self._around if head in _JOINED else self._flat)

    @cached_property
    def _around(self) -> bytes:
        """What is around the letters: two literals may stand in each other's way, so none is named yet."""
        there = (pattern for letter, pattern in _LETTERS if letter in self._flat)  # a letter is looked up faster still
        spans = (match.span() for pattern in there for match in pattern.finditer(self._flat))
        return b"\n".join({self._flat[max(0, start - _LONGEST) : end + _LONGEST] for start, end in spans})

    @cached_property
    def _foreign(self) -> str:
        """What is written in other letters than ASCII's."""
        low = self._low
        others = _OTHER.finditer(b"" if low.isascii() else self._flat)
        return "\n".join({low[other.start() : other.end()] for other in others})
