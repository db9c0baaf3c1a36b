"""Chats of VS Code and its kin: `chatSessions/<id>.json`, rewritten whole, or `.jsonl`, a log of changes to an object.

Each line of a log sets a value at a path (kind 1), cuts an array and appends to it (2), removes one (3), or begins
with a whole object (0). Either way the object is made anew and read from its start when the file has changed. A
request of its `requests` is a turn; `response` holds the agent's text and its tools.
"""

import contextlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from nightschool.records import OWN_MARK, NightRequest, Session, Source, ToolCall, TranscriptRef, Turn
from nightschool_copilot.lines import Record, head, records
from nightschool_copilot.place import editor_dirs
from nightschool_copilot.texts import clip, count, instant, mapping, subject, text_of, typed

LARGEST = 128 * 2**20  # bytes; a larger file is no chat
_TOOL = "toolInvocationSerialized"
_CHAT = re.compile(r"(?:chatSessions|emptyWindowChatSessions)[/\\][A-Za-z0-9][A-Za-z0-9._-]{0,120}\.jsonl?\Z")


def is_chat(path: str) -> bool:
    """Tell whether a path is an editor's chat."""
    return _CHAT.search(path) is not None


def transcripts(request: NightRequest) -> Iterator[TranscriptRef]:
    """Yield every chat; of one that is there in both formats, the log, which is the newer."""
    for user in editor_dirs(request):
        folders = [*sorted((user / "workspaceStorage").glob("*/chatSessions"))]
        for folder in [*folders, user / "globalStorage" / "emptyWindowChatSessions"]:
            chats: dict[str, TranscriptRef] = {}
            with contextlib.suppress(OSError):  # there is none, or it vanished
                for path in sorted(folder.iterdir()):  # .json before .jsonl
                    if is_chat(str(path)) and path.is_file():
                        chats[path.stem] = _ref(path)
            yield from chats.values()


def _ref(path: Path) -> TranscriptRef:
    info = path.stat()
    return TranscriptRef(
        platform="copilot", session=path.stem, path=str(path), size=info.st_size, mtime_ns=info.st_mtime_ns
    )


def read(name: str, path: str, known: Session | None) -> Session | None:
    """Read a chat anew when it has changed. Raises OSError when the file may not be read."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            info = os.fstat(stream.fileno())
            if not stat.S_ISREG(info.st_mode):
                return None
            source = Source(path=path, offset=info.st_size, size=info.st_size, mtime_ns=info.st_mtime_ns)
            if known is not None and known.source.model_copy(update={"head": ""}) == source:
                return known
            skipped: Counter[str] = Counter()
            if info.st_size > LARGEST:
                return None
            if path.endswith(".jsonl"):
                chat = _replayed(record for _, _, record in records(stream, 0, skipped, lambda _kind: False) if record)
            else:
                chat = _whole(stream.read(), skipped)
            source = source.model_copy(update={"head": head(stream, info.st_size)})
    except (FileNotFoundError, NotADirectoryError):
        return known
    if not chat and known is not None:
        return known  # it is being written just now
    return _session(name, chat, source, dict(skipped), info.st_mtime)


def _whole(data: bytes, skipped: Counter[str]) -> Record:
    try:
        return mapping(json.loads(data))
    except (ValueError, RecursionError):
        skipped["not-json"] += 1
        return {}


def _replayed(log: Iterator[Record]) -> Record:
    """Apply the log's changes; one that fits nothing is passed over."""
    state: Any = {}
    for change in log:
        kind, path, value = change.get("kind"), change.get("k"), change.get("v")
        if kind == 0:
            state = value
        elif isinstance(path, list) and path:
            with contextlib.suppress(KeyError, IndexError, TypeError, AttributeError):
                _change(state, path, kind, value, change.get("i"))
    return mapping(state)


def _change(state: Any, path: list[Any], kind: object, value: Any, cut: object) -> None:
    place = state
    for key in path[:-1]:
        place = place[key]
    if kind == 1:
        if isinstance(place, list) and path[-1] == len(place):
            place.append(value)
        else:
            place[path[-1]] = value
    elif kind == 2 and isinstance(value, list):  # noqa: PLR2004  the format's own number
        array = place.setdefault(path[-1], []) if isinstance(place, dict) else place[path[-1]]
        if isinstance(cut, int):
            del array[cut:]
        array.extend(value)
    elif kind == 3:  # noqa: PLR2004
        del place[path[-1]]


def _session(name: str, chat: Record, source: Source, skipped: dict[str, int], written: float) -> Session:
    asked = chat.get("requests")
    turns = [
        turn for request in (asked if isinstance(asked, list) else []) if (turn := _turn(mapping(request), written))
    ]
    began = instant(chat.get("creationDate"))
    return Session(
        platform="copilot",
        id=name,
        source=source,
        project=_project(Path(source.path)),
        started=began or (turns[0].at if turns else None),
        ended=instant(chat.get("lastMessageDate")) or (turns[-1].at if turns else began),
        turns=tuple(turns),
        own=any(OWN_MARK in turn.prompt for turn in turns),
        skipped=skipped,
    )


def _turn(request: Record, written: float) -> Turn | None:
    message = request.get("message")
    told = typed(message if isinstance(message, str) else text_of(mapping(message).get("text")))
    at = instant(request.get("timestamp")) or instant(written * 1000)
    name = text_of(request.get("requestId"))
    if not told or not name or at is None:
        return None
    said = request.get("response")
    parts = [mapping(part) for part in said] if isinstance(said, list) else []
    result = mapping(request.get("result"))
    return Turn(
        id=name,
        at=at,
        prompt=clip(told),
        reply=clip(_reply(parts)),
        calls=tuple(_call(part) for part in parts if part.get("kind") == _TOOL and not _inner(part)),
        interrupted=request.get("isCanceled") is True
        or mapping(request.get("modelState")).get("value") == 2  # noqa: PLR2004  cancelled
        or mapping(result.get("errorDetails")).get("code") == "canceled",
        tokens=count(request.get("promptTokens")) + count(request.get("completionTokens")),
    )


def _inner(part: Record) -> bool:
    """Tell whether a sub-agent made the call."""
    return bool(part.get("subAgentInvocationId")) and part.get("toolId") != "runSubagent"


def _reply(parts: list[Record]) -> str:
    """Return the agent's last text: what stands behind its last tool, else what stood before it."""
    texts = [""]
    for part in parts:
        kind, value = part.get("kind"), part.get("value", part.get("content"))
        if kind == _TOOL:
            texts.append("")
        elif kind in (None, "markdownContent"):
            texts[-1] += text_of(value) or text_of(mapping(value).get("value"))
    return next((text.strip() for text in reversed(texts) if text.strip()), "")


def _call(part: Record) -> ToolCall:
    """Read a call. Only a terminal tells its exit code, and a refusal is told; of the rest it ended well or is open."""
    told = mapping(part.get("toolSpecificData"))
    command = told.get("commandLine", told.get("command"))
    asked = command if isinstance(command, str) else text_of(mapping(command).get("original"))
    confirmed = part.get("isConfirmed")
    refused = confirmed is False or mapping(confirmed).get("type") == 0
    code = mapping(told.get("terminalCommandState")).get("exitCode")
    details = mapping(part.get("resultDetails"))
    failed = refused or details.get("isError") is True or (isinstance(code, int) and code != 0)
    output = text_of(mapping(told.get("terminalCommandOutput")).get("text")) if failed else ""
    message = part.get("invocationMessage")
    said = text_of(message) or text_of(mapping(message).get("value"))
    return ToolCall(
        name=text_of(part.get("toolId")) or "?",
        input=clip(asked or subject(details.get("input")) or said),
        failed=failed if failed or part.get("isComplete") is True else None,
        output=clip(output),
    )


def _project(path: Path) -> str:
    """Return the folder that the window had open; "" for several folders, another machine's, or none."""
    try:
        told = mapping(json.loads((path.parent.parent / "workspace.json").read_bytes()))
    except (OSError, ValueError, RecursionError):
        return ""
    uri = urlsplit(text_of(told.get("folder")))
    return unquote(uri.path) if uri.scheme == "file" else ""
