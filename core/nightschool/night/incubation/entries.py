"""A queue file: front matter that is ours, a blank line, and the user's text, which stays as it is to the byte.

Only the first two `---` lines belong to the front matter. When a task's status changes, the header is written anew and
every byte below it is copied.
"""

import os
import re
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from nightschool.day.redact import redact
from nightschool.errors import NightschoolError, UsageError
from nightschool.night.rules.hidden import visible
from nightschool.records import QueueTask

MOST = 4000  # characters of a text
LARGEST = 2**20  # bytes of a file that somebody has put there by hand
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
_HEAD = re.compile(rb"---[ \t]*\r?\n(.*?)\r?\n---[ \t]*\r?\n(?:\r?\n)?", re.DOTALL)
_LINE = re.compile(r"([a-z_]+):[ \t]*(.*?)[ \t]*")
_FIELDS = "|".join(QueueTask.model_fields)
# a rule of dashes followed by one of our fields, or by fields and another rule: it would be read as a header
_POSING = re.compile(
    rf"^---[ \t]*\r?\n(?:[ \t]*\r?\n)*(?:(?:{_FIELDS})[ \t]*:|(?:[A-Za-z_][\w-]*[ \t]*:.*\r?\n)+---[ \t]*\r?$)",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Entry:
    """One queue file as read."""

    task: QueueTask
    body: bytes

    @property
    def text(self) -> str:
        """The user's text."""
        return self.body.decode(errors="replace")

    @property
    def title(self) -> str:
        """The first words of the text, in one line: without secrets, and without what a terminal would obey."""
        line = " ".join(visible(redact(self.text)).split())
        return line if len(line) <= 80 else line[:79] + "…"  # noqa: PLR2004

    def data(self) -> bytes:
        """Return the file's bytes."""
        return _header(self.task) + self.body


def checked_text(text: str) -> bytes:
    """Return a new task's text as bytes. Raises UsageError: empty, too long, not text, or with front matter in it."""
    if not text.strip():
        raise UsageError("there is no text to sleep on", fix='Try: nightschool queue add "what you want to know".')
    if len(text) > MOST:
        why = f"it has {len(text):,} characters, and {MOST:,} are allowed"
        raise UsageError("the text is too long", why=why, fix="Shorten it, or name a file to read.")
    if _POSING.search(text):
        fix = "Leave the lines between the `---` out; options say the same."
        raise UsageError("the text holds front matter of its own", fix=fix)
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise UsageError("the text is not UTF-8", why=error.reason) from error
    if b"\0" in data:
        raise UsageError("the text is not UTF-8", why="it holds a NUL character")
    return data


def parsed(path: Path) -> Entry:
    """Read a queue file. Raises NightschoolError when it is not one."""
    fix = "Mend its front matter, or move it elsewhere."
    data = _read(path)
    head = _HEAD.match(data)
    if head is None:
        raise NightschoolError("not a queue file", where=path, why="it has no front matter", fix=fix)
    lines = [_LINE.fullmatch(line) for line in head[1].decode(errors="replace").splitlines() if line.strip()]
    told = {line[1]: None if line[2] in {"null", ""} else line[2].strip("\"'") for line in lines if line}
    try:
        task = QueueTask.model_validate(told)
    except ValidationError as error:
        fault = error.errors()[0]
        why = f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        raise NightschoolError("not a queue file", where=path, why=why, fix=fix) from error
    if task.uuid != path.stem:
        raise NightschoolError("not a queue file", where=path, why="its name is not its uuid", fix=fix)
    return Entry(task, data[head.end() :])


def _read(path: Path) -> bytes:
    """Read a plain file of a decent size: whoever drops a pipe or a device here must not stop the night."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE)) as stream:
            plain = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
            data = stream.read(LARGEST + 1) if plain else b""
    except OSError as error:
        raise NightschoolError("a queued task cannot be read", where=path, why=error.strerror) from error
    if not plain or len(data) > LARGEST:
        why = f"it is larger than {LARGEST:,} bytes" if plain else "it is no plain file"
        raise NightschoolError("not a queue file", where=path, why=why, fix="Move it elsewhere.")
    return data


def _header(task: QueueTask) -> bytes:
    told = {name: _shown(getattr(task, name)) for name in QueueTask.model_fields}
    return "".join(["---\n", *(f"{name}: {value}\n" for name, value in told.items()), "---\n\n"]).encode()


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else str(value)
