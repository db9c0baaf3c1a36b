"""Take secrets out of text before it is written or sent: `[redacted:github-token]` stands in their place.

Three searches give spans, all on the text as it came: marked tokens and known places (`secret_shapes`), and values
given to a secret's name (`secret_names`). Spans that overlap are joined and replaced; the result is searched again
until nothing is found, so that redacting twice changes nothing.

detect-secrets 1.5.0 was measured and is not used. Of the tests' corpus (89 kinds of secret in 3 contexts, n = 267,
written beside these patterns) all its plugins cover 215 secrets through `scan_line`, which also flags 91 of the 95
lines without any, and 84 through `scan_file`, which flags 20; this module covers 267 and changes none. It reads
0.14 and 0.29 MB/s of Python's standard library, this module about 25; and it names suspects, not spans to replace.
"""

# ruff: noqa: PLR2004  lengths are part of a shape

import re
from collections.abc import Iterator
from enum import Enum
from itertools import chain
from typing import Any, TypeVar

from pydantic import BaseModel

from nightschool.day.secret_names import named
from nightschool.day.secret_shapes import (
    HEADS,
    MARK,
    PLACES,
    RUN,
    TOKENS,
    Span,
    has_digit,
    is_real,
    stands_in,
)

# Tokens without a head, known by how they are built.
_BUILT_KINDS = ("discord-token", "telegram-token", "mailchimp-key", "mailgun-key", "terraform-token")
_BUILT = re.compile(
    r"(?<![\w.-])([MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,})|(?<!\d)(\d{6,12}:[A-Za-z][\w-]{29,})|"
    r"(?<![0-9a-f])([0-9a-f]{32}-us\d{1,2})(?!\w)|(?<![0-9a-f])([0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})(?![\w-])|"
    r"(?<![A-Za-z0-9])([A-Za-z0-9]{14}\.atlasv1\.[\w-]{30,})",
    re.ASCII,
)

# An AWS secret key has no mark of its own; it stands beside its id in the files that are handed out.
_AWS_PAIR = re.compile(r"[^A-Za-z0-9+/]{1,12}(?=[A-Z+/]*[a-z0-9+/]*[A-Z])([A-Za-z0-9/+]{40})(?![A-Za-z0-9+/])")

T = TypeVar("T", bound=BaseModel)


def redact(text: str) -> str:
    """Return `text` with every secret replaced by a placeholder that names its kind. Never raises on a str."""
    while spans := _spans(text):
        text = _replace(text, spans)
    return text


def redact_record(model: T) -> T:
    """Return the record with every string in it redacted, dict keys too; the same object when nothing changed.

    Nothing is validated again: a redacted string is a string still.
    """
    new: T = _walk(model)
    return new


def _walk(value: Any) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Enum) else redact(value)
    if isinstance(value, BaseModel):
        fields = value.__dict__ | (value.__pydantic_extra__ or {})
        changed = {name: new for name, old in fields.items() if (new := _walk(old)) is not old}
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, dict):
        pairs = [(_walk(key), _walk(old)) for key, old in value.items()]
        same = all(a is key and b is old for (a, b), (key, old) in zip(pairs, value.items(), strict=True))
        return value if same else dict(pairs)
    if isinstance(value, tuple | list | set | frozenset):
        items = [_walk(item) for item in value]
        if all(a is b for a, b in zip(items, value, strict=True)):
            return value
        return type(value)._make(items) if hasattr(value, "_make") else type(value)(items)
    return value


def _spans(text: str) -> list[Span]:
    # An escaped line break would lend its letter to the word after it: `\nghp_…`. Lengths must not change.
    scan = text
    if "\\" in text:
        scan = text.replace("\\n", "\\ ").replace("\\r", "\\ ").replace("\\t", "\\ ")
    low = (scan.replace("İ", "i") if not scan.isascii() else scan).lower()  # the one letter that grows in lower case
    found = [*_tokens(scan), *_places(scan, low), *named(scan, low)]
    return [span for span in found if span[0] < span[1] and MARK not in text[span[0] : span[1]]]


def _replace(text: str, spans: list[Span]) -> str:
    parts, at = [], 0
    for start, end, kind in _joined(spans):
        parts += [text[at:start], f"{MARK}{kind}]"]
        at = end
    return "".join([*parts, text[at:]])


def _joined(spans: list[Span]) -> list[Span]:
    """Join what overlaps; the kind found first, the most exact one, names the whole."""
    joined: list[tuple[int, int, int]] = []
    for start, end, rank in sorted((span[0], span[1], rank) for rank, span in enumerate(spans)):
        if joined and start < joined[-1][1]:
            last = joined.pop()
            joined.append((last[0], max(last[1], end), min(last[2], rank)))
        else:
            joined.append((start, end, rank))
    return [(start, end, spans[rank][2]) for start, end, rank in joined]


def _tokens(scan: str) -> Iterator[Span]:
    for run in RUN.finditer(scan):
        at, end = run.span()
        while head := HEADS.search(scan, at, end):
            token = TOKENS[head[0]]
            match = token.pattern.match(scan, head.start(), end)
            at = match.end() if match else head.end()
            if match and _varied(match[0]) and (has_digit(match[0]) or not token.digit):
                yield *match.span(), token.kind
                if pair := token.kind.startswith("aws-access") and _AWS_PAIR.match(scan, at):
                    yield *pair.span(1), "aws-secret-key"
        if end - run.start() >= 36:
            for match in _BUILT.finditer(scan, *run.span()):
                if match.lastindex and _varied(match[0]) and has_digit(match[0]):
                    yield *match.span(), _BUILT_KINDS[match.lastindex - 1]


def _varied(token: str) -> bool:
    """`ghp_xxxxxxxx` only shows where a token would go."""
    return len(set(token[-12:])) > 3 and not stands_in(token)


def _places(scan: str, low: str) -> Iterator[Span]:
    for place in PLACES:
        if place.head not in low:
            continue
        for match in place.pattern.finditer(low):
            if place.check is None or place.check(scan, *match.span("s")):
                yield *match.span("s"), place.kind
    if "-----end" in low:
        yield from ((start, end, "private-key") for start, end in _key_tails(scan, low))
    yield from ((start, end, "curl-user") for start, end in _curl_users(scan, low))
    yield from ((start, end, "cookie") for start, end in _cookies(scan, low))


_KEY_END = re.compile(r"-----end [a-z0-9 ]{0,40}private key(?: block)?-----")
_KEY_TAIL = re.compile(r"(?:\s|[nr]\\+|[A-Za-z0-9+/=]{20,}(?![A-Za-z0-9])|[A-Za-z0-9+/=]{1,64}(?=\s|[nr]\\))*+")
_USER = re.compile(r"-u(?:ser)?[ \t=]{0,2}[\"'\\]{0,4}[^\s:\"'\\]{1,64}:([^\s\"'\\]+)", re.ASCII)
_CURL = re.compile(r"\b(?:curl|wget|https?|xh|lftp|aria2c)\b")
_COOKIE = re.compile(r"cookie[\"'`\\\]]{0,4}[ \t]{0,3}[:= \t,][ \t]{0,3}[\"'`\\]{0,4}(?=[\w.%-]{1,64}=)", re.ASCII)
_CURL_COOKIE = re.compile(r"-b[ \t]{0,2}[\"'\\]{1,4}(?=[\w.%-]{1,64}=)", re.ASCII)
_PAIR = re.compile(r"([\w.%-]{1,64})=([^\s;,\"'`\\]*)(?:;[ \t]*|\Z)?", re.ASCII)
_SESSION = re.compile(r"sess|sid\b|token|auth|csrf|xsrf|jwt|login|remember|_ga|user")
_ATTRIBUTES = {"path", "domain", "expires", "max-age", "samesite", "version", "secure", "httponly", "priority"}


def _key_tails(text: str, low: str) -> Iterator[tuple[int, int]]:
    """Yield what is left of a private key whose beginning was cut off: the base64 before its END line."""
    for end in _KEY_END.finditer(low):
        before = text[max(0, end.start() - 8192) : end.start()][::-1]
        tail = _KEY_TAIL.match(before)
        if tail and re.search(r"[A-Za-z0-9+/=]{20}", tail[0]):
            yield end.start() - len(tail[0].rstrip()), end.end()


def _curl_users(text: str, low: str) -> Iterator[tuple[int, int]]:
    """Yield the passwords of `-u user:password` on lines that call curl or the like; elsewhere it is a user and group.

    What is known of a line is carried from one `-u` to the next, so that each character is looked at once.
    """
    at, called = 0, False
    for user in _USER.finditer(low):
        line = low.rfind("\n", at, user.start()) + 1
        called = bool(_CURL.search(low, max(line, at), user.start())) or (called and not line)
        at = user.start()
        if called and is_real(text, *user.span(1)):
            yield user.span(1)


def _cookies(text: str, low: str) -> Iterator[tuple[int, int]]:
    """Yield the values of a cookie header that can open a session: `theme=dark` may stay."""
    for header in chain(_COOKIE.finditer(low), _CURL_COOKIE.finditer(low)):
        at = header.end()
        while pair := _PAIR.match(text, at):
            name, value = pair[1].lower(), pair[2]
            telling = (has_digit(value) and len(value) >= 12) or (_SESSION.search(name) and len(value) >= 4)
            if telling and name not in _ATTRIBUTES and not stands_in(value):
                yield pair.span(2)
            at = pair.end()
