"""Run a scheduled night: only when it is due, on power when that is wanted, with its log, and never in silence."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from nightschool.clock import Clock
from nightschool.day.redact import redact
from nightschool.errors import NightschoolError
from nightschool.files import PRIVATE_FILE, private_dir, single_flight
from nightschool.paths import Home
from nightschool.schedule import jobs, when
from nightschool.schedule.jobs import Job, LastRun

TOLD = 300  # characters of a log's last line that are told elsewhere
SUPPLIES = Path("/sys/class/power_supply")


def start(home: Home, job: Job, clock: Clock, *, if_missed: bool = False) -> LastRun | None:
    """Run a job's night and return how it went; None when it is not due, or runs already.

    `if_missed`: only when the last time it was due has passed without a start. Without it, a second start within
    three hours is the same night: the clock was put back.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(single_flight(jobs.folder(home, job.id) / "run.lock", "a scheduled night"))
        except NightschoolError:
            return None  # it runs already
        return _start(home, job, clock, if_missed=if_missed)


def _start(home: Home, job: Job, clock: Clock, *, if_missed: bool) -> LastRun | None:
    now = clock.now()
    before = jobs.last_run(home, job.id)
    ran = before.started if before and not before.skipped else None
    known = [at for at in (job.since, ran) if at is not None and at - now < when.AGAIN]  # else the clock was ahead then
    if if_missed and known and not when.missed(now, max(known), job.hour, job.minute):
        return None
    if not if_missed and ran is not None and abs(now - ran) < when.AGAIN:
        return None
    if job.on_battery == "skip" and on_battery():
        skipped = LastRun(started=now, ended=now, skipped="on battery")
        if ran is None:  # a night that ran stays the last one: it is what `status` and the brief tell of
            jobs.save_run(home, job.id, skipped)
        return skipped
    return _run(home, job, clock, now)


def _run(home: Home, job: Job, clock: Clock, now: datetime) -> LastRun:
    logs = private_dir(jobs.folder(home, job.id) / "logs")
    log = logs / f"{now:%Y-%m-%dT%H%M%S}.log"
    going = LastRun(started=now, pid=os.getpid(), log=str(log))
    jobs.save_run(home, job.id, going)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as stream:
        cwd = job.cwd if Path(job.cwd).is_dir() else None
        words = [*job.command, "run", *job.flags]
        environ = os.environ | job.environ
        code = subprocess.run(
            words, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, check=False
        ).returncode
    done = going.model_copy(update={"ended": clock.now(), "code": code, "told": _last_line(log) if code else ""})
    jobs.save_run(home, job.id, done)
    (jobs.folder(home, job.id) / "launch.log").unlink(missing_ok=True)
    for old in sorted(logs.glob("*.log"))[: -jobs.LOGS]:
        old.unlink(missing_ok=True)
    return done


def _last_line(log: Path) -> str:
    """Return the line a failure ends with, without secrets."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    line = "".join(char for char in (lines[-1] if lines else "") if char.isprintable())
    return redact(line.removeprefix("nightschool: "))[:TOLD]


def on_battery(supplies: Path = SUPPLIES) -> bool:
    """Tell whether the machine runs on its battery. One that does not say, or has none, does not."""
    if sys.platform == "darwin":
        return "'Battery Power'" in _said(["pmset", "-g", "batt"])
    discharging = False
    for supply in sorted(supplies.glob("*")):
        kind = _word(supply / "type")
        if kind in {"Mains", "USB"} and _word(supply / "online") == "1":
            return False
        if kind == "Battery" and _word(supply / "scope") != "Device":  # a mouse's battery is not the machine's
            discharging = discharging or _word(supply / "status") == "Discharging"
    return discharging


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _said(words: Sequence[str]) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
