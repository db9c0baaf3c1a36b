"""Erasing: take a text out of every file we keep, and prove by a search for its bytes that it is gone.

Receipts are left as they are: their bytes are what `undo` restores, and a changed one would restore nothing. When the
text stands there, that is told, and the erasing counts as not done.
"""

import contextlib
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nightschool.errors import NightschoolError
from nightschool.files import write_whole
from nightschool.memory import vectors
from nightschool.memory.index import Index
from nightschool.paths import Home

INSTEAD = "[forgotten]"
LEAST = 4  # characters: a shorter text stands in everything
_DATABASES = (".db",)
_PASSING = (".lock", ".holder")


def erase(home: Home, texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take texts out, in whatever case; return the files that were written anew and those that still hold one.

    Raises NightschoolError when a text is too short to be told from others, or the disk refuses.
    """
    wanted = sorted({" ".join(text.split()) for text in texts if text.strip()}, key=len, reverse=True)
    if short := [text for text in wanted if len(text) < LEAST]:
        raise NightschoolError("too short to be erased: it would cut into everything", where=repr(short[0]))
    patterns = [re.compile(_spelt(text), re.IGNORECASE) for text in wanted]
    written = []
    shutil.rmtree(home.sync / "repo.git", ignore_errors=True)  # packed: no search would find it; it is made anew
    home.tally.unlink(missing_ok=True)  # made again from the journal
    for path in _files(home):
        if path.is_relative_to(home.receipts):
            continue
        if path.suffix in _DATABASES:
            changed = path != Index(home).path and _in_database(path, patterns)
        else:
            changed = _in_file(path, patterns)
        if changed:
            written.append(str(path))
    vectors.forget(home)
    Index(home).rebuild()
    return written, remaining(home, wanted)


def remaining(home: Home, texts: Sequence[str]) -> list[str]:
    """Return every file under the home whose bytes hold one of the texts, however JSON or upper case spells it."""
    patterns = [re.compile(_spelt(text).encode(), re.IGNORECASE) for text in texts]
    return [str(path) for path in _files(home) if _holds(path, patterns)]


def _holds(path: Path, patterns: list[re.Pattern[bytes]]) -> bool:
    try:
        data = path.read_bytes()
    except OSError:
        return False
    folded = data.decode(errors="replace")
    return any(p.search(data) or re.search(p.pattern.decode(), folded, re.IGNORECASE) for p in patterns)


def _spelt(text: str) -> str:
    """Return a pattern of a text, its blanks of any kind, each letter plain or as JSON escapes it."""
    return r"(?:\s|\\[nrt])+".join("".join(_letter(letter) for letter in word) for word in text.split())


def _letter(letter: str) -> str:
    forms = {letter, json.dumps(letter)[1:-1], json.dumps(letter, ensure_ascii=False)[1:-1]}
    if letter == "/":
        forms.add("\\/")
    told = sorted((re.escape(form) for form in forms), key=len, reverse=True)
    return told[0] if len(told) == 1 else f"(?:{'|'.join(told)})"


def _files(home: Home) -> Iterator[Path]:
    for path in sorted(home.root.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix not in _PASSING:
            yield path


def _in_file(path: Path, patterns: list[re.Pattern[str]]) -> bool:
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return False
    cleaned = text
    for pattern in patterns:
        cleaned = pattern.sub(INSTEAD, cleaned)
    if cleaned != text:
        write_whole(path, cleaned.encode(), mode=path.stat().st_mode & 0o777)
    return cleaned != text


def _in_database(path: Path, patterns: list[re.Pattern[str]]) -> bool:
    """Rewrite every text of an SQLite file that holds a pattern, and the file, so that no free page keeps the bytes."""
    changed = 0
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
            database.create_function("cleaned", 1, lambda value: _cleaned(value, patterns), deterministic=True)
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            with database:
                for table in tables:
                    columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
                    for column in columns:
                        sql = f'UPDATE "{table}" SET "{column}" = cleaned("{column}") '  # noqa: S608  names of our own
                        changed += database.execute(f'{sql} WHERE "{column}" IS NOT cleaned("{column}")').rowcount
            if changed:
                database.execute("VACUUM")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise NightschoolError("cannot erase in a database", where=path, why=error) from error
    return bool(changed)


def _cleaned(value: Any, patterns: list[re.Pattern[str]]) -> Any:
    if isinstance(value, bytes):
        with contextlib.suppress(UnicodeDecodeError):
            text = _cleaned(value.decode(), patterns)
            return text.encode() if isinstance(text, str) else value
    if isinstance(value, str):
        for pattern in patterns:
            value = pattern.sub(INSTEAD, value)
    return value
