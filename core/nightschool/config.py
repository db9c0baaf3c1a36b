"""What the user chose: `config.toml` in, `config.toml` out."""

from __future__ import annotations

import tomllib
from typing import Any

from pydantic import ValidationError

from nightschool.errors import NightschoolError, UsageError
from nightschool.files import write_whole
from nightschool.paths import Home
from nightschool.sections import (
    Adopt,
    Audit,
    Brief,
    Budget,
    Cases,
    DeepSleep,
    Exam,
    Executor,
    Memory,
    Mine,
    Models,
    OpenAI,
    Privacy,
    Queue,
    Schedule,
    Section,
    Sync,
)

__all__ = [
    "Adopt",
    "Audit",
    "Brief",
    "Budget",
    "Cases",
    "Config",
    "DeepSleep",
    "Exam",
    "Executor",
    "Memory",
    "Mine",
    "Models",
    "OpenAI",
    "Privacy",
    "Queue",
    "Schedule",
    "Sync",
    "first_fault",
    "load",
    "save",
    "settings",
    "with_setting",
]


class Config(Section):
    """All of it."""

    models: Models = Models()
    budget: Budget = Budget()
    openai: OpenAI = OpenAI()
    executor: Executor = Executor()
    mine: Mine = Mine()
    exam: Exam = Exam()
    adopt: Adopt = Adopt()
    brief: Brief = Brief()
    queue: Queue = Queue()
    deep_sleep: DeepSleep = DeepSleep()
    audit: Audit = Audit()
    privacy: Privacy = Privacy()
    memory: Memory = Memory()
    schedule: Schedule = Schedule()
    sync: Sync = Sync()
    cases: Cases = Cases()


def load(home: Home) -> Config:
    """Read the configuration; the defaults when there is none. Raises NightschoolError when it cannot be read."""
    try:
        told = tomllib.loads(home.config.read_text(encoding="utf-8-sig"))  # some editors begin a file with U+FEFF
    except FileNotFoundError:
        return Config()
    except (OSError, ValueError, RecursionError) as error:
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


def with_setting(config: Config, key: str, value: str, told_as: str = "") -> Config:
    """Return `config` with the dotted `key` set from text, or raise UsageError that says what is allowed.

    `told_as` is how the user named it, when not by its key: a flag.
    """
    section, _, name = key.partition(".")
    told: dict[str, Any] = config.model_dump()
    if name not in told.get(section, {}):
        known = ", ".join(f"{s}.{n}" for s, fields in Config().model_dump().items() for n in fields)
        raise UsageError("no such setting", where=key, fix=f"Known: {known}.")
    told[section][name] = value
    try:
        return Config.model_validate(told)
    except ValidationError as error:
        fault = error.errors()[0]
        inner = ".".join(str(part) for part in fault["loc"][2:])  # the key itself is told already
        why = str(fault["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
        what = "not a value for this flag" if told_as else "not a value for this setting"
        where = f"{told_as}, {key}" if told_as else key
        raise UsageError(what, where=where, why=f"{inner}: {why}" if inner else why) from error


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
