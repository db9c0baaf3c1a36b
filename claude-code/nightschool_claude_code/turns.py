"""Which records of a transcript are the user's words, the agent's answers and its tools: the rules of turning."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from nightschool.events import before_leap
from nightschool.records import BRIEF_TAG, OWN_MARK, Session, Source, ToolCall, Turn

IGNORED = frozenset({
    "agent-name", "ai-title", "api-request", "api-request-blob", "api-request-shape", "atis-latch", "attachment",
    "bridge-session", "cost-state", "custom-title", "file-history-delta", "file-history-snapshot", "last-prompt",
    "mode", "permission-mode", "pr-link", "progress", "queue-operation", "result", "started", "summary", "system",
    "tag", "task-summary", "tools-used", "turn-origin", "worktree-state",
})  # fmt: skip
CLIP = 2**16  # raw characters of any one text; harvest redacts, then clips to less than half of it
_HALF = CLIP // 2
_EDGE = re.compile(r"[\s\"'`,;&]")
_NEAR = 512  # characters from a cut in which the edge of a word is looked for
_SUBJECTS = ("command", "file_path", "path", "pattern", "query", "url", "skill", "description")
# by the client, by editors, and by ourselves
_INJECTED = ("system-reminder", "ide_opened_file", "ide_selection", "ide_diagnostics", BRIEF_TAG)
_NOT_THE_USER = (
    "<command-", "<local-command", "<bash-", "<task-notification", "<teammate-message", "<user-prompt-submit-hook",
    "<user-memory-input", "Caveat: The messages below", "This session is being continued from a previous conversation",
)  # fmt: skip
_OF_OTHERS = (
    "isMeta", "isCompactSummary", "isVisibleInTranscriptOnly", "isSynthetic", "toolUseResult", "sourceToolUseID",
    "sourceToolAssistantUUID",
)  # fmt: skip
_CLIENT = "<synthetic>"  # stands for the model where the client itself speaks: errors, "No response requested."
_INTERRUPTED = "[Request interrupted by user"

Record = dict[str, Any]


class Builder:
    """Takes records in the file's order and keeps the session they tell, on from `known`."""

    def __init__(self, name: str, known: Session | None) -> None:
        self.name = name
        self.turns: list[dict[str, Any]] = [_thawed(turn) for turn in known.turns] if known else []
        self.pending = dict(known.pending) if known else {}
        self.project, self.branch = (known.project, known.branch) if known else ("", "")
        self.started = known.started if known else None
        self.last = known.ended if known else None
        self.message = known.message if known else ""
        self.own = known.own if known else False
        self.seen = {turn["id"] for turn in self.turns}
        self.entries: set[object] = set()

    def add(self, record: Record, start: int, end: int) -> bool:
        """Take one record that stands at these bytes; False when its type is unknown."""
        kind, message = record.get("type"), record.get("message")
        if kind not in ("user", "assistant"):
            return False
        if not isinstance(message, dict) or record.get("isSidechain") or record.get("agentId"):
            return True
        if self._again(record.get("uuid")):
            return True
        self._place(record)
        (self._user if kind == "user" else self._assistant)(record, message, start, end)
        if self.turns and self.turns[-1]["span"][1] < end:
            self.turns[-1]["span"] = (self.turns[-1]["span"][0], end)
        return True

    def _again(self, entry: object) -> bool:
        """Tell whether an entry of this id was taken since the reading began. One without an id never was."""
        if not isinstance(entry, str) or not entry:
            return False
        known = entry in self.entries
        self.entries.add(entry)
        return known

    def session(self, source: Source, skipped: dict[str, int], *, fallback: float) -> Session:
        """Return the session. `fallback` is the file's time (seconds since 1970), for records without one."""
        file_time = datetime.fromtimestamp(fallback, UTC)
        for turn in self.turns:
            turn["at"] = turn["at"] or file_time
        return Session(
            platform="claude-code",
            id=self.name,
            source=source,
            project=self.project,
            branch=self.branch,
            started=self.started,
            ended=self.last,
            turns=tuple(Turn(**(turn | {"calls": tuple(turn["calls"])})) for turn in self.turns),
            own=self.own,
            skipped=skipped,
            message=self.message,
            pending=self.pending,
        )

    def _place(self, record: Record) -> None:
        stamp = record.get("timestamp")
        if isinstance(stamp, str):
            self.last = instant(stamp) or self.last  # a record without a time has that of the one before it
            self.started = self.started or self.last
        for name, key in (("project", "cwd"), ("branch", "gitBranch")):
            if not getattr(self, name) and isinstance(record.get(key), str):
                setattr(self, name, record[key])

    def _user(self, record: Record, message: Record, start: int, end: int) -> None:
        content = message.get("content")
        blocks = content if isinstance(content, list) else []
        results = [b for b in blocks if isinstance(b, dict) and b.get("type") == "tool_result"]
        for block in results:
            self._result(block)
        text = _told(content)
        if text.lstrip().startswith(_INTERRUPTED):
            if self.turns:
                self.turns[-1]["interrupted"] = True
            return
        if results or not _typed(record, message):
            return
        text = _without_injected(text).strip()
        name = str(record.get("uuid") or f"{self.name}:{start}")
        if text and not text.startswith(_NOT_THE_USER) and name not in self.seen:
            self.seen.add(name)
            self.own = self.own or OWN_MARK in text
            self.turns.append(_new_turn(name, self.last, _clip(text), (start, end)))

    def _result(self, block: Record) -> None:
        turn, call = self.pending.pop(str(block.get("tool_use_id")), (None, 0))
        if turn is None:
            return
        calls = self.turns[turn]["calls"]
        failed = block.get("is_error") is True
        # what a tool printed when all went well is not kept: that it went well is what counts
        output = _clip(_told(block.get("content"))) if failed else ""
        calls[call] = ToolCall(name=calls[call].name, input=calls[call].input, failed=failed, output=output)

    def _assistant(self, _record: Record, message: Record, _start: int, _end: int) -> None:
        if not self.turns or message.get("model") == _CLIENT:
            return
        turn = self.turns[-1]
        usage, name = message.get("usage"), str(message.get("id") or "")
        if isinstance(usage, dict) and (not name or name != self.message):
            turn["tokens"] += sum(_count(usage.get(key)) for key in ("input_tokens", "output_tokens"))
        self.message = name
        content = message.get("content")
        for block in content if isinstance(content, list) else []:
            if not isinstance(block, dict):
                continue
            if block.get("type") == "text" and isinstance(block.get("text"), str) and block["text"].strip():
                turn["reply"] = _clip(block["text"])
            elif block.get("type") == "tool_use":
                self.pending[str(block.get("id"))] = (len(self.turns) - 1, len(turn["calls"]))
                turn["calls"].append(ToolCall(name=str(block.get("name") or "?"), input=_asked(block.get("input"))))


def instant(stamp: str) -> datetime | None:
    """Return an RFC 3339 time in UTC; None when it is none. One without an offset is taken for UTC."""
    try:
        at = datetime.fromisoformat(stamp)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return instant(earlier) if (earlier := before_leap(stamp)) else None


def _thawed(turn: Turn) -> dict[str, Any]:
    return {name: getattr(turn, name) for name in Turn.model_fields} | {"calls": list(turn.calls)}


def _new_turn(name: str, at: datetime | None, prompt: str, span: tuple[int, int]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": name, "at": at, "prompt": prompt, "reply": "", "calls": []}
    return told | {"interrupted": False, "tokens": 0, "span": span}


def _typed(record: Record, message: Record) -> bool:
    """Tell whether the user typed a message: nothing in the record says that a tool, a plugin or a peer wrote it."""
    origin = record.get("origin")
    human = origin is None or (isinstance(origin, dict) and origin.get("kind") == "human")
    return human and message.get("role", "user") == "user" and not any(record.get(mark) for mark in _OF_OTHERS)


def _told(content: object) -> str:
    """Return the text of a message or a result: a string, or blocks of which only those of text count."""
    blocks = content if isinstance(content, list) else []
    texts = [b.get("text") for b in blocks if isinstance(b, dict) and b.get("type") == "text"]
    return content if isinstance(content, str) else "\n".join(text for text in texts if isinstance(text, str))


def _without_injected(text: str) -> str:
    """Cut what others have put into the user's message. A tag that is only mentioned has no end and stays."""
    for tag in _INJECTED:
        kept, at = [], 0
        while (begin := text.find(f"<{tag}>", at)) >= 0 and (end := text.find(f"</{tag}>", begin)) >= 0:
            kept.append(text[at:begin])
            at = end + len(tag) + 3
        text = "".join(kept) + text[at:]
    return text


def _asked(told: object) -> str:
    if isinstance(told, dict):
        for key in _SUBJECTS:
            if isinstance(told.get(key), str):
                return _clip(told[key])
    return _clip(json.dumps(told, ensure_ascii=False)) if told else ""


def _clip(text: str) -> str:
    """Keep beginning and end. The word at a cut goes whole: half a secret would not be known for one."""
    if len(text) <= CLIP:
        return text
    edges = [found.start() for found in _EDGE.finditer(text, _HALF - _NEAR, _HALF)]
    edge = _EDGE.search(text, len(text) - _HALF, len(text) - _HALF + _NEAR)
    return f"{text[: edges[-1] if edges else _HALF]}\n…\n{text[edge.end() if edge else -_HALF :]}"


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
