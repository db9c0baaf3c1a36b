"""What the hooks dropped: payloads in files named `<platform>.<moment>.<unique>.json` (contract: hooks/README.md).

A session that starts while a rule is on trial has `-<trial>-a0` or `-a1` at the end of <unique>: what the coin said.
"""

import contextlib
import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nightschool.errors import NightschoolError

MAX_PAYLOAD = 16 * 2**20
"""Bytes of a payload that are still read; the largest seen is under 1 MB."""

_NAME = re.compile(r"([a-z0-9_-]+)\.([a-z0-9_-]+)\.[A-Za-z0-9_-]+\.json")
_ARM = re.compile(r"-(f[0-9a-f]{10})-a([01])\.json\Z")
_PART_AGE = timedelta(hours=1)


@dataclass(frozen=True)
class Dropped:
    """One payload file. `platform` and `moment` are what its name says, empty when the name is not one of ours."""

    path: Path
    platform: str
    moment: str
    mtime_ns: int

    @property
    def arm(self) -> tuple[str, bool] | None:
        """Return the field trial whose coin the hook has thrown, and whether it came up for the rule; mostly None."""
        match = _ARM.search(self.path.name) if self.moment == "session_start" else None
        return (match[1], match[2] == "1") if match else None

    @property
    def at(self) -> datetime:
        """Return when the hook ran. Raises ValueError, OverflowError or OSError for a time no calendar holds."""
        # From whole microseconds: a float of nanoseconds would round, and two drains of one file must agree.
        return datetime.fromtimestamp(self.mtime_ns // 10**9, UTC) + timedelta(
            microseconds=self.mtime_ns // 1000 % 10**6
        )


class Unreadable(Exception):  # noqa: N818  a state of a file, told in one of the reasons below
    """The payload cannot be had; the text says why and quotes nothing."""


def waiting(spool: Path) -> list[Dropped]:
    """Return the payload files, oldest first; empty when there is no spool. What is no plain `.json` file is not ours.

    Raises NightschoolError when the spool cannot be listed.
    """
    found = []
    try:
        with os.scandir(spool) as entries:
            for entry in entries:
                told = _plain(entry)
                if told is not None:
                    match = _NAME.fullmatch(entry.name)
                    platform, moment = match.groups() if match else ("", "")
                    found.append(Dropped(Path(entry.path), platform, moment, told.st_mtime_ns))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        fix = "Make it yours again, mode 0700."
        raise NightschoolError("cannot list the spool", where=spool, why=error.strerror, fix=fix) from error
    return sorted(found, key=lambda drop: (drop.mtime_ns, drop.path.name))


def _plain(entry: os.DirEntry[str]) -> os.stat_result | None:
    if not entry.name.endswith(".json"):
        return None
    try:
        told = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # removed since it was listed
        return None
    return told if stat.S_ISREG(told.st_mode) else None


def read(drop: Dropped) -> bytes:
    """Return the payload's bytes.

    Raises Unreadable for one over MAX_PAYLOAD or that cannot be opened, FileNotFoundError when it is gone.
    """
    try:
        descriptor = os.open(drop.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            data = stream.read(MAX_PAYLOAD + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_PAYLOAD:
        raise Unreadable(f"over {MAX_PAYLOAD} bytes")
    return data


def hold(spool: Path, until: datetime) -> None:
    """Date the hooks' "a drain is on its way" ahead: until then a hook sees without another process that one works."""
    with contextlib.suppress(OSError, OverflowError):
        os.utime(spool / ".draining", (until.timestamp(),) * 2)


def unmark(spool: Path) -> None:
    """Remove the hooks' "a drain is on its way", so that the next payload starts a new one."""
    mark = spool / ".draining"
    with contextlib.suppress(OSError):
        mark.rmdir()


def sweep(spool: Path, now: datetime) -> int:
    """Remove what killed hooks left half-written over an hour ago, and return how many files that were."""
    swept = 0
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for part in spool.glob("*.json.part"):
            with contextlib.suppress(OSError):
                if part.lstat().st_mtime < (now - _PART_AGE).timestamp():
                    part.unlink()
                    swept += 1
    return swept
