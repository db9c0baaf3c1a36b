"""A night that is killed at any step ends like one that was not."""

import json
import subprocess
import sys

import pytest
from tests.e2e.test_night import OBEDIENT
from tests.support.subjects import SUBJECTS, WORDS

DRIVER = """
import os, signal, sys
left = int(sys.argv.pop(1))
home = os.environ["NIGHTSCHOOL_HOME"]

def count(event, args):
    # every attempt to change something under the home: opening to write, renaming, making, removing
    global left
    if event == "open":
        path, mode, flags = args
        changes = isinstance(path, str) and path.startswith(home) and (flags or 0) & (os.O_WRONLY | os.O_RDWR)
    elif event in ("os.rename", "os.mkdir", "os.remove"):
        changes = str(args[0]).startswith(home)
    elif event == "sqlite3.connect":
        changes = True
    else:
        changes = False
    if changes:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
from nightschool.cli import main
code = main(sys.argv[1:])
print(left)
sys.exit(code)
"""


def killed_at(world, step):
    """Run a night that is killed at its `step`-th change. Return the process."""
    return subprocess.run(
        [sys.executable, "-c", DRIVER, str(step), "run", "--json"],
        cwd=world.project,
        env=world.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def outcome(document):
    """Return what must be the same: the verdicts, the funnel and the spend."""
    night = document["night"]
    return {
        "rules": [(rule["edit"], rule["verdict"], rule["quotes"]) for rule in document["rules"]],
        "funnel": night["funnel"],
        "calls": night["calls"],
        "id": night["id"],
    }


@pytest.fixture
def small(world):
    """Return a world whose night is short, with a rehearsal model."""
    for number, subject in enumerate(SUBJECTS[:9]):
        world.session(
            (f"write a SQL query for {subject}", "SELECT 1;"), (WORDS[number % len(WORDS)], "SELECT 1 LIMIT 100;")
        )
    world.rehearse(OBEDIENT)
    return world


def forget(world, kept):
    """Put the home back to how it was before the first night."""
    import shutil

    shutil.rmtree(world.home)
    world.home.mkdir()
    (world.home / "config.toml").write_bytes(kept)


def sweep(world, every):
    """Kill a night at every `every`-th change it makes and finish it each time."""
    kept = (world.home / "config.toml").read_bytes()
    whole = json.loads(killed_at(world, 10**9).stdout.rsplit("\n", 2)[0])
    expected = outcome(whole)
    forget(world, kept)
    step, kills = 1, 0
    while True:
        ran = killed_at(world, step)
        if ran.returncode == 0:
            break
        assert ran.returncode == -9, ran.stderr
        kills += 1
        finished = world.json("run")
        assert outcome(finished) == expected, f"killed at change {step}"
        assert not [p for p in world.home.rglob("*.json") if p.stat().st_size == 0]
        forget(world, kept)
        step += every
    return kills


def test_killed_at_some_steps(small):
    """Killed at every twelfth change, a night ends like one that was not; no call is paid twice."""
    assert sweep(small, 12) >= 5


@pytest.mark.slow
@pytest.mark.sweep
def test_killed_at_every_step(small):
    """Killed at each single change, a night ends like one that was not; no call is paid twice."""
    assert sweep(small, 1) >= 60
