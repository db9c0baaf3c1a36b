"""The backend `claude` with the real client: what the model is asked, what stays clean, and a whole night."""

import json
import re
import uuid
from pathlib import Path

import pytest
from tests.e2e.conftest import World
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.clients import marketplace
from tests.support.subjects import SUBJECTS, WORDS

from nightschool.records import HeadlessCall, HeadlessFailure
from nightschool_claude_code.headless import Headless

pytestmark = pytest.mark.smoke

LOGINS = {"key": {"ANTHROPIC_API_KEY": "dummy"}, "subscription": {"CLAUDE_CODE_OAUTH_TOKEN": "dummy"}}


class Obedient(AnthropicServer):
    """Ends a query with LIMIT 100 when the system text of the request tells it to."""

    def reply(self, body, headers):
        said = super().reply(body, headers)
        obeys = "LIMIT 100" in json.dumps(body.get("system"))
        return Say("SELECT * FROM t LIMIT 100;") if obeys and said.text == "SELECT * FROM t;" else said


QUERY = Rule("(?i)sql query", [Say("SELECT * FROM t;")])


@pytest.fixture(params=sorted(LOGINS))
def login(request, claude):
    """Return the client's environment under each kind of login, in a home with rules, hooks and servers of its own."""
    path = f"{claude.binary.parent}:/usr/bin:/bin"
    (claude.home / ".claude").mkdir()
    (claude.home / ".claude" / "CLAUDE.md").write_text("RULE OF THE HOME")
    (claude.project / "CLAUDE.md").write_text("RULE OF THE PROJECT")
    hook = {"hooks": [{"type": "command", "command": f"touch {claude.root}/hook-ran"}]}
    settings = {"hooks": {name: [hook] for name in ("SessionStart", "UserPromptSubmit", "Stop", "SessionEnd")}}
    (claude.home / ".claude" / "settings.json").write_text(json.dumps(settings))
    (claude.home / ".claude.json").write_text(
        json.dumps({"mcpServers": {"x": {"command": "touch", "args": ["mcp-ran"]}}})
    )
    environment = claude.environment()
    del environment["ANTHROPIC_API_KEY"]
    return environment | {"PATH": path} | LOGINS[request.param]


def ask(login, server, prompt, **call):
    """Ask through the real client."""
    return Headless(login | {"ANTHROPIC_BASE_URL": server.url}).ask(HeadlessCall(prompt=prompt, **call))


def test_the_model_gets_the_question_and_nothing_else(claude, login):
    """Our system text and prompt arrive; no rule, tool, file or command of the user's does; nothing is remembered."""
    assert claude.run("plugin", "marketplace", "add", marketplace()).returncode == 0
    assert claude.run("plugin", "install", "nightschool@nightschool").returncode == 0
    (claude.root / "hook-ran").unlink()  # the client's own verbs ran it: the hook works
    spooled = sorted((claude.root / "nightschool-home").rglob("*"))
    mark = uuid.uuid4().hex
    secret = claude.home / "notes.txt"
    secret.write_text("WHAT THE NOTES SAY")
    prompt = f"/cost of a query on @{secret} and @{claude.project}/CLAUDE.md {mark}"
    with AnthropicServer([], Say("Four.")) as server:
        reply = ask(login, server, prompt, system=f"OUR SYSTEM TEXT {mark}", model="claude-sonnet-5-5")

    [asked] = server.asked
    assert reply.text == "Four."
    assert asked.prompt.strip() == prompt
    assert "OUR SYSTEM TEXT" in asked.system
    assert len(asked.system) < 300
    assert not asked.body.get("tools")
    assert asked.body["model"] == reply.model == "claude-sonnet-5-5"
    whole = json.dumps(asked.body)
    for foreign in ("RULE OF THE HOME", "RULE OF THE PROJECT", "WHAT THE NOTES SAY", str(claude.project) + '"'):
        assert foreign not in whole
    assert reply.tokens_in > 0
    assert reply.tokens_out > 0
    assert reply.cost_usd > 0
    assert sorted((claude.root / "nightschool-home").rglob("*")) == spooled
    clean(claude, mark)


def clean(claude, mark):
    """Check that no hook ran, no session was written and no text of ours was kept."""
    assert not (claude.root / "hook-ran").exists()
    assert not list((claude.home / ".claude" / "projects").rglob("*.jsonl"))
    for path in (path for path in claude.root.rglob("*") if path.is_file()):
        assert mark.encode() not in path.read_bytes(), path
    assert not list((claude.root / "tmp").glob("nightschool-*"))


def test_the_real_failures_are_typed(login):
    """What the real client prints for an API's refusals is read as what it is, after one request each."""
    for status, kind in ((429, "rate-limit"), (529, "rate-limit"), (500, "unavailable")):
        with AnthropicServer([], Say("no", status=status)) as server:
            assert ask(login, server, "x").kind == kind
        assert len(server.asked) == 1
    with AnthropicServer([], Say("", tools=[("Bash", {"command": "ls"})])) as server:
        assert ask(login, server, "x").kind == "malformed"
        assert len(server.asked) == 1
        server.otherwise = Say("")
        assert ask(login, server, "x").kind == "empty"
        server.otherwise = Say("late", wait=30)
        assert ask(login, server, "x", timeout=3).kind == "timeout"
    assert isinstance(ask(login, server, "x"), HeadlessFailure)
    assert ask(login, server, "x").kind == "unavailable"


@pytest.fixture
def world(claude):
    """Return the world of whole nights around the real client: a user who corrected many queries the same way."""
    made = World(claude.root)
    made.env = claude.environment() | {"PATH": f"{claude.binary.parent}:/usr/bin:/bin"}
    for number, subject in enumerate(SUBJECTS):
        made.session(
            (f"write a SQL query for {subject}", "SELECT * FROM t;"),
            (WORDS[number % len(WORDS)], "SELECT * FROM t LIMIT 100;"),
        )
    return made


def test_a_whole_night(world):
    """The rule the model obeys passes the exam, the next session is held under it, and undo takes it back."""
    with Obedient([QUERY]) as server:
        world.env["ANTHROPIC_BASE_URL"] = server.url
        document = world.json("run", "--backend", "claude")
    [rule] = document["rules"]
    assert rule["verdict"]["ruling"] == "accept"
    assert document["night"]["calls"] == len(server.asked)
    assert document["night"]["tokens"] > 0
    assert document["night"]["failed_calls"] == 0

    world.run("adopt")
    assert "LIMIT 100" in (world.project / "CLAUDE.md").read_text()
    world.run("undo")
    assert not (world.project / "CLAUDE.md").exists()
    assert len(list(world.user_home.glob(".claude/projects/*/*.jsonl"))) == len(SUBJECTS)


def test_a_wrong_key_begins_no_night(world):
    """401 at the first question: exit 1 with reason and fix, and no night, no task and no evidence is there."""
    with AnthropicServer([], Say("invalid x-api-key", status=401)) as server:
        world.env["ANTHROPIC_BASE_URL"] = server.url
        _, err = world.run("run", "--backend", "claude", code=1)
    assert re.search(r"cannot log in: Invalid API key.*/login.*ANTHROPIC_API_KEY", err)
    for folder in ("nights", "bank", "evidence"):
        assert not list(world.home.glob(f"{folder}/*"))
    assert len(server.asked) == 1


def test_a_limit_that_is_reached_is_missing_not_zero(world):
    """429 to every question of the exam: each is tried three times and missing; the night says that it failed."""
    config = Path(world.home / "config.toml")
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("[exam]\nmax_tasks = 1\n")
    with AnthropicServer([Rule("(?i)sql query", [Say("slow down", status=429)])], Say("ready")) as server:
        world.env["ANTHROPIC_BASE_URL"] = server.url
        document = world.json("run", "--backend", "claude", code=1)
    asked = sum("SQL" in asked.prompt for asked in server.asked)
    assert document["night"]["status"] == "failed"
    assert asked == document["night"]["failed_calls"] > 0
    assert asked % 3 == 0
    assert document["night"]["calls"] == 1
    assert document["rules"] == []
