"""Sessions as the three clients write them, and the payload that tells of each."""

import itertools
import json
import os
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

PLATFORMS = ("claude-code", "codex", "copilot")


@dataclass
class Call:
    """One use of the shell."""

    command: str
    failed: bool = False
    output: str = ""


@dataclass
class Native:
    """One session of a client: `turn` adds to its transcript, `tell` spools the payload of a hook."""

    platform: str
    root: Path
    project: Path
    sid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self):
        self.path = self.root / self.sid / "events.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.count = itertools.count()
        self.spooled = itertools.count()
        self.head = False

    def turn(self, prompt, calls, at, until=None, *, parallel=False):
        """Write one turn: the prompt, the calls, and their results, one after the other or all in one message."""
        until = until or at + timedelta(seconds=1)
        write = {"claude-code": self._claude, "codex": self._codex, "copilot": self._copilot}[self.platform]
        groups = [list(calls)] if parallel else [[call] for call in calls]
        with self.path.open("a", encoding="utf-8") as stream:
            for record in write(prompt, groups, _stamp(at), _stamp(until)):
                stream.write(json.dumps(record) + "\n")

    def tell(self, home, moment, at):
        """Spool a payload as the hook does."""
        snake = {"session_id": self.sid, "transcript_path": str(self.path), "cwd": str(self.project)}
        camel = {"sessionId": self.sid, "transcriptPath": str(self.path), "cwd": str(self.project)}
        told = camel | {"timestamp": at.timestamp() * 1000} if self.platform == "copilot" else snake
        home.spool.mkdir(parents=True, exist_ok=True)
        path = home.spool / f"{self.platform}.{moment}.{next(self.spooled)}-{self.sid[:8]}-1.json"
        path.write_text(json.dumps(told | {"hook_event_name": moment}))
        os.utime(path, (at.timestamp(), at.timestamp()))

    def _claude(self, prompt, groups, at, until):
        told = {"sessionId": self.sid, "cwd": str(self.project), "isSidechain": False, "version": "2.1.329"}
        user = {"role": "user", "content": prompt}
        yield told | {"type": "user", "uuid": str(uuid.uuid4()), "timestamp": at, "message": user}
        for group in groups:
            ids = [f"toolu_{next(self.count)}" for _ in group]
            uses = [
                {"type": "tool_use", "id": name, "name": "Bash", "input": {"command": call.command}}
                for name, call in zip(ids, group, strict=True)
            ]
            said = {"id": f"msg_{uuid.uuid4()}", "role": "assistant", "model": "m", "content": uses}
            yield told | {"type": "assistant", "uuid": str(uuid.uuid4()), "timestamp": at, "message": said}
            for name, call in reversed(list(zip(ids, group, strict=True))):
                result = {"type": "tool_result", "tool_use_id": name, "is_error": call.failed, "content": call.output}
                back = {"role": "user", "content": [result]}
                yield told | {"type": "user", "uuid": str(uuid.uuid4()), "timestamp": until, "message": back}

    def _codex(self, prompt, groups, at, until):
        if not self.head:
            self.head = True
            meta = {"id": self.sid, "session_id": self.sid, "cwd": str(self.project), "cli_version": "0.169.0"}
            yield {"timestamp": at, "type": "session_meta", "payload": meta | {"source": "cli", "originator": "codex"}}
        task = str(uuid.uuid4())
        yield {"timestamp": at, "type": "event_msg", "payload": {"type": "task_started", "turn_id": task}}
        marks = {"internal_chat_message_metadata_passthrough": {"content_item_kinds": ["user.text"]}}
        words = marks | {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
        yield {"timestamp": at, "type": "response_item", "payload": words}
        for group in groups:
            ids = [f"call_{next(self.count)}" for _ in group]
            for name, call in zip(ids, group, strict=True):
                asked = {"name": "exec_command", "arguments": json.dumps({"cmd": call.command}), "call_id": name}
                yield {"timestamp": at, "type": "response_item", "payload": {"type": "function_call"} | asked}
            for name, call in reversed(list(zip(ids, group, strict=True))):
                item = {
                    "type": "CommandExecution",
                    "id": name,
                    "command": ["/bin/bash", "-lc", call.command],
                    "status": "failed" if call.failed else "completed",
                    "aggregated_output": call.output,
                    "exit_code": int(call.failed),
                }
                done = {"type": "item_completed", "turn_id": task, "item": item}
                yield {"timestamp": until, "type": "event_msg", "payload": done}
                text = f"Process exited with code {int(call.failed)}\nOutput:\n{call.output}"
                back = {"type": "function_call_output", "call_id": name, "output": text}
                yield {"timestamp": until, "type": "response_item", "payload": back}

    def _copilot(self, prompt, groups, at, until):
        def record(kind, stamp, **data):
            return {"type": kind, "data": data, "id": str(uuid.uuid4()), "timestamp": stamp}

        if not self.head:
            self.head = True
            yield record("session.start", at, sessionId=self.sid, context={"cwd": str(self.project)})
        yield record("user.message", at, content=prompt, messageId=str(uuid.uuid4()))
        for group in groups:
            ids = [f"call_{next(self.count)}" for _ in group]
            asked = [
                {"toolCallId": name, "name": "bash", "arguments": {"command": call.command}}
                for name, call in zip(ids, group, strict=True)
            ]
            yield record("assistant.message", at, content="", toolRequests=asked)
            for name, call in reversed(list(zip(ids, group, strict=True))):
                shell, result = {"exitCode": int(call.failed)}, {"content": call.output}
                yield record(
                    "tool.execution_complete", until, toolCallId=name, success=True, shellExecution=shell, result=result
                )


def _stamp(at):
    return at.isoformat().replace("+00:00", "Z")
