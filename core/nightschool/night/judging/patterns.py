"""Search with regular expressions from outside, without ever hanging.

Python's matcher backtracks: `(a+)+$` on thirty a's and a b takes minutes, and no thread can stop it. So a pattern
that could backtrack runs in a child process of its own, under a limit of CPU seconds that the kernel enforces there:
the limit holds even when the parent has died, and does not depend on how busy the machine is. A pattern without
repetition, choice or sets takes at most pattern x text steps, and runs here.
"""

import atexit
import contextlib
import json
import re
import select
import subprocess
import sys
import threading
from typing import Any, Self

from nightschool.errors import NightschoolError

LONGEST_PATTERN = 1_000
SECONDS = 1.0
"""CPU seconds that one search may take."""

_WALL = 5.0  # times the CPU seconds: a machine this busy gives no verdict either
_INLINE_STEPS = 10_000_000
_COSTLY = frozenset("*+?{|[")  # `[`: some sets make `re` warn, and warnings are the whole process's
_FLAGS = {"i": re.IGNORECASE, "s": re.DOTALL}
_REFUSED = (re.error, OverflowError, RecursionError, ValueError)

# Requests and answers are JSON behind their length in eight bytes. The profiling timer ends the process by SIGPROF.
_CHILD = """
import json, re, signal, sys
signal.signal(signal.SIGPROF, signal.SIG_DFL)
while size := sys.stdin.buffer.read(8):
    asked = json.loads(sys.stdin.buffer.read(int.from_bytes(size, "big")))
    signal.setitimer(signal.ITIMER_PROF, asked["seconds"])
    try:
        answer = {"found": re.compile(asked["pattern"], asked["flags"]).search(asked["text"]) is not None}
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        answer = {"problem": str(error)[:200]}
    signal.setitimer(signal.ITIMER_PROF, 0)
    told = json.dumps(answer).encode()
    sys.stdout.buffer.write(len(told).to_bytes(8, "big") + told)
    sys.stdout.buffer.flush()
"""


class Matcher:
    """A matching process, started when first needed. Threads may share one; they take turns."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def search(self, pattern: str, text: str, flags: str = "") -> bool | None:
        """Say whether `pattern` is found anywhere in `text`, or None when there was no verdict in time.

        `^` and `$` match at every line (MULTILINE); `flags` may hold `i` (any case) and `s` (a dot matches a line
        break too). Raises NightschoolError for a pattern that does not compile.
        """
        answer = self._answer(pattern, text, flags)
        if answer is not None and "problem" in answer:
            fix = "Correct the regular expression, or use `contains`."
            raise NightschoolError("a pattern does not compile", where=pattern, why=answer["problem"], fix=fix)
        return None if answer is None else bool(answer["found"])

    def problem(self, pattern: str, flags: str = "") -> str:
        """Say why `pattern` cannot be used; empty when it can."""
        unknown = set(flags) - set(_FLAGS)
        if unknown or len(set(flags)) != len(flags):
            return f"the flags {flags!r} are not among `i` and `s`, each at most once"
        if len(pattern) > LONGEST_PATTERN:
            return f"the pattern is longer than {LONGEST_PATTERN} characters"
        answer = self._answer(pattern, "", flags)
        return "the pattern takes too long to compile" if answer is None else answer.get("problem", "")

    def close(self) -> None:
        """End the matching process, if there is one. A later search starts another."""
        with self._lock:
            self._end()

    def _answer(self, pattern: str, text: str, flags: str) -> dict[str, Any] | None:
        bits = int(re.MULTILINE)
        for flag in flags:
            bits |= _FLAGS[flag]
        if _COSTLY.isdisjoint(pattern) and len(pattern) * len(text) <= _INLINE_STEPS:
            try:
                return {"found": re.compile(pattern, bits).search(text) is not None}
            except _REFUSED as error:
                return {"problem": str(error)}
        asked = json.dumps({"pattern": pattern, "flags": bits, "text": text, "seconds": self.seconds}).encode()
        with self._lock:
            return self._ask(asked)

    def _ask(self, asked: bytes) -> dict[str, Any] | None:
        answer = None
        try:
            answer = self._exchange(self._running(), asked)
        except OSError:  # it could not start, or died on the way
            pass
        finally:
            if answer is None:  # also when interrupted: an answer nobody read must not be taken for the next one
                self._end()
        return answer

    def _exchange(self, child: subprocess.Popen[bytes], asked: bytes) -> dict[str, Any] | None:
        assert child.stdin is not None  # noqa: S101  both are pipes
        assert child.stdout is not None  # noqa: S101
        child.stdin.write(len(asked).to_bytes(8, "big") + asked)
        child.stdin.flush()
        ready = select.poll()
        ready.register(child.stdout, select.POLLIN)
        if not ready.poll(self.seconds * _WALL * 1000):
            return None
        size = child.stdout.read(8)
        if len(size) < 8:  # noqa: PLR2004  the child was ended by its timer
            return None
        answer: dict[str, Any] = json.loads(child.stdout.read(int.from_bytes(size, "big")))
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            # Isolated from the user's Python settings, from the terminal's Ctrl-C and from our directory.
            argv = [sys.executable, "-I", "-S", "-W", "ignore", "-c", _CHILD]
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            self._child = subprocess.Popen(
                argv, stdin=pipe, stdout=pipe, stderr=nowhere, cwd="/", start_new_session=True
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):  # what was still unsent goes nowhere
                if stream is not None:
                    stream.close()


shared = Matcher()
"""The matcher of this process. `shared.close()` ends its child; so does the end of the process, however it ends."""

atexit.register(shared.close)
