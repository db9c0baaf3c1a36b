"""The client itself, as far as it is used now: whether it is there, and which version."""

import os
import shutil
import subprocess
from pathlib import Path

_SECONDS = 5


def find() -> tuple[str, str] | None:
    """Return the client's path and version line; None when it is not on PATH or does not answer in 5 seconds."""
    return ask_version(shutil.which("claude"))


def ask_version(path: str | None) -> tuple[str, str] | None:
    """Ask an executable for its version, without the user's settings and keys."""
    if path is None:
        return None
    # the program needs a PATH and a home to start; what else is in the environment may be secret and is not needed
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(Path.home())}
    try:
        ran = subprocess.run(
            [path, "--version"], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return path, ran.stdout.decode(errors="replace").strip()[:100]
