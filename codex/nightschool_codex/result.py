"""What the client printed in a run, as a reply, as one question's failure, or as a reason to stop the night."""

import json
import re
from collections.abc import Iterator
from typing import Any

from nightschool.errors import NightschoolError
from nightschool.records import HeadlessFailure, HeadlessFault, HeadlessReply
from nightschool_codex.runner import LARGEST, Ran

_STATUS = re.compile(r"\b(?:status(?: code)?|HTTP(?: error)?):?\s*([45]\d\d)\b", re.IGNORECASE)
_BY_STATUS: dict[int, HeadlessFault] = {
    408: "timeout", 429: "rate-limit", 500: "unavailable", 502: "unavailable", 503: "unavailable", 504: "timeout",
    529: "rate-limit",
}  # fmt: skip
_LOGIN = re.compile(
    r"not logged in|codex login|please (?:log|sign) in|log ?out and (?:log|sign) in|invalid api key|incorrect api key|"
    r"missing environment variable|missing bearer|(?:refresh )?token (?:was|has|is).*(?:expired|revoked|invalid|used)",
    re.IGNORECASE,
)
_MONEY = re.compile(r"quota exceeded|insufficient_quota|billing", re.IGNORECASE)
_LIMIT = re.compile(r"usage limit|rate limit|too many requests|at capacity|overloaded", re.IGNORECASE)
_MODEL = re.compile(r"model.{0,80}(?:not (?:found|supported|exist)|does not exist|no access)", re.IGNORECASE)
_UNREACHABLE = re.compile(
    r"connection (?:refused|error|reset|closed|failed)|error sending request|stream (?:disconnected|closed)|"
    r"dns|network|failed to connect|internal server error|high demand|bad gateway",
    re.IGNORECASE,
)
_TIMED_OUT = re.compile(r"timed? ?out|idle timeout", re.IGNORECASE)
_REFUSED = re.compile(r"flagged|content.filter|policy violation|refused to answer", re.IGNORECASE)
_NO_LOGIN = "Run `codex login`, or set the key your provider's settings name; then run the same command again."
_WORDS: list[tuple[re.Pattern[str], HeadlessFault]] = [
    (_LIMIT, "rate-limit"), (_REFUSED, "refused"), (_TIMED_OUT, "timeout"), (_UNREACHABLE, "unavailable"),
]  # fmt: skip


def reply_of(ran: Ran, model: str) -> HeadlessReply | HeadlessFailure:
    """Read a run of `model`. Raises NightschoolError for what would fail every question: no login, no such model."""
    if ran.stopped == "timeout":
        return HeadlessFailure(kind="timeout", why=f"no answer in {ran.seconds:.0f} s")
    if ran.stopped:
        return HeadlessFailure(kind="malformed", why=f"the client printed more than {LARGEST // 2**20} MB")
    text, usage, done, said = "", {}, False, ""
    for event in _events(ran.out):
        kind, item = event.get("type"), _dict(event.get("item"))
        if kind == "item.completed" and item.get("type") == "agent_message":
            text = item["text"] if isinstance(item.get("text"), str) else ""
        elif kind == "turn.completed":
            usage, done = _dict(event.get("usage")), True
        elif kind in ("turn.failed", "error"):
            said = _message(event) or said
            done = False if kind == "turn.failed" else done
    if not done or ran.code != 0:
        return _failure(said or " ".join(f"{ran.err} {ran.out}".split())[-500:], ran, model)
    into, out = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    if not text.strip():
        why = f"{into + out} tokens were used" if into + out else ""
        return HeadlessFailure(kind="empty", why=why, tokens_in=into or None, tokens_out=out or None)
    return HeadlessReply(text=text, model=model, tokens_in=into, tokens_out=out, seconds=ran.seconds)


def _events(out: str) -> Iterator[dict[str, Any]]:
    for line in out.splitlines():
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict):
            yield told


def _message(event: dict[str, Any]) -> str:
    """Return what an error says; the API's own words come as JSON inside the client's."""
    told = _dict(event.get("error")).get("message") or event.get("message") or ""
    return " ".join(str(told).split())[:500]


def _failure(said: str, ran: Ran, model: str) -> HeadlessFailure:
    found = _STATUS.search(said)
    status = int(found[1]) if found else None
    _stop_for_all(status, said, model)
    if status in _BY_STATUS:
        return HeadlessFailure(kind=_BY_STATUS[status], why=said)
    for words, kind in _WORDS:
        if words.search(said):
            return HeadlessFailure(kind=kind, why=said)
    fault: HeadlessFault = "backend" if ran.code or said else "malformed"
    return HeadlessFailure(kind=fault, why=f"exit {ran.code}: {said or 'nothing was printed'}")


def _stop_for_all(status: int | None, said: str, model: str) -> None:
    if status in {401, 403} or _LOGIN.search(said):
        raise NightschoolError("Codex cannot log in", why=said, fix=_NO_LOGIN)
    if status == 402 or _MONEY.search(said):  # noqa: PLR2004
        raise NightschoolError("Codex's account cannot pay", why=said, fix="Add credit, or log in otherwise.")
    if status == 404 or _MODEL.search(said):  # noqa: PLR2004
        fix = "Name another with --target-model, or none for the client's own choice."
        raise NightschoolError("Codex cannot use that model", where=model, why=said, fix=fix)
    if "unexpected argument" in said:
        fix = "Update it: npm install -g @openai/codex. 0.169.0 is known to work."
        raise NightschoolError("this version of Codex cannot be used", why=said, fix=fix)


def _dict(told: object) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
