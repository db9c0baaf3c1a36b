"""What the client printed, an event a line, as a reply, as one question's failure, or as a reason to stop the night."""

import errno
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from nightschool.errors import NightschoolError
from nightschool.records import HeadlessFailure, HeadlessFault, HeadlessReply
from nightschool_copilot.runner import LARGEST, Ran
from nightschool_copilot.texts import count, mapping, text_of

FAILED = b'{"type":"model.call_failure"'
"""Ends a run: the client would ask up to six times on its own, and the door counts and repeats by itself."""
USED_A_TOOL = b'{"type":"tool.execution_start"'
"""Ends a run: there is no tool, and a model that insists on one would be asked for ever."""

_FAILURES = ("model.call_failure", "session.error")
_BY_STATUS: dict[int, HeadlessFault] = {
    408: "timeout", 429: "rate-limit", 500: "unavailable", 502: "unavailable", 503: "unavailable", 504: "timeout",
    529: "rate-limit",
}  # fmt: skip
_LOGIN = re.compile(
    r"no authentication|requires a local model provider|not (?:authenticated|logged in)|/login\b|"
    r"invalid (?:api key|token)|bad credentials",
    re.IGNORECASE,
)
_SETUP = re.compile(r"no model available|model .{0,80}(?:is not available|not found|not supported)", re.IGNORECASE)
_UNREACHABLE = re.compile(
    r"connection|ECONN|ENOTFOUND|EAI_AGAIN|socket|network|fetch failed|dns|error sending request", re.IGNORECASE
)
_TIMED_OUT = re.compile(r"timed? ?out|ETIMEDOUT", re.IGNORECASE)
_REFUSED = re.compile(r"content.?filter|content policy|refusal", re.IGNORECASE)
_EMPTY = re.compile(r"no response was returned", re.IGNORECASE)
_NO_LOGIN = (
    "Set COPILOT_GITHUB_TOKEN, or COPILOT_PROVIDER_BASE_URL with its key: the client runs in a scratch home, where a "
    "login made with /login is not seen. Then run the same command again."
)


def reply_of(ran: Ran, usage: Path, *, at_work: bool = False) -> HeadlessReply | HeadlessFailure:
    """Read a run; only one at work has tools. Raises NightschoolError for what would fail every question."""
    stopped = _stopped(ran)
    if stopped:
        return stopped
    events = _events(ran.out)
    if not at_work and any(event.get("type") == "tool.execution_start" for event in events):
        return HeadlessFailure(kind="malformed", why="the model used a tool, and it has none")
    failed = next((event for event in reversed(events) if event.get("type") in _FAILURES), None)
    said = [event["data"] for event in events if event.get("type") == "assistant.message"]
    ended = any(event.get("type") == "result" for event in events)
    if failed is not None:
        return _failure(failed["data"])
    if not ended or not said:
        return _no_result(ran)
    text, used = text_of(said[-1].get("content")), _used(usage, text_of(said[-1].get("model")))
    if not text.strip():
        told = {name: used[name] or None for name in ("tokens_in", "tokens_out")}
        return HeadlessFailure(kind="empty", why="the model said nothing", **told)
    return HeadlessReply(text=text, seconds=ran.seconds, **used)


def _stopped(ran: Ran) -> HeadlessFailure | None:
    """Tell what ended the run from outside, when no event can."""
    if ran.stopped == "timeout":
        return HeadlessFailure(kind="timeout", why=f"no answer in {ran.seconds:.0f} s")
    if ran.stopped == "too-large":
        return HeadlessFailure(kind="malformed", why=f"the client printed more than {LARGEST // 2**20} MB")
    return None


def _events(out: str) -> list[dict[str, Any]]:
    found = []
    for line in out.splitlines():
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue  # a line that was cut when the run was ended, or is not an event
        if isinstance(told, dict):
            found.append(told | {"data": mapping(told.get("data"))})
    return found


def _no_result(ran: Ran) -> HeadlessFailure:
    said = " ".join(f"{ran.err} {ran.out}".split())[:500]
    if ran.code:
        _stop_for_all(None, said)
    if "unexpected argument" in said or "unknown option" in said:
        fix = "Update it: `copilot update`. 1.0.102 is known to work."
        raise NightschoolError("this version of Copilot cannot be used", why=said, fix=fix)
    kind: HeadlessFault = "backend" if ran.code else "malformed"
    return HeadlessFailure(kind=kind, why=f"exit {ran.code}: {said or 'nothing was printed'}")


def _failure(told: dict[str, Any]) -> HeadlessFailure:
    """Tell failures apart by the model server's status, else by the words."""
    said = (text_of(told.get("errorMessage")) or text_of(told.get("message")) or "the model gave an error")[:500]
    status = told.get("statusCode")
    _stop_for_all(status, said)
    if isinstance(status, int):
        refused = status == 400 and _REFUSED.search(said)  # noqa: PLR2004
        kind: HeadlessFault = "refused" if refused else _BY_STATUS.get(status, "backend")
        return HeadlessFailure(kind=kind, why=f"{status}: {said}")
    words: list[tuple[re.Pattern[str], HeadlessFault]] = [
        (_EMPTY, "empty"), (_REFUSED, "refused"), (_TIMED_OUT, "timeout"), (_UNREACHABLE, "unavailable"),
    ]  # fmt: skip
    return HeadlessFailure(kind=next((kind for word, kind in words if word.search(said)), "backend"), why=said)


def _stop_for_all(status: object, said: str) -> None:
    if status in (401, 403) or (status is None and _LOGIN.search(said)):
        raise NightschoolError("Copilot cannot log in", why=said, fix=_NO_LOGIN)
    if status == 402:  # noqa: PLR2004
        raise NightschoolError("Copilot's account cannot pay", why=said, fix="Add credit, or log in otherwise.")
    if status == 404 or (status is None and _SETUP.search(said)):  # noqa: PLR2004
        fix = "Name another with --target-model, or none for the client's own choice."
        raise NightschoolError("Copilot cannot use that model", why=said, fix=fix)


def _used(usage: Path, model: str) -> dict[str, Any]:
    """Return the tokens of every model that was used, as the client counts them, and who answered. No price is told."""
    try:
        metrics = mapping(mapping(json.loads(_written(usage))).get("modelMetrics"))
    except (OSError, ValueError, RecursionError):
        metrics = {}
    uses = [mapping(mapping(one).get("usage")) for one in metrics.values()]
    into = sum(count(use.get("inputTokens")) for use in uses)
    return {"tokens_in": into, "tokens_out": sum(count(use.get("outputTokens")) for use in uses), "model": model}


def _written(usage: Path) -> bytes:
    """Return the file that the client was to write. Raises OSError, also for a pipe or a file without end."""
    with open(usage, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as stream:
        there = os.fstat(stream.fileno())
        if not stat.S_ISREG(there.st_mode) or there.st_size > LARGEST:
            raise OSError(errno.EINVAL, "it is no file of this size", str(usage))
        return stream.read()
