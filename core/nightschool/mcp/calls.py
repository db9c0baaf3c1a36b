"""One verb as a child process: followed while it runs, stopped with everything it has started."""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LARGEST = 16 * 2**20  # bytes of a verb's document
PATIENCE = 3.0  # seconds a verb has to end by itself once it is told to
_LOOK = 0.2  # seconds between two looks at a silent child
_KEPT = 40  # lines of stderr
_LINE = 2000  # characters of one of them


@dataclass(frozen=True)
class Ended:
    """How a verb ended: exit code (negative: the signal), its document's bytes, its last lines on stderr."""

    code: int
    out: bytes
    told: tuple[str, ...]


class Call:
    """A child in a process group of its own. It holds the other end of a pipe from us and ends when that closes."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._command, self._env = list(command), env
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._until = 0.0  # when a child that was told to stop is killed; 0: it was not told
        self._told: deque[str] = deque(maxlen=_KEPT)
        self._rest = b""

    def add(self, words: Sequence[str]) -> None:
        """Add options behind the verb's name. Only before `run`."""
        at = self._command.index("--json")
        self._command[at:at] = words

    def run(self, hear: Callable[[str], None]) -> Ended:
        """Run to the end. `hear` gets each line of stderr, and "" at every look between.

        Raises OSError when it cannot be started.
        """
        with tempfile.TemporaryFile() as out:
            with self._lock:
                if self._until:
                    return Ended(-signal.SIGINT, b"", ())
                self._process = process = subprocess.Popen(
                    self._command, env=self._env, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE,
                    start_new_session=True,
                )  # fmt: skip
            try:
                self._follow(process, hear)
            finally:
                self._end(process)
            out.seek(0)
            return Ended(process.returncode, out.read(LARGEST + 1), tuple(self._told))

    def stop(self) -> None:
        """Tell the child to end; it is killed when it has not done so in `PATIENCE` seconds. Returns at once."""
        with self._lock:
            if self._until:
                return
            self._until = time.monotonic() + PATIENCE
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()

    def kill(self) -> None:
        """Kill what is left of the child's group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _follow(self, process: subprocess.Popen[bytes], hear: Callable[[str], None]) -> None:
        """Read stderr until the child has ended and nothing is left to read, or somebody else keeps it open."""
        assert process.stderr is not None  # noqa: S101  it was asked for
        stderr, open_, ended = process.stderr.fileno(), True, 0.0
        while not ended or (open_ and time.monotonic() < ended + 1):
            ready = open_ and bool(select.select([stderr], [], [], _LOOK)[0])
            data = os.read(stderr, 2**16) if ready else b""
            open_ = open_ and not (ready and not data)
            self._hear(data, hear)
            if not open_:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK)
            if not ended and process.poll() is not None:
                ended = time.monotonic()
            elif ended and not ready:
                break
            if self._until and time.monotonic() > self._until:
                self.kill()
        if self._rest:
            self._hear(b"\n", hear)

    def _hear(self, data: bytes, hear: Callable[[str], None]) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[:_LINE]
        for line in whole:
            text = line.decode("utf-8", "replace").strip()[:_LINE]
            if text:
                self._told.append(text)
                hear(text)
        if not data:
            hear("")

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        self.kill()  # on the happy path only what the verb left running
        process.wait()
        with self._lock:
            for stream in (process.stdin, process.stderr):
                if stream is not None:
                    stream.close()
