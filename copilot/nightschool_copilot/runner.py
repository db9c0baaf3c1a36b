"""The client as a process: where it is, which version, and one run of it that leaves nothing behind."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SECONDS = 20  # to tell its version; the first time it unpacks itself, 200 MB
LARGEST = 16 * 2**20  # bytes of output; more is no answer
_LOOK = 0.1  # seconds between two looks at the output
_OVERLAP = 256  # bytes: longer than any word that is looked for
# The leader's own stdin is a pipe whose other end is ours: when it closes, however we die, the whole group is killed.
_LEADER = (
    'exec 3<&0 <"$1"; shift; (read -r _ <&3; kill -9 0) >/dev/null 2>&1 & w=$!; "$@" 3<&-; c=$?; '
    "kill -9 $w; wait $w 2>/dev/null; exit $c"
)


@dataclass(frozen=True)
class Ran:
    """How a run ended. `stopped` says what ended it from outside: "timeout", "too-large", a word; "" for nothing."""

    code: int
    out: str
    err: str
    stopped: str
    seconds: float


def find() -> tuple[str, str] | None:
    """Return the client's path and version line; None when it is not on PATH or does not answer in 20 seconds."""
    return ask_version(shutil.which("copilot"))


def ask_version(path: str | None) -> tuple[str, str] | None:
    """Ask an executable for its version, without the user's settings and keys."""
    if path is None:
        return None
    # the program needs a PATH and a home to start; what else is in the environment may be secret and is not needed
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(Path.home()), "COPILOT_AUTO_UPDATE": "false"}
    cache = os.environ.get("COPILOT_CACHE_HOME")
    env |= {"COPILOT_CACHE_HOME": cache} if cache else {}  # where it unpacks itself, once
    try:
        ran = run([path, "--version"], stdin=Path(os.devnull), env=env, cwd=Path("/"), timeout=_SECONDS)
    except OSError:
        return None
    if ran.code or ran.stopped:
        return None
    return path, (ran.out.strip().splitlines() or [""])[0][:100]


def run(
    words: Sequence[str], *, stdin: Path, env: Mapping[str, str], cwd: Path, timeout: float, until: Sequence[bytes] = ()
) -> Ran:
    """Run a program in a process group of its own, and end the group whatever happens here.

    `stdin` is a file. Output goes to unnamed files, so nothing that keeps them open holds us up. `timeout` is in
    seconds. The run is ended as soon as its output holds one of `until`. Raises OSError when it cannot be started.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        group = subprocess.Popen(
            ["/bin/sh", "-c", _LEADER, "sh", str(stdin), *words],
            stdin=subprocess.PIPE, stdout=out, stderr=err, env=dict(env), cwd=cwd, start_new_session=True,
        )  # fmt: skip
        with group:
            try:
                stopped = _wait(group, (out, err), began + timeout, until)
            finally:
                _end(group)
        return Ran(group.returncode, _text(out), _text(err), stopped, time.monotonic() - began)


def _wait(group: subprocess.Popen[bytes], written: Sequence[IO[bytes]], limit: float, until: Sequence[bytes]) -> str:
    """Wait for the leader; return why it has to be ended, or ""."""
    seen = 0
    while True:
        left = limit - time.monotonic()
        with contextlib.suppress(subprocess.TimeoutExpired):
            group.wait(min(_LOOK, max(left, 0.0)))
            return "too-large" if _size(written) > LARGEST else ""
        new = os.pread(written[0].fileno(), LARGEST, max(0, seen - _OVERLAP))
        seen = max(0, seen - _OVERLAP) + len(new)
        found = next((word.decode() for word in until if word in new), "")
        if found:
            return found
        if _size(written) > LARGEST:
            return "too-large"
        if left <= 0:
            return "timeout"


def _size(written: Sequence[IO[bytes]]) -> int:
    return max(os.fstat(stream.fileno()).st_size for stream in written)


def _end(group: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group: on the happy path only what the program left running."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group.pid, signal.SIGKILL)
    group.wait()


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read(LARGEST).decode(errors="replace")
