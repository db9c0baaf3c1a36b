"""One call: what a worker does, and what counts as an answer."""

from __future__ import annotations

import time
from concurrent.futures import Future

from pydantic import ValidationError

from nightschool.errors import NightschoolError
from nightschool.models.backends import Backend
from nightschool.models.questions import Answer, CallError, Question

Result = Answer | CallError
MOST = 10**12  # tokens of a call; who tells of more tells nothing


class CallsLost(NightschoolError):  # noqa: N818  what happened, not a fault of ours
    """Calls are out that nobody will hear of again: what they have cost is not known, so their charges stand."""


def once(backend: Backend, question: Question) -> Result:
    """Call a backend once. Runs in a worker. Raises NightschoolErrors other than CallError: they concern all calls."""
    began = time.monotonic()
    try:
        return checked(backend.answer(question))
    except CallError as error:
        fault = error
    except NightschoolError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a backend raises has cost this question only
        fault = CallError("backend", f"{type(error).__name__}: {error}")
    fault.seconds = time.monotonic() - began
    return fault


def checked(reply: object) -> Answer:
    """Return a backend's reply when it is an answer; tool calls alone are one. Raises CallError: malformed or empty."""
    if not isinstance(reply, Answer):
        raise CallError("malformed", f"a backend gave {type(reply).__name__}")
    try:
        answer = Answer.model_validate(dict(reply))
    except ValidationError as error:
        raise CallError("malformed", f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from error
    if not answer.text.strip() and not answer.tool_calls:
        raise CallError("empty")
    return answer


def collected(reply: object) -> Result:
    """Return what a batch backend gave, as an answer or as the reason why it is none."""
    try:
        return _believed(checked(reply))
    except CallError as error:
        return error


def outcome(future: Future[Result]) -> Result:
    """Return how a call went. Raises NightschoolErrors that concern all calls."""
    try:
        return _believed(future.result())
    except CallError as error:  # of one question: its machine was lost
        return error
    except NightschoolError:
        raise
    except Exception as error:  # noqa: BLE001  a worker that died has cost this question only
        return CallError("backend", f"{type(error).__name__}: {error}")


def _believed(result: Result) -> Result:
    """Return a result without counts of tokens that no call can have: the ledger could not even write them down."""
    counts = {name: getattr(result, name) or 0 for name in ("tokens_in", "tokens_out")}
    absurd = [name for name, count in counts.items() if count > MOST]
    if isinstance(result, Answer):
        return result.model_copy(update=dict.fromkeys(absurd, 0)) if absurd else result
    for name in absurd:
        setattr(result, name, None)
    return result
