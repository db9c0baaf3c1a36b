"""Secrets known by the column or the block they stand in: CSV, Markdown, what `psql` prints, INSERT, a cluster's own.

The header tells which column holds passwords or tokens; of that column each value is taken that looks random.
"""

import re
from collections.abc import Container, Iterator
from itertools import chain

from nightschool.day.secret_shapes import Span, has_digit, stands_in

_SECRET = re.compile(
    r"[\"'`* ]*(?:\w{1,20}[ _-])?(?:password|passwd|pwd|passphrase|secret|token|api[ _-]?key|access[ _-]?key|"
    r"private[ _-]?key|secret[ _-]?key|pass)(?:[ _-](?:hash|key|value))?[\"'`* ]*"
)
_FIELD = re.compile(r"[\"'`]?[\w .@#-]{1,40}[\"'`]?")
_CSV = {head: re.compile(head + r"[\w ]{0,12}[\"']?[ ]?(?=[,;\t]|\r?\n)") for head in ("password", ",secret", ",token")}
_RULERS = ("--|", "-- |", "-+-")
TABLE_WORDS = (*_RULERS, *_CSV, "insert into", "kind")
"""One of these is in every text with a table or a block."""

_RULER = re.compile(r"[ \t]*[-|+: ]*--[-|+: ]*\r?")
_INSERT = re.compile(r"insert into [\w.\"`\[\]]{1,80} ?\((?P<names>[^()\n]{3,400})\)\s{1,4}values\s{0,4}")
_TUPLE = re.compile(r"\((?P<row>(?:'(?:[^'\n]|'')*'|[^()'\n])*)\)[\s,]{0,4}")
_CELL = re.compile(r"'(?:[^'\n]|'')*'|[^,']+")
_ROWS = 200
_WIDEST = 1000  # characters of a header
_LEAST = 6


def columned(scan: str, low: str, heads: Container[str]) -> Iterator[Span]:
    """Yield the values of columns whose header names a secret; `low` is `scan` in lower case, `heads` what is in it."""
    for start, end in _cells(scan, low, heads):
        value = scan[start:end]
        left = len(value) - len(value.lstrip(" \t\"'`"))
        value = value.strip(" \t\r\"'`")
        if (
            len(value) >= _LEAST
            and has_digit(value)
            and not value.isdigit()
            and " " not in value
            and not stands_in(value)
        ):
            yield start + left, start + left + len(value), "column"


def _cells(scan: str, low: str, heads: Container[str]) -> Iterator[tuple[int, int]]:
    done = 0
    for ruler in _RULERS:
        at = low.find(ruler) if ruler in heads else -1
        while at >= 0:
            start, end = _line(low, at)
            if start and start >= done and _RULER.fullmatch(low, start, end):
                header, done = _line(low, start - 1)[0], end
                yield from _rows(scan, low[header : start - 1].rstrip("\r"), "|", end)
            at = low.find(ruler, end)
    for head in chain.from_iterable(pattern.finditer(low) for head, pattern in _CSV.items() if head in heads):
        start, end = _line(low, head.start())
        line = low[start:end].rstrip("\r") if end - start < _WIDEST else ""
        mark = next((mark for mark in (",", "\t", ";") if mark in line), "")
        fields = line.split(mark) if mark else []
        if fields and all(_FIELD.fullmatch(field) for field in fields):
            yield from _rows(scan, line, mark, end)
    if "insert into" in heads:
        yield from _inserted(low)


def _line(text: str, at: int) -> tuple[int, int]:
    """Return where the line begins and ends in which `at` is."""
    end = text.find("\n", at)
    return text.rfind("\n", 0, at) + 1, len(text) if end < 0 else end


def _rows(scan: str, header: str, mark: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield the cells under the secrets' names, from the line after `at` on, while lines have as many cells."""
    names = header.split(mark)
    wanted = [number for number, name in enumerate(names) if _SECRET.fullmatch(name)]
    for _ in range(_ROWS if wanted and len(names) > 1 else 0):
        start = scan.find("\n", at) + 1
        if not start:
            return
        at = scan.find("\n", start)
        at = len(scan) if at < 0 else at
        cells = scan[start:at].split(mark)
        if len(cells) != len(names):
            if mark == "|" and set(scan[start:at]) <= set("+-| \r"):  # the ruler under a boxed header
                continue
            return
        ends = [start - 1]
        for cell in cells:
            ends.append(ends[-1] + 1 + len(cell))
        yield from ((ends[number] + 1, ends[number + 1]) for number in wanted)


def _inserted(low: str) -> Iterator[tuple[int, int]]:
    for insert in _INSERT.finditer(low):
        names = insert["names"].split(",")
        wanted = [number for number, name in enumerate(names) if _SECRET.fullmatch(name)]
        at = insert.end()
        while wanted and (row := _TUPLE.match(low, at)):
            at = row.end()
            cells = [cell for cell in _CELL.finditer(low, *row.span("row")) if cell[0].strip()]
            if len(cells) == len(names):
                yield from (cells[number].span() for number in wanted)


_SECRET_KIND = re.compile(r"kind\\?\"?: ?\\?\"?secret\b")
_DATA = re.compile(r"(?:^|\n)(?P<pad>[ \t]*)(?:string)?data:[ \t]*\r?(?=\n)")
_ITEM = re.compile(r"\n(?P<pad>[ \t]+)[\w.-]{1,120}: ?[\"']?(?P<s>[^\s\"'|>]{4,})[\"']?[ \t]*\r?(?=\n|\Z)")
_JSON_DATA = re.compile(r"\"(?:string)?data\\?\": ?\{(?P<all>[^{}]*)\}")
_JSON_ITEM = re.compile(r"\\?\": ?\\?\"(?P<s>[^\"\\\s]{4,})")
_NEAR = 8192


def clustered(scan: str, low: str, heads: Container[str]) -> Iterator[Span]:
    """Yield the data of a Kubernetes Secret, as YAML or JSON: all of it is secret, whatever its keys are called."""
    if "kind" not in heads:
        return
    done = 0
    for kind in _SECRET_KIND.finditer(low):
        start, end = max(low.rfind("\n---", 0, kind.start()), kind.start() - _NEAR, 0), low.find("\n---", kind.end())
        end = min(len(low) if end < 0 else end, kind.end() + _NEAR)
        start, done = max(start, done), end  # each line is read once
        for data in _DATA.finditer(low, start, end):
            at = data.end()
            while (item := _ITEM.match(scan, at, end)) and len(item["pad"]) > len(data["pad"]):
                at = item.end()
                if not stands_in(item["s"]):
                    yield *item.span("s"), "cluster-secret"
        for data in _JSON_DATA.finditer(low, start, end):
            for item in _JSON_ITEM.finditer(scan, *data.span("all")):
                if not stands_in(item["s"]):
                    yield *item.span("s"), "cluster-secret"
