"""Duplicates: texts that say the same in more than 70 % of their words, and texts that lie whole inside another.

Pairs are sifted by the two-word sequences they share, kept as bits of one number a text, and those that are left are
compared word by word in order (`difflib`). Which of two is the original does not depend on the order of files.
"""

import difflib
import itertools
import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from nightschool.night.conflicts.text import body

ALIKE, INSIDE = 0.70, 0.90
FEWEST = 8  # words that a text must have to be compared; shorter ones must be equal
_BITS = 1 << 14
_SIFT = 0.30  # share of the smaller text's sequences: 30 % scattered changes leave about half of them
_LONGEST = 5000  # words compared
_IN_ORDER = 600  # words; longer texts are compared by their two-word sequences alone, in linear time


@dataclass(frozen=True)
class Twins:
    """Two texts, the one to keep first."""

    keep: str
    other: str
    kind: Literal["duplicate", "containment"]
    share: float


def twins(texts: Mapping[str, str]) -> list[Twins]:
    """Return the pairs that are duplicates, or of which the other lies inside the one to keep."""
    ordered = sorted(texts, key=lambda path: (path.count("/"), len(path), path))
    words = {path: _words(texts[path]) for path in ordered}
    told = [(path, *_sketch(words[path])) for path in ordered if words[path]]
    found = []
    for place, (path, bits, count) in enumerate(told):
        for other, other_bits, other_count in told[place + 1 :]:
            least = min(count, other_count)
            if (bits & other_bits).bit_count() >= _SIFT * least and (twin := _compared(path, other, words)):
                found.append(twin)
    return found


@lru_cache(maxsize=16384)
def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", body(text).casefold())[:_LONGEST])


@lru_cache(maxsize=16384)
def _sketch(words: tuple[str, ...]) -> tuple[int, int]:
    marks = {zlib.crc32(f"{one} {two}".encode()) % _BITS for one, two in itertools.pairwise(words)}
    marks = marks or {zlib.crc32(words[0].encode()) % _BITS}
    data = bytearray(_BITS // 8)
    for mark in marks:
        data[mark >> 3] |= 1 << (mark & 7)
    return int.from_bytes(data, "little"), len(marks)


def _compared(path: str, other: str, words: Mapping[str, tuple[str, ...]]) -> Twins | None:
    one, two = words[path], words[other]
    if one == two:
        return Twins(path, other, "duplicate", 1.0)
    short, long = sorted((one, two), key=len)
    if len(short) < FEWEST:
        return None
    same = _same(one, two)
    if same / len(long) > ALIKE:
        return Twins(path, other, "duplicate", same / len(long))
    if same / len(short) >= INSIDE:
        keep, inside = (other, path) if one is short else (path, other)
        return Twins(keep, inside, "containment", same / len(short))
    return None


@lru_cache(maxsize=4096)
def _same(one: tuple[str, ...], two: tuple[str, ...]) -> int:
    if len(one) + len(two) > 2 * _IN_ORDER:
        pairs = [Counter(itertools.pairwise(words)) for words in (one, two)]
        shared = (pairs[0] & pairs[1]).total()
        # a pair of words survives when both do, so the share of words is the root of the share of pairs
        return round(math.sqrt(shared * min(len(one), len(two))))
    matcher = difflib.SequenceMatcher(None, one, two, autojunk=False)
    return sum(match.size for match in matcher.get_matching_blocks())
