"""The MCP server's rules, on the session itself: terms, methods, batches, arguments, results."""

import argparse
import json
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mcp_client import HELLO, MODERN

from nightschool.cli import VERBS
from nightschool.mcp.arguments import Arguments, checked, schema, schemas
from nightschool.mcp.calls import Ended
from nightschool.mcp.protocol import LONGEST, RpcError, lines, message, parse
from nightschool.mcp.results import result
from nightschool.mcp.roots import path_of
from nightschool.mcp.session import Session, World
from nightschool.mcp.terms import HANDSHAKES
from nightschool.mcp.tools import ALL, offered

LATEST = "2025-11-25"


class Heard:
    """A session whose verbs cannot be started, and all it has sent."""

    def __init__(self, verbs=VERBS):
        self.sent = []
        self.session = Session(World(verbs, ["/nonexistent/engine"], {}), self.sent.append)

    def __call__(self, document):
        """Hand over a document, or bytes, and return what was sent for it."""
        before = len(self.sent)
        self.session.take(document if isinstance(document, bytes | None) else json.dumps(document).encode())
        return self.sent[before:]

    def ask(self, method, params=None, to=1):
        (answer,) = self(
            {"jsonrpc": "2.0", "id": to, "method": method} | ({} if params is None else {"params": params})
        )
        assert answer["id"] == to
        return answer

    def shaken(self, version=LATEST):
        self.ask("initialize", HELLO | {"protocolVersion": version})
        return self


def code(answer):
    """Return an answer's error code."""
    return answer["error"]["code"]


@pytest.mark.parametrize("version", HANDSHAKES)
def test_a_known_revision_is_taken_as_asked(version):
    """`initialize` answers in the client's revision when we speak it ("Lifecycle > Version Negotiation")."""
    made = Heard().ask("initialize", HELLO | {"protocolVersion": version})["result"]

    assert made["protocolVersion"] == version
    assert made["capabilities"] == {"tools": {}}
    assert made["serverInfo"]["name"] == "nightschool"


@pytest.mark.parametrize("version", ["1999-01-01", "2026-07-28", "", "9999"])
def test_an_unknown_revision_gets_our_newest(version):
    """A revision that has no handshake with us is answered with our newest one that has."""
    made = Heard().ask("initialize", HELLO | {"protocolVersion": version})["result"]
    assert made["protocolVersion"] == LATEST


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"protocolVersion": 1},
        HELLO | {"protocolVersion": None},
        HELLO | {"capabilities": []},
        HELLO | {"clientInfo": 1},
    ],
)
def test_a_malformed_handshake_is_refused(params):
    """Parameters of the wrong type are -32602, and no session begins."""
    heard = Heard()
    assert code(heard.ask("initialize", params)) == -32602
    assert code(heard.ask("tools/list")) == -32602


@pytest.mark.parametrize(
    "method", ["resources/list", "prompts/list", "logging/setLevel", "subscriptions/listen", "", "x"]
)
@pytest.mark.parametrize("opening", ["nothing", "handshake", "modern"])
def test_unknown_methods(method, opening):
    """A method we lack is -32601 in every era, before a handshake too: clients probe with unknown methods."""
    heard = Heard().shaken() if opening == "handshake" else Heard()
    params = {"_meta": MODERN} if opening == "modern" else {}
    assert code(heard.ask(method, params)) == -32601


def test_methods_belong_to_their_era():
    """`server/discover` is unknown after a handshake; `ping` and `initialize` are no requests of 2026-07-28."""
    assert code(Heard().shaken().ask("server/discover")) == -32601
    assert code(Heard().ask("ping", {"_meta": MODERN})) == -32601
    assert Heard().ask("ping")["result"] == {}
    assert code(Heard().ask("tools/list")) == -32602


def test_requests_that_carry_their_terms():
    """2026-07-28: no handshake; every result has its type and names the server; lists may be cached."""
    heard = Heard()
    made = heard.ask("server/discover", {"_meta": MODERN})["result"]
    assert made["supportedVersions"] == ["2026-07-28"]
    assert made["resultType"] == "complete"
    listed = heard.ask("tools/list", {"_meta": MODERN})["result"]
    assert listed["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "nightschool"
    assert listed["ttlMs"] > 0
    assert listed["cacheScope"] == "private"
    assert "resultType" not in heard.shaken().ask("tools/list")["result"]


@pytest.mark.parametrize("version", ["2025-11-25", "2099-01-01", ""])
def test_unsupported_terms(version):
    """A request under a revision we do not speak that way is -32022 and names those we do ("Versioning")."""
    meta = MODERN | {"io.modelcontextprotocol/protocolVersion": version}
    answer = Heard().ask("tools/list", {"_meta": meta})
    assert code(answer) == -32022
    assert answer["error"]["data"] == {
        "supported": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
        "requested": version,
    }


@pytest.mark.parametrize(
    "meta",
    [
        MODERN | {"io.modelcontextprotocol/protocolVersion": 3},
        MODERN | {"io.modelcontextprotocol/clientCapabilities": []},
        {"io.modelcontextprotocol/protocolVersion": "2026-07-28"},
        [],
        "x",
    ],
)
def test_incomplete_terms(meta):
    """A request without its required `_meta` fields is -32602."""
    assert code(Heard().ask("tools/list", {"_meta": meta})) == -32602


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{", -32700),
        (b"hello", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping"', -32700),
        (b'{"a": "\xff\xfe"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"pi\x00ng"}', -32700),
        (b"[" * 100_000, -32700),
        (b'{"id": ' + b"9" * 10_000 + b"}", -32700),
        (None, -32600),  # longer than any message may be
        (b"1", -32600),
        (b"null", -32600),
        (b'"ping"', -32600),
        (b"{}", -32600),
        (b'{"id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": null}', -32602),
    ],
)
def test_what_is_no_message(line, expected):
    """Each kind of damage has its own code, once, and the session goes on (JSON-RPC 2.0 §5.1)."""
    heard = Heard()
    (answer,) = heard(line)
    assert code(answer) == expected
    assert heard.ask("ping", to="again")["result"] == {}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"  \r",
        b'{"jsonrpc": "2.0", "method": "notifications/unheard-of"}',
        b'{"jsonrpc": "2.0", "method": "notifications/cancelled"}',
        b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": {}}}',
        b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77}}',
        b'{"jsonrpc": "2.0", "method": "ping", "params": 7}',
        b'{"jsonrpc": "2.0", "id": 9, "result": {}}',
        b'{"jsonrpc": "2.0", "id": 9, "error": {"code": 1, "message": ""}}',
        b'{"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": ""}}',
    ],
)
def test_what_is_never_answered(line):
    """Notifications, responses nobody waits for and empty lines get no answer, whatever they hold."""
    assert Heard().shaken()(line) == []


def test_arrays_in_the_one_revision_that_has_them():
    """2025-03-26 answers an array by one array, without the notifications; an empty one is -32600."""
    heard = Heard().shaken("2025-03-26")
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    ((one, two),) = heard([ping, {"jsonrpc": "2.0", "method": "notifications/x"}, 7])
    assert one == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert code(two) == -32600
    assert heard([{"jsonrpc": "2.0", "method": "notifications/x"}]) == []
    (empty,) = heard([])
    assert code(empty) == -32600


@pytest.mark.parametrize("version", [None, "2024-11-05", "2025-06-18", "2025-11-25"])
def test_arrays_elsewhere(version):
    """Every other revision refuses an array as a whole: -32600, no part of it is acted on."""
    heard = Heard().shaken(version) if version else Heard()
    (answer,) = heard([{"jsonrpc": "2.0", "id": 1, "method": "ping"}])
    assert code(answer) == -32600
    assert answer["id"] is None


def test_calls_in_an_array_are_answered_together():
    """An array with a call waits for it: one line holds all its answers."""
    done = threading.Event()
    sent = []
    session = Session(World(VERBS, ["/nonexistent/engine"], {}), lambda document: (sent.append(document), done.set()))
    session.take(
        json.dumps(
            {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO | {"protocolVersion": "2025-03-26"}}
        ).encode()
    )
    done.clear()
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "sleep_status"}}
    session.take(json.dumps([call, {"jsonrpc": "2.0", "id": 1, "method": "ping"}]).encode())
    assert done.wait(30)
    assert sorted(answer["id"] for answer in sent[-1]) == [1, 2]
    session.end(5)


def test_an_engine_that_cannot_be_started_is_told():
    """The client hears why, as a result it can act on, and not as a broken protocol."""
    done = threading.Event()
    sent = []
    session = Session(World(VERBS, ["/nonexistent/engine"], {}), lambda document: (sent.append(document), done.set()))
    session.take(
        json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sleep_status", "_meta": MODERN}}
        ).encode()
    )
    assert done.wait(30)
    assert sent[0]["result"]["isError"] is True
    assert "cannot be started" in sent[0]["result"]["content"][0]["text"]
    session.end(5)


def test_a_directory_that_is_no_project_is_not_taken_for_one(tmp_path):
    """Started elsewhere, calls have to name their project and schemas say so; a client with roots need not."""
    sent, done = [], threading.Event()

    def send(document):
        sent.append(document)
        if document.get("id") == 1 or "method" in document:
            done.set()

    def answer(method, **params):
        done.clear()
        session.take(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
        assert done.wait(30)
        return sent[-1].get("result", sent[-1])

    session = Session(World(VERBS, ["/nonexistent/engine"], {}, asks_project=True), send)
    rooted = MODERN | {"io.modelcontextprotocol/clientCapabilities": {"roots": {}}}
    tools = {tool["name"]: tool["inputSchema"] for tool in answer("tools/list", _meta=MODERN)["tools"]}
    assert tools["memory_search"]["required"] == ["query", "project"]
    assert tools["sleep_run"]["required"] == ["project"]
    assert "required" not in tools["sleep_status"]
    assert not any(
        "project" in t["inputSchema"].get("required", ()) for t in answer("tools/list", _meta=rooted)["tools"]
    )
    bare = answer("tools/call", name="sleep_run", _meta=MODERN)
    assert (bare["isError"], "which project?" in bare["content"][0]["text"]) == (True, True)
    gave = {"project": {"roots": [{"uri": "file:///nonexistent/at/all"}]}}
    assert "which project?" in json.dumps(answer("tools/call", name="sleep_run", _meta=rooted, inputResponses=gave))
    for named in ({"arguments": {"project": str(tmp_path)}}, {"inputResponses": {"project": {"roots": [{"uri": tmp_path.as_uri()}]}}}):  # fmt: skip
        assert "cannot be started" in json.dumps(answer("tools/call", name="sleep_run", _meta=rooted, **named))
    session.end(5)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": 1},
        {"name": "x"},
        {"name": "sleep_status", "arguments": []},
        {"name": "sleep_status", "arguments": "{}"},
    ],
)
def test_calls_that_are_no_calls(params):
    """No name, an unknown name, or arguments that are no object: -32602 ("Tools > Error Handling")."""
    assert code(Heard().shaken().ask("tools/call", params)) == -32602


@pytest.mark.parametrize(
    ("tool", "told", "named"),
    [
        ("sleep_status", {"x": 1}, "x"),
        ("sleep_harvest", {"project": "here"}, "project"),
        ("sleep_harvest", {"project": "/a\0b"}, "project"),
        ("sleep_harvest", {"project": "/a\nb"}, "project"),
        ("sleep_harvest", {"project": "/\ud800"}, "project"),
        ("sleep_harvest", {"project": 5}, "project"),
        ("sleep_harvest", {"scope": "some"}, "scope"),
        ("sleep_harvest", {"max_sessions": "5"}, "max_sessions"),
        ("sleep_harvest", {"max_sessions": True}, "max_sessions"),
        ("sleep_harvest", {"max_sessions": -1}, "max_sessions"),
        ("sleep_run", {"rollouts_k": 0}, "rollouts_k"),
        ("sleep_run", {"backend": ""}, "backend"),
        ("sleep_adopt", {"rule": "r1"}, "rule"),
        ("sleep_adopt", {"rule": [1]}, "rule.0"),
        ("sleep_undo", {"rule": "x" * 5000}, "rule"),
    ],
)
def test_wrong_arguments_are_named(tool, told, named):
    """A wrong argument is a result with isError that names it; before 2025-11-25 it is -32602. Nothing is run."""
    (answer,) = Heard().shaken()(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": told}}
    )
    assert answer["result"]["isError"] is True
    assert f"{named}: " in answer["result"]["content"][0]["text"]
    old = Heard().shaken("2025-06-18").ask("tools/call", {"name": tool, "arguments": told})
    assert code(old) == -32602


def test_a_tool_is_there_when_its_verb_is():
    """A tool is listed, and can be called, exactly when the command has its verb."""
    for tool in ALL:
        assert tool.name in offered({tool.verb})
        assert tool.name not in offered(set(VERBS) - {tool.verb})
    listed = Heard(["status", "no-tool-of-ours"]).shaken().ask("tools/list")["result"]["tools"]
    assert [tool["name"] for tool in listed] == ["sleep_status"]
    assert code(Heard(["status"]).shaken().ask("tools/call", {"name": "sleep_run"})) == -32602
    assert {
        "sleep_status",
        "sleep_harvest",
        "sleep_dry_run",
        "sleep_run",
        "sleep_adopt",
        "sleep_undo",
        "sleep_report",
    } <= set(offered(VERBS))


def filled(kind):
    """Return arguments with every optional field given, in as many rounds as it takes."""
    samples = {
        "project": "/p", "scope": "all", "max_sessions": 3, "backend": "none", "target_model": "m", "gate": "on",
        "rollouts_k": 2, "target": "auto", "rule": "r1", "night": "0001", "hour": 3, "minute": 30, "query": "-x --y",
        "limit": 5, "id": "m1", "evidence": True, "as_of": "2026-10-01", "decide": "f-1", "choice": "log", "reason": "--no",
    }  # fmt: skip
    names = kind.model_fields
    if kind.__name__ == "OnIt":
        return [
            {"action": "list"}, {"action": "show", "id": "q1"},
            {"action": "add", "text": "--x", "type": "deep", "priority": "quick", "format": "adr"},
        ]  # fmt: skip
    if kind.__name__ == "Review":
        return [{}, {"accept": 1}, {"reject": 1, "reason": "--no"}, {"skip": 1}]
    if kind.__name__ == "Adopt":
        samples["rule"] = ["r1", "--night=9"]
    return [{name: samples[name] for name in names}]


@pytest.mark.parametrize("tool", [tool for tool in ALL if tool.verb in VERBS], ids=lambda tool: tool.name)
def test_every_argument_is_one_the_verb_takes(tool):
    """What a tool hands to its verb is understood by the verb's own parser, option by option."""
    module = import_module(f"nightschool.cli.{tool.verb.replace('-', '_')}")
    for told in filled(tool.takes):
        parser = argparse.ArgumentParser(prog=tool.verb, exit_on_error=False)
        module.arguments(parser)
        words = tool.words(checked(tool.takes, told))[1:]
        parser.parse_args(words)
        assert "--json" in words


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
def test_tools_are_described_for_every_client(tool):
    """Names and schemas stay in the plain subset: one type each, no unions, no references; hints are all said."""
    made = tool.document()
    assert made["name"].replace("_", "").isalpha()
    assert len(made["description"]) < 300
    text = json.dumps(made["inputSchema"])
    assert made["inputSchema"]["type"] == "object"
    assert made["inputSchema"]["additionalProperties"] is False
    assert not [word for word in ("anyOf", "oneOf", "$ref", "$defs", '"null"', '"title"') if word in text]
    assert all("type" in field and "description" in field for field in made["inputSchema"]["properties"].values())
    hints = made["annotations"]
    assert hints["readOnlyHint"] is (tool.name in {
        "sleep_status", "sleep_dry_run", "sleep_report", "memory_search", "memory_show",
    })  # fmt: skip
    assert ("destructiveHint" in hints) is (not hints["readOnlyHint"])


def test_hints_of_what_changes_documents():
    """Adopting twice changes nothing more; undoing twice takes a second adoption back; a night changes no document."""
    hints = {tool.name: tool.document()["annotations"] for tool in ALL}
    assert (hints["sleep_adopt"]["destructiveHint"], hints["sleep_adopt"]["idempotentHint"]) == (True, True)
    assert (hints["sleep_undo"]["destructiveHint"], hints["sleep_undo"]["idempotentHint"]) == (True, False)
    assert (hints["sleep_run"]["destructiveHint"], hints["sleep_run"]["openWorldHint"]) == (False, True)


VALUES = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.booleans(),
    st.none(),
    st.lists(st.text(max_size=9), max_size=3),
    st.floats(),
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_argument_becomes_an_option(data):
    """Whatever a client gives, a value stands behind `--name=` or behind `--`, and holds no NUL."""
    tool = data.draw(st.sampled_from(ALL))
    fields = list(tool.takes.model_fields) or ["x"]
    likely = st.one_of(
        VALUES, st.sampled_from(["--yes", "-v", "--", "=", "/a --b", "add", "show", "list", "on", "all"])
    )
    told = data.draw(st.dictionaries(st.sampled_from(fields), likely, max_size=5))
    try:
        given_ = checked(tool.takes, told)
    except ValueError:
        return
    words = tool.words(given_)
    head = words[: words.index("--")] if "--" in words else words
    names = {"--" + name.replace("_", "-") for name in fields} | {"--json", "--screened"}
    for word in head[1:]:
        assert word.partition("=")[0] in names or (tool.verb == "queue" and word in {"add", "list", "show"})
    assert not any("\0" in word for word in words)


def test_null_means_left_out():
    """A client that fills optional arguments with null is understood."""
    for tool in ALL:
        told = {name: None for name in tool.takes.model_fields if name not in {"query", "id", "action"}}
        if tool.name in {"memory_search", "memory_show"}:
            continue
        assert tool.words(checked(tool.takes, told)) == tool.words(tool.takes())


def test_schema_leaves_nothing_out():
    """Each field of a model is a property, and the required ones are named."""
    for tool in ALL:
        made = schema(tool.takes)
        assert set(made["properties"]) == set(tool.takes.model_fields)
        required = {name for name, field in tool.takes.model_fields.items() if field.is_required()}
        assert set(made.get("required", ())) == required
    assert issubclass(ALL[0].takes, Arguments)


def test_an_agent_adopts_nothing_that_is_quarantined():
    """Whatever an agent was talked into, what adopts for it refuses what is quarantined."""
    deciding = [tool for tool in ALL if tool.verb in {"adopt", "review"}]
    assert [tool.name for tool in deciding] == ["sleep_adopt", "sleep_review"]
    assert all("--screened" in tool.takes().words() for tool in deciding)


def test_schemas_are_those_written_down():
    """schemas.json, which a start reads instead of making them, says what the models say.

    `python -c "import json; from nightschool.mcp import arguments as a; print(json.dumps(a.schemas(), indent=1))"`
    writes it anew.
    """
    path = Path(sys.modules["nightschool.mcp.arguments"].__file__).with_name("schemas.json")
    assert json.loads(path.read_text()) == schemas()
    assert {tool.kind for tool in ALL} <= set(schemas())


def test_listing_the_tools_loads_no_models():
    """A client waits for the list at every session's start: pydantic is loaded by the first call, not by the list."""
    code = (
        "import sys; from nightschool.mcp.tools import offered\n"
        "assert [tool.document() for tool in offered(['status', 'run', 'search']).values()]\n"
        "print('pydantic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


@pytest.mark.parametrize(
    ("ended", "error", "said"),
    [
        (
            Ended(1, b"", ("nightschool: there is no night yet. Sleep first.",)),
            True,
            "there is no night yet. Sleep first.",
        ),
        (Ended(2, b"", ("nightschool: no such setting",)), True, "no such setting (exit code 2"),
        (Ended(3, b"", ("nightschool: 14 questions wait (/h). Answer them.",)), False, "waits for answers"),
        (Ended(4, b"", ("nightschool: the budget is spent.",)), False, "work so far is kept"),
        (Ended(-9, b"", ()), True, "signal 9"),
        (Ended(0, b"", ()), True, "no document"),
        (Ended(0, b"{", ("x",)), True, "no document"),
        (Ended(1, b'[{"level": "fault"}]', ()), True, "fault"),
        (Ended(0, b'{"a": 1}', ("· by the way",)), False, "by the way"),
    ],
)
def test_what_a_verbs_end_means(ended, error, said):
    """A failure is the verb's own line and next step; a night that waits, or a kept budget, is no failure."""
    made = result("self_audit", ended, LATEST, notes=True)
    assert made.get("isError", False) is error
    assert said in made["content"][0]["text"]


def test_waiting_can_be_told_apart_by_a_program():
    """Exit codes 3 and 4 stand in the structured content as a state."""
    made = result("sleep_run", Ended(3, b"", ("nightschool: wait",)), LATEST, notes=False)
    assert made["structuredContent"] == {"state": "waiting", "exit_code": 3, "told": ["wait"]}


def test_structure_where_the_revision_has_it():
    """From 2025-06-18 the document is structured content, always an object; before, it stands in the text."""
    ended = Ended(0, b"[]", ())
    assert result("sleep_undo", ended, "2025-06-18", notes=True)["structuredContent"] == {"items": []}
    old = result("sleep_undo", ended, "2025-03-26", notes=True)
    assert "structuredContent" not in old
    assert old["content"][0]["text"].endswith("\n[]")


def test_remarks_reach_every_client():
    """What a verb remarks stands in the text and in the document, for clients that pass on only one of them."""
    made = result("sleep_adopt", Ended(0, b'{"edits": []}', ("· r1 is quarantined",)), LATEST, notes=True)
    assert made["structuredContent"] == {"edits": [], "remarks": ["r1 is quarantined"]}
    assert "r1 is quarantined" in made["content"][0]["text"]


def test_a_document_of_another_shape_is_still_told():
    """When a verb's document is not what the words expect, its JSON is passed on."""
    made = result("sleep_status", Ended(0, b'{"new": "shape"}', ()), LATEST, notes=False)
    assert made["content"][0]["text"] == '{"new":"shape"}'


@pytest.mark.parametrize(
    "told",
    [
        None, {}, [], {"roots": None}, {"roots": [1, {}, {"uri": 5}, {"uri": "http://x/"}, {"uri": "file:///no/such/"}]},
        {"roots": [{"uri": "file://%ff%00"}]}, {"roots": [{"uri": "file:///%00"}]}, {"roots": [{"uri": "file://["}]},
    ],
)  # fmt: skip
def test_roots_are_not_trusted(told):
    """Anything but a file root that is a directory here is no root."""
    assert path_of(told) == ""


def test_the_first_directory_is_the_project(tmp_path):
    """The first root that is a directory is taken, with its escapes resolved."""
    folder = tmp_path / "my shop ü"
    folder.mkdir()
    roots = [{"uri": "file:///no/such"}, {"uri": folder.as_uri()}, {"uri": tmp_path.as_uri()}]
    assert path_of({"roots": roots}) == str(folder)


def test_lines_are_cut_however_they_arrive(tmp_path):
    """Lines come out whole; one that is too long comes out as None and the next is read again."""
    path = tmp_path / "in"
    path.write_bytes(b"a\n\nb" * 50_000 + b"\n" + b"x" * (LONGEST + 2**17) + b"\nafter\nlast")
    with path.open("rb") as stream:
        got = list(lines(stream.fileno()))
    assert got[:3] == [b"a", b"", b"ba"]
    assert got[-3:] == [None, b"after", b"last"]


WORDS = [
    "2.0", "ping", "tools/call", "tools/list", "initialize", "2025-03-26", "2025-11-25", "2026-07-28", "sleep_status",
    "notifications/cancelled",
]  # fmt: skip
KEYS = [
    "jsonrpc", "id", "method", "params", "result", "error", "name", "arguments", "_meta", "protocolVersion",
    "capabilities", "clientInfo", "cursor", "requestId", "inputResponses", *MODERN,
]  # fmt: skip


def around(inner):
    """Return values that hold some of `inner`, or are one."""
    keys = st.sampled_from(KEYS) | st.text(max_size=4)
    return inner | st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
JSON = around(around(around(LEAVES)))
MESSAGES = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0"),
        "method": st.sampled_from(["ping", "initialize", "tools/list", "tools/call", "server/discover", "x"]),
    },
    optional={"id": st.integers() | st.text(max_size=3) | JSON, "params": JSON},
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(JSON, MESSAGES, st.lists(MESSAGES, max_size=3), st.binary(max_size=60)), max_size=5))
def test_fuzz(documents):
    """Whatever is sent, nothing raises, every answer is one JSON-RPC response, and the session still answers."""
    heard = Heard([])  # no tool: no process is started
    for document in documents:
        got = heard(document)
        for sent in got:
            answers = sent if isinstance(sent, list) else [sent]
            assert answers
            for answer in answers:
                assert answer["jsonrpc"] == "2.0"
                assert ("result" in answer) != ("error" in answer)
                json.dumps(answer).encode("ascii")
        if not isinstance(document, bytes | list):
            assert len(got) <= 1
    assert heard.ask("ping", to="end")["result"] == {}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_fuzz_of_bytes(line):
    """Reading a line gives a message or an RpcError with a code of JSON-RPC, and nothing else."""
    found = None
    try:
        message(parse(line))
    except RpcError as error:
        found = error.code
    assert found in {None, -32700, -32600, -32602}
