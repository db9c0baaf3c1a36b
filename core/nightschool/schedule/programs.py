"""Ask a scheduler's own program, and tell in one line what it had against it."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from nightschool.errors import NightschoolError

WAIT = 30  # seconds: these programs answer at once or hang


@dataclass(frozen=True)
class Said:
    """What a program said."""

    code: int
    out: bytes
    err: str


def there_is(program: str) -> bool:
    """Tell whether a program is on PATH."""
    return shutil.which(program) is not None


def ask(*words: str, given: bytes | None = None) -> Said:
    """Run a program in the C locale, so that its words are known. Raises NightschoolError when it cannot run."""
    try:
        ran = subprocess.run(
            words,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=WAIT,
            check=False,
            env=os.environ | {"LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        fix = "Install it, or name another scheduler with --with."
        raise NightschoolError("a scheduler's program is not there", where=words[0], fix=fix) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NightschoolError("a scheduler's program does not answer", where=words[0], why=error) from error
    return Said(ran.returncode, ran.stdout, ran.stderr.decode(errors="replace").strip())


def demand(*words: str, given: bytes | None = None) -> bytes:
    """Run a program that must succeed and return what it printed."""
    said = ask(*words, given=given)
    if said.code != 0:
        why = said.err or said.out.decode(errors="replace").strip() or f"exit code {said.code}"
        raise NightschoolError("a scheduler refuses", where=" ".join(words[:3]), why=why)
    return said.out
