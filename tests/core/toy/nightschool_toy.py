"""A small real platform: a payload is `{"sid", "file", "dir"}`, a transcript has one turn a line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pluggy

from nightschool import hookimpl, hookspecs
from nightschool.platforms import Platforms
from nightschool.records import Session, Source, ToolCall, Turn


class Toy:
    """The platform `toy`; `reads` counts how often a transcript was read on."""

    name, title = "toy", "Toy"

    def __init__(self):
        self.reads = []

    def read_payload(self, moment, data):
        told = json.loads(data)
        return {"session_id": told["sid"], "transcript": told.get("file"), "project": told.get("dir")}

    @hookimpl
    def on_session_end(self, event):
        if event.platform != self.name or not event.transcript or not Path(event.transcript).exists():
            return None
        self.reads.append(event.session_id)
        info, turns = Path(event.transcript).stat(), []
        for number, line in enumerate(Path(event.transcript).read_text(encoding="utf-8").splitlines()):
            told = json.loads(line)
            calls = tuple(ToolCall(name="sh", **call) for call in told.get("calls", ()))
            at = datetime.fromisoformat(told["at"]) if "at" in told else datetime(2026, 1, 1, tzinfo=UTC)
            turns.append(Turn(id=f"{event.session_id}-{number}", at=at, prompt=told.get("prompt", ""), calls=calls))
        source = Source(path=event.transcript, offset=info.st_size, size=info.st_size, mtime_ns=info.st_mtime_ns)
        return Session(
            platform="toy", id=event.session_id, source=source, project=event.project or "", turns=tuple(turns)
        )

    @hookimpl
    def on_error_spike(self, session):
        return [n for n, turn in enumerate(session.turns) if any(call.failed for call in turn.calls)]

    @hookimpl
    def on_milestone_commit(self, session):
        return [call.input for turn in session.turns for call in turn.calls if "git" in call.input]


def platforms(*plugins):
    """Return the toy, or the plugins given, as loaded platforms."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for plugin in plugins or (Toy(),):
        manager.register(plugin, plugin.name)
    return Platforms(manager)
