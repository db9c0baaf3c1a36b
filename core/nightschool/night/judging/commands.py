"""Run a task's own command, such as the tests a milestone made pass, in the attempt's directory."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

SECONDS = 300.0
"""How long a command may take when its check does not say."""

LONGEST = 3_600.0


def parse_argv(arg: str) -> list[str] | None:
    """Read an argv: a JSON list of strings whose first is the program; None for anything else.

    A shell line is not an argv: nothing here ever goes through a shell.
    """
    try:
        argv = json.loads(arg)
    except (ValueError, RecursionError):
        return None
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        return None
    return argv if argv[0].strip() and all(_can_be_passed(word) for word in argv) else None


def run(argv: list[str], workdir: Path, seconds: float = SECONDS) -> bool | None:
    """Run `argv` in `workdir`: True when it exits 0, False when otherwise, None when it cannot tell.

    It cannot tell when the program or the directory is missing, when it may not be run, when it takes longer than
    `seconds`, or when something else killed it (SIGKILL, as for lack of memory). The command sees PATH, LANG and HOME,
    which is `workdir`, and no other variable; no input; its output goes nowhere. It has a process group of its own,
    which is killed when the command ends or is late, so that nothing it started in that group stays behind.
    """
    home = str(workdir.absolute())
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "HOME": home,
    }
    nowhere = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            argv, cwd=home, env=env, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
        )
    except OSError:
        return None
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return None if code == -signal.SIGKILL else code == 0


def _can_be_passed(word: str) -> bool:
    try:
        return b"\0" not in os.fsencode(word)
    except UnicodeEncodeError:
        return False
