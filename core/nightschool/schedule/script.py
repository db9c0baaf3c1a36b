"""The script a scheduler starts: plain sh, so that cron, systemd and launchd need to know one path and nothing else."""

import shlex
import subprocess

from nightschool.paths import Home
from nightschool.schedule.jobs import Job, folder


def text(home: Home, job: Job) -> str:
    """Return the script: its environment, its directory, its niceness, and the command in absolute paths."""
    log = shlex.quote(str(folder(home, job.id) / "launch.log"))
    lines = ["#!/bin/sh", f"# Made by `nightschool schedule`. It runs: {one_line(job)}", f"exec >>{log} 2>&1"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(job.environ.items())]
    lines += [
        f"cd {shlex.quote(job.cwd)} 2>/dev/null || cd",
        "command -v ionice >/dev/null 2>&1 && ionice -c 3 -p $$ 2>/dev/null",
        f'exec nice -n {job.nice} {shlex.join([*job.command, "scheduled", job.id])} "$@"',
    ]
    return "\n".join(lines) + "\n"


def one_line(job: Job) -> str:
    """Return what a job runs as one line, for people to read."""
    line = shlex.join(["nightschool", "run", *job.flags])
    return "".join(char if char.isprintable() else "?" for char in line)


def windows_line(home: Home, job: Job) -> tuple[str, str]:
    """Return the program and its arguments where there is no sh. The home is named: no environment is set there."""
    words = [*job.command[1:], "scheduled", job.id, "--home", str(home.root)]
    return job.command[0], subprocess.list2cmdline(words)
