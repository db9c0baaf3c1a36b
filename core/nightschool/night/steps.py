"""What a night has done so far: each step's result is pinned in a file, so that a killed night goes on from there."""

import re
from collections.abc import Callable, Sequence
from typing import Self, TypeVar

from pydantic import BaseModel, ValidationError

from nightschool.errors import NightschoolError
from nightschool.files import write_whole
from nightschool.paths import Home, safe_name
from nightschool.records import Night, NightStatus
from nightschool.versions import stored

NIGHT = re.compile(r"\d+(-[0-9a-f]{8})?", re.ASCII)  # of this machine, or `<id>-<machine>`: one that was shared
Result = TypeVar("Result", bound=BaseModel)


class Phase(str):
    """A line that says what begins, and how many model calls it may take at most. For who only prints: a line."""

    __slots__ = ("total",)
    total: int

    def __new__(cls, line: str, total: int) -> Self:
        """Make it."""
        made = super().__new__(cls, line)
        made.total = total
        return made


class Steps:
    """The steps of one night, in its directory."""

    def __init__(self, home: Home, night: str) -> None:
        self.folder = home.nights / safe_name(night)

    def once(self, name: str, kind: type[Result], make: Callable[[], Result]) -> Result:
        """Return what step `name` made: from its file when it was done before, else made and pinned now."""
        found = self.found(name, kind)
        return self.pin(name, make()) if found is None else found

    def pin(self, name: str, result: Result) -> Result:
        """Write a step's result, whole or not at all, and return it."""
        write_whole(self.folder / f"{safe_name(name)}.json", result.model_dump_json(indent=1).encode())
        return result

    def found(self, name: str, kind: type[Result]) -> Result | None:
        """Return a step's result when it was done. Raises NightschoolError when its file was damaged."""
        path = self.folder / f"{safe_name(name)}.json"
        try:
            return stored(kind, path)
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            fix = "Move the night's directory away and run again."
            raise NightschoolError("a night's file cannot be read", where=path, why=error, fix=fix) from error


def all_nights(home: Home) -> list[Night]:
    """Return every night on record, oldest first."""
    try:
        # what a user has put beside them, such as a copy, is no night
        names = sorted(path.name for path in home.nights.iterdir() if path.is_dir() and NIGHT.fullmatch(path.name))
    except FileNotFoundError:
        return []
    found = [night for name in names if (night := Steps(home, name).found("night", Night)) is not None]
    if all(night.id.isdecimal() for night in found):
        return found
    return sorted(found, key=lambda night: night.ended or night.started)


def last_done(home: Home, project: str | None) -> Night | None:
    """Return the newest finished night of a project (None: of the nights over all projects)."""
    done = [n for n in all_nights(home) if n.status is NightStatus.DONE and n.project == project]
    return done[-1] if done else None


def of_project(nights: Sequence[Night], project: str) -> list[Night]:
    """Return the nights that were about a project or about all; every night when there is none such."""
    return [night for night in nights if night.project in {project, None}] or list(nights)


def newest_proposal_night(home: Home, project: str) -> Night | None:
    """Return the newest finished night whose proposal is meant here: this project's or one over all projects.

    From elsewhere it is the only project's; None when there are several. No night at all is None too.
    """
    done = [night for night in all_nights(home) if night.status is NightStatus.DONE]
    here = [night for night in done if night.project in {project, None}]
    if here or not done:
        return here[-1] if here else None
    return done[-1] if len({night.project for night in done}) == 1 else None


def next_id(home: Home) -> str:
    """Return the id of a night that is yet to come: `0001`, `0002` …"""
    taken = [int(night.id) for night in all_nights(home) if night.id.isdecimal()]
    return f"{max(taken, default=0) + 1:04d}"


def let_go(home: Home, step: str, *, before: Night) -> None:
    """Remove what a step made in finished nights of a project before this one: nobody reads it any more.

    It grows with the sessions, so that kept for every night it would soon be most of a home.
    """
    for path in home.nights.glob(f"*/{safe_name(step)}.json"):
        night = Steps(home, path.parent.name).found("night", Night) if NIGHT.fullmatch(path.parent.name) else None
        if night is None or night.project != before.project or night.id == before.id:
            continue
        if night.status in {NightStatus.DONE, NightStatus.ABANDONED} and night.started < before.started:
            path.unlink(missing_ok=True)
