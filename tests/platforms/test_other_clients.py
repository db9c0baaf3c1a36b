"""Codex and Copilot: their payloads become pointers, their sessions are listed, their rule files are targets."""

import json
import os
import subprocess
import time

import psutil
import pytest

from nightschool import platforms
from nightschool.records import HeadlessCall, HeadlessFailure, HeadlessReply, NightRequest

ID = "01a1fbef-4893-7363-8127-ba7839323085"
CODEX = {
    "session_id": ID,
    "transcript_path": f"/home/u/.codex/sessions/2026/11/21/rollout-2026-11-21T02-28-45-{ID}.jsonl",
    "cwd": "/home/u/repo",
    "hook_event_name": "SessionEnd",
    "reason": "other",
}
OWN = {"sessionId": ID, "timestamp": 1795226510451, "cwd": "/home/u/repo", "stop_hook_active": False}
PLUGIN = {"hook_event_name": "Stop", "session_id": ID, "cwd": "/home/u/repo", "stop_reason": "end_turn"}
EVENTS = f"/home/u/.copilot/session-state/{ID}/events.jsonl"


@pytest.fixture(scope="module")
def loaded():
    """Return the platforms that are installed."""
    return platforms.installed()


@pytest.mark.parametrize(
    ("name", "payload", "transcript"),
    [
        ("codex", CODEX, CODEX["transcript_path"]),
        ("codex", CODEX | {"transcript_path": None}, None),
        ("copilot", OWN, None),
        ("copilot", OWN | {"transcriptPath": EVENTS}, EVENTS),
        ("copilot", PLUGIN | {"transcript_path": EVENTS}, EVENTS),
    ],
)
def test_a_payload_points_to_its_session(loaded, name, payload, transcript):
    """Session, transcript when there is one, and directory; a text that was cut inside an emoji is no fault."""
    plugin = loaded.manager.get_plugin(name)
    wanted = {"session_id": ID, "project": "/home/u/repo"} | ({"transcript": transcript} if transcript else {})
    wanted |= {"once": f"{ID} {payload['timestamp']}"} if "timestamp" in payload else {}

    assert plugin.read_payload("turn_end", json.dumps(payload).encode()) == wanted
    assert plugin.read_payload("turn_end", json.dumps(payload | {"said": "cut \ud83d"}).encode()) == wanted


BAD = [
    b"",
    b"[]",
    b"7",
    b"{",
    b"\xff",
    b"\0",
    b"[" * 100_000,
    b'{"session_id": "../../evil", "transcript_path": "/t"}',
    b'{"session_id": "", "transcript_path": "/t"}',
    b'{"session_id": 7, "transcript_path": "/t"}',
    b'{"session_id": "s", "transcript_path": "relative"}',
    b'{"session_id": "s", "transcript_path": "/a\\u0000b"}',
]


@pytest.mark.parametrize("name", ["claude-code", "codex", "copilot"])
@pytest.mark.parametrize("data", BAD)
def test_what_is_no_payload_is_refused(loaded, name, data):
    """Anything but an object with pointers that can be pointers raises ValueError, on every platform."""
    with pytest.raises(ValueError):
        loaded.manager.get_plugin(name).read_payload("turn_end", data)


def test_rules_have_targets_and_sessions_are_listed(loaded, tmp_path):
    """Where rules can go is listed, and so is every session there is."""
    states = tmp_path / ".copilot" / "session-state" / ID
    states.mkdir(parents=True)
    (states / "events.jsonl").touch()
    request = NightRequest(user_home=str(tmp_path), project="/p")
    nights = {night.platform: night for night in loaded.on_night(request)}

    assert [ref.session for ref in nights["copilot"].transcripts] == [ID]
    assert nights["copilot"].targets[0].path == "/p/.github/copilot-instructions.md"


@pytest.mark.parametrize(("name", "program"), [("claude-code", "claude"), ("codex", "codex"), ("copilot", "copilot")])
@pytest.mark.parametrize("says", ["echo 2.1.329", "exit 3", "missing"])
def test_the_client_is_found_by_asking_its_version(loaded, tmp_path, monkeypatch, name, program, says):
    """Its path and what it says; None when it is not there or fails. It is told no secret of the environment."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")
    monkeypatch.setenv("SOME_KEY", "hunter2")
    path = tmp_path / program
    if says != "missing":
        path.write_text(f'#!/bin/sh\nprintf %s "$SOME_KEY$1"\n{says}\n')
        path.chmod(0o700)
        assert subprocess.run([path], capture_output=True, check=False).stdout.startswith(b"hunter2")
    found = loaded.manager.get_plugin(name).client()

    assert found == ((str(path), "--version2.1.329") if says.startswith("echo") else None)


@pytest.mark.parametrize(("name", "program"), [("claude-code", "claude"), ("codex", "codex"), ("copilot", "copilot")])
def test_a_client_that_floods_or_leaves_something_behind_is_asked_its_version(
    loaded, tmp_path, monkeypatch, name, program
):
    """Output without end is cut off and no version; what it leaves running is ended, and not waited for."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")
    path = tmp_path / program
    path.write_text("#!/bin/sh\nexec yes\n")
    path.chmod(0o700)
    began = time.monotonic()
    assert loaded.manager.get_plugin(name).client() is None
    path.write_text(f"#!/bin/sh\necho 9.9.9\nsleep 60 &\necho $! > {tmp_path}/left\n")
    assert loaded.manager.get_plugin(name).client() == (str(path), "9.9.9")
    assert time.monotonic() - began < 4
    pid, until = int((tmp_path / "left").read_text()), began + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.02)


_COPILOT = """#!/bin/sh
[ "$1" = --version ] && echo 9 && exit
while [ "$1" != --usage-output-file ]; do shift; done
{usage}
echo '{{"type":"assistant.message","data":{{"content":"{said}","model":"m"}}}}'
echo '{{"type":"result"}}'
"""


@pytest.mark.parametrize(
    ("usage", "said", "told"),
    [
        ('mkfifo "$2"', "hi", HeadlessReply),
        ('ln -s /dev/zero "$2"', "hi", HeadlessReply),
        ('echo \'{"modelMetrics":{"m":{"usage":{"inputTokens":7000,"outputTokens":1}}}}\' > "$2"', "", HeadlessFailure),
    ],
    ids=["pipe", "device", "empty"],
)  # fmt: skip
def test_what_copilot_says_it_used_is_read_and_not_waited_for(loaded, tmp_path, monkeypatch, usage, said, told):
    """A pipe or a device in its file's place tells nothing; an empty answer has cost what the client counted."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")
    (tmp_path / "copilot").write_text(_COPILOT.format(usage=usage, said=said))
    (tmp_path / "copilot").chmod(0o700)
    found = loaded.backends()["copilot"]().ask(HeadlessCall(prompt="hi"))

    assert isinstance(found, told)
    assert found.tokens_in == (0 if said else 7000)
