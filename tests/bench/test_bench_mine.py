"""How long mining takes. Prints a table and keeps the raw figures; asserts no tight timing."""

import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.mined import PROJECT, plant
from tests.support.transcripts import planted

from nightschool.night import bank
from nightschool.night.mining.cluster import alike, families
from nightschool.night.mining.mine import mine
from nightschool.night.mining.signals import normalise

RAW = Path(__file__).parent / "raw" / "mine.json"
HISTORY = Path(__file__).parent / "raw" / "mine_history.json"


def clocked(work):
    """Return the seconds that `work` takes, and its result."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def texts(count):
    """Return texts of 4 to 24 words with the word frequencies of natural language."""
    rng = random.Random(3)
    words = ["".join(chr(97 + int(digit)) for digit in str(n)) + "q" for n in range(4000)]
    weights = [1 / (n + 5) for n in range(len(words))]
    return [normalise(" ".join(rng.choices(words, weights, k=rng.randrange(4, 25)))) for _ in range(count)]


@pytest.mark.bench
def test_mining_is_near_linear(home):
    """Sessions and texts against seconds."""
    rows = []
    for count in (750, 1500, 3000):
        planted = plant(count)
        took, found = clocked(lambda p=planted: mine(p.sessions, project=PROJECT, scope="invoked", min_sessions=2))
        rows.append({"what": "mine", "count": len(planted.sessions), "seconds": round(took, 3)})
    took, _ = clocked(lambda: bank.deposit(home, found.tasks))
    rows.append({"what": "deposit", "count": len(found.tasks), "seconds": round(took, 3)})
    for count in (2500, 5000, 10_000):
        some = texts(count)
        rows.append({"what": "families", "count": count, "seconds": round(clocked(lambda s=some: families(s))[0], 3)})
        rows.append(
            {"what": "alike 0.6", "count": count, "seconds": round(clocked(lambda s=some: alike(s, 0.6))[0], 3)}
        )
    RAW.parent.mkdir(exist_ok=True)
    RAW.write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        print(f"{row['what']:12} {row['count']:6} {row['seconds']:8.3f} s")
    assert all(row["seconds"] < 120 for row in rows)


_HISTORY = """
import json, resource, sys, time
from pathlib import Path
from tests.core.test_mine_history import sessions_of
from nightschool.night.mining.mine import mine
from nightschool.night.mining.outcomes import lightened
begun = time.perf_counter()
sessions = [lightened(session) for session in sessions_of(Path(sys.argv[1]))]
read = time.perf_counter() - begun
found = mine(sessions, project="/home/kim/shop", scope="invoked", min_sessions=2)
took = time.perf_counter() - begun - read
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"count": len(sessions), "read": round(read, 2), "mine": round(took, 2), "peak_mb": round(peak)}))
"""


@pytest.mark.bench
def test_ten_thousand_sessions(tmp_path):
    """Histories in both clients' formats against seconds and memory of a process of their own; and with harvest."""
    rows = []
    for count in (2250, 4500, 9000):  # and one near-duplicate for every nine
        home = tmp_path / str(count)
        planted(home, count)
        done = subprocess.run([sys.executable, "-c", _HISTORY, str(home)], capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout))
    env = dict(os.environ) | {"HOME": str(home), "NIGHTSCHOOL_HOME": str(tmp_path / "night")}
    for what in ("first", "again"):
        begun = time.perf_counter()
        command = [sys.executable, "-m", "nightschool", "mine", "--json", "--project", "/home/kim/shop"]
        subprocess.run(command, env=env, capture_output=True, check=True)
        took = time.perf_counter() - begun
        rows.append({"what": f"nightschool mine, {what}", "count": rows[2]["count"], "seconds": round(took, 1)})
        rows[-1]["peak_mb"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    HISTORY.write_text(json.dumps(rows, indent=1) + "\n")
    print(*rows, sep="\n")
    assert rows[2]["count"] >= 10_000 * 0.99
    assert rows[2]["read"] + rows[2]["mine"] < 60
    assert rows[2]["peak_mb"] < 500
