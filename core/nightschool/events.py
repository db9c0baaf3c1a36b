"""What happened: moments, and the events that tell of them."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

_LEAP = re.compile(r"(?<=:[0-5]\d):60(?!\d)")


def _utc(at: datetime) -> datetime:
    try:
        return at.replace(tzinfo=UTC) if not at.utcoffset() else at.astimezone(UTC)  # the first is cheaper
    except OverflowError as error:
        raise ValueError("a time beyond the years 1 to 9999") from error


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""An aware time, kept in UTC. A time without an offset is refused."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
"""A name that is safe as one path component."""


def before_leap(stamp: str) -> str:
    """Return an RFC 3339 time within a leap second as the second before it; "" when it is not within one.

    No `datetime` holds 23:59:60, and the record that tells it must not be lost.
    """
    told = _LEAP.sub(":59", stamp)
    return told if told != stamp else ""


class Record(BaseModel):
    """Anything we keep: frozen, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Moment(StrEnum):
    """Kinds of events. The first four are asked of platforms (`on_…`); the others are hints that more was written."""

    SESSION_END = "session_end"
    ERROR_SPIKE = "error_spike"
    MILESTONE_COMMIT = "milestone_commit"
    NIGHT = "night"
    SESSION_START = "session_start"
    TURN_END = "turn_end"
    TOOL_FAILURE = "tool_failure"
    COMPACTION = "compaction"


class Event(Record):
    """Something that happened while the user worked. It points to the transcript and quotes nothing from it."""

    id: Name
    platform: Name
    moment: Moment
    at: Instant
    session_id: Name | None = None
    transcript: str | None = None  # absolute path of the platform's own file
    project: str | None = None  # the session's working directory
