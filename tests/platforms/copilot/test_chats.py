"""Chats of editors, in either of their formats, and what the client's database still knows."""

import json
import sqlite3

import pytest

from nightschool.records import OWN_MARK, NightRequest
from nightschool_copilot.transcripts import read, transcripts

TERMINAL = {
    "kind": "toolInvocationSerialized",
    "toolId": "run_in_terminal",
    "isComplete": True,
    "isConfirmed": {"type": 1},
    "invocationMessage": {"value": "Running `make`"},
    "toolSpecificData": {
        "kind": "terminal",
        "commandLine": {"original": "make"},
        "terminalCommandState": {"exitCode": 2},
        "terminalCommandOutput": {"text": "make: no rule"},
    },
}
VIEW = {
    "kind": "toolInvocationSerialized",
    "toolId": "copilot_readFile",
    "isComplete": True,
    "invocationMessage": "Reading a",
}
REFUSED = VIEW | {"toolId": "copilot_createFile", "isConfirmed": {"type": 0}}
OPEN = VIEW | {"toolId": "copilot_findFiles", "isComplete": False}
INNER = VIEW | {"subAgentInvocationId": "x"}


def request(number, text="add a cart", response=(), **more):
    """Return one request of a chat."""
    return {
        "requestId": f"request_{number}",
        "timestamp": 1_795_226_510_000 + number,
        "message": {"text": text, "parts": []},
        "response": list(response),
    } | more


REQUESTS = [
    request(
        1,
        response=[
            {"value": "Let me "},
            {"value": "look."},
            TERMINAL,
            VIEW,
            REFUSED,
            OPEN,
            INNER,
            {"value": "It fails."},
        ],
    ),
    request(2, "never mind", isCanceled=True, promptTokens=7, completionTokens=5),
]
CHAT = {"version": 3, "sessionId": "c", "creationDate": 1_795_226_500_000, "requests": REQUESTS}


@pytest.fixture
def workspace(tmp_path):
    """Return the folder of a window's chats, below a user's home."""
    folder = tmp_path / ".config" / "Code" / "User" / "workspaceStorage" / "hash"
    (folder / "chatSessions").mkdir(parents=True)
    (folder / "workspace.json").write_text(json.dumps({"folder": "file:///home/u/my%20shop"}))
    return folder / "chatSessions"


def as_object(path):
    """Write the chat as one object."""
    path.write_text(json.dumps(CHAT))
    return path


def as_log(path, *more):
    """Write the same chat as a log of changes."""
    log = [
        {"kind": 0, "v": CHAT | {"requests": [], "draft": "x"}},
        {"kind": 1, "k": ["title"], "v": "A cart"},
        {"kind": 2, "k": ["requests"], "v": [REQUESTS[0] | {"response": [{"value": "Let me "}, {"value": "thin"}]}]},
        {"kind": 2, "k": ["requests", 0, "response"], "i": 1, "v": REQUESTS[0]["response"][1:]},
        {"kind": 3, "k": ["draft"]},
        {"kind": 1, "k": ["requests", 9, "response"], "v": "fits nothing"},
        {"kind": 2, "k": ["requests"], "v": [request(2, "never mind")]},
        {"kind": 1, "k": ["requests", 1, "isCanceled"], "v": True},
        {"kind": 1, "k": ["requests", 1, "promptTokens"], "v": 7},
        {"kind": 1, "k": ["requests", 1, "completionTokens"], "v": 5},
        *more,
    ]
    path.write_text("".join(json.dumps(change) + "\n" for change in log))
    return path


@pytest.mark.parametrize(("write", "name"), [(as_object, "c.json"), (as_log, "c.jsonl")])
def test_a_chat_is_read_whichever_way_it_is_kept(workspace, write, name):
    """Prompts, last answers, tools with their failures, and the folder; sub-agents' tools are left out."""
    session = read("c", str(write(workspace / name)), None)
    first, second = session.turns

    assert session.project == "/home/u/my shop"
    assert (first.prompt, first.reply, first.interrupted) == ("add a cart", "It fails.", False)
    assert [(call.name, call.input, call.failed) for call in first.calls] == [
        ("run_in_terminal", "make", True),
        ("copilot_readFile", "Reading a", False),
        ("copilot_createFile", "Reading a", True),
        ("copilot_findFiles", "Reading a", None),
    ]
    assert first.calls[0].output == "make: no rule"
    assert (second.prompt, second.interrupted, second.tokens) == ("never mind", True, 12)
    assert session.started.year == 2026
    assert read("c", str(workspace / name), session) is session


def test_a_chat_that_grew_is_read_anew(workspace):
    """A log that has more changes gives the chat as it is now, with the same ids; a torn one is left for later."""
    path = as_log(workspace / "c.jsonl")
    first = read("c", str(path), None)
    as_log(path, {"kind": 2, "k": ["requests"], "v": [request(3, "and a till")]})
    second = read("c", str(path), first)
    assert [turn.id for turn in second.turns] == ["request_1", "request_2", "request_3"]

    other = workspace / "d.json"
    as_object(other)
    whole = read("d", str(other), None)
    other.write_text(json.dumps(CHAT)[:200])
    assert read("d", str(other), whole) is whole
    other.unlink()
    assert read("d", str(other), whole) is whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        '{"requests": 7}',
        '{"requests": [7, null, {}, {"message": 5}]}',
        "[" * 9000,
        '{"kind": 0}',
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_odd_files_hold_no_turns(workspace, text, name):
    """Whatever stands in the file, reading it does no harm."""
    (workspace / name).write_text(text)

    assert read("x", str(workspace / name), None).turns == ()


def test_chats_are_listed_beside_sessions(workspace, tmp_path):
    """Windows with and without a folder; of a chat in both formats the log; no other file."""
    as_object(workspace / "c.json")
    as_log(workspace / "c.jsonl")
    as_object(workspace / "old.json")
    (workspace / "notes.txt").touch()
    empty = tmp_path / ".config" / "Code - Insiders" / "User" / "globalStorage" / "emptyWindowChatSessions"
    empty.mkdir(parents=True)
    as_log(empty / "lone.jsonl")
    found = {ref.session: ref.path for ref in transcripts(NightRequest(user_home=str(tmp_path), project=None))}

    assert found == {
        "c": str(workspace / "c.jsonl"),
        "old": str(workspace / "old.json"),
        "lone": str(empty / "lone.jsonl"),
    }
    assert read("lone", found["lone"], None).project == ""


@pytest.fixture
def store(tmp_path):
    """Return the client's database with two sessions, of which one still has its events."""
    root = tmp_path / ".copilot"
    (root / "session-state" / "here").mkdir(parents=True)
    (root / "session-state" / "here" / "events.jsonl").touch()
    with sqlite3.connect(root / "session-store.db") as database:
        database.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, cwd TEXT, branch TEXT)")
        database.execute(
            "CREATE TABLE turns (id INTEGER PRIMARY KEY, session_id TEXT, turn_index INTEGER, user_message TEXT, "
            "assistant_response TEXT, timestamp TEXT)"
        )
        for name in ("here", "gone", "../evil"):
            database.execute("INSERT INTO sessions VALUES (?, '/home/u/shop', 'main')", [name])
            for number, text in enumerate(["add a cart", "no, a till", f"{OWN_MARK} x"][: 3 if name == "here" else 2]):
                row = [name, number, text, "Done.", f"2026-01-01T00:00:0{number}.000Z"]
                database.execute("INSERT INTO turns VALUES (NULL, ?, ?, ?, ?, ?)", row)
    database.close()
    return root / "session-store.db"


def test_the_store_is_a_last_resort(store, tmp_path):
    """Only a session whose events are gone is read from the database; nothing is written beside it."""
    before = {path: path.read_bytes() for path in store.parent.iterdir() if path.is_file()}
    refs = {ref.session: ref for ref in transcripts(NightRequest(user_home=str(tmp_path), project=None))}
    assert refs.keys() == {"here", "gone"}
    assert refs["here"].path.endswith("events.jsonl")

    session = read("gone", refs["gone"].path, None)
    assert [(turn.prompt, turn.reply) for turn in session.turns] == [("add a cart", "Done."), ("no, a till", "Done.")]
    assert (session.project, session.branch, session.own) == ("/home/u/shop", "main", False)
    assert (session.source.size, session.source.mtime_ns) == (refs["gone"].size, refs["gone"].mtime_ns)
    assert read("gone", refs["gone"].path, session) is session
    assert {path: path.read_bytes() for path in store.parent.iterdir() if path.is_file()} == before


def test_what_the_events_told_outlives_them(store, tmp_path):
    """The store knows less than the events did: once they were read, it replaces nothing."""
    known = read("here", str(tmp_path / ".copilot" / "session-state" / "here" / "events.jsonl"), None)

    assert read("here", str(store), known) is known


def test_a_damaged_store_is_passed_over(store, tmp_path):
    """What is no database lists nothing and loses nothing."""
    store.write_bytes(b"no database" * 100)
    request = NightRequest(user_home=str(tmp_path), project=None)

    assert [ref.session for ref in transcripts(request)] == ["here"]
    assert read("gone", str(store), None) is None
