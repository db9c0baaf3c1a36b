"""What is shared and where it lies in the repository. Every path that comes in is checked here, before anything else.

| path | what |
|---|---|
| `machines/<machine>.json` | who writes here |
| `sessions/<platform>/<id>.json` | one session, redacted |
| `blocks/<id>.json` | one block of memory |
| `tasks/<id>.json` | one task of the bank |
| `evidence/<edit>.<examiner>.json` | what the exams showed of one edit |
| `nights/<machine>/<id>/<step>.json`, `report.md` | a finished night: its record, proposal, what it mined, its page |
| `logs/<log>/<machine>.jsonl` | what one machine has decided, noticed or forgotten; only that machine writes it |
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nightschool.sync.machine import ID

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_KINDS = {"machines": 2, "sessions": 3, "blocks": 2, "tasks": 2, "evidence": 2, "nights": 4, "logs": 3}
STEPS = ("night", "proposal", "mined")
LOGS = ("decisions", "audit", "audit-decisions", "forgotten")


@dataclass(frozen=True)
class Place:
    """One file of the repository: its kind, and the parts of its name below that, without the ending."""

    kind: str
    names: tuple[str, ...]

    @property
    def path(self) -> str:
        """Return its path."""
        return f"{'/'.join((self.kind, *self.names))}.{'jsonl' if self.kind == 'logs' else 'json'}"

    @property
    def machine(self) -> str:
        """Return the machine that alone writes it, "" when all do."""
        told = {"machines": 0, "nights": 0, "logs": 1}.get(self.kind)
        return "" if told is None else self.names[told]


def fault(path: str) -> str:
    """Say why a path must not be touched at all, "" when it could be any file's on any system."""
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or ":" in path or "\0" in path:
        return "it is absolute, or names a drive"
    if any(part in {"", ".", ".."} for part in parts):
        return "it leads elsewhere"
    if any(part.casefold() == ".git" or part.casefold().startswith("git~") for part in parts):
        return "it would change a repository"
    if any(_DEVICES.fullmatch(part) or part.endswith((".", " ")) for part in parts):
        return "it names a device"
    return ""


def placed(path: str) -> Place | None:
    """Return what a path of the repository holds; None for a file that is none of ours."""
    kind, *rest = path.split("/")
    ending = ".jsonl" if kind == "logs" else ".json"
    if fault(path) or len(rest) + 1 != _KINDS.get(kind, 0) or not path.endswith(ending):
        return None
    names = (*rest[:-1], rest[-1].removesuffix(ending))
    if not all(_PART.fullmatch(name) for name in names):
        return None
    place = Place(kind, names)
    if place.machine and not ID.fullmatch(place.machine):
        return None
    if kind == "nights" and (names[2] not in STEPS or not names[1].isdecimal()):
        return None
    return None if kind == "logs" and names[0] not in LOGS else place


def faults(paths: Iterable[str]) -> dict[str, str]:
    """Return the paths that are refused, with the reason: also those that one disk could not tell from others.

    Of two such paths the one that holds something of ours stays, so that no other file can hide it.
    """
    found: dict[str, str] = {}
    known: dict[str, str] = {}
    for path in sorted(paths, key=lambda path: (placed(path) is None, path)):
        why = fault(path)
        other = known.setdefault(path.casefold(), path)
        if not why and other != path:
            why = f"on many disks it is the same file as {other}"
        if why:
            found[path] = why
    return found
