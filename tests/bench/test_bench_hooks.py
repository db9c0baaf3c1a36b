"""What the hot path costs: CPU of one hook against the cheapest process there is."""

import json
import os
import platform
import statistics
import threading
from pathlib import Path

import pytest

from nightschool.files import write_whole
from nightschool.morning.brief import place

ROOT = Path(__file__).parent.parent.parent
HARVEST = str(ROOT / "hooks" / "harvest")
RAW = Path(__file__).parent / "raw" / "hooks.json"
ROUNDS = 60

CASES = [
    ("130 B", 130, 0, "turn_end"),
    ("512 KiB", 2**19, 0, "turn_end"),
    ("5 MB", 5 * 10**6, 0, "turn_end"),
    ("130 B, 100 spooled", 130, 100, "turn_end"),
    ("130 B, 1,000 spooled (full)", 130, 1000, "turn_end"),
    ("130 B, 999 spooled", 130, 999, "turn_end"),
    ("session_start, no brief", 130, 0, "session_start"),
    ("session_start, 1,800 B brief", 130, 0, "session_start"),
    ("session_start, rule on trial", 130, 0, "session_start"),
]


def cpu(argv, data, env):
    """Run `argv` with `data` on a pipe and return its user and system time, children included, in milliseconds."""
    read, write = os.pipe()
    null = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, read, 0), (os.POSIX_SPAWN_CLOSE, write), (os.POSIX_SPAWN_DUP2, null, 1)]
    pid = os.posix_spawnp(argv[0], argv, env, file_actions=actions)
    os.close(read)
    os.close(null)

    def feed():
        with os.fdopen(write, "wb") as stream:
            stream.write(data)

    writer = threading.Thread(target=feed)
    writer.start()
    _, status, used = os.wait4(pid, 0)
    writer.join()
    assert status == 0
    return round((used.ru_utime + used.ru_stime) * 1000, 3)


def spread(values):
    """Say the median and the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:5.2f} ({low:.2f}-{high:.2f})"


@pytest.mark.bench
def test_the_hook_costs_a_few_processes(home):
    """The hook's CPU is stated beside that of `sh -c true`, run in turns; the goal is 3 times that and 2 ms."""
    env = {"PATH": "/usr/bin:/bin", "NIGHTSCHOOL_HOME": str(home.root), "NIGHTSCHOOL_NO_DRAIN": "1"}
    home.spool.mkdir(parents=True)
    results, rows = [], []
    for title, size, spooled, moment in CASES:
        if "1,800 B" in title:
            write_whole(place(home, os.path.realpath(Path.cwd())), b"x" * 1800)
        if "on trial" in title:
            brief = place(home, os.path.realpath(Path.cwd()))
            write_whole(brief.with_name("nightschool-field-f0123456789.md"), b"x" * 1800)
        for path in home.spool.iterdir():
            path.unlink()
        for n in range(spooled):
            (home.spool / f"claude-code.turn_end.{10_000 + n}-999-1.json").touch()
        data, bare, hook, kept = os.urandom(size), [], [], 0
        for _ in range(ROUNDS):
            bare.append(cpu(["sh", "-c", "true"], b"", env))
            hook.append(cpu([HARVEST, "codex", moment], data, env))
            for path in home.spool.glob("codex.*"):  # drained at once, as a drain would
                assert path.stat().st_size == size
                path.unlink()
                kept += 1
        assert kept == (ROUNDS if spooled < 1000 else 0)
        goal = 3 * statistics.median(bare) + 2
        rows.append(f"{title:28} {spread(bare):20} {spread(hook):20} {goal:5.2f}  {min(hook):5.2f}")
        results.append({"case": title, "bytes": size, "spooled": spooled, "sh_true_ms": bare, "harvest_ms": hook})
    RAW.parent.mkdir(exist_ok=True)
    machine = {"machine": platform.machine(), "system": platform.platform(), "cpus": os.cpu_count()}
    RAW.write_text(json.dumps({"machine": machine, "rounds": ROUNDS, "results": results}, separators=(",", ":")) + "\n")
    print(f"\n\nCPU in ms, median (quartiles) of {ROUNDS}\n{'payload':28} {'sh -c true':20} {'harvest':20}  goal   min")
    print("\n".join(rows))
