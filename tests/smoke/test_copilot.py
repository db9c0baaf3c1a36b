"""The real Copilot: our plugin installs, its events are journaled once, and its sessions are read exactly."""

import json
import os
import signal
import time
import uuid
from collections import Counter

import pytest
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.clients import ROOT, marketplace

pytestmark = pytest.mark.smoke


def bash(command):
    """Return the use of the client's shell."""
    return ("bash", {"command": command, "description": "try"})


RULES = [
    Rule("burst", [Say(tools=[bash(f"exit {n}")]) for n in (1, 2, 3)] + [Say(tools=[bash("true")]), Say("It fails.")]),
    Rule("cart", [Say(tools=[bash("echo 1 > a && git add a && git commit -qm 'feat: a cart'")]), Say("Committed.")]),
    Rule("look deeper", [Say(tools=[bash("exit 9")]), Say("Nothing there.")]),
    Rule(
        "delegate",
        [
            Say(
                tools=[
                    ("task", {"agent_type": "task", "description": "look", "prompt": "look deeper", "name": "looker"})
                ]
            ),
            Say("Delegated."),
        ],
    ),
    Rule("slow", [Say(tools=[bash("sleep 60")]), Say("Slept.")]),
]


def until(found, seconds=30):
    """Wait until `found()` is true and return what it gave."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)
    return value


def install(copilot):
    """Install our plugin from the marketplace at the root."""
    assert copilot.run("plugin", "marketplace", "add", marketplace()).returncode == 0
    ran = copilot.run("plugin", "install", "nightschool@nightschool")
    assert ran.returncode == 0, ran.stderr


def held(copilot, server, *prompts, session=None):
    """Hold a session of one turn a process and return its id."""
    name = session or str(uuid.uuid4())
    for number, prompt in enumerate(prompts):
        resumed = ("--resume", name) if session or number else ("--session-id", name)
        ran = copilot.run("-p", prompt, "--allow-all-tools", *resumed, url=server.url)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    return name


def killed(copilot, server):
    """Hold a session that is killed while a tool runs, and return its id."""
    name = str(uuid.uuid4())
    process = copilot.start(
        "-p", "slow work", "--allow-all-tools", "--session-id", name, url=server.url, start_new_session=True
    )
    path = copilot.config / "session-state" / name / "events.jsonl"
    until(lambda: path.exists() and "tool.execution_start" in path.read_text())  # it reaches the disk late
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return name


def events(copilot):
    """Return the journal."""
    path = copilot.root / "nightschool-home" / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def stored(copilot):
    """Return the sessions that were read, by id."""
    found = (copilot.root / "nightschool-home" / "sessions").rglob("*.json")
    return {path.stem: json.loads(path.read_text()) for path in found}


def test_every_kind_of_session_is_counted_exactly(copilot):
    """Plain, failures, commit, resume, sub-agent, killed: each event once, each turn, call and failure as scripted."""
    install(copilot)
    with AnthropicServer(RULES, Say("Done.")) as server:
        plain = held(copilot, server, "hello there")
        burst = held(copilot, server, "a burst of failures")
        cart = held(copilot, server, "add a cart", "and once more")
        delegated = held(copilot, server, "delegate this")
        cut = killed(copilot, server)
        inner = [asked for asked in server.asked if "look deeper" in asked.prompt]
    assert inner, "the sub-agent has asked the model"
    ended = {plain: 1, burst: 1, cart: 2, delegated: 1}

    def told():
        return Counter(e["session_id"] for e in events(copilot) if e["moment"] == "session_end") == ended

    until(told)
    copilot.nightschool("drain")  # the killed one's start: its end has told nobody
    until(lambda: {"milestone_commit", "error_spike"} <= {event["moment"] for event in events(copilot)})
    journal = events(copilot)
    moments = Counter(event["moment"] for event in journal)
    assert len({event["id"] for event in journal}) == len(journal)
    assert {event["platform"] for event in journal} == {"copilot"}
    assert moments == {
        "session_start": 6,
        "turn_end": 5,
        "session_end": 5,
        "error_spike": 1,
        "milestone_commit": 1,
        "tool_failure": 3,
    }, "a sub-agent's events are none of the session's"

    night = copilot.nightschool("run")["night"]
    sessions = stored(copilot)
    assert sessions.keys() == {plain, burst, cart, delegated, cut}
    assert (night["funnel"]["sessions"], night["funnel"]["turns"]) == (5, 6)
    prompts = {name: [turn["prompt"] for turn in session["turns"]] for name, session in sessions.items()}
    assert prompts == {
        plain: ["hello there"],
        burst: ["a burst of failures"],
        cart: ["add a cart", "and once more"],
        delegated: ["delegate this"],
        cut: ["slow work"],
    }
    calls = {name: [c for turn in s["turns"] for c in turn.get("calls", [])] for name, s in sessions.items()}
    assert [call.get("failed") for call in calls[burst]] == [True, True, True, False]
    assert [(call["name"], call.get("failed")) for call in calls[delegated]] == [("task", False)]
    assert [call.get("failed") for call in calls[cart]] == [False]
    assert [call.get("failed") for call in calls[cut]] == [None]
    assert sessions[cut]["turns"][0]["interrupted"] is True
    assert sessions[cut].get("pending", {}) == {}
    assert all(session.get("skipped", {}) == {} for session in sessions.values())
    assert sessions[plain]["turns"][0]["reply"] == "Done."
    assert sessions[plain]["project"] == os.path.realpath(copilot.project)
    copilot.nightschool("run")
    assert stored(copilot) == sessions, "a second night reads nothing twice"


def test_an_event_that_is_wired_twice_is_one(copilot):
    """The same hooks once more among the user's own: the client fires each event twice, the journal has it once."""
    install(copilot)
    wired = json.loads((ROOT / "copilot" / "hooks.json").read_text())
    for entries in wired["hooks"].values():
        for entry in entries:
            entry["bash"] = f"echo fired >> {copilot.root}/fired; " + entry["bash"].replace("${PLUGIN_ROOT}", str(ROOT))
    pascal = {
        "sessionStart": "SessionStart",
        "userPromptSubmitted": "UserPromptSubmit",
        "agentStop": "Stop",
        "preCompact": "PreCompact",
        "sessionEnd": "SessionEnd",
    }
    wired["hooks"] = {pascal[name]: entries for name, entries in wired["hooks"].items()}
    (copilot.config / "hooks").mkdir(parents=True)
    (copilot.config / "hooks" / "again.json").write_text(json.dumps(wired))
    with AnthropicServer([], Say("Done.")) as server:
        held(copilot, server, "hello there")

    until(lambda: stored(copilot) and not list((copilot.root / "nightschool-home" / "spool").glob("*.json")))
    moments = Counter(event["moment"] for event in events(copilot))
    assert moments == {"session_start": 1, "turn_end": 1, "session_end": 1}
    assert (copilot.root / "fired").read_text().count("fired") == 4, "the client did fire each twice"
