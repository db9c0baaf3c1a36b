"""A whole day in the real Claude Code: every kind of session, each event once, each transcript read soon."""

import json
import subprocess
import time
from collections import Counter

import pytest
from tests.support.anthropic_server import AnthropicServer, Rule, Say

pytestmark = pytest.mark.smoke

ALLOWED = ("--allowedTools", "Bash,Agent", "--output-format", "json")
RULES = [
    Rule("burst", [Say(tools=[("Bash", {"command": f"exit {n}"})]) for n in (1, 2, 3, 4)] + [Say("It fails.")]),
    Rule(
        "cart", [Say(tools=[("Bash", {"command": "echo 1 > a && git add a && git commit -qm 'feat: a'"})]), Say("Ok.")]
    ),
    Rule("look deeper", [Say("Nothing there.")]),
    Rule(
        "delegate",
        [
            Say(
                tools=[
                    (
                        "Agent",
                        {
                            "description": "look",
                            "prompt": "look deeper into it",
                            "subagent_type": "general-purpose",
                            "run_in_background": False,
                        },
                    )
                ]
            ),
            Say("Delegated."),
        ],
    ),
]


def events(claude):
    """Return the journal."""
    path = claude.root / "nightschool-home" / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def stored(claude):
    """Return the sessions that were read, by id."""
    found = (claude.root / "nightschool-home" / "sessions").rglob("*.json")
    return {path.stem: json.loads(path.read_text()) for path in found}


def until(found, seconds=20.0):
    """Wait until `found()` is true; return how long that took."""
    began = time.monotonic()
    while not found():
        assert time.monotonic() < began + seconds, "it did not come true"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture
def installed(claude):
    """Return the client with our plugin installed from its marketplace."""
    from tests.support.clients import marketplace

    assert claude.run("plugin", "marketplace", "add", marketplace()).returncode == 0
    assert claude.run("plugin", "install", "nightschool@nightschool").returncode == 0
    return claude


def test_every_event_is_journaled_once(installed):
    """Tools, a burst of failures, a commit, a resume, a compaction, a sub-agent: one event for each that happened."""
    with AnthropicServer(RULES, Say("Done.")) as server:

        def ask(*words):
            ran = installed.run("-p", *words, *ALLOWED, url=server.url)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            return json.loads(ran.stdout)["session_id"]

        burst = ask("a burst of failures")
        cart = ask("add a cart")
        assert ask("and once more", "--resume", cart) == cart
        assert ask("/compact", "--resume", cart) == cart
        delegated = ask("delegate this")
    ended = {burst: 1, cart: 3, delegated: 1}

    def told():
        return Counter(e["session_id"] for e in events(installed) if e["moment"] == "session_end")

    until(lambda: told() == ended and not list((installed.root / "nightschool-home" / "spool").glob("*.json")))
    moments = Counter(event["moment"] for event in events(installed))
    assert len({event["id"] for event in events(installed)}) == len(events(installed))
    assert moments["session_start"] == 5
    assert moments["turn_end"] == 4, "four turns; a compaction is none"
    assert moments["compaction"] == 1
    assert moments["tool_failure"] == 4, "each call of the burst, as the transcript tells at the turn's end"
    assert moments["error_spike"] == 1
    assert moments["milestone_commit"] == 1

    until(lambda: stored(installed).keys() == ended.keys())
    sessions = stored(installed)
    assert [turn["prompt"] for turn in sessions[cart]["turns"]] == ["add a cart", "and once more"]
    assert [turn["prompt"] for turn in sessions[delegated]["turns"]] == ["delegate this"]
    assert [call["name"] for call in sessions[delegated]["turns"][0]["calls"]] == ["Agent"]


def test_a_session_is_read_soon_after_it_ends(installed):
    """The detached drain has read the transcript within 2 s of the client's end (measured, n = 3)."""
    took = []
    with AnthropicServer(RULES, Say("Done.")) as server:
        for _ in range(3):
            ran = installed.run("-p", "hello there", *ALLOWED, url=server.url)
            name = json.loads(ran.stdout)["session_id"]
            took.append(until(lambda name=name: name in stored(installed)))

    assert sorted(took)[1] < 2.0, took


def test_eight_sessions_at_once_lose_no_event(installed):
    """Eight clients in one project, side by side: each start, turn and end is journaled once."""
    with AnthropicServer(RULES, Say("Done.", wait=0.2)) as server:
        processes = [
            subprocess.Popen(
                [str(installed.binary), "-p", f"hello {n}", *ALLOWED],
                cwd=installed.project,
                env=installed.environment(server.url),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            for n in range(8)
        ]
        names = {json.loads(process.communicate(timeout=120)[0])["session_id"] for process in processes}
    assert len(names) == 8

    def complete():
        found = Counter((event["session_id"], event["moment"]) for event in events(installed))
        wanted = Counter((name, moment) for name in names for moment in ("session_start", "turn_end", "session_end"))
        return found == wanted

    until(complete, 30)
    until(lambda: stored(installed).keys() == names, 30)


def test_a_spike_is_told_with_the_next_words(installed):
    """After the silent sessions, the next user prompt of a session whose calls failed carries the self-audit; once."""
    home = installed.root / "nightschool-home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text("[audit]\nsilent_sessions = 1\n")
    words = ("--allowedTools", "Bash", "--output-format", "json")
    with AnthropicServer(RULES, Say("Done.")) as server:

        def ask(*more):
            ran = installed.run("-p", *more, *words, url=server.url)
            assert ran.returncode == 0, ran.stderr
            return json.loads(ran.stdout)["session_id"]

        silent = ask("a burst of failures")
        until(lambda: any(e["moment"] == "error_spike" for e in events(installed)))
        ask("go on", "--resume", silent)
        assert "of the last 20 tool calls" not in json.dumps(server.asked[-1].body)
        told = ask("a burst of failures")
        until((home / "prompts" / "claude-code" / told).exists)
        other = ask("hello")
        assert "of the last 20 tool calls" not in json.dumps(server.asked[-1].body)
        assert other != told
        ask("go on", "--resume", told)
        said = json.dumps(server.asked[-1].body)
        assert said.count("of the last 20 tool calls") == 1
        assert "self-audit skill" in said
        ask("and on", "--resume", told)
        assert json.dumps(server.asked[-1].body).count("of the last 20 tool calls") <= 1
    until(lambda: not any("of the last 20 tool calls" in json.dumps(s) for s in stored(installed).values()))
