"""Imports: what other tools remember, read without writing to them, as blocks that name their source.

Imported blocks are found by search and shown as imported; no session is ever told of one by itself.
"""

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from nightschool.errors import NightschoolError
from nightschool.memory.cases import block_id
from nightschool.memory.told import statements
from nightschool.records import Block, BlockKind, Place, Voice

_LONGEST = 4_000  # characters of an imported text
_LARGE = 200_000_000  # bytes of a file that is read
_NOTES = 5_000_000  # bytes of notes: they are redacted as a whole
_CUT = 20_000  # characters of an item that are redacted
_VALUE = 2_000_000  # bytes of one value of a database, which may be computed: a file need not hold it
_STEPS = 500  # millions of steps of SQLite's machine, for all of a database
_MILLIS = 10**11
_HEADING = re.compile(r"^#{1,6}\s+(.+)$")
_BULLET = re.compile(r"^\s*[-*+]\s+(.+)$")


class _Item(NamedTuple):
    title: str
    text: str
    at: datetime
    project: str
    where: str


def read(path: Path, project: str, redact: Callable[[str], str]) -> list[Block]:
    """Return what a file remembers as blocks, redacted; nothing is written.

    Known are: a session-memory database (tables `observations`, `session_summaries`), a trace database (`events`,
    `patterns`), an agents' ledger (`agents`: those that failed), trace lines (`*.jsonl`) and Markdown notes. `project`
    is given to what names none.
    Raises NightschoolError when the file is none of these, too large, or cannot be read.
    """
    try:
        if not path.is_file() or path.stat().st_size > _LARGE:
            raise NightschoolError("no such file, or one too large to import", where=path)
        with path.open("rb") as stream:
            head = stream.read(16)
        items = list(_within(_items(path, head, redact), path))
    except (OSError, sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
        raise NightschoolError("cannot read what is to be imported", where=path, why=error) from error
    blocks = {block.id: block for item in items if (block := _block(path, item, project, redact))}
    return list(blocks.values())


def _within(items: Iterator[_Item], path: Path) -> Iterator[_Item]:
    """Pass items on, cut far behind what is kept of them; a file that says more than it can hold is refused."""
    said = 0
    for item in items:
        said += len(item.title) + len(item.text)
        if said > _LARGE:
            raise NightschoolError("it says more than a file of its size holds", where=path)
        yield item._replace(title=item.title[:_CUT], text=item.text[:_CUT])


def _items(path: Path, head: bytes, redact: Callable[[str], str]) -> Iterator[_Item]:
    if head.startswith(b"SQLite format 3"):
        yield from _database(path)
    elif path.suffix == ".jsonl":
        yield from _trace(path)
    elif path.suffix.casefold() in {".md", ".mdc", ".txt"}:
        yield from _notes(path, redact)
    else:
        raise NightschoolError("not a memory that can be imported", where=path, fix="Known: SQLite, JSONL, Markdown.")


def _block(path: Path, item: _Item, project: str, redact: Callable[[str], str]) -> Block | None:
    title = " ".join(redact(_whole(item.title)).split())[:160]
    text = redact(_whole(item.text.strip()))[:_LONGEST]
    if not (title or text):
        return None
    place = Place(platform="import", session="", at=item.at, source=f"{path}#{item.where}")
    home = redact(_whole(item.project)) if item.project.startswith("/") else project
    return Block(
        id=block_id(BlockKind.DOMAIN, home, ("import", title, text)),
        kind=BlockKind.DOMAIN,
        title=title or " ".join(text.split())[:160],
        text="" if text == title else text,
        not_when="Imported: nobody has checked it here.",
        project=home,
        voice=Voice.IMPORTED,
        says="import",
        created=item.at,
        seen=item.at,
        evidence=(place,),
    )


def _whole(text: str) -> str:
    """Return a text that can be written: JSON can name halves of a letter."""
    return text.encode(errors="replace").decode()


def _bounded(database: sqlite3.Connection) -> None:
    """Keep what a file's schema computes within bounds: a column may say what it holds, at any length."""
    left = iter(range(_STEPS))
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE)
    database.execute("PRAGMA trusted_schema = OFF")
    database.set_progress_handler(lambda: next(left, None) is None, 1_000_000)
    database.text_factory = lambda data: data.decode(errors="replace")


def _database(path: Path) -> Iterator[_Item]:
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable={0 if _beside(path).exists() else 1}"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=5)) as database:
        _bounded(database)
        database.row_factory = sqlite3.Row
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        known = [(table, take) for table, take in _TABLES.items() if table in tables]
        if not known:
            raise NightschoolError("a database with no table that can be imported", where=path)
        for table, take in known:
            for row in database.execute(f'SELECT rowid AS number_, * FROM "{table}"'):  # noqa: S608  names of our own
                told = dict(row)
                title, text = take(told)
                if title or text:
                    project = str(told.get("project") or told.get("cwd") or told.get("worktree_path") or "")
                    yield _Item(title, text, _when(told, path), project, f"{table}:{told['number_']}")


def _beside(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _observation(row: dict[str, Any]) -> tuple[str, str]:
    parts = [row.get(key) for key in ("subtitle", "narrative", "text", "facts", "concepts")]
    return str(row.get("title") or ""), "\n".join(str(part) for part in parts if part)


def _summary(row: dict[str, Any]) -> tuple[str, str]:
    keys = ("investigated", "learned", "completed", "next_steps", "notes")
    return str(row.get("request") or ""), "\n".join(f"{key}: {row[key]}" for key in keys if row.get(key))


def _pattern(row: dict[str, Any]) -> tuple[str, str]:
    kind = str(row.get("event_class") or "")
    session = row.get("session_id")
    return (
        (f"{kind}: {row.get('count')} time(s)" + (f" in session {session}" if session else ""), "")
        if kind
        else ("", "")
    )


def _event(row: dict[str, Any]) -> tuple[str, str]:
    """Only failures and corrections are worth a block."""
    kind = str(row.get("event_class") or "")
    wanted = row.get("is_error") or kind.startswith(
        ("tool_error", "user_correction", "permission_denied", "retry_loop")
    )
    if not wanted:
        return "", ""
    where = f" ({row['file_path']})" if row.get("file_path") else ""
    return f"{kind or 'error'} {row.get('tool') or ''}{where}".strip(), str(row.get("message") or "")


def _agent(row: dict[str, Any]) -> tuple[str, str]:
    """Of agents only those that did not do what they were for."""
    outcome, state = str(row.get("outcome") or ""), str(row.get("status") or "")
    if outcome not in {"partial", "scaffolding", "fail"} and state not in {"failed", "rejected"}:
        return "", ""
    where = f" on {row['branch']}" if row.get("branch") else ""
    told = ", ".join(word for word in (state, f"outcome {outcome}" if outcome else "") if word)
    return (str(row["summary"]), f"agent {row['id']}{where}: {told}") if row.get("summary") else ("", "")


_TABLES: dict[str, Callable[[dict[str, Any]], tuple[str, str]]] = {
    "observations": _observation,
    "session_summaries": _summary,
    "patterns": _pattern,
    "events": _event,
    "agents": _agent,
}


def _when(row: dict[str, Any], path: Path) -> datetime:
    keys = ("created_at_epoch", "created_at", "last_seen_ts", "ts", "timestamp", "finished_ts", "started_ts")
    return next((at for key in keys if (at := _instant(row.get(key)))), _file_time(path))


def _instant(value: object) -> datetime | None:
    with contextlib.suppress(ValueError, OverflowError, OSError):
        if isinstance(value, int | float) and value > 0:
            return datetime.fromtimestamp(value / (1000 if value > _MILLIS else 1), UTC)
        if isinstance(value, str) and value:
            at = datetime.fromisoformat(value)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return None


def _file_time(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _trace(path: Path) -> Iterator[_Item]:
    """Read trace lines, the ones like transcripts and the flat ones of old; a line that is none is passed over."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            with contextlib.suppress(ValueError, AttributeError, TypeError, RecursionError):
                told = json.loads(line)
                at = _instant(told.get("timestamp") or told.get("ts")) or _file_time(path)
                cwd = str(told.get("cwd") or "")
                if told.get("kind") is not None or "event_class" in told:
                    title, text = _event(told)
                    if title:
                        yield _Item(title, text, at, cwd, f"{number}")
                for said in _stated(told):
                    yield _Item(said, said, at, cwd, f"{number}")


def _stated(told: dict[str, Any]) -> Iterator[str]:
    message = told.get("message")
    if told.get("type") != "user" or not isinstance(message, dict) or told.get("isMeta"):
        return
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    texts = [
        b["text"] for b in blocks if isinstance(b, dict) and b.get("type") == "text" and isinstance(b.get("text"), str)
    ]
    for text in [content] if isinstance(content, str) else texts:
        for statement in statements(text) if len(text) < _LONGEST else ():
            yield statement.text


def _notes(path: Path, redact: Callable[[str], str]) -> Iterator[_Item]:
    """Read notes: one item a bullet, or a section where it has none; its heading goes before it.

    They are redacted as a whole: a line of a key, by itself, is not known for one.
    """
    if path.stat().st_size > _NOTES:
        raise NightschoolError("notes are too large to import", where=path, why=f"over {_NOTES:,} bytes")
    at, heading, start = _file_time(path), "", 1
    plain: list[str] = []
    for number, line in enumerate(redact(path.read_text(encoding="utf-8")).splitlines(), 1):
        if found := _HEADING.match(line):
            if plain:
                yield _section(heading, plain, at, start)
            heading, plain, start = found[1].strip(), [], number
        elif found := _BULLET.match(line):
            yield _Item(found[1], f"{heading}: {found[1]}" if heading else found[1], at, "", str(number))
        elif line.strip() and not line.startswith(("---", "<!--")):
            plain.append(line.strip())
    if plain:
        yield _section(heading, plain, at, start)


def _section(heading: str, plain: list[str], at: datetime, start: int) -> _Item:
    return _Item(heading or plain[0], "\n".join(plain), at, "", str(start))
