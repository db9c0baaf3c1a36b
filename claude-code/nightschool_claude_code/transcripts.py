"""Claude Code's transcripts (JSONL, one record a line) into neutral sessions, by byte offset.

Only whole lines are consumed. What is not JSON, not an object, not UTF-8, too long or of an unknown type is counted
and left out. A file that was truncated or replaced is read anew; one that moved is read on. Record types and their
fields are those of clients 2.1.44 to 2.1.329; unknown fields are ignored.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from pydantic_core import from_json

from nightschool.records import NightRequest, Session, Source, TranscriptRef
from nightschool_claude_code.rules import config_dir
from nightschool_claude_code.turns import IGNORED, Builder

MAX_LINE = 16 * 2**20  # bytes; a longer line is skipped without being held in memory
HEAD = 1024  # bytes that tell whether a file is still the same
_CHUNK = 2**20
_LARGE = (
    2**20
)  # bytes of a line of which long strings are parsed without their middle: as text they take up to 4 times more
_LONG, _END = 2**18, 2**17  # bytes of such a string, and what is kept of it at either end
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # possessive: linear whatever the line holds
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def transcripts(request: NightRequest) -> Iterator[TranscriptRef]:
    """Yield every session's file; those of sub-agents lie deeper and are not sessions of the user's."""
    root = config_dir(request) / "projects"
    try:
        folders = sorted(entry.path for entry in os.scandir(root) if entry.is_dir())
    except OSError:
        return
    for folder in folders:
        with contextlib.suppress(OSError):  # a folder that vanishes while it is read holds no session any more
            yield from _in_folder(folder)


def _in_folder(folder: str) -> Iterator[TranscriptRef]:
    for entry in sorted(os.scandir(folder), key=lambda found: found.name):
        name = entry.name.removesuffix(".jsonl")
        if name == entry.name or not _NAME.fullmatch(name) or _of_an_agent(entry.path) or not entry.is_file():
            continue
        with contextlib.suppress(OSError):  # it vanished
            info = entry.stat()
            yield TranscriptRef(
                platform="claude-code", session=name, path=entry.path, size=info.st_size, mtime_ns=info.st_mtime_ns
            )


def _of_an_agent(path: str) -> bool:
    """Tell whether the file is a sub-agent's; clients before 2.1 put these beside the sessions."""
    folder, name = os.path.split(path)
    return name.startswith("agent-") or folder.endswith(f"{os.sep}subagents")


def read(name: str, path: str, known: Session | None) -> Session | None:
    """Read session `name` on from where `known` ends; from the start when there is none or the file is another.

    Returns `known` itself when nothing was added, without opening the file when its size and time are as they were,
    and None when there is no such file and nothing is known. Raises OSError when the file may not be read.
    """
    if _of_an_agent(path):
        return None
    try:
        info = os.stat(path)  # noqa: PTH116  hot: a night looks at thousands
        if not stat.S_ISREG(info.st_mode):  # a device or a pipe may never end
            return None
        if known is not None and _unchanged(known.source, path, info):
            return known
        with open(path, "rb") as stream:  # noqa: PTH123
            return _read(stream, name, path, known)
    except (FileNotFoundError, NotADirectoryError):
        return known


def _unchanged(source: Source, path: str, info: os.stat_result) -> bool:
    return (source.path, source.size, source.mtime_ns) == (path, info.st_size, info.st_mtime_ns)


def _read(stream: BinaryIO, name: str, path: str, known: Session | None) -> Session | None:
    info = os.fstat(stream.fileno())
    if known is not None and not _continues(stream, info.st_size, known.source):
        known = None
    begin = known.source.offset if known else 0
    builder = Builder(name, known)
    skipped: Counter[str] = Counter(known.skipped if known else {})
    end = begin
    for start, line in _lines(stream, begin, skipped):
        if line is not None:
            record = _record(line, skipped)
            if record is not None and not builder.add(record, start, start + len(line.rstrip())):
                skipped["unknown-type"] += 1
        end = stream.tell() if line is None else start + len(line)
    source = Source(path=path, offset=end, size=info.st_size, mtime_ns=info.st_mtime_ns, head=_head(stream, end))
    return builder.session(source, dict(skipped), fallback=info.st_mtime)


def _continues(stream: BinaryIO, size: int, source: Source) -> bool:
    """Tell whether the file still begins with what was consumed from it."""
    return size >= source.offset and _head(stream, source.offset) == source.head


def _head(stream: BinaryIO, offset: int) -> str:
    stream.seek(0)
    return hashlib.sha256(stream.read(min(HEAD, offset))).hexdigest()


def _lines(stream: BinaryIO, offset: int, skipped: Counter[str]) -> Iterator[tuple[int, bytes | None]]:
    """Yield (start, line) for each whole line from `offset`; None for one that is too long and was passed over.

    A last line without its end is yielded only when it is a whole record: the client may still be writing it.
    """
    stream.seek(offset)
    while line := stream.readline(MAX_LINE):
        start, offset = offset, offset + len(line)
        if line.endswith(b"\n"):
            yield start, line
        elif len(line) == MAX_LINE:
            if not _pass_over(stream):
                return
            skipped["too-long"] += 1
            offset = stream.tell()
            yield start, None
            stream.seek(offset)
        else:
            if line.rstrip().endswith(b"}") and _record(line, Counter()) is not None:
                yield start, line
            return


def _pass_over(stream: BinaryIO) -> bool:
    """Move behind the end of the line; False when it has none yet."""
    while chunk := stream.readline(_CHUNK):
        if chunk.endswith(b"\n"):
            return True
    return False


def _record(line: bytes, skipped: Counter[str]) -> dict[str, object] | None:
    """Parse one line; count why when it is no record."""
    if len(line) > _LARGE:
        line = _STRING.sub(_without_middle, line)
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
    kind = record.get("type")
    return None if isinstance(kind, str) and kind in IGNORED else record


def _mended(line: bytes) -> object:
    """Parse a line whose only fault is half of a surrogate pair: the client leaves one where it cuts a text."""
    if not _SURROGATE.search(line):
        return None
    try:
        return from_json(json.dumps(json.loads(line.decode()), ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _without_middle(found: re.Match[bytes]) -> bytes:
    string = found.group()
    if len(string) <= _LONG or not string.endswith(b'"'):
        return string
    # A cut may go through an escaped pair, of 12 bytes, or a character: the first one that leaves a string is taken.
    heads = (string[: _END - less] for less in range(13))
    tails = (string[less - _END :] for less in range(13))
    head = next((head for head in heads if _is_string(head + b'"')), b'"')
    return head + b"\\n" + next((tail for tail in tails if _is_string(b'"' + tail)), b'"')


def _is_string(text: bytes) -> bool:
    with contextlib.suppress(ValueError):
        return isinstance(from_json(text), str)
    return False


def _fault(line: bytes, error: ValueError) -> str:
    if "recursion" in str(error):
        return "too-deep"
    try:
        line.decode()
    except UnicodeDecodeError:
        return "not-utf8"
    return "not-json"
