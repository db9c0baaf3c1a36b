"""What a first night's harvest of 1,000 sessions costs, and a second's with 30 new ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.big_home import fill

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "harvest.json"
SCRIPT = """
import json, re, sys, time
from pathlib import Path
began = time.process_time(), time.perf_counter()
from nightschool import platforms
from nightschool.day.harvest import harvest
from nightschool.day.redact import redact
from nightschool.memory.store import SessionStore
from nightschool.paths import Home
from nightschool.records import NightRequest
loaded = platforms.installed()
nights = loaded.on_night(NightRequest(user_home=sys.argv[1], environ={}, project=None))
before = time.process_time(), time.perf_counter()
found = harvest(Home.from_env(), loaded, nights, redact=redact)
after = time.process_time(), time.perf_counter()
print(json.dumps({
    "read": found.read, "new_bytes": found.new_bytes, "transcripts": found.transcripts,
    "cpu_s": after[0] - before[0], "wall_s": after[1] - before[1],
    "whole_cpu_s": after[0] - began[0], "whole_wall_s": after[1] - began[1],
    "peak_mb": int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024,
}))
"""


def harvested(home, monkeypatch, target):
    """Harvest in a process of its own and return its figures."""
    monkeypatch.setenv("NIGHTSCHOOL_HOME", str(target))
    ran = subprocess.run([sys.executable, "-c", SCRIPT, str(home)], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_harvest_of_200_mb_and_the_night_after(tmp_path, monkeypatch):
    """Print MB/s (CPU), seconds and peak memory; n = 3 homes for the first night, one second and one third night each."""
    home = tmp_path / "home"
    size = fill(home, 1000)
    rows = []
    for repeat in range(3):
        target = tmp_path / f"target-{repeat}"
        rows.append({"night": "first, 1,000 sessions"} | harvested(home, monkeypatch, target))
    grown = fill(home, 30, first=1000)
    for repeat in range(3):
        target = tmp_path / f"target-{repeat}"
        rows.append({"night": "second, 30 new"} | harvested(home, monkeypatch, target))
        rows.append({"night": "third, nothing new"} | harvested(home, monkeypatch, target))
    RAW.parent.mkdir(exist_ok=True)
    RAW.write_text(json.dumps(rows, indent=1) + "\n")

    print(f"\n{size / 1e6:.0f} MB in 1,000 sessions, then {grown / 1e6:.1f} MB in 30")
    print(f"{'night':<24}{'MB':>7}{'CPU s':>8}{'wall s':>8}{'MB/s CPU':>10}{'process CPU s':>15}{'peak MB':>9}")
    for row in sorted(rows, key=lambda r: r["night"]):
        megabytes = row["new_bytes"] / 1e6
        print(
            f"{row['night']:<24}{megabytes:>7.1f}{row['cpu_s']:>8.2f}{row['wall_s']:>8.2f}"
            f"{megabytes / row['cpu_s']:>10.0f}{row['whole_cpu_s']:>15.2f}{row['peak_mb']:>9.0f}"
        )
    assert {row["read"] for row in rows} == {1000, 30, 0}


def test_whole_nights_over_1000_sessions(tmp_path, monkeypatch):
    """Print CPU, wall and peak memory of the command itself: a first night, one with nothing new, one with 30 new."""
    import os
    import time

    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    rows = []
    for repeat in range(3):
        fill(home, 1000)
        for late in home.rglob("000010[0-2]?-*.jsonl"):
            late.unlink()
        monkeypatch.setenv("NIGHTSCHOOL_HOME", str(tmp_path / f"whole-{repeat}"))
        for night in ("first, 1,000 sessions", "second, nothing new", "third, 30 new"):
            if night.startswith("third"):
                fill(home, 30, first=1000)
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "nightschool", "run", "--project", "/srv/shop"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0
            cpu = used.ru_utime + used.ru_stime
            wall = time.perf_counter() - began
            rows.append({"night": night, "cpu_s": cpu, "wall_s": wall, "peak_mb": used.ru_maxrss / 1024})
    (RAW.parent / "nights.json").write_text(json.dumps(rows, indent=1) + "\n")

    print(f"\n{'night (whole command)':<26}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}")
    for row in sorted(rows, key=lambda r: r["night"]):
        print(f"{row['night']:<26}{row['cpu_s']:>8.2f}{row['wall_s']:>8.2f}{row['peak_mb']:>9.0f}")
