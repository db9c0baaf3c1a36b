"""Fifty agents at work while a night runs and a sync goes out: what is lost, and how long a hook and the night take.

Each agent's transcript grows by a step with every event. The same night is run before in a copy of the home, at rest.
NIGHTSCHOOL_BENCH_SECONDS is how long (300), NIGHTSCHOOL_BENCH_STALL for how long others keep all cores busy meanwhile (0).
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
from tests.e2e.conftest import START, World
from tests.e2e.test_night import OBEDIENT
from tests.support import big_home
from tests.support.subjects import SUBJECTS, WORDS
from tests.support.transcripts import claude_session

from nightschool.day.journal import read_events
from nightschool.paths import Home

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "load.json"
HARVEST = str(Path(__file__).parents[2] / "hooks" / "harvest")
AGENTS = 50
SECONDS = int(os.environ.get("NIGHTSCHOOL_BENCH_SECONDS", "300"))
STALL = int(os.environ.get("NIGHTSCHOOL_BENCH_STALL", "0"))  # seconds for which others want every core
RATE = 210  # events a second of all agents together
TOLD_BY_HOOKS = "/nowhere"  # the project of their events: what the transcripts show is journaled besides
STEPS = 500  # of each agent's session when the load begins
CALLS = 10  # steps between two prompts


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


def growing(world, number):
    """Write the session of an agent with its first steps; return its path and what each further step appends."""
    rng, name = random.Random(number), str(uuid.UUID(int=1000 + number, version=4))
    wanted = STEPS + SECONDS * RATE // AGENTS + 10
    calls = [("make check", at % 4 == 0, " ".join(rng.choices(big_home.WORDS, k=100))) for at in range(CALLS)]
    said = [" ".join(rng.choices(big_home.WORDS, k=20)) for _ in range(wanted // CALLS + 1)]
    turns = [(text, text[::-1], calls) for text in said]
    path = claude_session(world.user_home, name, turns, at=START, project=str(world.project))
    lines = path.read_text().splitlines(keepends=True)
    steps = ["".join(pair) for pair in zip(lines[::2], lines[1::2], strict=False)]  # a call and its result
    path.write_text("".join(steps[:STEPS]))
    return path, steps[STEPS:]


def agent(number, path, more, env, until, sent, times):
    """Append a step and fire the event that tells of it, evenly, until it is time to go."""
    pace, count = AGENTS / RATE, 0
    due = time.monotonic() + pace * number / AGENTS
    while due < until:
        time.sleep(max(0, due - time.monotonic()))
        with path.open("a") as transcript:
            transcript.write(more[count])
        told = {"session_id": path.stem, "transcript_path": str(path), "cwd": TOLD_BY_HOOKS, "n": count}
        times.append(fire(env, json.dumps(told).encode(), "turn_end" if count % 4 else "tool_failure"))
        count, due = count + 1, due + pace
    sent[number] = count


def stall(at):
    """Let eight processes keep the cores busy for STALL seconds from then on."""
    time.sleep(max(0, at - time.monotonic()))
    busy = f"import time; end = time.monotonic() + {STALL}\nwhile time.monotonic() < end: pass"
    for one in [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(8)]:
        one.wait()


def quiet_night(world, bare):
    """Run the night in a copy of the home and of its remote, and return its seconds and its verdicts."""
    copy, other = world.home.with_name("copy"), bare.with_name("other.git")
    shutil.copytree(world.home, copy, symlinks=True)
    shutil.copytree(bare, other)
    for path in copy.rglob("*"):
        if path.is_file() and str(bare).encode() in path.read_bytes():
            path.write_bytes(path.read_bytes().replace(str(bare).encode(), str(other).encode()))
    world.env["NIGHTSCHOOL_HOME"] = str(copy)
    told = night(world)
    del world.env["NIGHTSCHOOL_HOME"]
    return told


def night(world):
    """Run a night, and return its seconds and its verdicts."""
    started = time.perf_counter()
    out, _ = world.run("run", "--json")
    return time.perf_counter() - started, [rule["verdict"]["ruling"] for rule in json.loads(out)["rules"]]


def quantile(values, share):
    """Return the value below which this share of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def test_fifty_agents_while_a_night_runs(tmp_path, no_real_home):
    """Print events a second, what was lost (none may be), the hooks' median and p99, and the night beside a quiet one."""
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
    sessions = [growing(world, number) for number in range(AGENTS)]
    quiet, expected = quiet_night(world, bare)
    sent, times, syncs = {}, [], 0
    until = time.monotonic() + SECONDS
    began = time.monotonic()
    agents = [threading.Thread(target=agent, args=(n, *one, env, until, sent, times)) for n, one in enumerate(sessions)]
    others = threading.Thread(target=stall, args=(began + SECONDS / 2,))
    for one in (*agents, others):
        one.start()
    time.sleep(SECONDS / 10)
    took, verdicts = night(world)
    while time.monotonic() < until - 5:
        world.run("sync")
        syncs += 1
        time.sleep(SECONDS / 10)
    for one in (*agents, others):
        one.join()
    world.run("drain", "--linger", "1")
    kept = sum(event.project == TOLD_BY_HOOKS for event in read_events(Home(world.home)))
    total = sum(sent.values())
    figures = {
        "agents": AGENTS, "seconds": SECONDS, "events": total, "events_per_s": round(total / SECONDS, 1),
        "lost": total - kept, "hook_ms_median": round(statistics.median(times), 1),
        "hook_ms_p99": round(quantile(times, 0.99), 1), "hook_ms_most": round(max(times), 1), "night_s": round(took, 1),
        "quiet_night_s": round(quiet, 1),
        "verdicts": verdicts, "syncs": syncs, "stall_s": STALL, "load": os.getloadavg(),
    }  # fmt: skip
    RAW.write_text(json.dumps(figures, indent=1) + "\n")
    print("\n" + "\n".join(f"{name:<16}{value}" for name, value in figures.items()))
    assert figures["lost"] == 0
    assert verdicts == expected == ["accept"]
