"""The exported suite under the client's own harness."""

import json

import pytest
from tests.e2e.conftest import World
from tests.e2e.test_night import OBEDIENT
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.subjects import SUBJECTS, WORDS

pytestmark = pytest.mark.smoke


class Obedient(AnthropicServer):
    """Ends a query with LIMIT 100 when the skill with the rule is offered to it."""

    def reply(self, body, headers):
        said = super().reply(body, headers)
        offered = "nightschool-learned" in json.dumps(body)
        return Say("SELECT * FROM t LIMIT 100;") if offered and said.text == "SELECT * FROM t;" else said


def test_the_clients_harness_runs_the_exported_exam(claude):
    """`claude plugin eval` takes the suite as it is, runs each case with and without the skill, and sees the lift."""
    world = World(claude.root)
    for number, subject in enumerate(SUBJECTS):
        world.session(
            (f"write a SQL query for {subject}", "SELECT * FROM t;"),
            (WORDS[number % len(WORDS)], "SELECT * FROM t LIMIT 100;"),
        )
    world.rehearse(OBEDIENT)
    world.run("run")
    suite = claude.project / "suite"
    done = world.json("export", "evals", str(suite))
    checked = claude.run("plugin", "validate", "--strict", str(suite))
    assert checked.returncode == 0, checked.stdout

    told = claude.root / "told.json"
    case = min(done["tasks"])
    words = ("--trust-plugin", "--runs", "1", "--no-publish", "--case", case, "--json", str(told))
    with Obedient([Rule("(?i)sql", [Say("SELECT * FROM t;")])]) as server:
        ran = claude.run("plugin", "eval", str(suite), *words, url=server.url)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    [found] = json.loads(told.read_text())["cases"]
    assert (found["aggregates"]["score"], found["aggregates"]["scoreWithout"]) == (1, 0)
