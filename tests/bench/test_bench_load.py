"""Fifty agents at work while a night runs and a sync goes out: what is lost, and how long a hook takes then.

NIGHTSCHOOL_BENCH_SECONDS is how long (300), NIGHTSCHOOL_BENCH_STALL for how long others keep all cores busy meanwhile (0).
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.e2e.conftest import World
from tests.e2e.test_night import OBEDIENT
from tests.support.subjects import SUBJECTS, WORDS

from nightschool.day.journal import read_events
from nightschool.paths import Home

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "load.json"
HARVEST = str(Path(__file__).parents[2] / "hooks" / "harvest")
AGENTS = 50
SECONDS = int(os.environ.get("NIGHTSCHOOL_BENCH_SECONDS", "300"))
STALL = int(os.environ.get("NIGHTSCHOOL_BENCH_STALL", "0"))  # seconds for which others want every core
RATE = 210  # events a second of all agents together


def fire(env, payload, moment):
    """Run a hook as a client does, and return its wall time in milliseconds."""
    read, write = os.pipe()
    os.write(write, payload)
    os.close(write)
    began = time.perf_counter()
    words = [HARVEST, "claude-code", moment]
    pid = os.posix_spawn(HARVEST, words, env, file_actions=[(os.POSIX_SPAWN_DUP2, read, 0)])
    os.close(read)
    assert os.waitpid(pid, 0)[1] == 0
    return (time.perf_counter() - began) * 1000


def agent(number, env, until, sent, times):
    """Fire events of a session of one's own, evenly, until it is time to go."""
    pace, count = AGENTS / RATE, 0
    due = time.monotonic() + pace * number / AGENTS
    while due < until:
        time.sleep(max(0, due - time.monotonic()))
        told = {
            "session_id": f"load-{number}",
            "transcript_path": f"/nowhere/{number}.jsonl",
            "cwd": "/nowhere",
            "n": count,
        }
        times.append(fire(env, json.dumps(told).encode(), "turn_end" if count % 4 else "tool_failure"))
        count, due = count + 1, due + pace
    sent[number] = count


def stall(at):
    """Let eight processes keep the cores busy for STALL seconds from then on."""
    time.sleep(max(0, at - time.monotonic()))
    busy = f"import time; end = time.monotonic() + {STALL}\nwhile time.monotonic() < end: pass"
    for one in [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(8)]:
        one.wait()


def quantile(values, share):
    """Return the value below which this share of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def test_fifty_agents_while_a_night_runs(tmp_path, no_real_home):
    """Print events a second, what was lost (none may be), the hooks' median and p99, and the night's time and verdict."""
    world = World(tmp_path)
    world.project.mkdir(parents=True)
    for number, subject in enumerate(SUBJECTS):
        world.session(
            (f"write a SQL query for {subject}", "SELECT 1;"), (WORDS[number % len(WORDS)], "SELECT 1 LIMIT 100;")
        )
    world.rehearse(OBEDIENT)
    bare = tmp_path / "memory.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    world.run("setup", "--url", str(bare), "--no-test")
    link = world.home / "bin" / "nightschool"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.write_text(f'#!/bin/sh\nexec {sys.executable} -m nightschool "$@"\n')
    link.chmod(0o755)

    env = world.environment() | {"PATH": "/usr/bin:/bin"}
    sent, times, verdicts, syncs = {}, [], [], 0
    until = time.monotonic() + SECONDS
    began = time.monotonic()
    agents = [threading.Thread(target=agent, args=(n, env, until, sent, times)) for n in range(AGENTS)]
    others = threading.Thread(target=stall, args=(began + SECONDS / 2,))
    for one in (*agents, others):
        one.start()
    time.sleep(SECONDS / 10)
    started = time.perf_counter()
    out, _ = world.run("run", "--json")
    night = time.perf_counter() - started
    verdicts = [rule["verdict"]["ruling"] for rule in json.loads(out)["rules"]]
    while time.monotonic() < until - 5:
        world.run("sync")
        syncs += 1
        time.sleep(SECONDS / 10)
    for one in (*agents, others):
        one.join()
    world.run("drain", "--linger", "1")
    kept = sum(1 for event in read_events(Home(world.home)) if (event.session_id or "").startswith("load-"))
    total = sum(sent.values())
    figures = {
        "agents": AGENTS, "seconds": SECONDS, "events": total, "events_per_s": round(total / SECONDS, 1),
        "lost": total - kept, "hook_ms_median": round(statistics.median(times), 1),
        "hook_ms_p99": round(quantile(times, 0.99), 1), "hook_ms_most": round(max(times), 1), "night_s": round(night, 1),
        "verdicts": verdicts, "syncs": syncs, "stall_s": STALL, "load": os.getloadavg(),
    }  # fmt: skip
    RAW.write_text(json.dumps(figures, indent=1) + "\n")
    print("\n" + "\n".join(f"{name:<16}{value}" for name, value in figures.items()))
    assert figures["lost"] == 0
    assert verdicts == ["accept"]
