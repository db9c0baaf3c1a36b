"""A guard of the user's in the real clients: a command is blocked or goes with a word to the agent; then all is as before."""

import json

import pytest
from tests.support.anthropic_server import AnthropicServer
from tests.support.anthropic_server import Rule as Asked
from tests.support.anthropic_server import Say as Answer
from tests.support.openai_server import OpenAIServer, Rule, Say

pytestmark = pytest.mark.smoke

GUARD = ("guard", "add", "--pattern", "touch made", "--hits", "touch made-by-agent", "--message", "Ask Sam first.")
COMMAND = 'touch made-by-agent && echo "so"'


@pytest.mark.parametrize("action", ["block", "remind"])
def test_claude_code(claude, action):
    """The tool is not used, or the agent is told; after removal it is used in silence, and the settings are as they were."""
    settings = claude.home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"env": {"A":\t"1"}}')
    rules = [Asked("touch it", [Answer(tools=[("Bash", {"command": COMMAND})]), Answer("Tried.")])]
    made = claude.project / "made-by-agent"
    with AnthropicServer(rules, Answer("Done.")) as server:

        def ask():
            ran = claude.run("-p", "touch it", "--allowedTools", "Bash", url=server.url)
            assert ran.returncode == 0, ran.stderr
            return "Ask Sam first." in json.dumps(server.asked[-1].body)

        told = claude.nightschool(*GUARD, "--platform", "claude-code", "--action", action)
        assert ask()
        assert made.exists() == (action == "remind")
        made.unlink(missing_ok=True)
        claude.nightschool("guard", "remove", told["id"])
        assert settings.read_text() == '{"env": {"A":\t"1"}}'
        assert not ask()
        assert made.exists()


@pytest.mark.parametrize("action", ["block", "remind"])
def test_copilot(copilot, action):
    """The same in a file of hooks of its own, which goes with the guard."""
    rules = [Asked("touch it", [Answer(tools=[("bash", {"command": COMMAND, "description": "x"})]), Answer("Tried.")])]
    made = copilot.project / "made-by-agent"
    with AnthropicServer(rules, Answer("Done.")) as server:

        def ask():
            ran = copilot.run("-p", "touch it", "--allow-all-tools", url=server.url)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            return "Ask Sam first." in json.dumps(server.asked[-1].body)

        told = copilot.nightschool(*GUARD, "--platform", "copilot", "--action", action)
        assert ask()
        assert made.exists() == (action == "remind")
        made.unlink(missing_ok=True)
        copilot.nightschool("uninstall")
        assert not (copilot.config / "hooks").exists(), told
        assert not ask()
        assert made.exists()


@pytest.mark.parametrize("action", ["block", "remind"])
def test_codex(codex, action):
    """The same once the hook is trusted; it lies beside the user's own."""
    made = codex.project / "made-by-agent"
    steps = [Say(tools=[("exec_command", {"cmd": COMMAND})]), Say("Tried.")]
    with OpenAIServer([Rule("touch it", steps)], Say("Done.")) as server:
        codex.serve(server.url)
        told = codex.nightschool(*GUARD, "--platform", "codex", "--action", action)
        assert "trust" in told["plan"]["note"]

        def ask():
            codex.exec("touch it", "--dangerously-bypass-hook-trust")
            return "Ask Sam first." in json.dumps(server.asked[-1].body)

        assert ask()
        assert made.exists() == (action == "remind")
        made.unlink(missing_ok=True)
        codex.nightschool("guard", "remove", told["id"])
        assert not (codex.codex_home / "hooks.json").exists()
        assert not ask()
        assert made.exists()
