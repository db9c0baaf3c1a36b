"""The real Codex: our installer and plugin, sessions of every kind read exactly, events once, and nothing lost untrusted."""

import json
import shutil
import subprocess
import time
from collections import Counter

import pytest
from tests.support.clients import ROOT
from tests.support.openai_server import OpenAIServer, Rule, Say

pytestmark = pytest.mark.smoke


def sh(command):
    """Return a step that runs a command."""
    return Say(tools=[("exec_command", {"cmd": command})])


PATCH = "*** Begin Patch\n*** Add File: note.txt\n+hello\n*** End Patch\n"
RULES = [
    Rule(
        "burst", [sh("exit 1"), sh("cat /no/such/file"), sh("exit 3"), sh("no-such-command-at-all"), Say("It fails.")]
    ),
    Rule("cart", [sh("echo 1 > a && git add a && git commit -qm 'feat: a cart'"), Say("Committed.")]),
    Rule("patch", [Say(tools=[("apply_patch", PATCH)]), Say("Patched.")]),
    Rule("look deeper", [sh("false"), Say("Nothing there.")]),
    Rule(
        "delegate", [Say(tools=[("spawn_agent", {"message": "look deeper into it"})]), sh("sleep 3"), Say("Delegated.")]
    ),
]
# prompts, calls and failures that the server has scripted
WANTED = {"plain": (1, 0, 0), "burst": (1, 4, 4), "cart": (2, 1, 0), "patch": (1, 1, 0), "delegate": (1, 2, 0)}


def hold(codex):
    """Hold one session of each kind and return their threads' ids by name."""
    with OpenAIServer(RULES, Say("Done.")) as server:
        codex.serve(server.url)
        names = {
            "plain": codex.exec("hello there"),
            "burst": codex.exec("a burst of failures"),
            "cart": codex.exec("add a cart"),
            "patch": codex.exec("patch it", "-m", "gpt-5.5"),
            "delegate": codex.exec("delegate this"),
        }
        resumed = codex.run("exec", "resume", names["cart"], "--json", "--skip-git-repo-check", "and once more")
        assert names["cart"] in resumed.stdout
    return names


def read(codex):
    """Return (prompts, calls, failures) of every stored session with turns, by id."""
    found = {}
    for path in (codex.ours / "sessions" / "codex").glob("*.json"):
        turns = json.loads(path.read_text()).get("turns", [])
        calls = [call for turn in turns for call in turn.get("calls", [])]
        if turns:
            found[path.stem] = (len(turns), len(calls), sum(call.get("failed") is True for call in calls))
    return found


def events(codex):
    """Return the journal."""
    path = codex.ours / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def until(found, seconds=40.0):
    """Wait until `found()` is true and return what it gave."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)
    return value


def test_sessions_are_counted_as_the_server_scripted_them(codex):
    """Plain, failing, committing and resumed, patching, delegating: exact counts, each read once, without any hook."""
    names = hold(codex)
    codex.nightschool("harvest")

    assert read(codex) == {names[kind]: counts for kind, counts in WANTED.items()}
    again = codex.nightschool("harvest")
    assert again["read"] == 0
    assert again["new_bytes"] == 0
    doctor = [row["what"] for row in codex.nightschool("doctor", code=None)]
    assert any(what.startswith("Codex: 0 event(s) seen") for what in doctor)


@pytest.mark.parametrize("way", ["script", "plugin"])
def test_events_come_once_trusted_and_the_day_is_whole_without(codex, way):
    """Untrusted hooks do nothing and nothing is lost; trusted, each moment is journaled once and the brief is told."""
    with OpenAIServer(RULES, Say("Done.")) as server:
        codex.serve(server.url)
        before = (codex.codex_home / "config.toml").read_bytes()
        trusting = []
        if way == "script":
            codex.install()
        else:
            bundle = codex.root / "bundle"
            for part in (
                ".agents",
                ".codex-plugin",
                ".claude-plugin",
                "hooks",
                "skills",
                "codex/hooks.json",
                "codex/mcp.json",
            ):
                source, target = ROOT / part, bundle / part
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
            codex.run("plugin", "marketplace", "add", str(bundle))
            codex.run("plugin", "add", "nightschool@nightschool")
            trusting = ["--dangerously-bypass-hook-trust"]
        silent = codex.exec("hello there")
        assert not (codex.ours / "spool").exists()
        if way == "script":
            codex.install("--trust-hooks")
        brief = codex.ours / "brief" / "nightschool-brief.md"
        brief.parent.mkdir(parents=True)
        brief.write_text("<nightschool-brief>\nONE RULE WAITS\n</nightschool-brief>\n")
        burst = codex.exec("a burst of failures", *trusting)
        cart = codex.exec("add a cart", *trusting)
    assert "ONE RULE WAITS" in server.asked[-1].text

    def complete():
        told = Counter(event["moment"] for event in events(codex))
        wanted = {"session_start": 2, "turn_end": 2, "session_end": 2, "error_spike": 1, "milestone_commit": 1}
        wanted["tool_failure"] = 4
        return told == wanted and not list((codex.ours / "spool").glob("*.json"))

    until(complete)
    assert {event["session_id"] for event in events(codex)} == {burst, cart}
    codex.nightschool("harvest")
    assert read(codex).keys() == {silent, burst, cart}
    assert "ONE RULE" not in "".join(path.read_text() for path in (codex.ours / "sessions").rglob("*.json"))
    doctor = [row["what"] for row in codex.nightschool("doctor", code=None)]
    assert any(what.startswith("Codex: 6 event(s) seen, 3 session(s) read") for what in doctor)
    if way == "script":
        codex.install("uninstall")
    else:
        codex.run("plugin", "remove", "nightschool@nightschool")
        codex.run("plugin", "marketplace", "remove", "nightschool")
    assert (codex.codex_home / "config.toml").read_bytes() == before


def test_the_client_sees_what_was_installed(codex):
    """The client's own look: our skills are offered once each, the server is configured, five hooks are trusted."""
    codex.serve("http://127.0.0.1:9")
    codex.install("--trust-hooks")
    shown = codex.run("debug", "prompt-input", "hi").stdout
    for skill in (ROOT / "skills").glob("*/SKILL.md"):
        assert shown.count(f"nightschool-{skill.parent.name}: ") == 1
    [server] = [one for one in json.loads(codex.run("mcp", "list", "--json").stdout) if one["name"] == "nightschool"]
    assert server["enabled"]
    assert [hook["trustStatus"] for hook in hooks(codex)] == ["trusted"] * 5


def hooks(codex):
    """Ask the client for the hooks it knows."""
    asks = [
        {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "test", "version": "1"}}},
        {"method": "initialized"},
        {"id": 2, "method": "hooks/list", "params": {"cwds": [str(codex.project)]}},
    ]
    with subprocess.Popen(
        [codex.binary, "app-server"], cwd=codex.project, env=codex.environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as ran:  # fmt: skip
        ran.stdin.write("".join(json.dumps(ask) + "\n" for ask in asks))
        ran.stdin.flush()
        told = next(row for line in ran.stdout if (row := json.loads(line)).get("id") == 2)
        ran.kill()
    return told["result"]["data"][0]["hooks"]
