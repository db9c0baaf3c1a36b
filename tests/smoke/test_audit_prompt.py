"""After a burst of failures the next request of the real client carries the self-audit, once, in that session alone."""

import json
import time
import uuid

import pytest
from tests.support.anthropic_server import AnthropicServer
from tests.support.anthropic_server import Rule as Asked
from tests.support.anthropic_server import Say as Answer
from tests.support.clients import marketplace
from tests.support.openai_server import OpenAIServer, Rule, Say

pytestmark = pytest.mark.smoke

TOLD = "of the last 20 tool calls of this session failed"
CONFIG = "[audit]\nsilent_sessions = 0\n"


def until(found, seconds=30.0):
    """Wait until `found()` is true."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


def said(server):
    """Return how often the newest request tells it."""
    return json.dumps(server.asked[-1].body).count(TOLD)


def test_codex_is_told(codex):
    """With the user's next words, in the thread whose commands failed."""
    codex.ours.mkdir(mode=0o700)
    (codex.ours / "config.toml").write_text(CONFIG)
    burst = [Say(tools=[("exec_command", {"cmd": f"exit {n}"})]) for n in (1, 2, 3)]
    with OpenAIServer([Rule("burst", [*burst, Say("It fails.")])], Say("Done.")) as server:
        codex.serve(server.url)
        codex.install("--trust-hooks")
        name = codex.exec("a burst of failures")
        until((codex.ours / "prompts" / "codex" / name).exists)
        codex.exec("hello")
        assert said(server) == 0
        codex.run("exec", "resume", name, "--json", "--skip-git-repo-check", "go on")
        assert said(server) == 1
        codex.run("exec", "resume", name, "--json", "--skip-git-repo-check", "and on")
        assert said(server) <= 1  # it stands in the thread's history
    assert not list((codex.ours / "prompts" / "codex").iterdir())


def test_copilot_is_told(copilot):
    """With the user's next words, in the session whose commands failed."""
    home = copilot.root / "nightschool-home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(CONFIG)
    assert copilot.run("plugin", "marketplace", "add", marketplace()).returncode == 0
    assert copilot.run("plugin", "install", "nightschool@nightschool").returncode == 0
    burst = [Answer(tools=[("bash", {"command": f"exit {n}", "description": "try"})]) for n in (1, 2, 3)]
    with AnthropicServer([Asked("burst", [*burst, Answer("It fails.")])], Answer("Done.")) as server:

        def ask(prompt, *words):
            ran = copilot.run("-p", prompt, "--allow-all-tools", *words, url=server.url)
            assert ran.returncode == 0, ran.stdout + ran.stderr

        name = str(uuid.uuid4())
        ask("a burst of failures", "--session-id", name)
        until((home / "prompts" / "copilot" / name).exists)
        ask("hello", "--session-id", str(uuid.uuid4()))
        assert said(server) == 0
        ask("go on", "--resume", name)
        assert said(server) == 1
    assert not list((home / "prompts" / "copilot").iterdir())
    sessions = "".join(path.read_text() for path in (home / "sessions").rglob("*.json"))
    assert TOLD not in sessions
