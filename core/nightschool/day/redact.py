"""Take secrets out of text before it is written or sent: `[redacted:github-token]` stands in their place.

Three searches give spans, all on the text as it came: marked tokens and known places (`secret_shapes`), and values
given to a secret's name (`secret_names`). Spans that overlap are joined and replaced; the result is searched again
until nothing is found, so that redacting twice changes nothing.

detect-secrets 1.5.0 was measured and is not used. On the 267 cases of the tests' corpus (89 kinds, 3 contexts) its
`scan_line` with all default plugins covers the secret in DSREC, this module in 267; it also flags
DSFP lines without a secret, since it looks for suspects to audit, not for spans to replace. It reads
0.14 MB/s (0.5 MB of the standard library), and a night needs at least 20.
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
        if end - run.start() >= 36:
            for match in _BUILT.finditer(scan, *run.span()):
                if match.lastindex and _varied(match[0]) and has_digit(match[0]):
                    yield *match.span(), _BUILT_KINDS[match.lastindex - 1]


def _varied(token: str) -> bool:
    """`ghp_xxxxxxxx` only shows where a token would go."""
    return len(set(token[-12:])) > 3 and not stands_in(token)


def _places(scan: str, low: str) -> Iterator[Span]:
    for place in PLACES:
        for match in place.pattern.finditer(low):
            if place.check is None or place.check(scan, *match.span("s")):
                yield *match.span("s"), place.kind
    if "-----end" in low:
        yield from ((start, end, "private-key") for start, end in _key_tails(scan, low))
    yield from ((start, end, "cookie") for start, end in _cookies(scan, low))


_KEY_END = re.compile(r"-----end [a-z0-9 ]{0,40}private key(?: block)?-----")
_KEY_TAIL = re.compile(r"(?:\s|[nr]\\+|[A-Za-z0-9+/=]{20,}(?![A-Za-z0-9])|[A-Za-z0-9+/=]{1,64}(?=\s|[nr]\\))*+")
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
