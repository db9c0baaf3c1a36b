"""The door at work on a loopback endpoint of 250 ms: how long 300 calls take, and how much memory."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.loopback_endpoint import chat, serving

RAW = Path(__file__).parent / "raw" / "door.json"
LATENCY, CALLS = 0.25, 300

ASKS = """
import json, resource, sys, time
from pathlib import Path
from nightschool.clock import SystemClock
from nightschool.config import OpenAI as Settings
from nightschool.models.backends.openai import OpenAI
from nightschool.models.budget import Budget, Terms
from nightschool.models.door import Door
from nightschool.models.questions import Question
from nightschool.paths import Home

root, url, side_by_side, calls = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
terms = Terms(budget=Budget(tokens=10**9), side_by_side=side_by_side)
backend = OpenAI.from_config(Settings(base_url=url))
with Door(Home(Path(root)), backend, clock=SystemClock(), redact=str, night="0001", terms=terms) as door:
    door.ask(Question(kind="preflight", prompt="warm up"))
    early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    told = door.ask_all([Question(kind="rollout", prompt=f"{n} " + "x" * 2000) for n in range(calls)])
    took = time.perf_counter() - began
    assert [answer.text.split()[0] for answer in told] == [str(n) for n in range(calls)]
    late = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": took, "early_kib": early, "late_kib": late, "spent": door.spent().calls}))
"""


def slow(_, body):
    """Answer with the request's own number after 250 ms."""
    time.sleep(LATENCY)
    return 200, {}, chat(body["messages"][0]["content"].split()[0] + " y" * 500)


@pytest.mark.bench
def test_calls_side_by_side(tmp_path):
    """300 calls come near 300 x 0.25 s / calls at once, all in order, and memory stays flat; figures are printed."""
    rows = []
    with serving(slow) as server:
        for side_by_side in (4, 8, 16):
            words = [sys.executable, "-c", ASKS, str(tmp_path / str(side_by_side)), server.url]
            run = subprocess.run([*words, str(side_by_side), str(CALLS)], capture_output=True, text=True, check=True)
            told = json.loads(run.stdout)
            ideal = CALLS * LATENCY / side_by_side
            row = {"side_by_side": side_by_side, "ideal": ideal, "ratio": told["seconds"] / ideal} | told
            rows.append(row | {"grown_kib": told["late_kib"] - told["early_kib"]})
    print(f"\n{'at once':>8}{'ideal s':>9}{'took s':>9}{'ratio':>7}{'grown KiB':>11}")
    for row in rows:
        print(
            f"{row['side_by_side']:>8}{row['ideal']:>9.2f}{row['seconds']:>9.2f}{row['ratio']:>7.3f}{row['grown_kib']:>11}"
        )
    RAW.write_text(json.dumps({"latency": LATENCY, "calls": CALLS, "rows": rows}, indent=1) + "\n")

    assert all(row["spent"] == CALLS + 1 for row in rows)
    assert all(row["grown_kib"] < 50_000 for row in rows)
