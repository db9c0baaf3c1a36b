"""A guard's folder, and its script tried on inputs: what is registered was seen to fire, and to let pass."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from nightschool import bundle
from nightschool.errors import NightschoolError
from nightschool.files import write_whole
from nightschool.records import GuardPlan

LONGEST = 200  # characters of a pattern
_SECONDS = 10
_BACK = re.compile(r"\\[1-9]")
_REPEATS = re.compile(r"\{(\d*),?(\d*)\}")
_MOST = 100  # repetitions

Payload = Callable[[str], bytes]


def pattern_lines(pattern: str, *, regex: bool) -> bytes:
    """Return the pattern as the script reads it: for text inside JSON, one line an alternative.

    Raises NightschoolError for one that is empty, longer than `LONGEST`, or not bounded.
    """
    why = ""
    if not pattern.strip() or any(ord(char) < ord(" ") for char in pattern):
        why = "it is empty, or more than one line"
    elif len(pattern) > LONGEST:
        why = f"it is longer than {LONGEST} characters"
    elif regex and _BACK.search(pattern):
        why = "it refers back to what it has found, which can take for ever"
    elif regex and any(int(n or 0) > _MOST for found in _REPEATS.findall(pattern) for n in found):
        why = f"it repeats more than {_MOST} times"
    if why:
        raise NightschoolError("not a pattern for a guard", where=pattern[:60], why=why)
    if regex:
        lines = [pattern.replace('"', '\\\\"')]
        _check_regex(lines[0])
    else:
        lines = [json.dumps(pattern)[1:-1], json.dumps(pattern, ensure_ascii=False)[1:-1]]
    return "".join(f"{line}\n" for line in dict.fromkeys(lines)).encode()


def make(folder: Path, plan: GuardPlan, lines: bytes, *, regex: bool) -> Path:
    """Write a guard's folder and return its script."""
    write_whole(folder / "pattern", lines)
    write_whole(folder / "kind", b"regex\n" if regex else b"fixed\n")
    for name, text in (("out", plan.out), ("err", plan.err)):
        if text:
            write_whole(folder / name, text.encode())
    write_whole(folder / "guard", (bundle.root() / "hooks" / "guard").read_bytes(), mode=0o700)
    return folder / "guard"


def fires(script: Path, payload: bytes) -> bool:
    """Tell whether the script speaks up at a payload. Raises NightschoolError when it does not end."""
    words = ["sh", str(script)]
    clean = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
    try:
        ran = subprocess.run(words, input=payload, env=clean, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NightschoolError("a guard could not be tried", where=script, why=error) from error
    return ran.returncode != 0 or bool(ran.stdout)


def check(script: Path, payload: Payload, hits: Sequence[str], spares: Sequence[str]) -> None:
    """Try a guard. Raises NightschoolError that names the input at which it did the wrong thing."""
    for text in hits:
        if not fires(script, payload(text)):
            raise NightschoolError("the guard does not fire on what it is for", where=_line(text), fix=_NOTHING)
    for text in spares:
        if fires(script, payload(text)):
            raise NightschoolError("the guard fires on what is fine", where=_line(text), fix=_NOTHING)


_NOTHING = "Nothing was registered. Mend --pattern, or the inputs of --hits and --spares."


def _line(text: str) -> str:
    return " ".join(text.split())[:160]


def _check_regex(pattern: str) -> None:
    words = ["grep", "-q", "-E", "-e", pattern]
    ran = subprocess.run(words, input=b"\n", env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
                         capture_output=True, timeout=_SECONDS, check=False)  # fmt: skip
    if ran.returncode == 0:
        raise NightschoolError("not a pattern for a guard", where=pattern[:60], why="it is found in everything")
    if ran.returncode > 1:
        why = ran.stderr.decode(errors="replace").strip()
        raise NightschoolError("not a pattern for a guard", where=pattern[:60], why=why)
