"""A platform's own client as a backend: the neutral contract of `records.headless`, told in the door's words."""

from __future__ import annotations

from typing import Literal

from pydantic import ValidationError

from nightschool.models.questions import Answer, CallError, Question
from nightschool.records import HeadlessCall, HeadlessFailure, HeadlessReply, HeadlessRunner


class Headless:
    """Asks through a runner that a platform brought. It costs money or quota, so it is used only when named."""

    batch: Literal[False] = False
    paid = True

    def __init__(self, name: str, runner: HeadlessRunner) -> None:
        """Raise NightschoolError when the client is not there or does not run."""
        self.name, self._runner = name, runner
        self.version = runner.ready()

    def answer(self, question: Question) -> Answer:
        """Ask the client once. Raises CallError, or NightschoolError when no question can be answered."""
        call = HeadlessCall(
            system=question.system, prompt=question.prompt, model=question.model, max_tokens=question.max_tokens,
            **({"timeout": question.timeout} if question.timeout else {}),
        )  # fmt: skip
        told = self._runner.ask(call)
        if isinstance(told, HeadlessFailure):
            raise CallError(
                told.kind, told.why, where=self.name, tokens_in=told.tokens_in, tokens_out=told.tokens_out,
                cost_usd=told.cost_usd, retry_after=told.retry_after,
            )  # fmt: skip
        try:
            reply = HeadlessReply.model_validate(told, from_attributes=True)
        except ValidationError as error:
            raise CallError("malformed", f"{type(told).__name__} is not a reply", where=self.name) from error
        return Answer(**reply.model_dump())
