"""The real Claude Code: our bundle validates, installs, spools events, and its sessions are read exactly."""

import json
import subprocess
import sys
import time

import pytest
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.clients import ROOT, marketplace

pytestmark = pytest.mark.smoke

BURST = [
    Say(tools=[("Bash", {"command": "false"})]),
    Say(tools=[("Bash", {"command": "cat /no/such/file"})]),
    Say(tools=[("Bash", {"command": "exit 3"})]),
    Say("It fails."),
]
COMMIT = [
    Say(tools=[("Bash", {"command": "echo 1 > a && git add a && git commit -q -m 'feat: a cart'"})]),
    Say("Committed."),
]


def test_the_bundle_validates(claude):
    """The client's own strict validator passes the plugin and the marketplace."""
    for manifest in ("plugin.json", "marketplace.json"):
        ran = claude.run("plugin", "validate", "--strict", str(ROOT / ".claude-plugin" / manifest))
        assert ran.returncode == 0, ran.stdout + ran.stderr


def until(found, seconds=20):
    """Wait until `found()` is true and return what it gave."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)
    return value


def test_a_day_and_a_night(claude):
    """Install from the marketplace, hold sessions: every event is journaled once, every session read exactly."""
    assert claude.run("plugin", "marketplace", "add", marketplace()).returncode == 0
    assert claude.run("plugin", "install", "nightschool@nightschool").returncode == 0
    allowed = ("--allowedTools", "Bash", "--output-format", "json")
    with AnthropicServer([Rule("burst", BURST), Rule("cart", COMMIT)], Say("Done.")) as server:
        burst = claude.run("-p", "a burst of failures", *allowed, url=server.url)
        commit = claude.run("-p", "add a cart", *allowed, url=server.url)
    assert burst.returncode == commit.returncode == 0, burst.stderr + commit.stderr
    names = {json.loads(ran.stdout)["session_id"] for ran in (burst, commit)}

    journal = claude.root / "nightschool-home" / "journal.jsonl"

    def told():
        if not journal.exists():
            return None
        events = [json.loads(line) for line in journal.read_text().splitlines()]
        ended = {e["session_id"] for e in events if e["moment"] == "session_end"}
        moments = [e["moment"] for e in events]
        return events if ended == names and "milestone_commit" in moments and "error_spike" in moments else None

    events = until(told)
    moments = sorted(event["moment"] for event in events)
    assert moments.count("session_end") == 2
    assert moments.count("turn_end") == 2
    assert moments.count("error_spike") == 1
    assert moments.count("milestone_commit") == 1
    until(lambda: not list((claude.root / "nightschool-home" / "spool").glob("*.json")))  # journaled first, then gone

    night = claude.nightschool("run")
    assert night["night"]["funnel"]["sessions"] == 2
    assert night["night"]["funnel"]["turns"] == 2
    stored = [json.loads(p.read_text()) for p in (claude.root / "nightschool-home" / "sessions").rglob("*.json")]
    calls = [call for session in stored for turn in session["turns"] for call in turn["calls"]]
    assert len(calls) == 4
    assert sum(call["failed"] is True for call in calls) == 3
    assert "claude-code" in json.dumps(claude_doctor(claude))


def claude_doctor(claude):
    """Return doctor's findings, whatever its exit code."""
    ran = subprocess.run(
        [sys.executable, "-m", "nightschool", "doctor", "--json"],
        cwd=claude.project,
        env=claude.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(ran.stdout)


def test_a_plugin_from_a_git_marketplace_works_the_same(claude):
    """Fetched with git, the client runs its copy of the plugin: events are journaled and the hooks are the copy's."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    bare = claude.root / "market.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(ROOT), str(bare)], check=True)
    here = ["git", "config", "--file", str(claude.home / ".gitconfig"), "--add"]
    for spelt in ("https://github.com/lab/market.git", "git@github.com:lab/market.git"):
        subprocess.run([*here, f"url.file://{bare}.insteadOf", spelt], check=True)
    subprocess.run([*here, "safe.directory", "*"], check=True)
    added = claude.run("plugin", "marketplace", "add", "lab/market")
    assert added.returncode == 0, added.stdout + added.stderr
    assert claude.run("plugin", "install", "nightschool@nightschool").returncode == 0
    copies = list((claude.home / ".claude" / "plugins" / "cache").rglob("hooks/harvest"))
    assert len(copies) == 1
    text = copies[0].read_text()
    copies[0].write_text(
        text.replace("umask 077\n", f"umask 077\n: >>{claude.root}/copy-ran\n", 1)
    )  # only the copy does
    with AnthropicServer([], Say("Done.")) as server:
        assert claude.run("-p", "hello", url=server.url).returncode == 0
    journal = claude.root / "nightschool-home" / "journal.jsonl"
    moments = until(
        lambda: [json.loads(x)["moment"] for x in journal.read_text().splitlines()] if journal.exists() else []
    )
    assert "turn_end" in moments
    assert (claude.root / "copy-ran").exists()
