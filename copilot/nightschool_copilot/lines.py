"""Files of JSON lines, read on by byte offset.

Only whole lines are consumed. What is not JSON, not an object, not UTF-8 or too long is counted and left out.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from pydantic_core import from_json

MAX_LINE = 16 * 2**20  # bytes; a longer line is skipped without being held in memory
HEAD = 1024  # bytes that tell whether a file is still the same
_CHUNK = 2**20
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_TYPE = re.compile(rb'\{"type":"([a-z_.]{1,64})"')

Record = dict[str, Any]


def head(stream: BinaryIO, offset: int) -> str:
    """Return what tells the bytes before `offset` from those of another file: a SHA-256 of the first of them."""
    stream.seek(0)
    return hashlib.sha256(stream.read(min(HEAD, offset))).hexdigest()


def records(
    stream: BinaryIO, offset: int, skipped: Counter[str], passed: Callable[[str], bool]
) -> Iterator[tuple[int, int, Record | None]]:
    """Yield (start, end, record) for each whole line from `offset`; the record is None where a line is left out.

    A line whose type is `passed` is not parsed: some hold the whole conversation once more. A last line without its
    end is consumed only when it is a whole record, for the client may still be writing it.
    """
    stream.seek(offset)
    while line := stream.readline(MAX_LINE):
        start, offset = offset, offset + len(line)
        if line.endswith(b"\n"):
            yield start, offset, _parsed(line, skipped, passed)
        elif len(line) == MAX_LINE:
            if not _pass_over(stream):
                return
            skipped["too-long"] += 1
            offset = stream.tell()
            yield start, offset, None
            stream.seek(offset)
        else:
            if line.rstrip().endswith(b"}") and (record := _parsed(line, Counter(), lambda _kind: False)) is not None:
                yield start, offset, None if passed(str(record.get("type"))) else record
            return


def _pass_over(stream: BinaryIO) -> bool:
    """Move behind the end of the line; False when it has none yet."""
    while chunk := stream.readline(_CHUNK):
        if chunk.endswith(b"\n"):
            return True
    return False


def _parsed(line: bytes, skipped: Counter[str], passed: Callable[[str], bool]) -> Record | None:
    kind = _TYPE.match(line)
    if kind and passed(kind[1].decode()):
        return None
    try:
        record = from_json(line.removeprefix(b"\xef\xbb\xbf"), cache_strings="keys")
    except ValueError as error:
        record = _mended(line)
        if record is None:
            if line.strip():
                skipped[_fault(line, error)] += 1
            return None
    if not isinstance(record, dict):
        skipped["not-object"] += 1
        return None
    return None if passed(str(record.get("type"))) else record


def _mended(line: bytes) -> object:
    """Parse a line whose only fault is half of a surrogate pair, left where a text was cut."""
    if not _SURROGATE.search(line):
        return None
    try:
        return from_json(json.dumps(json.loads(line.decode()), ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _fault(line: bytes, error: ValueError) -> str:
    if "recursion" in str(error):
        return "too-deep"
    try:
        line.decode()
    except UnicodeDecodeError:
        return "not-utf8"
    return "not-json"
