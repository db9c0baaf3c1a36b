"""Take secrets out of text before it is written or sent: `[redacted:github-token]` stands in their place.

The searches give spans: marked tokens (`secret_shapes`), known places (`secret_places`, `secret_blocks`), what tools
tell (`secret_told`), values given to a secret's name (`secret_names`), flags of programs (`secret_commands`), columns
and blocks (`secret_tables`). They read the text as it came, and as it is meant: without hidden characters, escapes
resolved (`secret_views`). Spans that overlap are joined and replaced; the result is searched again until nothing is
found, so that redacting twice changes nothing.

detect-secrets 1.5.0 was measured and is not used. Of the tests' corpus (89 kinds of secret in 3 contexts, n = 267,
written beside these patterns) all its plugins cover 215 secrets through `scan_line`, which also flags 91 of the 95
lines without any, and 84 through `scan_file`, which flags 20; this module covers 267 and changes none. It reads
0.14 and 0.29 MB/s of Python's standard library, this module 16 to 22; and it names suspects, not spans to replace.
"""

# ruff: noqa: PLR2004  lengths are part of a shape

import re
from collections.abc import Container, Iterator
from enum import Enum
from itertools import chain
from typing import Any, TypeVar

from pydantic import BaseModel

from nightschool.day.secret_blocks import composed
from nightschool.day.secret_commands import commanded
from nightschool.day.secret_heads import LARGE, Heads
from nightschool.day.secret_names import NAME_WORDS, named
from nightschool.day.secret_places import PLACE_WORDS, placed
from nightschool.day.secret_shapes import (
    HEADS,
    MARK,
    TOKENS,
    Span,
    either,
    has_digit,
    runs,
    stands_in,
)
from nightschool.day.secret_tables import TABLE_WORDS, clustered, columned
from nightschool.day.secret_told import TOLD_WORDS, told
from nightschool.day.secret_views import views

# Tokens without a head, known by how they are built.
_BUILT_KINDS = ("discord-token", "telegram-token", "mailchimp-key", "mailgun-key", "terraform-token")
_BUILT = re.compile(
    r"(?<![\w.-])([MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,})|(?<!\d)(\d{6,12}:[A-Za-z][\w-]{29,})|"
    r"(?<![0-9a-f])([0-9a-f]{32}-us\d{1,2})(?!\w)|(?<![0-9a-f])([0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})(?![\w-])|"
    r"(?<![A-Za-z0-9])([A-Za-z0-9]{14}\.atlasv1\.[\w-]{30,})",
    re.ASCII,
)

_BUILT_SIGN = re.compile(r"[.:]|[0-9a-f]{32}-")

# Secrets without a mark of their own, which stand beside their ids in the files that are handed out.
_PAIRS = {
    "aws-access-key-id": (
        "aws-secret-key",
        re.compile(r"[^A-Za-z0-9+/]{1,12}(?=[A-Z+/]*[a-z0-9+/]*[A-Z])([A-Za-z0-9/+]{40})(?![A-Za-z0-9+/])"),
    ),
    "twilio-key": ("twilio-token", re.compile(r"[^A-Za-z0-9]{1,12}([0-9a-f]{32})(?![A-Za-z0-9])")),
}

# A token that a line's end, or a quote, cuts in two.
_REST = re.compile(
    r"(?:\\* ?\\?\r?\n[ \t>|+]{0,8}|\\+ [ \t>|+]{0,8}|[\"'][ \t]{0,4}[+.]?\s{0,40}\\?\s{0,40}[\"'])"
    r"(?P<s>[\w-]{6,}(?:\.[\w-]{16,})*)(?![\w-]|[ \t]*[=:(])",
    re.ASCII,
)

# A number of 256 bits is a key where it is called one, or stands in a list of accounts.
_WALLET = re.compile(r"(?:(?i:private[ _]?key)s?|\baccounts)[\W\d]{1,60}(?:0x[0-9a-fA-F]{64}[\W\d]{1,20})*\Z")

_FULL_LINE = 40  # characters

# Kinds that are written in base64 with its signs, which end a run; what is shorter is none.
_BASE64_KINDS = {
    "flyio-token",
    "aws-bedrock-key",
    "sentry-token",
    "grafana-token",
    "onepassword-token",
    "atlassian-token",
}
_BASE64_REST = re.compile(r"[\w+/-]*(?:={1,2}[\w+/-]*)?", re.ASCII)
_BASE64_LEAST = 32

# What any search but that for tokens begins with. Most short texts hold none of it, and one search tells.
_ANY = re.compile(
    either({*PLACE_WORDS, *NAME_WORDS, *TABLE_WORDS, *TOLD_WORDS, "echo ", "printf "})
    + r"|[ \t\"']-[a-z-]|:\\?/\\?/|:(?:\d{4,5}|\*):"
)
_SHORT = 400  # characters
_LETTER = re.compile(r"\\[nrt]")

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
    found, heads = _search(text)
    absent = heads.absent() if isinstance(heads, Heads) else set()
    for view in views(text):
        known = absent if len(view.text) >= LARGE else ()  # a small one is searched for each literal anyway
        again, _ = _search(view.text, {head for head in known if not view.may_hold(head)})
        found += [(*view.back(start, end), kind) for start, end, kind in again if start < end]
    return [span for span in found if span[0] < span[1] and not _is_done(text, *span[:2])]


def _is_done(text: str, start: int, end: int) -> bool:
    """Tell of a span that holds a placeholder, or stands in one: it would be found for ever."""
    begun = text.rfind(MARK, max(0, start - 40), start)
    return MARK in text[start:end] or (begun >= 0 and "]" not in text[begun:start])


def _search(text: str, absent: Container[str] = ()) -> tuple[list[Span], Container[str]]:
    """Return what is found, and which literals there are; those of `absent` are known not to be."""
    # An escaped line break would lend its letter to the word after it: `\nghp_…`. Lengths must not change.
    scan = _LETTER.sub(r"\\ ", text) if "\\" in text else text
    low = (scan.replace("İ", "i") if not scan.isascii() else scan).lower()  # the one letter that grows in lower case
    heads = Heads(low, absent) if len(low) >= LARGE else low
    if len(low) < _SHORT and not _ANY.search(low):
        return [*_tokens(scan)], heads
    searches = (placed, composed, told, named, commanded, columned, clustered)
    return [*_tokens(scan), *chain.from_iterable(search(scan, low, heads) for search in searches)], heads


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
    for start, end in runs(scan):
        at = start
        while head := HEADS.search(scan, at, end):
            token = TOKENS[head[0]]
            match = token.pattern.match(scan, head.start(), end)
            stop = _whole(scan, match, end, token.kind) if match else 0
            at = stop or head.end()
            if (
                match
                and stop
                and _varied(match[0])
                and (has_digit(match[0]) or not token.digit)
                and not _in_hash(scan, start, match)
                and (
                    token.kind != "wallet-key"
                    or head[0] != "0x"
                    or _WALLET.search(scan[max(0, at - 800) : match.start()])
                )
            ):
                yield match.start(), at, token.kind
                if at == end:
                    yield from ((*rest, token.kind) for rest in _rests(scan, at))
                if token.kind in _PAIRS and (pair := _PAIRS[token.kind][1].match(scan, at)):
                    yield *pair.span(1), _PAIRS[token.kind][0]
        if end - start >= 36 and _BUILT_SIGN.search(scan, start, end):
            for match in _BUILT.finditer(scan, start, end):
                if match.lastindex and _varied(match[0]) and has_digit(match[0]):
                    yield *match.span(), _BUILT_KINDS[match.lastindex - 1]


def _whole(scan: str, match: re.Match[str], end: int, kind: str) -> int:
    """Return where a token ends that may go on behind its run; 0 when it is too short for its kind."""
    if kind not in _BASE64_KINDS:
        return match.end()
    rest = _BASE64_REST.match(scan, match.end()) if match.end() == end else None
    stop = rest.end() if rest else match.end()
    return stop if stop - match.start() >= _BASE64_LEAST else 0


def _rests(scan: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield the next pieces of a token that was cut in two, or in more where each piece fills a line."""
    while (rest := _REST.match(scan, at)) and _goes_on(rest["s"]):
        yield rest.span("s")
        at = rest.end()
        if len(rest["s"]) < _FULL_LINE:
            return


def _goes_on(rest: str) -> bool:
    """Tell the second half of a token from a word on the next line."""
    return has_digit(rest) and bool(re.search(r"[a-zA-Z]\d|\d[a-zA-Z]", rest))


def _in_hash(scan: str, start: int, match: re.Match[str]) -> bool:
    """A checksum in base64 may hold any letters."""
    return match.start() > start and scan.startswith(("sha256=", "sha384=", "sha512="), start - 7)


def _varied(token: str) -> bool:
    """`ghp_xxxxxxxx` only shows where a token would go."""
    return len(set(token[-12:])) > 3 and not stands_in(token)
