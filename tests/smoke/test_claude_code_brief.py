"""The real Claude Code: what the night prepared and what was adopted reaches the model, and uninstall leaves nothing."""

import json

import pytest
from tests.support.anthropic_server import AnthropicServer, Say
from tests.support.clients import marketplace

pytestmark = pytest.mark.smoke
RULE = "no, always end the query with LIMIT 100"


def ask(claude, *words):
    """Hold a session and return everything its first request told the model."""
    with AnthropicServer([], Say("SELECT 1;")) as server:
        ran = claude.run("-p", *words, "--output-format", "json", url=server.url)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)["session_id"], json.dumps(server.asked[0].body)


def test_brief_and_rule_reach_the_model_and_go_again(claude):
    """Sessions with a correction, a night, and the next session is told of it; adopted, the rule is there and the brief not."""
    assert claude.run("plugin", "marketplace", "add", marketplace()).returncode == 0
    assert claude.run("plugin", "install", "nightschool@nightschool").returncode == 0
    for number in range(3):
        session, told = ask(claude, f"write SQL query number {number}")
        assert "nightschool-brief" not in told
        ask(claude, RULE, "--resume", session)

    (rule,) = claude.nightschool("run")["rules"]
    _, told = ask(claude, "hi")
    assert told.count("<nightschool-brief>") == 1
    assert "1 unexamined" in told
    assert "LIMIT 100" not in told

    claude.nightschool("adopt", "--rule", rule["edit"]["id"])
    _, told = ask(claude, "hello")
    assert "nightschool-brief" not in told
    assert "LIMIT 100" in told
    again = claude.nightschool("run")
    assert [one["edit"]["text"] for one in again["rules"]] in ([], [rule["edit"]["text"]])
    kept = (claude.root / "nightschool-home" / "sessions").rglob("*.json")
    assert not [path for path in kept if "From Nightschool, for information" in path.read_text()]

    (file,) = claude.nightschool("uninstall")["files"]
    assert (file["path"], file["action"]) == (str(claude.project / "CLAUDE.md"), "removed")
    assert not (claude.project / "CLAUDE.md").exists()
    hint = claude.nightschool("uninstall")["next"]["Claude Code"]
    for command in hint.split(", then "):
        assert claude.run(*command.split()[1:]).returncode == 0, command
    left = json.loads((claude.home / ".claude" / "settings.json").read_text())
    assert not left.get("enabledPlugins")
    assert not left.get("extraKnownMarketplaces")
