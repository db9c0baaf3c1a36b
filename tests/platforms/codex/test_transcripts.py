"""Real rollouts of the client are read exactly, in one go or piece by piece, whatever shape they have."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightschool.errors import NightschoolError
from nightschool.events import Event, Moment
from nightschool.records import BRIEF_TAG, OWN_MARK, NightRequest
from nightschool_codex import packed, platform
from nightschool_codex.lines import MAX_LINE
from nightschool_codex.transcripts import read, transcripts, unreadable

DATA = Path(__file__).parent / "data"
NAME = "01a1fbef-4893-7363-8127-ba7839323085"
FILE = f"rollout-2026-11-21T02-28-45-{NAME}.jsonl"

# (file, prompts, tool calls, failed, interrupted turns); counted by hand from what the scripted model said
COUNTS = [
    ("exec-codemode-commit", 1, 3, 0, 0),
    ("exec-codemode-failures", 1, 6, 6, 0),
    ("exec-commit", 1, 3, 0, 0),
    ("exec-failures", 1, 6, 6, 0),
    ("exec-patch", 1, 1, 0, 0),
    ("exec-plain", 1, 0, 0, 0),
    ("exec-plan", 1, 1, 1, 0),
    ("legacy-0.128-exec-commit", 1, 3, 0, 0),
    ("legacy-0.128-exec-failures", 1, 6, 6, 0),
    ("legacy-0.128-exec-plain", 1, 0, 0, 0),
    ("tui-mixed", 5, 4, 0, 1),
    ("tui-mixed-subagent", 0, 0, 0, 0),
]


def calls(session):
    """Return every tool call of a session."""
    return [call for turn in session.turns for call in turn.calls]


@pytest.mark.parametrize(("name", "prompts", "tools", "failed", "interrupted"), COUNTS)
def test_real_sessions_are_counted_exactly(name, prompts, tools, failed, interrupted):
    """Prompts, calls, failures and interruptions are those of the session; nothing in it is unknown."""
    session = read("s", str(DATA / f"{name}.jsonl"), None)

    assert len(session.turns) == prompts
    assert len(calls(session)) == tools
    assert sum(call.failed is True for call in calls(session)) == failed
    assert sum(call.failed is None for call in calls(session)) == 0
    assert sum(turn.interrupted for turn in session.turns) == interrupted
    assert session.skipped == {}
    assert session.source.offset == (DATA / f"{name}.jsonl").stat().st_size


def test_what_a_turn_holds():
    """Prompt, last answer, calls with what they were asked, uncached tokens once a response, project and branch."""
    session = read("s", str(DATA / "exec-commit.jsonl"), None)
    [turn] = session.turns

    assert turn.prompt == "commit work: add a calc module"
    assert turn.reply == "Added calc.py, checked it, and committed it."
    assert [call.name for call in turn.calls] == ["exec_command"] * 3
    assert turn.calls[2].input.startswith("git add calc.py && git -c user.name=dev")
    assert {call.output for call in turn.calls} == {""}, "what went well is not kept"
    assert (session.project, session.branch) == ("/home/u/labwork/demo", "main")
    rows = [json.loads(line) for line in (DATA / "exec-commit.jsonl").read_text().splitlines()]
    usages = [row["payload"]["usage"] for row in rows if row["type"] == "token_usage_record"]
    assert turn.tokens == sum(u["input_tokens"] - u["cached_input_tokens"] + u["output_tokens"] for u in usages)


def test_old_and_new_clients_tell_the_same():
    """The same scripted session reads the same from a client of 2025's format, today's, and one in code mode."""
    old, new, script = (
        read("s", str(DATA / f"{name}.jsonl"), None).turns[0]
        for name in ("legacy-0.128-exec-failures", "exec-failures", "exec-codemode-failures")
    )
    for turn in (old, script):
        assert turn.prompt == new.prompt
        assert turn.reply == new.reply
        assert sorted(call.input for call in turn.calls) == sorted(call.input for call in new.calls)
        assert {call.name for call in turn.calls} == {"exec_command"}
    assert all(call.output for call in old.calls)


def test_a_compaction_answers_nothing():
    """What the client itself asked for a summary is not the answer to the prompt before."""
    session = read("s", str(DATA / "tui-mixed.jsonl"), None)

    assert "SUMMARY" not in "".join(turn.reply for turn in session.turns)
    assert session.turns[-1].reply == "Spawn result seen."


def grown(tmp_path, data, cuts):
    """Read a file that grows to each of `cuts` in turn and return the last session."""
    path = tmp_path / "s.jsonl"
    session = None
    for cut in [*sorted(cuts), len(data)]:
        path.write_bytes(data[:cut])
        session = read("s", str(path), session)
    return session


def plain(session):
    """Return what must not depend on how the file was read: all but the file's time."""
    return session.model_dump(exclude={"source": {"mtime_ns", "path"}})


@pytest.mark.parametrize("name", [row[0] for row in COUNTS])
def test_reading_line_by_line_gives_the_same(tmp_path, name):
    """A session that is read after each of its lines is the one that is read at once."""
    data = (DATA / f"{name}.jsonl").read_bytes()
    cuts = [n + 1 for n, byte in enumerate(data) if byte == ord("\n")]

    assert plain(grown(tmp_path, data, cuts)) == plain(grown(tmp_path, data, []))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 32000), max_size=6))
def test_reading_in_pieces_gives_the_same(tmp_path, cuts):
    """Wherever the file ends when it is read, in the middle of a line or a character, nothing is lost or doubled."""
    data = (DATA / "exec-codemode-failures.jsonl").read_bytes()

    assert plain(grown(tmp_path, data, cuts)) == plain(grown(tmp_path, data, []))


def row(kind, payload, *, ordinal=None):
    """Return one line of a rollout."""
    told = {"timestamp": "2026-11-21T02:00:00.000Z"} | ({} if ordinal is None else {"ordinal": ordinal})
    return json.dumps(told | {"type": kind, "payload": payload})


def meta(**fields):
    """Return a rollout's head."""
    return row("session_meta", {"id": NAME, "cwd": "/p", "source": "cli"} | fields)


def asked(text, *, kind="user.text"):
    """Return a prompt as the model gets it."""
    marks = {"content_item_kinds": [kind]}
    content = [{"type": "input_text", "text": text}]
    told = {"type": "message", "role": "user", "content": content, "internal_chat_message_metadata_passthrough": marks}
    return row("response_item", told)


def item(kind, **fields):
    """Return a finished item."""
    return row("event_msg", {"type": "item_completed", "item": {"type": kind} | fields})


def typed(text):
    """Return a prompt as an item."""
    return item("UserMessage", id="u", content=[{"type": "text", "text": text}])


def event(kind, **fields):
    """Return an event."""
    return row("event_msg", {"type": kind} | fields)


def session_of(tmp_path, *lines):
    """Read a rollout with these lines."""
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return read("s", str(path), None)


def test_the_same_words_twice_are_two_prompts_and_one_prompt_told_thrice_is_one(tmp_path):
    """Prompts are told apart by their place in each kind of record, not by their words."""
    once = (event("task_started", turn_id="t1"), asked("go on"), typed("go on"), event("user_message", message="go on"))
    steered = (typed("go on"), asked("go on [image]"))
    again = (event("task_started", turn_id="t2"), event("user_message", message="go on"), typed("go on"))
    session = session_of(tmp_path, meta(), *once, *steered, *again)

    assert [turn.prompt for turn in session.turns] == ["go on"] * 3
    assert [turn.id for turn in session.turns] == ["t1", "t1:2", "t2"]


@pytest.mark.parametrize(
    "kind",
    [
        "environments.environment_context",
        "agents_md.instructions",
        "hooks.additional_context",
        "generic.turn_aborted",
        "skills.selected_skill_instructions",
        "multi_agent.subagent_notification",
        "something.new",
    ],
)
def test_only_what_is_marked_as_typed_is_the_users(tmp_path, kind):
    """Context of any other kind in a message of the role user is no prompt, also of kinds to come."""
    started = event("task_started", turn_id="t1")
    session = session_of(tmp_path, meta(), started, asked("Always obey.", kind=kind), asked("hello"), typed("hello"))

    assert [turn.prompt for turn in session.turns] == ["hello"]


def test_what_is_ours_never_comes_back(tmp_path):
    """Our brief is cut out of a prompt, and a rehearsal of ours is kept as our own."""
    brief = f"<{BRIEF_TAG}>\nrules wait\n</{BRIEF_TAG}>"
    started = event("task_started", turn_id="t1")
    session = session_of(tmp_path, meta(), started, typed(f"{brief}\nhello"), typed(brief))
    assert [turn.prompt for turn in session.turns] == ["hello"]
    assert not session.own
    assert session_of(tmp_path, meta(), started, typed(f"{OWN_MARK}\nwrite a query")).own


def test_an_editors_context_is_cut_off(tmp_path):
    """What an editor puts before the request is not the user's."""
    text = "# Context from my IDE setup:\n\n## Active file: a.py\n\n## My request for Codex:\nfix it\n"
    [turn] = session_of(tmp_path, meta(), event("user_message", message=text)).turns

    assert turn.prompt == "fix it"


@pytest.mark.parametrize(
    "source",
    [
        {"source": {"subagent": {"thread_spawn": {"parent_thread_id": "p"}}}},
        {"source": {"subagent": "review"}},
        {"source": "cli", "thread_source": "subagent"},
    ],
)
def test_nobody_typed_in_a_sub_agent(tmp_path, source):
    """A sub-agent's rollout is known and has no turns, also when it grows."""
    path = tmp_path / "s.jsonl"
    path.write_text(meta(**source) + "\n")
    known = read("s", str(path), None)
    path.write_text(meta(**source) + "\n" + typed("do this") + "\n")

    assert read("s", str(path), known).turns == ()


def test_a_fork_is_not_its_parent(tmp_path):
    """An old fork copies its parent with its head: the fork keeps its own directory, prompts keep their ids."""
    parent = (event("task_started", turn_id="t1"), event("user_message", message="first"))
    own = (event("task_started", turn_id="t2"), event("user_message", message="second"))
    fork = session_of(tmp_path, meta(forked_from_id="p", cwd="/fork"), meta(id="p", cwd="/parent"), *parent, *own)

    assert fork.project == "/fork"
    assert [turn.id for turn in fork.turns] == ["t1", "t2"]


def test_rollouts_without_an_envelope_are_read(tmp_path):
    """The oldest clients wrote bare items: prompts count, blocks of instructions do not, exit codes lie in JSON."""
    session = session_of(
        tmp_path,
        json.dumps({"id": NAME, "timestamp": "2025-06-01T00:00:00.000Z", "instructions": None, "git": {"branch": "b"}}),
        json.dumps({"record_type": "state"}),
        json.dumps({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<environment_context>x"}]}),
        json.dumps({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "fix it"}]}),
        json.dumps({"type": "function_call", "name": "shell", "arguments": '{"command":["bash","-lc","make"]}', "call_id": "c"}),
        json.dumps({"type": "function_call_output", "call_id": "c", "output": '{"output":"no rule","metadata":{"exit_code":2}}'}),
        json.dumps({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Sorry."}]}),
    )  # fmt: skip
    [turn] = session.turns

    assert (turn.prompt, turn.reply, session.branch) == ("fix it", "Sorry.", "b")
    assert [(c.name, c.input, c.failed, c.output) for c in turn.calls] == [("shell", "make", True, "no rule")]
    assert session.skipped == {}


def call(name, call_id="c", **arguments):
    """Return a call of the model's."""
    told = {"type": "function_call", "name": name, "call_id": call_id, "arguments": json.dumps(arguments)}
    return row("response_item", told)


def output(text, call_id="c"):
    """Return what a call came to, as the model gets it."""
    return row("response_item", {"type": "function_call_output", "call_id": call_id, "output": text})


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("Chunk ID: 1\nProcess exited with code 1\nOutput:\n", True),
        ("Chunk ID: 1\nProcess exited with code 0\nOutput:\nExit code: 1\nProcess exited with code 1", False),
        ("Exit code: 2\nWall time: 0 seconds\nOutput:\n", True),
        ("unsupported call: nope", True),
        ("failed to parse function arguments: x", True),
        ("aborted by user after 1.0s", True),
        ('{"output":"x","metadata":{"exit_code":0}}', False),
        ("Chunk ID: 1\nProcess running with session ID 7\nOutput:\n", None),
        ("all fine", False),
        ([{"type": "input_text", "text": "Process exited with code 3\nOutput:"}], True),
        ({"content": "no", "success": False}, True),
        (None, False),
    ],
)
def test_without_an_item_the_clients_words_tell_of_a_failure(tmp_path, text, failed):
    """Only what the client says before a command's own output counts."""
    session = session_of(
        tmp_path, meta(), event("user_message", message="x"), call("exec_command", cmd="a"), output(text)
    )

    assert [one.failed for one in calls(session)] == [failed]


def test_a_command_that_runs_on_fails_once(tmp_path):
    """The item of the command tells how it ended; the call that looked after it did not fail."""
    session = session_of(
        tmp_path, meta(), event("user_message", message="x"),
        call("exec_command", cmd="sleep 9; false"), output("Process running with session ID 1\nOutput:\n"),
        call("write_stdin", "d", chars=""),
        item("CommandExecution", id="c", command=["bash", "-lc", "sleep 9; false"], status="failed", exit_code=1),
        output("Process exited with code 1\nOutput:\n", "d"),
    )  # fmt: skip

    assert [(one.name, one.failed) for one in calls(session)] == [("exec_command", True), ("write_stdin", False)]


def test_items_without_a_call(tmp_path):
    """Tools a script called, tools of a server and changes of files are calls; the user's own commands are not."""
    script = {"type": "custom_tool_call", "name": "exec", "call_id": "s", "input": "await tools.a(); await tools.b()"}
    session = session_of(
        tmp_path, meta(), event("task_started", turn_id="t"), typed("x"), row("response_item", script),
        item("McpToolCall", id="exec-1", server="mini", tool="echo", arguments={"a": 1}, status="failed",
             result={"content": [{"type": "text", "text": "boom"}], "isError": True}),
        item("FileChange", id="exec-2", changes={"/a": {}, "/b": {}}, status="declined", stderr="no"),
        item("CommandExecution", id="exec-3", command=["ls", "-l"], status="completed", exit_code=0),
        item("CommandExecution", id="u", command=["bash", "-lc", "false"], status="failed", exit_code=1, source="user_shell"),
        item("CommandExecution", id="p", command=["true"], status="in_progress"),
        row("response_item", {"type": "custom_tool_call_output", "call_id": "s", "output": "Script completed"}),
    )  # fmt: skip

    assert [(one.name, one.input, one.failed, one.output) for one in calls(session)] == [
        ("mcp__mini__echo", '{"a": 1}', True, "boom"),
        ("apply_patch", "/a /b", True, "no"),
        ("exec_command", "ls -l", False, ""),
    ]


def test_an_interruption_marks_the_turn(tmp_path):
    """Only a turn the user stopped is interrupted."""
    for reason, marked in (("interrupted", True), ("replaced", False)):
        stopped = event("turn_aborted", reason=reason)
        assert session_of(tmp_path, event("user_message", message="x"), stopped).turns[0].interrupted is marked


BAD = [
    (b"42", "not-object"),
    (b"{", "not-json"),
    (b"\xff\xfe", "not-utf8"),
    (b"[" * 100_000, "too-deep"),
    (b'{"timestamp":"x","type":"news","payload":{}}', "unknown-type"),
    (b'"' + b"x" * MAX_LINE + b'"', "too-long"),
]


@pytest.mark.parametrize(("line", "why"), BAD)
def test_bad_lines_are_counted_and_passed_over(tmp_path, line, why):
    """Whatever stands between two records, the second is read, and the reason is counted."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(meta().encode() + b"\n" + line + b"\n" + typed("hello").encode() + b"\n")
    session = read("s", str(path), None)

    assert [turn.prompt for turn in session.turns] == ["hello"]
    assert session.skipped == {why: 1}


@pytest.mark.parametrize("payload", [None, [], "x", 7, {}])
@pytest.mark.parametrize("kind", ["session_meta", "response_item", "event_msg", "token_usage_record", "compacted"])
def test_odd_payloads_stop_nothing(tmp_path, kind, payload):
    """A known type with any payload is taken or counted, never raised."""
    odd = [{"type": "item_completed", "item": 7}, {"type": "message", "role": "user", "content": 7}]
    session = session_of(tmp_path, row(kind, payload), *(row(kind, one) for one in odd), meta(), typed("hello"))

    assert [turn.prompt for turn in session.turns] == ["hello"]


def test_a_compaction_is_not_parsed(tmp_path):
    """Records that tell nothing are passed over by their first bytes, however large: a broken one does no harm."""
    silent = '{"timestamp":"2026-11-21T02:00:00.000Z","ordinal":7,"type":"compacted","payload":{"broken'
    session = session_of(tmp_path, meta(), silent, silent + "x" * MAX_LINE, typed("hello"))

    assert session.skipped == {}
    assert len(session.turns) == 1


def night(tmp_path, **environ):
    """Return what the night asks."""
    return NightRequest(user_home=str(tmp_path), environ=environ, project=None)


def lay(folder, name=FILE, source="exec-commit.jsonl"):
    """Put a rollout into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(DATA / source, folder / name)
    return folder / name


def test_every_rollout_is_listed(tmp_path):
    """Those of any day, archived ones and those in CODEX_HOME are sessions by their thread's id; other files are not."""
    day = tmp_path / ".codex" / "sessions" / "2026" / "11" / "21"
    lay(day)
    lay(day, "rollout-x.jsonl")
    lay(day, "notes.jsonl")
    other = NAME.replace("01a1", "02b2")
    lay(tmp_path / ".codex" / "archived_sessions", FILE.replace(NAME, other))

    assert {ref.session for ref in transcripts(night(tmp_path))} == {NAME, other}
    assert list(transcripts(night(tmp_path, CODEX_HOME=str(tmp_path / "elsewhere")))) == []
    lay(tmp_path / "elsewhere" / "sessions" / "2026" / "11" / "21")
    assert len(list(transcripts(night(tmp_path, CODEX_HOME=str(tmp_path / "elsewhere"))))) == 1


def test_an_archived_session_is_read_on(tmp_path):
    """Moved, a rollout keeps its turns and is not read again; gone, what was read of it stays."""
    path = lay(tmp_path / "sessions")
    known = read(NAME, str(path), None)
    moved = tmp_path / "archived" / FILE
    moved.parent.mkdir()
    path.rename(moved)

    assert read(NAME, str(path), known) is known
    again = read(NAME, str(moved), known)
    assert again.source.path == str(moved)
    assert again.turns == known.turns
    assert read(NAME, str(moved), again) is again


def test_another_threads_file_is_not_read_into_a_session(tmp_path):
    """Inside a sub-agent a hook names the parent's session with the sub-agent's file: that changes nothing."""
    path = lay(tmp_path)
    parent = NAME.replace("01a1", "02b2")

    assert read(parent, str(path), None) is None
    told = {"id": "e", "platform": "codex", "moment": Moment.TURN_END, "at": "2026-11-21T02:00:00Z"}
    heard = Event(**told, session_id=NAME, transcript=str(path))
    assert len(platform.on_session_end(heard, None).turns) == 1
    assert platform.on_session_end(heard.model_copy(update={"platform": "claude-code"}), None) is None


@pytest.mark.skipif(shutil.which("zstd") is None, reason="the machine has no zstd program")
def test_a_compressed_session_is_read_on(tmp_path, monkeypatch):
    """A rollout that was compressed since keeps its turns; one that is met compressed is read whole."""
    path = lay(tmp_path / ".codex" / "sessions")
    known = read(NAME, str(path), None)
    subprocess.run(["zstd", "-q", "--rm", str(path)], check=True)
    [ref] = transcripts(night(tmp_path))

    assert ref.path == f"{path}.zst"
    again = read(NAME, ref.path, known)
    assert again.turns == known.turns == read(NAME, ref.path, None).turns
    assert read(NAME, ref.path, again) is again
    path.with_name(FILE + ".zst").write_bytes(b"\x28\xb5\x2f\xfd garbage")
    with pytest.raises(NightschoolError, match="compressed session"):
        read(NAME, ref.path, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(packed.importlib, "import_module", _no_module)
    assert list(transcripts(night(tmp_path))) == []
    assert unreadable(night(tmp_path)) == platform.unread(night(tmp_path)) == 1
    with pytest.raises(NightschoolError, match=r"Install the program zstd"):
        read(NAME, ref.path, None)


def _no_module(name):
    raise ImportError(name)


def test_a_replaced_file_is_read_anew_and_a_pipe_is_not_read(tmp_path):
    """Another beginning means another session; what is no plain file is none."""
    path = lay(tmp_path)
    known = read(NAME, str(path), None)
    shutil.copy(DATA / "exec-plain.jsonl", path)
    assert [turn.prompt for turn in read(NAME, str(path), known).turns] == ["plain question: what is the answer?"]
    path.unlink()
    os.mkfifo(path)
    assert read(NAME, str(path), None) is None


def test_spikes_and_commits_are_told(tmp_path):
    """The turns with failures that the user had not stopped, and the commands that may have committed."""
    failing = read(NAME, str(DATA / "exec-failures.jsonl"), None) or read("s", str(DATA / "exec-failures.jsonl"), None)
    committing = read("s", str(DATA / "exec-commit.jsonl"), None)
    heard = Event(id="e", platform="codex", moment=Moment.ERROR_SPIKE, at="2026-11-21T02:00:00Z")

    assert platform.on_error_spike(heard, failing) == [0]
    stopped = failing.model_copy(update={"turns": (failing.turns[0].model_copy(update={"interrupted": True}),)})
    assert platform.on_error_spike(heard, stopped) == []
    [commit] = platform.on_milestone_commit(heard, committing)
    assert "commit -q -m 'Add calc.add'" in commit


def test_fixtures_hold_nothing_of_the_vendors():
    """System prompts and developer messages are cut out of the samples."""
    for path in DATA.glob("*.jsonl"):
        text = path.read_text()
        assert "You are a coding agent" not in text
        assert len(text) < 80_000
