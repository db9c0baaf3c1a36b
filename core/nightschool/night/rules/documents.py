"""The documents rules could go into: which one is meant, what it says now, and what it would say with an edit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nightschool.errors import NightschoolError, UsageError
from nightschool.night.rules import block
from nightschool.records import Edit, PlatformNight, Target

_MARKERS = re.compile(r"^<!-- nightschool:(?:begin|end)[^\n]*-->[ \t]*\r?\n?", re.MULTILINE)
MAX_BYTES = 10_000_000  # a document of rules is a few kilobytes; more is a mistake


@dataclass(frozen=True)
class Documents:
    """The targets of a night, the chosen one first, and the bytes of each that exists."""

    targets: tuple[Target, ...]
    contents: Mapping[str, bytes]  # key -> bytes; a document that does not exist yet has none

    @classmethod
    def of(cls, nights: Sequence[PlatformNight], wanted: str, *, scope: str, busiest: Sequence[str]) -> "Documents":
        """Choose among the platforms' targets.

        `wanted` is `auto`, a target's key, or the path of a SKILL.md. `auto` takes the block of the given scope
        (`project` or `user`) of the platform with the most sessions; `busiest` names them in that order.
        Raises UsageError when no target fits.
        """
        targets = [target for night in nights for target in night.targets]
        fitting = [t for t in targets if _fits(t, wanted, scope)]
        if not fitting and targets:
            known = ", ".join(t.key for t in targets)
            raise UsageError("no such target for rules", where=wanted, fix=f"Known here: {known}.")
        rank = {name: place for place, name in enumerate(busiest)}
        chosen = sorted(fitting, key=lambda t: rank.get(t.platform, len(rank)))[:1]
        contents = {t.key: data for t in chosen if (data := _read(Path(t.path))) is not None}
        return cls(tuple(chosen), contents)

    def rules(self) -> list[str]:
        """Return the rules that the chosen document's block holds."""
        return [rule for data in self.contents.values() for rule in block.rules(data)]

    def text(self, key: str) -> str:
        """Return what a document says now, as it is examined; "" when there is none."""
        return _told(self.contents.get(key, b""))

    def text_with(self, edit: Edit) -> str:
        """Return what the edit's document would say with the edit applied, as it is examined."""
        return _told(block.apply(self.contents.get(edit.document), [edit]).data)


def _told(data: bytes) -> str:
    """Leave our markers out: they would tell the examined model on which side of a pair it is."""
    return _MARKERS.sub("", data.decode(errors="replace"))


def _fits(target: Target, wanted: str, scope: str) -> bool:
    if wanted == "auto":
        return target.kind == "block" and target.scope == scope
    return wanted == target.key or (target.kind == "skill" and _same(wanted, target.path))


def _same(one: str, other: str) -> bool:
    return Path(one).expanduser().resolve() == Path(other).resolve()


def _read(path: Path) -> bytes | None:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise NightschoolError("a document is too large to hold rules", where=path, why=f"over {MAX_BYTES} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NightschoolError("cannot read a document", where=path, why=error.strerror) from error
