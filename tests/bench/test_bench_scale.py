"""What a home of 100,000 sessions and a million observations costs: CPU, time and memory of the verbs of every day.

`NIGHTSCHOOL_SCALE` is how many sessions there are, `NIGHTSCHOOL_SCALE_GB` how large the home is on the disk: prompts and
replies grow to that, and a million events, 2,000 nights and 100,000 calls lie in it. With `NIGHTSCHOOL_SCALE_SYNC` it is
shared through a folder as well. Transcripts are sparse files of the user's, and count for nothing.
"""

import contextlib
import functools
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nightschool.clock import SystemClock
from nightschool.config import Memory
from nightschool.memory.consolidate import remember
from nightschool.memory.store import SessionStore
from nightschool.night.hear import hear
from nightschool.paths import Home
from nightschool.records import Session, Source, ToolCall, Turn

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "scale.json"
SESSIONS, PROJECTS, TURNS = int(os.environ.get("NIGHTSCHOOL_SCALE", "100000")), 200, 6
GB = float(os.environ.get("NIGHTSCHOOL_SCALE_GB", "0"))  # of the home; 0: as it comes
LONG = int(min(19_000, max(0.0, GB * 1e9 * 0.8 / SESSIONS - 8_000 * TURNS) / (TURNS - 1))) if GB else 0
EVENTS, NIGHTS, CALLS = (1_000_000, 2_000, 100_000) if GB else (1_000, 2, 100)  # of the life before
SYNC = bool(os.environ.get("NIGHTSCHOOL_SCALE_SYNC"))
TRANSCRIPT = 100_000  # bytes each, sparse
START = datetime(2025, 1, 1, tzinfo=UTC)
AGAIN = (
    "no, always end queries with LIMIT 100", "again: always end the query with LIMIT 100",
    "You forgot the limit again. Always end the query with LIMIT 100.", "please always end the query with LIMIT 100.",
)  # fmt: skip
VERBS = [
    ("harvest, nothing new", ("harvest",)), ("status", ("status",)), ("doctor", ("doctor",)),
    ("search, one project", ("search", "retry budget of the gateway", "--project", "{project}")),
    ("search, everywhere", ("search", "retry budget of the gateway")), ("brief", ("brief", "--project", "{project}")),
    ("mine, one project", ("mine", "--project", "{project}")), ("report", ("report",)), ("audit", ("audit",)),
    ("drain, nothing there", ("drain",)),
]  # fmt: skip


def words():
    """Return 4,000 made-up words."""
    source = random.Random(7)
    return ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randrange(4, 9))) for _ in range(4000)]


@functools.cache
def text():
    """Return 4 MB of words."""
    return " ".join(random.Random(8).choices(words(), k=600_000))


def _slice(source, size):
    """Return so many characters of it, from anywhere."""
    at = source.randrange(len(text()) - size)
    return text()[at : at + size]


def held(number, folder, told):
    """Return session `number`: a statement, then work with failures and their repairs; its transcript is on the disk."""
    source = random.Random(number)
    name, project = str(uuid.UUID(int=number, version=4)), f"/srv/project-{number % PROJECTS}"
    path = folder / project.replace("/", "-") / f"{name}.jsonl"
    with path.open("wb") as stream:
        stream.truncate(TRANSCRIPT)
    info, begin = path.stat(), START + timedelta(minutes=5 * number)
    turns = []
    for turn in range(TURNS):
        calls = []
        for _ in range(2):
            file, tool = f"{source.choice(told[:300])}.py", f"tool{source.randrange(40)}"
            error = f"Error: {source.choice(told[:60])} {source.choice(told[:9])}"
            calls += (
                [ToolCall(name="Bash", input=f"{tool} run", failed=True, output=error)] if source.random() < 0.4 else []
            )
            calls += [
                ToolCall(name="Edit", input=file, failed=False),
                ToolCall(name="Bash", input=f"{tool} run", failed=False),
            ]
        prompt = f"go on with {source.choice(told)}"
        if turn == 0:
            prompt = (
                f"We use {source.choice(told)} for {source.choice(told)} in the {source.choice(told[:200])} service."
            )
        reply = " ".join(source.choices(told, k=350)) if LONG == 0 else _slice(source, 8_000)
        if number % 10 == 0 and turn in {1, 2}:  # what comes back: a request, and what the user says every time
            prompt = f"Write the SQL query for the {source.choice(told)} report of {source.choice(told)}."
            prompt = prompt if turn == 1 else source.choice(AGAIN)
        elif turn:
            prompt += f"\n```\n{_slice(source, LONG)}\n```" if LONG else ""
        at = begin + timedelta(minutes=turn)
        turns.append(
            Turn(
                id=str(uuid.UUID(int=number * 100 + turn, version=4)),
                at=at,
                prompt=prompt,
                reply=reply,
                calls=tuple(calls),
                tokens=900,
            )
        )
    read = Source(path=str(path), offset=info.st_size, size=info.st_size, mtime_ns=info.st_mtime_ns)
    return Session(
        platform="claude-code", id=name, source=read, project=project, branch="main", started=begin, ended=begin,
        turns=tuple(turns),
    )  # fmt: skip


def measured(rows, what, call, env, cwd):
    """Run a program and note its CPU and wall time and its peak memory.

    The peak is read while it runs: what the system tells at its end is not less than what this process has held.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(call, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peaks = [0]
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, peaks, over))
    watch.start()
    with process.stdout as stream:
        out = stream.read()
    _, status, used = os.wait4(process.pid, 0)
    over.set()
    watch.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, out[-2000:]
    wall, cpu = time.perf_counter() - begin, used.ru_utime + used.ru_stime
    rows.append({"what": what, "wall_s": wall, "cpu_s": cpu, "peak_mb": peaks[-1] / 1024})
    print(f"{what:<42}{cpu:>9.2f} s CPU{wall:>9.2f} s{peaks[-1] / 1024:>8.0f} MB", flush=True)
    return out


def _watch(pid, peaks, over):
    """Note the peak of a program's memory, in KB, every 20 ms."""
    while not over.wait(0.02):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            peaks += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")]


def history(home):
    """Write what a long life has journaled: a million events of hooks, as the drain writes them."""
    home.root.mkdir(mode=0o700, exist_ok=True)
    with home.journal.open("w") as stream:
        for number in range(EVENTS):
            session = number * SESSIONS // EVENTS
            at = START + timedelta(seconds=300 * session + number % 300)
            event = {
                "id": hashlib.sha256(str(number).encode()).hexdigest()[:24], "platform": "claude-code",
                "moment": "turn_end" if number % 20 else "session_end", "at": at.isoformat(),
                "session_id": str(uuid.UUID(int=session, version=4)), "project": f"/srv/project-{session % PROJECTS}",
            }  # fmt: skip
            stream.write(json.dumps(event, separators=(",", ":")) + "\n")
    home.journal.chmod(0o600)


def lived(home, first):
    """Copy a night's directory and its calls until there are as many as years leave."""
    night = json.loads((home.nights / first / "night.json").read_bytes())
    for number in range(2, NIGHTS + 2):
        folder = home.nights / f"{number:04d}"
        shutil.copytree(home.nights / first, folder)
        told = night | {"id": folder.name, "project": f"/srv/project-{number % PROJECTS}"}
        (folder / "night.json").write_text(json.dumps(told, indent=1))
    (home.nights / first).rename(home.nights / f"{NIGHTS + 2:04d}")
    last = home.nights / f"{NIGHTS + 2:04d}" / "night.json"
    last.write_text(json.dumps(night | {"id": last.parent.name}, indent=1))
    with contextlib.closing(sqlite3.connect(home.ledger)) as ledger, ledger:
        held = [name for _, name, *_ in ledger.execute("PRAGMA table_info(calls)") if name not in {"key", "answer"}]
        count = ledger.execute("SELECT count(*) FROM calls").fetchone()[0]
        ledger.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO calls (key, answer,"
            f" {', '.join(held)}) SELECT key || '-' || i, answer || ?, {', '.join(held)} FROM calls, n",
            (max(1, CALLS // max(1, count)), " " * 2_000),
        )


def size(root):
    """Return the bytes that a directory's files take on the disk: holes do not count."""
    return sum(path.stat().st_blocks * 512 for path in root.rglob("*") if path.is_file())


def test_a_hundred_thousand_sessions(tmp_path):
    """Print what each costs: the first consolidation, one after a new session, and the verbs of every day."""
    assert shutil.disk_usage(tmp_path).free > 40_000 * SESSIONS + 1.5e9 * GB, "the disk has no room for it"
    home, user, rows, told = Home(tmp_path / "home"), tmp_path / "user", [], words()
    folder = user / ".claude" / "projects"
    for number in range(PROJECTS):
        (folder / f"-srv-project-{number}").mkdir(parents=True)
    store = SessionStore(home)
    for number in range(SESSIONS):
        store.save(held(number, folder, told))
    history(home)
    env = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    env |= {"HOME": str(user), "NIGHTSCHOOL_HOME": str(home.root)}
    root, figures = Path(__file__).parents[2], {"sessions": SESSIONS, "projects": PROJECTS}
    inside = env | {"PYTHONPATH": os.pathsep.join([str(root), env.get("PYTHONPATH", "")])}

    def verb(what, *words_, again=1):
        call = [sys.executable, "-m", "nightschool", *(w.format(project="/srv/project-0") for w in words_)]
        for _ in range(again):
            measured(rows, what, call, env, user)
        keep(figures, rows)

    def consolidated(what):
        code = "import sys; from tests.bench.test_bench_scale import consolidate; consolidate(sys.argv[1])"
        out = measured(rows, what, [sys.executable, "-c", code, str(home.root)], inside, root)
        figures.update(json.loads(out.splitlines()[-1]))
        keep(figures, rows)

    verb("first index of the sessions (harvest)", "harvest")
    consolidated("first consolidation")
    store.save(held(SESSIONS, folder, told))
    consolidated("consolidation after one new session")
    verb("first night of a project (mock)", "run", "--backend", "mock", "--project", "{project}")
    lived(home, "0001")
    observed = (home.memory / "observations").rglob("*.json")
    figures["observations"] = sum(path.read_bytes().count(b'"kind":') for path in observed)
    figures |= {"home_gb_on_disk": size(home.root) / 1e9, "nights": NIGHTS + 1, "events": EVENTS, "calls": CALLS}
    figures |= {"home_gb": sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file()) / 1e9}
    for what, words_ in VERBS:
        verb(what, *words_, again=3)
    store.save(held(SESSIONS + PROJECTS * 10 - SESSIONS % PROJECTS, folder, told))
    verb("night after one new session (mock)", "run", "--backend", "mock", "--project", "{project}")
    verb("night with nothing new (mock)", "run", "--backend", "mock", "--project", "{project}")
    if SYNC:
        (tmp_path / "shared").mkdir()
        verb("setup", "setup", "--url", str(tmp_path / "shared"), "--backend", "folder", "--no-test")
        verb("first sync", "sync")
        verb("sync, nothing new", "sync")
        store.save(held(SESSIONS + PROJECTS * 20 - SESSIONS % PROJECTS, folder, told))
        verb("night after one new session, with sync", "run", "--backend", "mock", "--project", "{project}")
    verb("uninstall --purge", "uninstall", "--purge", "--yes")
    assert not home.root.exists()
    shutil.rmtree(tmp_path)


def keep(figures, rows):
    """Write down what is known so far."""
    figures["load"] = os.getloadavg()
    name = f"scale-{SESSIONS}{f'-{GB:g}gb' if GB else ''}.json"
    (RAW.parent / name).write_text(json.dumps({"figures": figures, "rows": rows}, indent=1) + "\n")


def consolidate(root):
    """Consolidate a home, as a night does, and print how many blocks there are."""
    home = Home(Path(root))
    done = remember(home, Memory(), SystemClock(), hear, lambda _line: None)
    print(json.dumps({"blocks": done.blocks}))
