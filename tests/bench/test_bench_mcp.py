"""What a client waits for at every session's start: the MCP server's CPU and wall time, to its replies and to its end."""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.mcp_client import HELLO, MODERN

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "mcp.json"
RUNS, GOAL = 20, 150  # ms of CPU
INITIALIZE = [("initialize", HELLO)]
CASES = {
    "python -c pass": None,
    "nothing asked": [],
    "initialize": INITIALIZE,
    "initialize, tools/list": [*INITIALIZE, ("tools/list", {})],
    "server/discover, tools/list": [("server/discover", {"_meta": MODERN}), ("tools/list", {"_meta": MODERN})],
    "…, one sleep_status": [*INITIALIZE, ("tools/list", {}), ("tools/call", {"name": "sleep_status"})],
}


def started(asked):
    """Start a server, ask it, end it; return ms of CPU with children, ms to the last reply, and peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = ["-c", "pass"] if asked is None else ["-m", "nightschool", "mcp"]
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    memory = 0.0
    for number, (method, params) in enumerate(asked or ()):
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == number
        status = Path(f"/proc/{process.pid}/status")
        if status.exists():
            memory = next(int(at.split()[1]) / 1024 for at in status.read_text().splitlines() if at.startswith("VmHWM"))
    replied = time.perf_counter() - began
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_ms": round(cpu * 1e3, 1), "replied_ms": round(replied * 1e3, 1), "memory_mb": round(memory, 1)}


def test_what_a_start_costs(home):
    """Print medians of 20 runs each, taken in turns; the goal is 150 ms of CPU to the list of tools."""
    rows = {name: [] for name in CASES}
    for run in range(RUNS + 1):
        for name, asked in CASES.items():
            found = started(asked)
            if run:  # the first of each writes byte code
                rows[name].append(found)
    machine = {
        "machine": platform.machine(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
    }
    RAW.write_text(
        json.dumps({"machine": machine, "runs": RUNS, "goal_ms": GOAL, "cases": rows}, separators=(",", ":")) + "\n"
    )
    print(f"\n{'':<30}{'CPU ms (quartiles)':>24}{'ms to the last reply':>22}{'peak MB':>9}")
    for name, found in rows.items():
        low, middle, high = statistics.quantiles([one["cpu_ms"] for one in found], n=4)
        replied = statistics.median(one["replied_ms"] for one in found)
        memory = max(one["memory_mb"] for one in found)
        print(f"{name:<30}{f'{middle:.0f} ({low:.0f}-{high:.0f})':>24}{replied:>22.0f}{memory:>9.0f}")
    assert all(len(found) == RUNS for found in rows.values())
