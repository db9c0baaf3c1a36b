"""What a platform is asked at night, and what it answers."""

from typing import Literal

from pydantic import Field

from nightschool.events import Name, Record


class TranscriptRef(Record):
    """A session's file that the platform knows of, whether or not an event told of it. Nothing of it was read."""

    platform: Name
    session: Name
    path: str
    size: int
    mtime_ns: int


class Target(Record):
    """A document that rules can be adopted into."""

    key: str  # unique and stable: "<platform>:<what>"
    platform: Name
    kind: Literal["block", "skill"]  # a managed block in the user's file, or a skill of ours
    scope: Literal["project", "user"]
    path: str
    title: str  # how a person calls it
    opening: str = ""  # what the document begins with when we have to make it


class NightRequest(Record):
    """What the night asks a platform about."""

    user_home: str  # the user's home directory
    environ: dict[str, str] = Field(default_factory=dict)  # where a platform looks its own overrides up; {} in a sample
    project: str | None  # where rules are wanted; None: everywhere
    skills: tuple[str, ...] = ()  # SKILL.md files the user named as targets


class PlatformNight(Record):
    """What a platform gives the night."""

    platform: Name
    transcripts: tuple[TranscriptRef, ...] = ()
    targets: tuple[Target, ...] = ()


class Kept(Record):
    """A rule that is adopted, as a platform may export it to a memory of the client's own."""

    id: Name
    text: str
    path: str  # of the document it stands in
    scope: Literal["project", "user"]
    sessions: int = 0  # in which the user has asked for it
