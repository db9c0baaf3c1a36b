"""Which records of `events.jsonl` are the user's words, the agent's answers and its tools: the rules of turning.

Record types and fields are those of client 1.0.102. Records of sub-agents stand among those of the session, marked by
`agentId` or `parentToolCallId`: nobody typed in them, and they are left out.
"""

import re
from datetime import UTC, datetime
from typing import Any

from nightschool.records import OWN_MARK, Session, Source, ToolCall, Turn
from nightschool_copilot.lines import Record
from nightschool_copilot.texts import clip, count, instant, mapping, subject, text_of, typed

READ = frozenset({
    "session.start", "session.resume", "session.context_changed", "session.usage_record", "session.shutdown",
    "user.message", "assistant.message", "tool.execution_start", "tool.execution_complete", "abort",
})  # fmt: skip
# Kinds of records that tell nothing a session keeps. `model.` repeats the conversation, `hook.` and `system.` quote it.
_PASSED = re.compile(
    r"(?:assistant|auto_mode|capabilities|command|commands|elicitation|exit_plan_mode|external_tool|hook|mcp|model|"
    r"pending_messages|permission|sampling|session|skill|subagent|system|tool|user|user_input)(?:\.|$)"
)
_TAIL = re.compile(r"\s*<shellId: \S+ completed with exit code -?\d+>\s*\Z")
_THE_USER = (None, "", "user")  # every other source is a skill, an agent, a schedule, a remote: open-ended


def passed(kind: str) -> bool:
    """Tell whether records of this type are known and left out."""
    return kind not in READ and _PASSED.match(kind) is not None


class Builder:
    """Takes records in the file's order and keeps the session they tell, on from `known`."""

    def __init__(self, name: str, known: Session | None) -> None:
        self.name = name
        self.turns: list[dict[str, Any]] = [_thawed(turn) for turn in known.turns] if known else []
        self.pending = dict(known.pending) if known else {}
        self.project, self.branch = (known.project, known.branch) if known else ("", "")
        self.started = known.started if known else None
        self.last = known.ended if known else None
        self.own = known.own if known else False
        self.seen = {turn["id"] for turn in self.turns}
        self.entries: set[object] = set()
        self.closed = False  # the client has said that the session was over

    def add(self, record: Record, start: int, end: int) -> bool:
        """Take one record that stands at these bytes; False when its type is unknown."""
        kind, data = record.get("type"), mapping(record.get("data"))
        if not isinstance(kind, str) or kind not in READ:
            return False
        if record.get("agentId") or data.get("parentToolCallId") or self._again(record.get("id")):
            return True
        self.last = instant(record.get("timestamp")) or self.last
        self.started = self.started or self.last
        self.closed = kind == "session.shutdown"
        if kind == "user.message":
            self._user(record, data, start, end)
        elif kind in {"session.start", "session.resume", "session.context_changed"}:
            self._place(mapping(data.get("context")) or data)
        elif self.turns and not self.closed:
            self._of_the_turn(kind, data)
            self.turns[-1]["span"] = (self.turns[-1]["span"][0], max(end, self.turns[-1]["span"][1]))
        return True

    def ended(self) -> None:
        """Take note that nothing more will come: what has no result was cut off, and its turn with it."""
        if self.turns and (self.pending or (not self.closed and not self.turns[-1]["reply"])):
            self.turns[-1]["interrupted"] = True
        self.pending = {}

    def session(self, source: Source, skipped: dict[str, int], *, fallback: float) -> Session:
        """Return the session. `fallback` is the file's time (seconds since 1970), for records without one."""
        file_time = datetime.fromtimestamp(fallback, UTC)
        for turn in self.turns:
            turn["at"] = turn["at"] or file_time
        return Session(
            platform="copilot",
            id=self.name,
            source=source,
            project=self.project,
            branch=self.branch,
            started=self.started,
            ended=self.last,
            turns=tuple(Turn(**(turn | {"calls": tuple(turn["calls"])})) for turn in self.turns),
            own=self.own,
            skipped=skipped,
            pending=self.pending,
        )

    def _again(self, entry: object) -> bool:
        """Tell whether a record of this id was taken since the reading began. One without an id never was."""
        if not isinstance(entry, str) or not entry:
            return False
        known = entry in self.entries
        self.entries.add(entry)
        return known

    def _place(self, context: Record) -> None:
        self.project = self.project or text_of(context.get("cwd"))
        self.branch = self.branch or text_of(context.get("branch"))

    def _user(self, record: Record, data: Record, start: int, end: int) -> None:
        text = typed(text_of(data.get("content")))
        name = str(data.get("messageId") or record.get("id") or f"{self.name}:{start}")
        if text and data.get("source") in _THE_USER and name not in self.seen:
            self.seen.add(name)
            self.own = self.own or OWN_MARK in text
            self.turns.append(_new_turn(name, self.last, clip(text), (start, end)))

    def _of_the_turn(self, kind: str, data: Record) -> None:
        turn = self.turns[-1]
        if kind == "assistant.message":
            turn["reply"] = clip(text_of(data.get("content"))) or turn["reply"]
            asked = data.get("toolRequests")
            for request in asked if isinstance(asked, list) else []:
                self._asked(mapping(request), "name")
        elif kind == "tool.execution_start":
            self._asked(data, "toolName")
        elif kind == "tool.execution_complete":
            self._result(data)
        elif kind == "session.usage_record":
            turn["tokens"] += _tokens(mapping(data.get("usage")))
        elif kind == "abort":
            turn["interrupted"] = True

    def _asked(self, call: Record, key: str) -> None:
        """Take a call, told by the agent's message and again when it starts."""
        name, turn = text_of(call.get("toolCallId")), self.turns[-1]
        if name and name not in self.pending:
            self.pending[name] = (len(self.turns) - 1, len(turn["calls"]))
            turn["calls"].append(ToolCall(name=text_of(call.get(key)) or "?", input=subject(call.get("arguments"))))

    def _result(self, data: Record) -> None:
        turn, call = self.pending.pop(text_of(data.get("toolCallId")), (None, 0))
        if turn is None:
            return
        calls = self.turns[turn]["calls"]
        failed = has_failed(data)
        # what a tool printed when all went well is not kept: that it went well is what counts
        output = clip(_said(data)) if failed else ""
        calls[call] = ToolCall(name=calls[call].name, input=calls[call].input, failed=failed, output=output)


def has_failed(data: Record) -> bool:
    """Tell whether a call failed. `success` only says that the tool ran: a command that failed has its exit code."""
    code = mapping(data.get("shellExecution")).get("exitCode")
    return data.get("success") is False or (isinstance(code, int) and not isinstance(code, bool) and code != 0)


def _said(data: Record) -> str:
    error, result = mapping(data.get("error")), mapping(data.get("result"))
    return _TAIL.sub("", text_of(error.get("message")) or text_of(result.get("content")))


def _tokens(usage: Record) -> int:
    """Return what the model read and wrote, without what came from the cache, which the input includes."""
    fresh = count(usage.get("inputTokens")) - count(usage.get("cacheReadTokens"))
    return max(0, fresh) + count(usage.get("outputTokens"))


def _thawed(turn: Turn) -> dict[str, Any]:
    return {name: getattr(turn, name) for name in Turn.model_fields} | {"calls": list(turn.calls)}


def _new_turn(name: str, at: datetime | None, prompt: str, span: tuple[int, int]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": name, "at": at, "prompt": prompt, "reply": "", "calls": []}
    return told | {"interrupted": False, "tokens": 0, "span": span}
