"""Secrets of several parts: what is left of a cut key, keys as JSON, cookies by their names, logins in base64."""

# ruff: noqa: PLR2004  lengths are part of a shape

import base64
import re
from collections.abc import Container, Iterator
from itertools import chain

from nightschool.day.secret_places import holds_login, is_mixed
from nightschool.day.secret_shapes import Span, has_digit, is_real, stands_in


def _is_login(text: str, start: int, end: int) -> bool:
    """`user:password` in base64, where nothing but talk of base64 is around."""
    if not holds_login(text, start, end):
        return False
    plain = base64.b64decode(text[start:end].rstrip("=") + "=" * (-len(text[start:end].rstrip("=")) % 4)).decode()
    return bool(re.fullmatch(r"[\w.@+-]{1,64}:(?!//)\S{4,}", plain)) and is_mixed(
        plain, plain.index(":") + 1, len(plain)
    )


def composed(scan: str, low: str, heads: Container[str]) -> Iterator[Span]:
    """Yield the secrets that no single pattern holds; `low` is `scan` in lower case, `heads` what is in it."""
    if "-----end" in heads:
        yield from ((start, end, "private-key") for start, end in _key_tails(scan, low))
    if '"kty' in heads or 'kty\\"' in heads:
        yield from ((*match.span("s"), "private-key") for match in _JWK.finditer(scan))
    if "@tcp(" in heads or "@unix(" in heads:
        yield from (
            (*match.span("s"), "url-password") for match in _GO_DSN.finditer(scan) if is_real(scan, *match.span("s"))
        )
    if "base64" in heads:
        yield from ((*match.span(), "basic-auth") for match in _BASE64.finditer(scan) if _is_login(scan, *match.span()))
    if "cookie" in heads or "-b" in heads:
        yield from ((start, end, "cookie") for start, end in _cookies(scan, low))


_KEY_END = re.compile(r"-----end [a-z0-9 ]{0,40}(?:private key(?: block)?|static key v\d)-----")
_KEY_TAIL = re.compile(r"(?:\s|[nr]\\+|[A-Za-z0-9+/=]{20,}(?![A-Za-z0-9])|[A-Za-z0-9+/=]{1,64}(?=\s|[nr]\\))*+")
_JWK = re.compile(r"\"(?:d|p|q|dp|dq|qi|k)\\*\"\s{0,4}:\s{0,4}\\*\"(?P<s>[\w-]{22,})", re.ASCII)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{10,400}+={0,2}(?![A-Za-z0-9+/=])")
_GO_DSN = re.compile(r"[\w.-]{1,64}:(?P<s>[^\s:/@\"'`]{2,64})@(?:tcp|unix)\(")
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
