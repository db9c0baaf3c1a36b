"""The disk refuses, a program does not start, or the power goes, at the n-th step: the old state or the new one, no third.

Each scenario prepares a world, runs one command with the fault, and then the same command again without any. What is
told in between is one clear line, never a traceback; what is there in the end is what it would have been without.
"""

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.test_kill import outcome
from tests.e2e.test_night import OBEDIENT
from tests.support.faults import CAN, WHY_NOT, Faulty, leftovers
from tests.support.native import Call, Native
from tests.support.subjects import SUBJECTS, WORDS

from nightschool.audit import backlog
from nightschool.day.journal import read_events
from nightschool.memory.store import SessionStore
from nightschool.paths import Home

pytestmark = [pytest.mark.skipif(not CAN, reason=WHY_NOT)]
ROOT = Path(__file__).parent.parent.parent
NIGHTSCHOOL = [sys.executable, "-m", "nightschool"]
MODES = ("fail", "full", "kill")
DAY = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
EXITS = {0, 1, -9}
LOCKED = re.compile(r"the repository is locked .*?: (\S+\.lock) is there")


def few(world, count=7):
    """Hold so many sessions, under a model that follows rules."""
    world.rehearse(OBEDIENT)
    for number, subject in enumerate(SUBJECTS[:count]):
        asked = (f"write a SQL query for {subject}", "SELECT 1;")
        world.session(asked, (WORDS[number % len(WORDS)], "SELECT 1 LIMIT 100;"))


def documents(world):
    """Return the bytes of the project's files."""
    return {str(p.relative_to(world.project)): p.read_bytes() for p in world.project.rglob("*") if p.is_file()}


class Night:
    """A whole night: its verdicts and funnel do not depend on the fault."""

    words = (*NIGHTSCHOOL, "run", "--json")

    def prepare(self, world):
        few(world, 3)

    def state(self, world, out):
        return outcome(json.loads(out))


class Harvest:
    """Reading sessions: what lies in the store afterwards is whole."""

    words = (*NIGHTSCHOOL, "harvest", "--json")

    def prepare(self, world):
        few(world)

    def state(self, world, out):
        return [session.model_dump_json() for session in SessionStore(Home(world.home)).sessions()]


class Day:
    """Draining: the events of all payloads, and what their sessions show, are told once and not lost."""

    words = (*NIGHTSCHOOL, "drain", "--json")

    def prepare(self, world):
        git = ["git", "-C", str(world.project), "-c", "user.name=Kim", "-c", "user.email=kim@example.com"]
        subprocess.run([*git, "init", "-q"], check=True)
        (world.project / "a").write_text("1")
        subprocess.run([*git, "add", "."], check=True)
        when = {"GIT_COMMITTER_DATE": DAY.isoformat(), "GIT_AUTHOR_DATE": DAY.isoformat()}
        subprocess.run([*git, "commit", "-qm", "feat: importer"], check=True, env=world.environment() | when)
        folder = world.user_home / ".claude" / "projects" / "-shop"
        folder.mkdir(parents=True)
        for number in range(3):
            session = Native("claude-code", world.root / "unused", world.project)
            session.path = folder / f"{session.sid}.jsonl"
            red = [Call("pytest -q", failed=True, output="2 failed, 1 passed")] * 3
            commit = [Call("git commit -am 'feat: importer'")] * (number == 0)
            session.turn("import the orders", [*red, *commit], DAY)
            for at, moment in enumerate(("session_start", "turn_end", "session_end")):
                session.tell(Home(world.home), moment, DAY + timedelta(seconds=10 * number + at))

    def state(self, world, out):
        if waiting := sorted(path.name for path in (world.home / "spool").glob("*.json*")):
            return waiting
        world.run("harvest")  # a session that could not be read is left to the night
        home = Home(world.home)
        events = sorted((event.id, event.moment, event.session_id) for event in read_events(home))
        noted = sorted((entry.id, entry.kind, entry.session, entry.failures) for entry in backlog.entries(home))
        return events, noted, [session.id for session in SessionStore(home).sessions()]


class Hook:
    """A hook ends well whatever the disk says, and a payload is in the spool whole or not at all."""

    words = (str(ROOT / "hooks" / "harvest"), "claude-code", "turn_end")
    data = json.dumps({"session_id": "s1", "text": "x" * 9000}).encode()
    exits = frozenset({0, -9})

    def prepare(self, world):
        world.run("status")
        world.env["NIGHTSCHOOL_NO_DRAIN"] = "1"  # which would still run when the world is put back

    def state(self, world, out):
        found = {path.read_bytes() for path in (world.home / "spool").glob("*.json")}
        assert found <= {self.data}
        return found


class Adopt:
    """Adopting: each document has its old bytes or its new ones."""

    words = (*NIGHTSCHOOL, "adopt", "--json", "--all")

    def prepare(self, world):
        few(world, 4)
        (world.project / "CLAUDE.md").write_bytes(b"# Shop\r\nUse tabs.")
        world.run("run")
        rule = world.json("report")["rules"][0]["edit"]["id"]
        self.words = (*NIGHTSCHOOL, "adopt", "--json", "--rule", rule)

    def state(self, world, out):
        return documents(world)


class Undo(Adopt):
    """Undoing: the same."""

    def prepare(self, world):
        super().prepare(world)
        world.run("adopt", "--rule", self.words[-1])
        self.words = (*NIGHTSCHOOL, "undo", "--json")


class Queue:
    """A question for the night is kept whole, or refused: it is never there twice or in halves."""

    words = (*NIGHTSCHOOL, "queue", "add", "why do the nightly exports take so long?", "--json")

    def prepare(self, world):
        world.run("queue", "list")

    def state(self, world, out):
        kept = world.json("queue", "list")["tasks"]
        return [(task["title"], task["status"]) for task in kept][:1]


class Sync:
    """Giving what one has to a repository: in the end all of it lies there, and nothing else."""

    words = (*NIGHTSCHOOL, "sync", "--json")

    def prepare(self, world):
        few(world, 3)
        bare = world.root / "memory.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
        world.run("harvest")
        world.run("setup", "--url", str(bare), "--no-test")

    def state(self, world, out):
        told = subprocess.run(
            ["git", "-C", str(world.root / "memory.git"), "ls-tree", "-r", "main"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        return sorted(line for line in told.splitlines() if "sessions/" in line)


SCENARIOS = (Night, Day, Hook, Harvest, Adopt, Undo, Queue, Sync)


@pytest.fixture
def faulty(world, tmp_path_factory):
    """Return a function that prepares a scenario's world."""

    def make(scenario):
        scenario.prepare(world)
        kept = tmp_path_factory.mktemp("kept") / "world"
        made = Faulty(world.root, kept, world.environment(), world.project)
        made.keep()
        return made

    return make


def sweep(world, faulty, scenario, mode, count=0):
    """Let the changes of the scenario's command fail one by one, all or `count` of them; return how many did."""
    made = faulty(scenario)
    words = list(scenario.words)
    data, exits = getattr(scenario, "data", b""), getattr(scenario, "exits", EXITS)
    done, changes = made.run(words, data=data)
    assert done.returncode == 0, done.stderr.decode()
    wanted = scenario.state(world, done.stdout)
    places = range(1, changes + 1, max(1, changes // count) if count else 1)
    for at in places:
        made.restore()
        done, _ = made.run(words, mode, at, data=data)
        told = done.stderr.decode()
        where = f"{mode} at change {at} of {changes}: exit {done.returncode}\n{told}"
        assert done.returncode in exits, where
        assert "Traceback" not in told, where
        assert done.returncode != 1 or told.strip(), where
        if done.returncode == 0 and scenario.state(world, done.stdout) == wanted:
            continue
        again, _ = made.run(words, data=data)
        while locked := LOCKED.search(again.stderr.decode()):  # by git on the other side, which was killed: do as told
            Path(locked[1]).unlink()
            again, _ = made.run(words, data=data)
        told = f"{where}\nafter it:\n{again.stderr.decode()}"
        assert again.returncode == 0 or "nothing to undo" in told, told  # killed when all was done
        assert scenario.state(world, again.stdout) == wanted, told
        assert leftovers(world.home) == [], where
    return len(places)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["full", "kill"])
@pytest.mark.parametrize("scenario", [Night, Day, Hook, Adopt, Sync], ids=lambda made: made.__name__.lower())
def test_a_fault_at_some_steps(world, faulty, scenario, mode):
    """Four faults a scenario: it recovers from each."""
    assert sweep(world, faulty, scenario(), mode, count=4) >= 4


@pytest.mark.slow
@pytest.mark.sweep
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda made: made.__name__.lower())
def test_a_fault_at_every_step(world, faulty, scenario, mode):
    """A fault at each single change: it recovers from every one. Prints how many there were and how long they took."""
    began = time.perf_counter()
    count = sweep(world, faulty, scenario(), mode)
    print(f"\n{scenario.__name__.lower()}, {mode}: {count} faults in {time.perf_counter() - began:.0f} s")
    assert count > 5
