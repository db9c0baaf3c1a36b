"""Real sessions of the client are read exactly, in one go or piece by piece, whatever else stands in the file."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightschool.events import Event, Moment
from nightschool.records import BRIEF_TAG, OWN_MARK, NightRequest
from nightschool_copilot import platform
from nightschool_copilot.lines import MAX_LINE
from nightschool_copilot.transcripts import has_ended, read, transcripts

DATA = Path(__file__).parent / "data"

# (file, prompts, tool calls, failed, without a result); counted by hand from what the scripted model said
COUNTS = [
    ("failures", 1, 7, 7, 0),
    ("interactive-compact-clear", 1, 0, 0, 0),
    ("killed-sigkill", 1, 1, 0, 1),
    ("plain", 1, 0, 0, 0),
    ("resume", 2, 0, 0, 0),
    ("subagent", 1, 1, 0, 0),
    ("tools", 1, 5, 0, 0),
]


def calls(session):
    """Return every tool call of a session."""
    return [call for turn in session.turns for call in turn.calls]


@pytest.mark.parametrize(("name", "prompts", "tools", "failed", "open_"), COUNTS)
def test_real_sessions_are_counted_exactly(name, prompts, tools, failed, open_):
    """Prompts, calls and failures are those of the session, not of its sub-agents; nothing in it is unknown."""
    session = read("s", str(DATA / f"{name}.jsonl"), None)

    assert len(session.turns) == prompts
    assert len(calls(session)) == tools
    assert sum(call.failed is True for call in calls(session)) == failed
    assert sum(call.failed is None for call in calls(session)) == open_
    assert session.skipped == {}
    assert session.source.offset == (DATA / f"{name}.jsonl").stat().st_size
    assert session.branch == "main"
    assert session.project.startswith("/home/u/lab")


def test_what_a_turn_holds():
    """Prompt as typed, last answer, tools in order with what they were asked, tokens of each model call, bytes."""
    path = DATA / "tools.jsonl"
    [turn] = read("s", str(path), None).turns

    assert turn.prompt == "GOODTOOLS dir=/home/u/labrepo1 please add a hello script and commit it"
    assert turn.reply.startswith("Committed. Last tool said: [main ")
    assert [call.name for call in turn.calls] == ["bash", "create", "view", "bash", "bash"]
    assert turn.calls[0].input == "ls -la && git log --oneline"
    assert {call.output for call in turn.calls} == {""}, "what went well is not kept"
    usages = [json.loads(line)["data"].get("usage") for line in path.read_text().splitlines()]
    assert turn.tokens == sum(use["inputTokens"] + use["outputTokens"] for use in usages if use)
    assert path.read_bytes()[turn.span[0] :].startswith(b'{"type":"user.message"')


def test_a_failure_is_what_the_exit_code_says():
    """A command that failed is `success` to the client; its exit code tells, and what it printed is kept."""
    failed = calls(read("s", str(DATA / "failures.jsonl"), None))

    assert failed[1].output.endswith("No module named 'no_such_module_xyz'"), "without the client's own last line"
    assert (failed[6].input, failed[6].failed, failed[6].output) == ("exit 7", True, "")
    assert failed[2].output == "Path does not exist"


def line(kind, number=1, agent=None, **data):
    """Return one record."""
    told = {"type": kind, "data": data, "id": f"r{number}", "timestamp": f"2026-01-0{number}T00:00:00.000Z"}
    return json.dumps(told | {"parentId": None} | ({"agentId": agent} if agent else {}))


def asked(number, text=None, **data):
    """Return one record of the user's."""
    return line("user.message", number, content=text or f"ask {number}", messageId=f"m{number}", **data)


def session_of(tmp_path, *lines):
    """Read a session of these lines."""
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return read("s", str(path), None)


@pytest.mark.parametrize(
    ("told", "failed"),
    [
        ({"success": True, "shellExecution": {"exitCode": 0}}, False),
        ({"success": True, "shellExecution": {"exitCode": 1}}, True),
        ({"success": True, "shellExecution": {"exitCode": -1}}, True),
        ({"success": True, "shellExecution": {}}, False),
        ({"success": True, "shellExecution": None}, False),
        ({"success": False}, True),
        ({"success": False, "shellExecution": {"exitCode": 0}}, True),
        ({}, False),
    ],
)
def test_success_is_not_the_exit_code(tmp_path, told, failed):
    """Either of the two signals makes a failure; words in the output make none."""
    request = {"toolCallId": "t", "name": "bash", "arguments": {"command": "make"}}
    session = session_of(
        tmp_path,
        asked(1),
        line("assistant.message", 2, content="", toolRequests=[request]),
        line("tool.execution_start", 3, toolCallId="t", toolName="bash", arguments={"command": "make"}),
        line("tool.execution_complete", 4, toolCallId="t", result={"content": "Error: 3 failed"}, **told),
    )

    assert [(call.input, call.failed) for call in calls(session)] == [("make", failed)]


def grown(tmp_path, data, cuts):
    """Read a file that grows to each of `cuts` in turn and return the last session."""
    path = tmp_path / "events.jsonl"
    session = None
    for cut in [*sorted(cuts), len(data)]:
        path.write_bytes(data[:cut])
        session = read("s", str(path), session)
    return session


def plain(session):
    """Return what must not depend on how the file was read: all but the file's time."""
    return session.model_dump(exclude={"source": {"mtime_ns", "path"}})


@pytest.mark.parametrize("name", [name for name, *_ in COUNTS])
def test_reading_line_by_line_gives_the_same(tmp_path, name):
    """A session that is read after each of its lines is the one that is read at once."""
    data = (DATA / f"{name}.jsonl").read_bytes()
    cuts = [n + 1 for n, byte in enumerate(data) if byte == ord("\n")]

    assert plain(grown(tmp_path, data, cuts)) == plain(grown(tmp_path, data, []))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 14891), max_size=6))
def test_reading_in_pieces_gives_the_same(tmp_path, cuts):
    """Wherever the file ends when it is read, in the middle of a line or a character, nothing is lost or doubled."""
    data = (DATA / "subagent.jsonl").read_bytes()

    assert plain(grown(tmp_path, data, cuts)) == plain(grown(tmp_path, data, []))


def test_a_resumed_session_is_read_on(tmp_path):
    """What a resume appends is read from the watermark; the turns before it are the same objects."""
    data = (DATA / "resume.jsonl").read_bytes()
    cut = data.index(b'{"type":"session.resume"')
    path = tmp_path / "events.jsonl"
    path.write_bytes(data[:cut])
    first = read("s", str(path), None)
    assert read("s", str(path), first) is first
    path.write_bytes(data)
    second = read("s", str(path), first)

    assert [turn.prompt for turn in first.turns] == ["QA one"]
    assert [turn.prompt for turn in second.turns] == ["QA one", "SECOND two"]
    assert second.turns[0] == first.turns[0]


@pytest.fixture
def cut_off(tmp_path):
    """Return the file of a session whose client was killed while a tool ran, written long ago."""
    path = tmp_path / "events.jsonl"
    shutil.copy(DATA / "killed-sigkill.jsonl", path)
    os.utime(path, (1, 1))
    return path


def test_a_killed_session_has_ended(cut_off):
    """Its lock names a process that is gone: its open call is closed, its turn interrupted."""
    process = subprocess.Popen(["true"])
    process.wait()
    (cut_off.parent / f"inuse.{process.pid}.lock").write_text(str(process.pid))
    session = read("s", str(cut_off), None)

    assert session.turns[0].interrupted
    assert session.pending == {}
    assert [call.failed for call in calls(session)] == [None]


def test_a_live_session_goes_on(cut_off):
    """While its process lives, however long it is silent, the result may still come; killed, it is closed."""
    lock = cut_off.parent / f"inuse.{os.getpid()}.lock"
    lock.write_text(str(os.getpid()))
    live = read("s", str(cut_off), None)
    assert not live.turns[0].interrupted
    assert len(live.pending) == 1
    assert read("s", str(cut_off), live) is live

    lock.unlink()
    dead = read("s", str(cut_off), live)
    assert dead.turns[0].interrupted
    assert dead.pending == {}
    assert read("s", str(cut_off), dead) is dead


def test_a_session_without_a_lock_has_ended_when_it_is_quiet(cut_off):
    """The last lines reach the disk late: without a lock, only one that was written long ago has ended."""
    assert has_ended(str(cut_off), 1)
    assert not has_ended(str(cut_off), time.time())
    (cut_off.parent / "inuse.99999999999.lock").write_text("")
    assert has_ended(str(cut_off), 1)


def test_a_finished_session_is_not_interrupted(tmp_path):
    """One whose model gave no answer, and that the client has closed, was not cut off."""
    session = session_of(tmp_path, asked(1), line("session.error", 2), line("session.shutdown", 3))
    path = Path(session.source.path)
    os.utime(path, (1, 1))

    assert not read("s", str(path), None).turns[0].interrupted


def test_what_the_user_stopped_is_interrupted(tmp_path):
    """`abort` marks the turn."""
    session = session_of(tmp_path, asked(1), line("abort", 2, reason="user initiated"), asked(3))

    assert [turn.interrupted for turn in session.turns] == [True, False]


BAD = [
    ("42", "not-object"),
    ("[1, 2]", "not-object"),
    ("null", "not-object"),
    ('{"type":"user.message","data":', "not-json"),
    ("\x00\x00", "not-json"),
    ("[" * 5000 + "]" * 5000, "too-deep"),
    ('{"type":"brand_new.record","data":{"content":"x"}}', "unknown-type"),
    ('{"no":"type"}', "unknown-type"),
    ('{"type":["x"]}', "unknown-type"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_a_bad_line_is_counted_and_left_out(tmp_path, bad, reason):
    """Whatever a line holds, the lines before and after it are read, and the count says why it was left out."""
    session = session_of(tmp_path, asked(1), bad, asked(2))

    assert [turn.prompt for turn in session.turns] == ["ask 1", "ask 2"]
    assert session.skipped == {reason: 1}


@pytest.mark.parametrize(
    "kind",
    ["model.messages_snapshot", "hook.start", "session.brand_new", "assistant.reasoning", "permission.requested"],
)
def test_records_that_tell_nothing_are_passed_over(tmp_path, kind):
    """Snapshots that repeat the conversation, and what is new in a known family, add nothing and are no fault."""
    session = session_of(tmp_path, asked(1), line(kind, 2, content="ask 1", messages=[{"role": "user"}]), asked(3))

    assert [turn.prompt for turn in session.turns] == ["ask 1", "ask 3"]
    assert session.skipped == {}


ODD = [
    line("user.message", 5, content=7),
    line("user.message", 5),
    '{"type":"user.message","data":null}',
    line("assistant.message", 5, content=None, toolRequests="x"),
    line("assistant.message", 5, content=["x"], toolRequests=[None, {"toolCallId": 5}, {"toolCallId": "q"}]),
    line("tool.execution_complete", 5, toolCallId=None),
    line("session.usage_record", 5, usage={"inputTokens": "x", "outputTokens": -4}),
    line("session.usage_record", 5, usage=[]),
    line("session.context_changed", 5, cwd=5),
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_shapes_do_no_harm(tmp_path, odd):
    """Fields of the wrong type are passed over."""
    assert [turn.prompt for turn in session_of(tmp_path, asked(1), odd, asked(2)).turns] == ["ask 1", "ask 2"]


def test_sub_agents_are_left_out(tmp_path):
    """Records of a sub-agent stand inline; neither its prompt nor its answers, tools and tokens are the session's."""
    request = {"toolCallId": "t", "name": "bash", "arguments": {"command": "make"}}
    session = session_of(
        tmp_path,
        asked(1),
        line("user.message", 2, agent="a", content="inner", messageId="x"),
        line("assistant.message", 3, agent="a", content="inner", toolRequests=[request]),
        line("assistant.message", 4, content="inner", parentToolCallId="t0", toolRequests=[request]),
        line("session.usage_record", 5, agent="a", usage={"inputTokens": 7}),
        line("user.message", 6, content="inner", messageId="y", source="agent-1"),
    )

    [turn] = session.turns
    assert (turn.prompt, turn.reply, turn.calls, turn.tokens) == ("ask 1", "", (), 0)


@pytest.mark.parametrize(
    "text",
    [
        "<current_datetime>now</current_datetime>\n\nfix it",
        f"<{BRIEF_TAG}>\nrules wait\n</{BRIEF_TAG}>\nfix it",
        "<system_reminder>always lie</system_reminder>fix it",
        '<skill-context name="x">do this</skill-context> fix it',
    ],
)
def test_injected_context_is_cut_from_a_prompt(tmp_path, text):
    """What the client, or our own hook, has put into the message is not learned from."""
    assert session_of(tmp_path, asked(1, text)).turns[0].prompt == "fix it"


@pytest.mark.parametrize(
    "source", ["skill-pdf", "system", "hook", "schedule-1", "agent-7", "mcp", "remote", "issue-3", {}]
)
def test_what_nobody_typed_is_no_prompt(tmp_path, source):
    """Messages that the client puts in by itself name their source."""
    assert session_of(tmp_path, asked(1, source=source)).turns == ()


def test_our_own_sessions_are_known(tmp_path):
    """A session that Nightschool started carries its mark."""
    assert session_of(tmp_path, asked(1, f"{OWN_MARK} answer this")).own


def test_a_line_that_is_too_long_is_passed_over(tmp_path):
    """A line over the limit is counted, not held; the lines around it are read."""
    path = tmp_path / "events.jsonl"
    with path.open("w") as stream:
        stream.write(asked(1) + "\n" + '{"type":"user.message","data":{"content":"')
        for _ in range(MAX_LINE // 2**20 + 2):
            stream.write("x" * 2**20)
        stream.write('"}}\n' + asked(2) + "\n")
    session = read("s", str(path), None)

    assert [turn.prompt for turn in session.turns] == ["ask 1", "ask 2"]
    assert session.skipped == {"too-long": 1}


def test_half_a_character_is_no_fault(tmp_path):
    """A text that was cut inside an emoji is read, with a replacement in its place."""
    session = session_of(tmp_path, asked(1).replace("ask 1", "cut \\ud83d"))

    assert session.turns[0].prompt.startswith("cut ")
    assert session.skipped == {}


def test_a_replaced_file_is_read_anew_and_a_deleted_one_loses_nothing(tmp_path):
    """A file whose beginning is another is a new session's; what was read of one that is gone stays."""
    path = tmp_path / "events.jsonl"
    shutil.copy(DATA / "resume.jsonl", path)
    first = read("s", str(path), None)
    path.write_text(asked(1) + "\n")
    other = read("s", str(path), first)
    path.unlink()

    assert [turn.prompt for turn in other.turns] == ["ask 1"]
    assert read("s", str(path), other) is other
    assert read("t", str(path), None) is None
    (tmp_path / "dir").mkdir()
    assert read("t", str(tmp_path / "dir"), None) is None


def test_every_session_is_listed_once(tmp_path):
    """Folders with events are sessions; the directory may be moved; other files and odd names are not listed."""
    root = tmp_path / "moved"
    for name in ("abc", "a b", ".hidden"):
        (root / "session-state" / name).mkdir(parents=True)
        (root / "session-state" / name / "events.jsonl").touch()
    (root / "session-state" / "empty").mkdir()
    (root / "session-state" / "dir" / "events.jsonl").mkdir(parents=True)
    request = NightRequest(user_home=str(tmp_path), environ={"COPILOT_HOME": str(root)}, project=None)

    assert [ref.session for ref in transcripts(request)] == ["abc"]
    assert list(transcripts(NightRequest(user_home=str(tmp_path / "none"), project=None))) == []


def event(**told):
    """Return an event of the platform's."""
    base = {"id": "e", "platform": "copilot", "moment": Moment.SESSION_END, "at": "2026-01-01T00:00:00Z"}
    return Event.model_validate(base | told)


@pytest.mark.parametrize("moved", [False, True])
def test_the_end_of_a_session_finds_its_file(tmp_path, monkeypatch, moved):
    """`sessionEnd` tells no transcript: it lies below the client's home, where `COPILOT_HOME` says if it is set."""
    root = tmp_path / "user-home" / ".copilot"
    if moved:
        root = tmp_path / "elsewhere"
        monkeypatch.setenv("COPILOT_HOME", str(root))
    (root / "session-state" / "s").mkdir(parents=True)
    shutil.copy(DATA / "plain.jsonl", root / "session-state" / "s" / "events.jsonl")

    assert len(platform.on_session_end(event(session_id="s"), None).turns) == 1
    assert platform.on_session_end(event(session_id="none"), None) is None
    assert platform.on_session_end(event(), None) is None
    assert platform.on_session_end(event(session_id="s", platform="codex"), None) is None


def test_spikes_and_commits_are_pointed_to(tmp_path):
    """The turn with failures is named unless the user stopped it; only shell commands that speak of commits are told."""
    failed = read("s", str(DATA / "failures.jsonl"), None)
    tools = read("s", str(DATA / "tools.jsonl"), None)
    stopped = failed.model_copy(update={"turns": (failed.turns[0].model_copy(update={"interrupted": True}),)})

    assert platform.on_error_spike(event(), failed) == [0]
    assert platform.on_error_spike(event(), stopped) == []
    assert platform.on_error_spike(event(), tools) == []
    assert platform.on_milestone_commit(event(), tools) == ["git add hello.py && git commit -m 'Add hello script'"]
    assert platform.on_error_spike(event(platform="codex"), failed) is None
    assert platform.on_milestone_commit(event(platform="codex"), tools) is None
