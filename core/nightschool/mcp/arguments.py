"""What each tool takes. A model here checks a client's arguments and becomes words of a command, never a free one.

Every option is written `--name=value` and every other word stands behind `--`, so no value can become an option.
"""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

LONGEST_TEXT = 20_000  # characters; one word of a command holds 128 KiB on Linux


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")  # no command can be given a NUL, or half of a letter


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds control characters")
    return _encodable(text)


def _encodable(text: str) -> str:
    if _UNFIT.search(text):
        raise ValueError("holds a NUL or half a letter")
    return text


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("is not an absolute path")
    return path


_Word = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
_Path = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_printable)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_encodable)]
_Project = Annotated[
    Annotated[_Path, AfterValidator(_absolute)] | None,
    Field(description="absolute path of the project; give it whenever you know it"),
]
_Scope = Annotated[
    Literal["invoked", "all"] | None, Field(description="learn from this project's sessions, or from all projects'")
]
_Rule = Annotated[_Word | None, Field(description="id of one rule, as sleep_report shows it")]
_Night = Annotated[_Word | None, Field(description="id of a night, such as 0003 (default: the newest)")]
_Count = Annotated[int, Field(ge=0, le=10**9)]


class Arguments(BaseModel):
    """Arguments of one tool. `plain` names the fields that are not options, in their order."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True, hide_input_in_errors=True)
    plain: ClassVar[tuple[str, ...]] = ()

    def words(self) -> list[str]:
        """Return the options and plain words of the command."""
        told: list[str] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            flag = "--" + name.replace("_", "-")
            if name in self.plain or value is None or value is False:
                continue
            told += [flag] if value is True else [f"{flag}={one}" for one in ([value] if _single(value) else value)]
        plain = [str(getattr(self, name)) for name in self.plain if getattr(self, name) is not None]
        return [*told, "--json", *(["--", *plain] if plain else [])]


def _single(value: object) -> bool:
    return not isinstance(value, list)


class Nothing(Arguments):
    """No arguments."""


class Harvest(Arguments):
    """Of `harvest`."""

    project: _Project = None
    scope: _Scope = None
    max_sessions: Annotated[_Count | None, Field(description="transcripts to read now; 0 reads all")] = None


class NightArguments(Harvest):
    """Of `run` and `dry-run`."""

    backend: Annotated[
        _Word | None,
        Field(description="who answers the exam: none, mock, handoff, or a client by name, which costs quota or money"),
    ] = None
    target_model: Annotated[_Word | None, Field(description="the model that is examined")] = None
    gate: Annotated[Literal["on", "off"] | None, Field(description="off: measure, say so, and refuse nothing")] = None
    rollouts_k: Annotated[
        Annotated[int, Field(ge=1, le=1000)] | None,
        Field(description="attempts at each task, with and without the rule"),
    ] = None
    target: Annotated[_Path | None, Field(description="where rules go: auto, a key, or the path of a SKILL.md")] = None


class Adopt(Arguments):
    """Of `adopt`."""

    rule: Annotated[
        Annotated[list[_Word], Field(min_length=1, max_length=100)] | None,
        Field(description="ids of the rules to adopt (default: all that were accepted); none that is quarantined"),
    ] = None
    project: _Project = None
    night: _Night = None

    def words(self) -> list[str]:
        """Return the command's words: an agent may have been talked into it, so what is quarantined is refused."""
        return ["--screened", *super().words()]


class Undo(Arguments):
    """Of `undo`."""

    night: _Night = None
    rule: _Rule = None


class Report(Arguments):
    """Of `report`."""

    night: _Night = None


class Unschedule(Arguments):
    """Of `unschedule`."""

    project: _Project = None


class Schedule(Unschedule):
    """Of `schedule`."""

    hour: Annotated[Annotated[int, Field(ge=0, le=23)] | None, Field(description="0 to 23, local time")] = None
    minute: Annotated[Annotated[int, Field(ge=0, le=59)] | None, Field(description="0 to 59")] = None
    backend: Annotated[_Word | None, Field(description="who answers the exam; a client by name costs quota")] = None


class OnIt(Arguments):
    """Of `queue`: one of its actions, and what goes with it."""

    action: Annotated[
        Literal["add", "list", "show"], Field(description="add a wish for the night, list them, or show one by its id")
    ] = "list"
    text: Annotated[
        Annotated[_Text, Field(max_length=4000)] | None, Field(description="add: what to sleep on, in words")
    ] = None
    id: Annotated[_Word | None, Field(description="show: which one")] = None
    type: Annotated[
        Literal["deep", "pipeline", "pattern", "compare", "custom"] | None, Field(description="add: what kind it is")
    ] = None
    priority: Annotated[
        Literal["quick", "standard", "deep", "marathon", "weekly"] | None,
        Field(description="add: how much time it gets"),
    ] = None
    format: Annotated[
        Literal["md", "adr", "checklist", "table"] | None, Field(description="add: the form of the answer")
    ] = None

    @model_validator(mode="after")
    def _fits(self) -> "OnIt":
        if (self.action == "add") != (self.text is not None):
            raise ValueError("text goes with action add, and add needs it")
        if self.text == "-":  # to the command that is its stdin
            raise ValueError("text is more than a dash")
        if (self.action == "show") != (self.id is not None):
            raise ValueError("id goes with action show, and show needs it")
        if self.action != "add" and (self.type or self.priority or self.format):
            raise ValueError("type, priority and format go with action add")
        return self

    def words(self) -> list[str]:
        """Return the action, its options, and its text or id."""
        options = {"type": self.type, "priority": self.priority, "format": self.format}
        told = [f"--{name}={value}" for name, value in options.items() if value is not None]
        plain = self.text if self.text is not None else self.id
        return [self.action, *told, "--json", *([] if plain is None else ["--", plain])]


class Search(Arguments):
    """Of `search`."""

    plain: ClassVar[tuple[str, ...]] = ("query",)
    query: Annotated[_Text, Field(description="words to look for")]
    project: _Project = None
    scope: Annotated[Literal["invoked", "all"] | None, Field(description="all: what any project taught")] = None
    limit: Annotated[Annotated[int, Field(ge=1, le=100)] | None, Field(description="how many at most")] = None


class Show(Arguments):
    """Of `show`."""

    plain: ClassVar[tuple[str, ...]] = ("id",)
    id: Annotated[_Word, Field(description="an id that memory_search gave")]
    evidence: Annotated[bool | None, Field(description="also the words and sessions it comes from")] = None
    as_of: Annotated[_Word | None, Field(description="a date such as 2026-10-01: what was believed then")] = None


class Review(Arguments):
    """Of `review`: nothing lists what waits; otherwise one decision."""

    accept: Annotated[_Count | None, Field(description="number of the entry to accept")] = None
    reject: Annotated[_Count | None, Field(description="number of the entry to reject; give a reason")] = None
    reason: Annotated[_Text | None, Field(description="why it is rejected")] = None
    skip: Annotated[_Count | None, Field(description="number of the entry to leave for later")] = None
    project: _Project = None
    night: _Night = None

    @model_validator(mode="after")
    def _one(self) -> "Review":
        if sum(number is not None for number in (self.accept, self.reject, self.skip)) > 1:
            raise ValueError("one decision at a time: accept, reject or skip")
        if (self.reason is None) != (self.reject is None):
            raise ValueError("reject and reason go together")
        return self

    def words(self) -> list[str]:
        """Return the command's words; as with `adopt`, what is quarantined is refused."""
        return ["--screened", *super().words()]


class Audit(Arguments):
    """Of `audit`: nothing lists the findings; otherwise one decision."""

    decide: Annotated[_Word | None, Field(description="id of the finding that was decided about")] = None
    choice: Annotated[
        Literal["codify", "dig", "guard", "log", "postpone"] | None,
        Field(description="what the user chose, of the finding's own options"),
    ] = None
    reason: Annotated[_Text | None, Field(description="why, in the user's words")] = None
    project: _Project = None
    scope: Annotated[Literal["invoked", "all"] | None, Field(description="all: of every project")] = None

    @model_validator(mode="after")
    def _both(self) -> "Audit":
        if (self.decide is None) != (self.choice is None):
            raise ValueError("decide and choice go together")
        return self


def checked(kind: type[Arguments], told: dict[str, Any]) -> Arguments:
    """Return a client's arguments. Raises ValueError with one sentence that names each field and its fault."""
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        faults = [f"{_where(fault['loc'])}{fault['msg']}" for fault in error.errors(include_url=False)[:10]]
        raise ValueError("; ".join(faults)) from None


def _where(path: tuple[int | str, ...]) -> str:
    return ".".join(ascii(part)[1:-1][:80] if isinstance(part, str) else str(part) for part in path) + ": " * bool(path)


def schema(kind: type[Arguments]) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments in the plain subset that every client takes.

    "May be null" is left out, for leaving the argument out says the same, and so are titles.
    """
    made = kind.model_json_schema()
    return _plain({key: value for key, value in made.items() if key not in {"title", "description"}})


def schemas() -> dict[str, dict[str, Any]]:
    """Return every kind's schema by its name: what `schemas.json` holds."""
    kinds, found = [Arguments], {}
    for kind in kinds:
        kinds += kind.__subclasses__()
        found[kind.__name__] = schema(kind)
    return {name: found[name] for name in sorted(found) if name != Arguments.__name__}


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _field(value) for name, value in part.get("properties", {}).items()}
    return {**part, "properties": properties, "additionalProperties": False}


def _field(part: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in part.get("anyOf", ()) if kind != {"type": "null"}]
    merged = {**part, **kinds[0]} if kinds else part
    dropped = {"anyOf", "title"} | ({"default"} if part.get("default") is None else set())
    return {key: value for key, value in merged.items() if key not in dropped}
