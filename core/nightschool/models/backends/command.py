"""Any program as a backend: the request on stdin, the answer on stdout, one process a question.

A question is asked in an empty directory, rules and request together. On a case the program works in the tree: it
finds the rules in `models.command_rules` and has the request alone on stdin.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from nightschool.errors import NightschoolError
from nightschool.models.questions import Answer, CallError, Question
from nightschool.records import Confined

if TYPE_CHECKING:
    from nightschool.config import Models

_SECONDS = 180.0
_LARGEST = 4 << 20  # bytes of an answer; more is none
_LOOK = 0.5  # seconds between two looks at the size of the output


class Command:
    """Runs the program the user named. It is taken for a paid one: nobody knows what it calls."""

    batch: Literal[False] = False
    paid = works = True
    family = "command"

    def __init__(self, words: Sequence[str], variables: Sequence[str], rules: str) -> None:
        told = hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]
        self.name = f"command-{told}"  # another program would answer differently
        self._words, self._variables, self._rules = list(words), tuple(variables), rules

    @classmethod
    def from_config(cls, models: Models) -> Command:
        """Read the command. Raises NightschoolError when there is none, or its program is not there."""
        fix = "Set it: nightschool config models.command 'PROGRAM ARGUMENTS'."
        try:
            words = shlex.split(models.command)
        except ValueError as error:
            raise NightschoolError("the command cannot be read", where=models.command, why=error, fix=fix) from error
        if not words:
            raise NightschoolError("the backend `command` has no command", fix=fix)
        if (found := shutil.which(words[0])) is None:
            raise NightschoolError("the backend's program is not there", where=words[0], fix=fix)
        names = [name.strip() for name in models.command_env.split(",") if name.strip()]
        return cls([found, *words[1:]], names, models.command_rules)

    def answer(self, question: Question) -> Answer:
        """Ask once. Raises CallError."""
        with tempfile.TemporaryDirectory(prefix="nightschool-", ignore_cleanup_errors=True) as private:
            text = f"{question.system}\n\n{question.prompt}".strip()
            return self._run(self._words, text, Path(private), Path(private), question)

    def rules_at(self, workdir: Path) -> Path:
        """Return the file in which the program reads rules."""
        return workdir / self._rules

    def work(self, question: Question, workdir: Path, confined: Confined) -> Answer:
        """Let the program work in a tree. Raises CallError."""
        with tempfile.TemporaryDirectory(prefix="nightschool-", ignore_cleanup_errors=True) as private:
            home = Path(private)
            files = [Path(word) for word in self._words if word.startswith("/") and Path(word).is_file()]
            return self._run(confined(self._words, [home], files), question.prompt, workdir, home, question)

    def _run(self, words: Sequence[str], text: str, cwd: Path, home: Path, question: Question) -> Answer:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", *self._variables) if name in os.environ}
        env = kept | {"HOME": str(home), "TMPDIR": str(home), "NIGHTSCHOOL_NO_DRAIN": "1"}
        began = time.monotonic()
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(text.encode(errors="replace"))
            given.seek(0)
            try:
                process = subprocess.Popen(
                    words, cwd=cwd, env=env, stdin=given, stdout=out, stderr=err, start_new_session=True
                )
            except OSError as error:
                raise NightschoolError("the backend's program cannot be started", where=words[0], why=error) from error
            try:
                code = self._wait(process, (out, err), question.timeout or _SECONDS)
            finally:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            out.seek(0)
            err.seek(0)
            said, faults = out.read().decode(errors="replace"), err.read(4000).decode(errors="replace")
        if code:
            raise CallError("backend", f"exit {code}: {' '.join(faults.split())[-300:]}", where=self.name)
        return Answer(text=said, model=question.model, seconds=time.monotonic() - began)

    def _wait(self, process: subprocess.Popen[bytes], written: Sequence[IO[bytes]], seconds: float) -> int:
        """Return how it ended. Raises CallError when it takes too long, or says more than an answer can hold."""
        until, code = time.monotonic() + seconds, None
        while code is None:
            left = until - time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(min(_LOOK, max(left, 0.0)))
            if max(os.fstat(stream.fileno()).st_size for stream in written) > _LARGEST:
                raise CallError("malformed", f"the program printed more than {_LARGEST >> 20} MB", where=self.name)
            if code is None and left <= 0:
                raise CallError("timeout", f"no answer in {seconds:g} s", where=self.name)
        return code
