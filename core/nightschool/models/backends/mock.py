"""The rehearsal model: free, the same on every machine, and it says what its script says.

A script is TOML. The first behaviour that applies answers; regexes are searched for, as Python's `re` does it:

    seed = 7

    [[behaviour]]
    when = "(?i)query"                  # the request; left out: any
    rule = "LIMIT"                      # the document must hold it
    without = "never use LIMIT"         # the document must not hold it
    chance = 0.9                        # how often it applies
    replies = ["select 1 limit 5;"]     # or: reply = "...", or: error = "rate-limit"
    tool_calls = [["psql", "select 1"]]

    [default]
    reply = "select 1;"

Chance is drawn from the seed, the behaviour's place, the request and `k`, and never from the document. So one task
under two documents meets the same luck, which is what makes its two rollouts a pair.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from nightschool.errors import NightschoolError
from nightschool.events import Record
from nightschool.models.questions import Answer, CallError, Fault, Question

UNSCRIPTED = "I can't answer that: this is the mock model of a rehearsal, and its script says nothing about it."


class Reply(Record):
    """What is said: one text, one of several, or an error instead."""

    reply: str | None = None
    replies: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    error: Fault | None = None
    tool_calls: tuple[tuple[str, str], ...] = ()  # (name, input)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(way is not None for way in (self.reply, self.replies, self.error)) != 1:
            raise ValueError("give one of reply, replies, error")
        return self


class Behaviour(Reply):
    """A reply and when it is given."""

    when: str = ""
    rule: str = ""
    without: str | None = None
    chance: float = Field(default=1.0, ge=0, le=1)

    @field_validator("when", "rule", "without")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    def fits(self, question: Question) -> bool:
        """Say whether request and document are those it is for."""
        if not re.search(self.when, question.prompt) or not re.search(self.rule, question.system):
            return False
        return self.without is None or not re.search(self.without, question.system)


class Script(Record):
    """What the mock does."""

    seed: int = 0
    behaviour: tuple[Behaviour, ...] = ()
    default: Reply = Reply(reply=UNSCRIPTED)


class Mock:
    """A backend without a model. Its name carries the script's hash: another script gives other answers."""

    batch: Literal[False] = False
    paid = False

    def __init__(self, script: Script | None = None, name: str = "mock") -> None:
        self.name = name
        self._script = script or Script()
        every = [text for said in (*self._script.behaviour, self._script.default) for text in _texts(said)]
        self.longest_reply = max((len(text.split()) for text in every), default=0)  # tokens are words here

    @classmethod
    def from_script(cls, path: Path) -> Mock:
        """Read a script. Raises NightschoolError when it is missing or wrong."""
        fix = "Mend it, or set models.mock_script to another file."
        try:
            told = path.read_bytes()
            script = Script.model_validate(tomllib.loads(told.decode()))
        except OSError as error:
            raise NightschoolError("cannot read the mock's script", where=path, why=error.strerror, fix=fix) from error
        except ValidationError as error:
            first = error.errors()[0]
            why = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
            raise NightschoolError("the mock's script is wrong", where=path, why=why, fix=fix) from error
        except ValueError as error:
            raise NightschoolError("the mock's script is not TOML", where=path, why=error, fix=fix) from error
        return cls(script, f"mock-{hashlib.sha256(told).hexdigest()[:12]}")

    def answer(self, question: Question) -> Answer:
        """Say what the script says; tokens are words here. Raises the CallErrors that the script asks for."""
        place, chosen = self._behaviour(question)
        if chosen.error is not None:
            raise CallError(chosen.error, "the mock's script says so")
        texts = _texts(chosen)
        text = texts[int(self._draw(question, place, "reply") * len(texts))] or ""
        words = len(question.system.split()) + len(question.prompt.split())
        return Answer(
            text=text, tool_calls=chosen.tool_calls, model=question.model or "mock",
            tokens_in=words, tokens_out=len(text.split()), cost_usd=0.0,
        )  # fmt: skip

    def _behaviour(self, question: Question) -> tuple[int, Reply]:
        for place, behaviour in enumerate(self._script.behaviour):
            if behaviour.fits(question) and self._draw(question, place, "chance") < behaviour.chance:
                return place, behaviour
        return -1, self._script.default

    def _draw(self, question: Question, place: int, what: str) -> float:
        """Draw from [0, 1), evenly over requests and attempts."""
        drawn = f"{self._script.seed}\0{place}\0{what}\0{question.k}\0{question.prompt}"
        return int.from_bytes(hashlib.sha256(drawn.encode()).digest()[:6], "big") / 2**48


def _texts(said: Reply) -> tuple[str, ...]:
    return (said.reply,) if said.reply is not None else said.replies or ()
