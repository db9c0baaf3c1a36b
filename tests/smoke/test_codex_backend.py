"""The backend `codex` with the real client: what the model is asked, what stays clean, and a whole night into AGENTS.md."""

import json
import re
import uuid

import pytest
from tests.e2e.conftest import World
from tests.support.anthropic_server import Rule, Say
from tests.support.codex_client import CONFIG
from tests.support.openai_server import OpenAIServer
from tests.support.subjects import SUBJECTS, WORDS

from nightschool.errors import NightschoolError
from nightschool.records import HeadlessCall
from nightschool_codex.headless import Headless

pytestmark = pytest.mark.smoke
QUERY = Rule("(?i)sql query", [Say("SELECT * FROM t;")])


class Obedient(OpenAIServer):
    """Ends a query with LIMIT 100 when the request tells it to."""

    def reply(self, body, headers):
        said = super().reply(body, headers)
        obeys = "LIMIT 100" in self.asked[-1].text
        return Say("SELECT * FROM t LIMIT 100;") if obeys and said.text == "SELECT * FROM t;" else said


def test_the_model_gets_the_question_and_nothing_else(codex):
    """System text and prompt arrive; no rule, skill, hook or tool of the user's does; nothing is remembered."""
    mark = uuid.uuid4().hex
    skill = codex.home / ".agents" / "skills" / "mine" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: mine\ndescription: A SKILL\n---\nTHE BODY")
    with OpenAIServer([], Say("Four.")) as server:
        codex.serve(server.url)
        codex.install("--trust-hooks")
        (codex.codex_home / "AGENTS.md").write_text("RULE OF THE HOME")
        before = sorted(codex.codex_home.rglob("*"))
        prompt = f"/status $mine what is 2 + 2? {mark}"
        reply = Headless(codex.environment()).ask(HeadlessCall(system="OUR SYSTEM TEXT", prompt=prompt, model="m-1"))

    [asked] = server.asked
    assert (reply.text, reply.model) == ("Four.", "m-1")
    assert asked.text == f"\nOUR SYSTEM TEXT\n{prompt}"
    assert asked.body["model"] == "m-1"
    assert {tool.get("name") for tool in asked.body["tools"]} <= {"request_user_input"}
    assert min(reply.tokens_in, reply.tokens_out) > 0
    assert sorted(codex.codex_home.rglob("*")) == before
    assert not (codex.ours / "spool").exists()
    for path in (path for path in codex.root.rglob("*") if path.is_file()):
        assert mark.encode() not in path.read_bytes(), path


def test_the_real_failures_are_typed(codex):
    """What the real client prints for an API's refusals is read as what it is, after one request each."""
    env = codex.environment()

    def ask(server, env=env, **call):
        codex.serve(server.url)
        return Headless(env).ask(HeadlessCall(prompt="x", **call))

    for status, kind in ((429, "rate-limit"), (500, "unavailable"), (503, "unavailable")):
        with OpenAIServer([], Say("no", status=status)) as server:
            assert ask(server).kind == kind
        assert len(server.asked) == 1
    with OpenAIServer([], Say("")) as server:
        assert ask(server).kind == "empty"
        server.otherwise = Say("late", wait=30)
        assert ask(server, timeout=4).kind == "timeout"
        with pytest.raises(NightschoolError, match="cannot log in"):
            ask(server, {key: value for key, value in env.items() if key != "FAKE_KEY"})
        for status, words in ((401, "cannot log in"), (404, "cannot use that model")):
            server.otherwise = Say("no", status=status)
            with pytest.raises(NightschoolError, match=words):
                ask(server)
    assert ask(server, timeout=10).kind in {"unavailable", "timeout"}  # the client itself tries again for minutes


@pytest.fixture
def world(codex):
    """Return the world of whole nights around the real client: a user who corrected Claude Code many times."""
    made = World(codex.root)
    made.env = codex.environment()
    for number, subject in enumerate(SUBJECTS):
        made.session(
            (f"write a SQL query for {subject}", "SELECT * FROM t;"),
            (WORDS[number % len(WORDS)], "SELECT * FROM t LIMIT 100;"),
        )
    return made


def test_a_rule_learned_elsewhere_is_examined_and_adopted_here(codex, world):
    """From Claude Code's sessions into AGENTS.md, examined by this client; the next request carries it; undo takes it back."""
    (codex.project / "AGENTS.md").write_text("# Shop\n")
    with Obedient([QUERY]) as server:
        codex.serve(server.url)
        document = world.json("run", "--backend", "codex", "--target", "codex:project")
        [rule] = document["rules"]
        assert rule["verdict"]["ruling"] == "accept"
        assert document["night"]["failed_calls"] == 0
        assert document["night"]["tokens"] > 0
        assert "codex" in json.dumps(document["night"])
        assert not list(codex.codex_home.glob("sessions/**/*.jsonl"))

        world.run("adopt")
        assert "LIMIT 100" in (codex.project / "AGENTS.md").read_text()
        codex.exec("write a SQL query for the last order")
        assert "LIMIT 100" in server.asked[-1].text
        world.run("undo")
        codex.exec("write a SQL query for the last order")
        assert "LIMIT 100" not in server.asked[-1].text
    assert (codex.project / "AGENTS.md").read_text() == "# Shop\n"


def test_a_rule_learned_here_is_proposed_elsewhere(codex):
    """From the real client's sessions into CLAUDE.md, with the words and the sessions they were said in."""
    world = World(codex.root)
    world.env = codex.environment()
    rules = [QUERY, Rule("(?i)limit", [Say("SELECT * FROM t LIMIT 100;")])]
    with OpenAIServer(rules, Say("Done.")) as server:
        codex.serve(server.url)
        for number in range(4):
            name = codex.exec(f"write a SQL query for {SUBJECTS[number]}")
            words = ["exec", "resume", name, "--skip-git-repo-check", WORDS[number % len(WORDS)]]
            codex.run(*words)
    document = world.json("run", "--target", "claude-code:project")
    [rule] = document["rules"]
    assert "LIMIT 100" in rule["edit"]["text"]
    assert rule["edit"]["path"].endswith("CLAUDE.md")
    assert rule["sessions"] == 4


def test_a_missing_key_begins_no_night(codex, world):
    """Not logged in: exit 1 with reason and fix, and no night is there."""
    (codex.codex_home).mkdir(exist_ok=True)
    (codex.codex_home / "config.toml").write_text(CONFIG.format(url="http://127.0.0.1:9"))
    del world.env["FAKE_KEY"]
    _, err = world.run("run", "--backend", "codex", code=1)

    assert re.search(r"Codex cannot log in.*codex login", err)
    assert not list(world.home.glob("nights/*"))
