"""Trace lines: what happened in sessions, one JSON object a line.

Read are the present form (a client's transcript lines) and the flat one before it (`ts`, `kind`, `tool` …). Written is
the present form, with the class of each event beside it, because queries over traces group by it.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nightschool.errors import NightschoolError
from nightschool.events import Instant
from nightschool.records import Session, ToolCall, Turn


class TraceLine(BaseModel):
    """One line, in either form. What is not documented is kept as it came."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str | None = None  # assistant, user, system, result
    subtype: str | None = None  # tool_use, tool_result
    timestamp: Instant | None = None
    sessionId: str | None = None  # noqa: N815  the format's own names
    cwd: str | None = None
    gitBranch: str | None = None  # noqa: N815
    uuid: str | None = None
    parentUuid: str | None = None  # noqa: N815
    message: Any = None  # {role, content: [block]}; in the flat form a text
    toolUseID: str | None = None  # noqa: N815
    toolUseResult: Any = None  # noqa: N815
    event_class: str | None = None
    ts: int | None = None  # the flat form: seconds since 1970
    kind: str | None = None
    tool: str | None = None
    file_path: str | None = None
    is_error: bool | None = Field(default=None)

    @property
    def at(self) -> datetime | None:
        """When it happened, in whichever form that is told."""
        if self.timestamp is not None:
            return self.timestamp
        return datetime.fromtimestamp(self.ts, UTC) if self.ts is not None else None

    @property
    def event(self) -> str:
        """The class of the event: as it is written, else as its content tells.

        `tool_use:<Name>`, `tool_error[:<Name>]`, `tool_result`, `<kind>` of the flat form, else `other`.
        """
        if self.event_class:
            return self.event_class
        blocks = [b for b in self._blocks() if b.get("type") in {"tool_use", "tool_result"}]
        if blocks and blocks[0]["type"] == "tool_use":
            return f"tool_use:{blocks[0].get('name', '')}"
        failed = bool(self.is_error) or any(block.get("is_error") for block in blocks)
        if failed:
            return f"tool_error:{self.tool}" if self.tool else "tool_error"
        if blocks:
            return "tool_result"
        return f"tool_use:{self.tool}" if self.kind == "tool_use" and self.tool else self.kind or "other"

    def _blocks(self) -> list[dict[str, Any]]:
        content = self.message.get("content") if isinstance(self.message, dict) else None
        return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def read(text: str) -> Iterator[TraceLine]:
    """Yield the lines of a trace file; empty ones are passed over. Raises NightschoolError for one that is none."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield TraceLine.model_validate_json(line)
            except ValidationError as error:
                why = error.errors()[0]["msg"]
                raise NightschoolError("not a trace line", where=f"line {number}", why=why) from error


def written(lines: Iterable[TraceLine]) -> str:
    """Return trace lines as a file: one JSON object a line, nothing that was not told."""
    return "".join(f"{_json(line)}\n" for line in lines)


def of_session(session: Session) -> Iterator[TraceLine]:
    """Yield a session as trace lines: each prompt, each use of a tool and what came of it, each reply."""
    base: dict[str, Any] = {"sessionId": session.id, "cwd": session.project, "gitBranch": session.branch}
    parent: str | None = None
    for turn in session.turns:
        for number, told in enumerate(_turn(turn)):
            name = f"{turn.id}-{number}"
            yield TraceLine.model_validate(base | {"timestamp": turn.at, "uuid": name, "parentUuid": parent} | told)
            parent = name


def _turn(turn: Turn) -> Iterator[dict[str, Any]]:
    yield {"type": "user", "message": _message("user", {"type": "text", "text": turn.prompt}), "event_class": "other"}
    for number, call in enumerate(turn.calls):
        yield from _call(call, f"{turn.id}-call-{number}")
    if turn.reply:
        said = _message("assistant", {"type": "text", "text": turn.reply})
        yield {"type": "assistant", "message": said, "event_class": "other"}


def _call(call: ToolCall, name: str) -> Iterator[dict[str, Any]]:
    use = {"type": "tool_use", "id": name, "name": call.name, "input": {"text": call.input}}
    event = f"tool_use:{call.name}"
    yield {"type": "assistant", "subtype": "tool_use", "message": _message("assistant", use), "event_class": event}
    if call.failed is not None:
        result = {"type": "tool_result", "tool_use_id": name, "content": call.output, "is_error": call.failed}
        yield {
            "type": "user", "subtype": "tool_result", "message": _message("user", result), "toolUseID": name,
            "toolUseResult": call.output, "event_class": f"tool_error:{call.name}" if call.failed else "tool_result",
        }  # fmt: skip


def _message(role: str, block: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": [block]}


def _json(line: TraceLine) -> str:
    return json.dumps(line.model_dump(mode="json", exclude_none=True), ensure_ascii=False, separators=(",", ":"))
