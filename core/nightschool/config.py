"""What the user chose: `config.toml` in, `config.toml` out. Every key has a default, a meaning and bounds."""

from __future__ import annotations

import tomllib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nightschool.errors import NightschoolError, UsageError
from nightschool.files import write_whole
from nightschool.paths import Home


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True)


class Models(_Section):
    """Who answers the night's questions."""

    backend: str = Field(default="none", description="`none` makes no call; mock, handoff, or one a platform brings")
    target_model: str = Field(default="", description="model that is examined, as its backend names it")
    mock_script: str = Field(default="", description="what the rehearsal model of `mock` answers: path of a TOML file")


class Mine(_Section):
    """What counts as coming back."""

    min_sessions: int = Field(default=2, ge=1, le=1000, description="distinct sessions a correction must come back in")
    max_sessions: int = Field(default=0, ge=0, description="transcripts read a night; the rest waits; 0: all")
    scope: Literal["invoked", "all"] = Field(default="invoked", description="this project's sessions, or everybody's")


class Exam(_Section):
    """How candidate rules are examined."""

    gate: Literal["on", "off"] = Field(default="on", description="off: measure and say so, but refuse nothing")
    rollouts_k: int = Field(default=1, ge=1, le=20, description="attempts at each task, with and without the edit")
    max_candidates: int = Field(default=4, ge=1, le=50, description="edits examined a night")
    max_tasks: int = Field(default=20, ge=1, le=500, description="held-out tasks an edit meets a night")
    max_bank: int = Field(default=60, ge=6, le=5000, description="held-out tasks of one kind in use; oldest rotate out")
    alpha: float = Field(default=0.05, gt=0.0, le=0.5, description="chance that a useless edit passes its exam")
    max_nights: int = Field(default=6, ge=1, le=100, description="nights an edit may stay on probation")
    spacing: int = Field(default=7, ge=1, le=1000, description="nights between two examinations of an adopted rule")
    lifetime: float = Field(default=0.10, gt=0.0, le=0.5, description="share of useless rules among all ever accepted")


class Adopt(_Section):
    """Where adopted rules go."""

    target: str = Field(default="auto", description="auto, a target key from `doctor`, or a SKILL.md path")


class Brief(_Section):
    """What a session is told at its start."""

    tokens: int = Field(default=600, ge=0, le=2000, description="what it may cost at most; 0: nothing is told")


class Audit(_Section):
    """What the self-audit notices, and when it speaks."""

    failures: int = Field(
        default=3, ge=1, le=1000, description="failed calls among the last `audit.window` of a session"
    )
    window: int = Field(default=20, ge=1, le=1000, description="calls of one session that are looked back at")
    silent_sessions: int = Field(default=10, ge=0, description="sessions that are only logged before an agent is told")
    prompts: bool = Field(default=True, description="whether an agent is told of its error spike at all")


class Privacy(_Section):
    """Whose sessions are not kept: of these only counts are stored."""

    projects: str = Field(default="", description="directories, between commas; those below them are meant too")
    sessions: str = Field(default="", description="ids of sessions, between commas")


class Config(_Section):
    """All of it."""

    models: Models = Models()
    mine: Mine = Mine()
    exam: Exam = Exam()
    adopt: Adopt = Adopt()
    brief: Brief = Brief()
    audit: Audit = Audit()
    privacy: Privacy = Privacy()


def load(home: Home) -> Config:
    """Read the configuration; the defaults when there is none. Raises NightschoolError when it cannot be read."""
    try:
        told = tomllib.loads(home.config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (OSError, ValueError) as error:
        fix = "Mend or remove it."
        raise NightschoolError("cannot read the configuration", where=home.config, why=error, fix=fix) from error
    try:
        return Config.model_validate(told)
    except ValidationError as error:
        raise NightschoolError("a wrong setting", where=home.config, why=first_fault(error), fix="Mend it.") from error


def save(home: Home, config: Config) -> None:
    """Write what differs from the defaults."""
    import tomli_w

    chosen = config.model_dump(exclude_defaults=True)
    write_whole(home.config, tomli_w.dumps(chosen).encode())


def with_setting(config: Config, key: str, value: str) -> Config:
    """Return `config` with the dotted `key` set from text, or raise UsageError that says what is allowed."""
    section, _, name = key.partition(".")
    told: dict[str, Any] = config.model_dump()
    if name not in told.get(section, {}):
        known = ", ".join(f"{s}.{n}" for s, fields in Config().model_dump().items() for n in fields)
        raise UsageError("no such setting", where=key, fix=f"Known: {known}.")
    told[section][name] = value
    try:
        return Config.model_validate(told)
    except ValidationError as error:
        raise UsageError("not a value for this setting", where=key, why=first_fault(error)) from error


def first_fault(error: ValidationError) -> str:
    """Put the first thing that is wrong in one line."""
    fault = error.errors()[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"


def settings(config: Config) -> dict[str, tuple[Any, str]]:
    """Return every setting by its dotted key: its value and its meaning."""
    return {
        f"{section}.{name}": (getattr(getattr(config, section), name), field.description or "")
        for section in type(config).model_fields
        for name, field in type(getattr(config, section)).model_fields.items()
    }
