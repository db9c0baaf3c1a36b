"""What an endpoint sent, as an answer. Foreign data: every field may be missing or of another type."""

from __future__ import annotations

from typing import Any

from nightschool.models.questions import Answer, CallError, Fault


def read_chat(told: dict[str, Any], model: str) -> Answer:
    """Read a reply of chat/completions. Raises CallError: malformed, cut, refused."""
    used = _usage(told, "prompt_tokens", "completion_tokens")
    choices = told.get("choices")
    choice = _dict(choices[0]) if isinstance(choices, list) and choices else {}
    message = _dict(choice.get("message"))
    ended = choice.get("finish_reason")
    _must_have_gone_well(told.get("error") or choice.get("error") or (ended if ended == "error" else None), used)
    if not message:
        raise _failed("malformed", "the reply holds no message", used)
    if ended == "length":
        raise _failed("malformed", "the reply was cut at its limit (models.max_tokens)", used)
    if ended == "content_filter" or isinstance(message.get("refusal"), str):
        raise _failed("refused", str(message.get("refusal") or "content filter")[:300], used)
    calls = []
    for call in _list(message.get("tool_calls")):
        function = _dict(_dict(call).get("function"))
        calls.append((_text(function.get("name")), _text(function.get("arguments"))))
    return _answer(_text(message.get("content")), calls, told, model, used)


def read_responses(told: dict[str, Any], model: str) -> Answer:
    """Read a reply of the responses API. Raises CallError: malformed, cut, refused."""
    used = _usage(told, "input_tokens", "output_tokens")
    if told.get("status") == "incomplete":
        why = _dict(told.get("incomplete_details")).get("reason")
        if why == "content_filter":
            raise _failed("refused", "content filter", used)
        raise _failed("malformed", "the reply was cut at its limit (models.max_tokens)", used)
    _must_have_gone_well(told.get("error") or (None if told.get("status") == "completed" else told.get("status")), used)
    if not isinstance(told.get("output"), list):
        raise _failed("malformed", "the reply holds no output", used)
    texts, calls = [], []
    for item in map(_dict, _list(told.get("output"))):
        if item.get("type") == "function_call":
            calls.append((_text(item.get("name")), _text(item.get("arguments"))))
        for part in map(_dict, _list(item.get("content"))):
            if part.get("type") == "refusal":
                raise _failed("refused", _text(part.get("refusal"))[:300], used)
            if part.get("type") == "output_text":
                texts.append(_text(part.get("text")))
    return _answer("".join(texts), calls, told, model, used)


def _must_have_gone_well(fault: object, used: tuple[int, int]) -> None:
    """Raise CallError for a fault told in a success: what was said until then is no answer."""
    if fault:
        raise _failed("backend", str(_dict(fault).get("message") or fault)[:300], used)


def _answer(text: str, calls: list[tuple[str, str]], told: dict[str, Any], model: str, used: tuple[int, int]) -> Answer:
    if not text.strip() and not calls:
        raise _failed("empty", "", used)
    return Answer(
        text=text, tool_calls=tuple(calls), model=_text(told.get("model")) or model,
        tokens_in=used[0], tokens_out=used[1],
    )  # fmt: skip


def _usage(told: dict[str, Any], into: str, out: str) -> tuple[int, int]:
    usage = _dict(told.get("usage"))
    return _count(usage.get(into)), _count(usage.get(out))


def _failed(kind: Fault, why: str, used: tuple[int, int]) -> CallError:
    """Return a failure with what it used; 0 is not told."""
    return CallError(kind, why, tokens_in=used[0] or None, tokens_out=used[1] or None)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
