"""What a platform is asked at night, and what it answers."""

from typing import Literal

from pydantic import Field, field_validator

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
    along: tuple[str, ...] = ()  # other files the client reads together with it, such as imports: never written


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


class EvalSuite(Record):
    """Held-out tasks as cases of a client's own harness."""

    files: dict[str, str]  # path below the suite's directory, with `/` -> text
    left_out: dict[str, str] = Field(default_factory=dict)  # task -> why the harness cannot judge it

    @field_validator("files")
    @classmethod
    def _stay_inside(cls, files: dict[str, str]) -> dict[str, str]:
        for path in files:
            parts = path.split("/")
            if any(not part or part in {".", ".."} or "\\" in part or "\0" in part for part in parts):
                raise ValueError(f"a file of the suite would lie outside it: {path!r}")
        return files
