"""Secrets that are known by where they stand: `://user:…@`, a PEM block, a webhook's address.

Each place starts with a literal, so that the search costs as much as `str.find`; each repetition that can fail is
bounded, or stops at what starts the next match. Places are searched in the text in lower case; a `check` is given the
text as it was written.
"""

# ruff: noqa: PLR2004  lengths are part of a shape

import base64
import binascii
import re
from collections.abc import Callable, Container, Iterable, Iterator
from typing import NamedTuple

from nightschool.day.secret_shapes import Span, has_digit, is_real


class Place(NamedTuple):
    """Where a secret stands: group `s` of `pattern`, found in lower case; `check(text, start, end)` may refuse it."""

    kind: str
    head: str  # every match begins with it
    pattern: re.Pattern[str]
    check: Callable[[str, int, int], bool] | None = None


def _random(text: str, start: int, end: int) -> bool:
    return has_digit(text[start:end]) and is_real(text, start, end)


def holds_login(text: str, start: int, end: int) -> bool:
    """`user:password` in base64, which no English word decodes to."""
    raw = text[start:end].rstrip("=")
    try:
        plain = base64.b64decode(raw + "=" * (-len(raw) % 4), altchars=b"-_" if "-" in raw or "_" in raw else None)
        return ":" in plain.decode("utf-8") and plain.decode("utf-8").isprintable()
    except (binascii.Error, ValueError):
        return False


_SCHEME = re.compile(r"(?:bearer|basic|token|api-?key|digest|negotiate|bot|key|splunk|sso-key)[ \t]+$", re.IGNORECASE)
_TALK = re.compile(
    r"(?:bearer|basic|token|auth|header|key|api|secret|credential|none|scheme|valid|require|type)[a-z_-]*"
)


def _header(text: str, start: int, end: int) -> bool:
    """After `Authorization:`; a word alone is talk, unless a scheme stands before it."""
    value = text[start:end]
    if not is_real(text, start, end) or _TALK.fullmatch(value.lower()) or re.match(r"[A-Za-z_][\w.]*[(\[.]", value):
        return False
    return has_digit(value) or bool(_SCHEME.search(text[max(0, start - 20) : start]))


def _bearer(text: str, start: int, end: int) -> bool:
    value = text[start:end].rstrip(".")
    return (
        ((len(value) >= 20 and value.isalnum()) or has_digit(value))
        and is_real(text, start, end)
        and not re.fullmatch(r"[A-Za-z]+[ -]?\d", value)
    )


_NAMED_PASSWORD = re.compile(r"[A-Z_]*(?:PASS|PASSWORD|PASSWD|PWD|PW|SECRET|TOKEN)[A-Z_]*")


def _url_password(text: str, start: int, end: int) -> bool:
    return is_real(text, start, end) and not _NAMED_PASSWORD.fullmatch(text[start:end])


def _key_block(text: str, start: int, end: int) -> bool:
    """A BEGIN line that key material follows; code that only compares with the line has none."""
    body = text[text.index("-----", start + 11) + 5 : end]
    return bool(re.search(r"[A-Za-z0-9+/]{12}", body))


def place(kind: str, pattern: str, check: Callable[[str, int, int], bool] | None = is_real) -> Place:
    """Make a place of its pattern, which is in lower case and begins with a literal."""
    return Place(kind, _head(pattern), re.compile(pattern, re.ASCII), check)


def _head(pattern: str) -> str:
    """Return the literal that every match of a place begins with: most texts hold none of them, and are done with."""
    literal = re.match(r"(?:\(\?P<s>)?((?:[a-z0-9 :/_=~\t\"@<-]|\\[.$(|{])+)", pattern)
    assert literal, f"a place must begin with a literal: {pattern}"  # noqa: S101  a fault in this table
    # the last character may be one that what follows it makes optional
    whole = len(pattern) == literal.end() or pattern[literal.end()] not in "?*{"
    return re.sub(r"\\(.)", r"\1", literal[1])[: None if whole else -1]


_MATERIAL = (  # what fills a key block: base64 lines, line ends (also escaped ones), quotes between lines, headers
    r"(?:\s|\\+[nrt]|[\"'`+>|,\\]|[a-z0-9+/=_]{16,}|[a-z0-9+/]{1,15}={1,2}(?![a-z0-9])|"
    r"(?:proc-type|dek-info|version|comment|charset|hash):[^\n\\]{0,200}|=[a-z0-9+/]{4}(?![a-z0-9]))"
)
_GAP = r"[\"'`\\\]]{0,6}[ \t]{0,3}[:=,][ \t]{0,3}[\"'`\\]{0,6}"
_B64_PEM = r"ls0tls1crudjtib(?:su0eg|quklw|fqybqu|puevou1|frunsw|fuk)[a-z0-9+/=]*"
_KEY_NAME = r"[a-z0-9 +]{0,40}(?:private[ +]key(?:[ +]block)?|static[ +]key v\d)"
_FIELD = r"[a-z_*][\w*.-]{0,40}"


def long_random(text: str, start: int, end: int) -> bool:
    """Small letters, capitals and digits, or many digits among letters: no name of anything."""
    value = text[start:end]
    mixed = bool(re.search(r"[A-Z]", value) and re.search(r"[a-z]", value)) or len(re.findall(r"\d+", value)) > 3
    return mixed and _random(text, start, end)


def _hash(text: str, start: int, end: int) -> bool:
    return len(set(text[start:end])) > 12


def _pg_password(text: str, start: int, end: int) -> bool:
    """`host:port:database:user:password`; a place in code has no digits in the last field, or a line number."""
    value = text[start:end]
    return is_real(text, start, end) and (
        "pgpass" in text[max(0, start - 400) : start] or (has_digit(value) and not value.isdigit())
    )


def _braced(text: str, start: int, _end: int) -> bool:
    """Braces hold an ODBC value, and elsewhere a variable's name."""
    before = text[max(0, start - 300) : start].lower()
    return before.endswith(("pwd={", "password={")) and bool(
        re.search(r"(?:driver|server|dsn|uid|user id|database)=", before)
    )


def _remote(text: str, start: int, end: int) -> bool:
    return "freerdp" in text[max(0, start - 200) : start].lower() and is_real(text, start, end)


def _prompted(text: str, start: int, end: int) -> bool:
    """What a script types when it is asked for a password."""
    before = text[max(0, start - 200) : start].lower()
    return "expect" in before and bool(re.search(r"ass(?:word|phrase)", before)) and is_real(text, start, end)


def _shouted(text: str, start: int, end: int) -> bool:
    """`AUTH`, `PASS` and the like are commands of a protocol when they are written in capitals at a line's start."""
    line = text[text.rfind("\n", max(0, start - 80), start) + 1 : start]
    return bool(re.fullmatch(r"(?:.{0,70}[>:#$\]] )?[A-Z]{4,8}(?: [\w=-]+)* ", line)) and is_mixed(text, start, end)


def is_mixed(text: str, start: int, end: int) -> bool:
    """Tell of a value that holds a sign or a digit, but is no number."""
    value = text[start:end]
    return bool(re.search(r"[0-9!@#$%^&*+~?]", value)) and not value.isdigit() and is_real(text, start, end)


def _seed(text: str, start: int, end: int) -> bool:
    """Groups of base32 with a digit in them, in one case."""
    value = text[start:end]
    return bool(re.search(r"[2-7]", value)) and (value.islower() or value.isupper())


def _spare(text: str, start: int, end: int) -> bool:
    """Codes that open an account without its second factor, in a list of their own."""
    before, value = text[max(0, start - 80) : start].lower(), text[start:end]
    return bool(
        re.search(r"recovery|backup|scratch|one-time|2fa", before) and re.search(r"[a-z]\d|\d[a-z]|\d-\d", value)
    )


_ALL = (
    place(
        "private-key",
        r"(?P<s>-----begin[ +]" + _KEY_NAME + "-----"
        r"(?:[^-]*+(?:-(?!----)[^-]*+)*+-?-----end[ +]"
        + _KEY_NAME
        + "-----|"
        + _MATERIAL
        + r"*+(?:[a-z0-9+/=]{1,15}(?=[\s\"'.…\]]*\Z))?))",
        _key_block,
    ),
    place("private-key", r"private-lines: \d+\s+(?P<s>" + _MATERIAL + "++)"),
    place("private-key", r"(?P<s>" + _B64_PEM + ")"),
    place("url-password", r":(?:\\?/){2}[^\s/:@\"'<>`\\]*+:(?P<s>[^\s/\"'<>`\\]+)@", _url_password),
    place("url-token", r":(?:\\?/){2}(?P<s>[a-z0-9_.~-]{16,}+)@", _random),
    place("slack-webhook", r"hooks\.slack(?:-gov)?\.com\\?/(?:services|workflows|triggers)\\?/(?P<s>[\w/\\+-]{10,})"),
    place("webhook", r"hooks?\\?/\d{6,24}\\?/(?P<s>[\w-]{20,})"),
    place("teams-webhook", r"hook\.office\.com\\?/(?P<s>[\w@/.\\-]{20,})"),
    place("webhook", r"hooks\\?/catch\\?/\d{4,}\\?/(?P<s>[\w-]{5,})"),
    place("webhook", r"hooks\\?/(?:catch\\?/)?(?P<s>[\w/\\-]{6,})", long_random),
    place(
        "bearer-token",
        r"bearer[\"':]{0,2}[ \t]{1,4}(?:\\\r?\n[ \t]{0,8})?[\"'\\]{0,3}(?P<s>[a-z0-9._~+/=-]{8,})",
        _bearer,
    ),
    place("basic-auth", r"basic[ \t]{1,3}(?P<s>[a-z0-9+/_-]{6,}={0,2})", holds_login),
    place(
        "authorization", r"authorization" + _GAP + r"(?:[a-z0-9-]{2,20}[ \t]{1,3})?(?P<s>[^\s\"'`,;\\]{4,})", _header
    ),
    place("docker-auth", r"auth\\{0,3}[\"'][ \t]{0,3}:[ \t]{0,3}\\{0,3}[\"'](?P<s>[a-z0-9+/]{6,}={0,2})", holds_login),
    place("docker-auth", r"auth[ \t]?=[ \t]?[\"'\\]{0,3}(?P<s>[a-z0-9+/]{6,}={0,2})", holds_login),
    place("signature", r"sig(?:nature)?=(?P<s>[a-z0-9%+/=_~-]{20,})", _random),
    place("password", r"identified by [\"'\\]{1,4}(?P<s>[^\s\"'\\]{2,})"),
    place("netrc-password", r"login\s{1,3}\S{1,80}\s{1,8}password\s{1,3}(?P<s>[^\s\"'\\]{2,})"),
    place(
        "private-key",
        r"---- begin (?P<s>[a-z0-9 ]{0,40}private key ----[^-]*+(?:-(?!---)[^-]*+)*+---- end [a-z0-9 ]{0,40}key) ----",
        None,
    ),
    place("private-key", r"(?P<s>rwrty0iy[a-z0-9+/=]{40,})"),
    place(
        "jwt",
        r"(?P<s>eyj[\w-]{8,1024}+\.?(?:[\s\"'+\\]|\\n){1,12}\.?(?:eyj[\w-]{8,4096}+(?:[\s\"'+.\\]{1,12}[\w-]{20,})?))",
    ),
    place(
        "password-hash",
        r"(?P<s>\$(?:(?:1|2[abxy]?|5|6|7|y|apr1|argon2(?:id?|d)|scrypt|pbkdf2[\w-]*)\$[\w./$,=+-]{20,}|"
        r"(?<=-256\$)\d{1,7}:[\w+/=$:]{60,}|(?<=token\$)(?:production|sandbox)\$[a-z0-9]{8,64}\$[0-9a-f]{32}|"
        r"ansible_vault;[\w.;-]{3,60}(?:[\s\\>|+\"',]{1,40}[0-9a-f]{2,80}(?!\w)){1,4000}))",
        _hash,
    ),
    place(
        "pgpass-password",
        r":(?:\d{4,5}|\*):" + _FIELD + ":" + _FIELD + r":(?P<s>[^\s:\"'\\]{2,64})(?=\s|\Z)",
        _pg_password,
    ),
    place("password", r"d=\{(?P<s>[^}\n]{2,64})\}", _braced),
    place("password", r"convertto-securestring (?:-\w+ ){0,3}[\"'](?P<s>[^\"'\n]{3,128})[\"']"),
    place(
        "password",
        r"auth(?:(?:entication)?\(|[ \t]?=[ \t]?[\[(])[ \t]?"
        r"[\"'][^\"'\n]{1,64}[\"'],[ \t]?[\"'](?P<s>[^\"'\n]{3,64})[\"']",
        is_mixed,
    ),
    place("token", r"auth (?P<s>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![\w-])"),
    place("password", r"auth (?:plain |login )?(?P<s>\S{6,})(?=\s*(?:\n|\Z))", _shouted),
    place("password", r"pass (?P<s>\S{4,})(?=\r?\n(?:\S{0,24} )?(?:2|5)\d\d[ -])", _shouted),
    place("password", r"auth [\w.-]{1,64}:(?P<s>[^\s\"']{3,})(?=\s|\Z)", is_mixed),
    place(
        "token",
        r"login (?:--?[\w-]{1,20}=\S{1,64} ){0,3}(?P<s>(?:[a-z]\.)?[a-z0-9_]{20,})(?=[\s\"'`\\]|\Z)",
        long_random,
    ),
    place(
        "credentials", r"credentials?\([ \t]?[\"'][^\"'\n]{1,64}[\"'],[ \t]?[\"'](?P<s>[^\"'\n]{3,64})[\"']", is_mixed
    ),
    place("credentials", r"credentials?:?[ \t]{1,2}\S{1,64} ?[/:] ?(?P<s>[^\s\"'\\,]{5,64})", is_mixed),
    place("credentials", r"login (?:with |as |using )\S{1,64} / (?P<s>[^\s\"'\\,]{5,64})", is_mixed),
    place("otp-seed", r"key[:=]? {0,2}(?:is )?(?P<s>(?:[a-z2-7]{4}[ -]){3,15}[a-z2-7]{4})(?![a-z0-9])", _seed),
    place(
        "spare-code",
        r" codes(?: are)?:?\s{1,4}(?P<s>[a-z0-9]{4,12}(?:-[a-z0-9]{4,12}){0,2}"
        r"(?:[\s,*•-]{1,4}(?:\d{1,2}[.)] )?[a-z0-9]{4,12}(?:-[a-z0-9]{4,12}){0,2}(?=[\s,]|\Z)){0,20})",
        _spare,
    ),
    place("login-link", r"reset[_-]?(?:password|token)?[/=](?P<s>[\w.~-]{16,})", _random),
    place("oauth-code", r"code=(?P<s>[\w./%~-]{20,})", long_random),
    place("password", r"send (?:-- )?[\"'](?P<s>[^\"'\n\\]{3,64})\\{1,4}[rn ][\"'\\]", _prompted),
    place("password", r"/p:(?P<s>[^\s\"'\\]{3,64})", _remote),
    place("azure-client-secret", r"~(?<=q~)(?P<s>[a-z0-9_.~-]{30,})", _random),
    place("google-oauth", r"(?P<s>1//0[\w-]{20,})", _random),
    place("webhook-secret", r"(?P<s>whsec_[a-z0-9+/=_-]{16,})"),
)


_SHARED = (":", "auth", "hook", "login", "credential")
_FAMILIES = {head: [known for known in _ALL if known.head.startswith(head)] for head in _SHARED}
_ADDRESS = re.compile(r":(?:\\?/\\?/|(?:\d{4,5}|\*):)", re.ASCII)
PLACES = tuple(known for known in _ALL if not known.head.startswith(_SHARED))
PLACE_WORDS = (
    *(known.head for known in PLACES),
    *_SHARED[1:],
    "-----end",
    "kty",
    "@tcp(",
    "@unix(",
    "cookie",
    "base64",
)
"""One of these is in every text with a place; or an address, or fields between colons."""


def placed(scan: str, low: str, heads: Container[str]) -> Iterator[Span]:
    """Yield the secrets whose surroundings tell; `low` is `scan` in lower case, `heads` what is in it."""
    yield from of_family(_FAMILIES[":"], _ADDRESS, scan, low)
    for known in PLACES:
        if known.head in heads:
            yield from checked(known, scan, known.pattern.finditer(low))
    for head in _SHARED[1:]:
        if head in heads:
            yield from of_family(_FAMILIES[head], re.compile(head), scan, low)


def of_family(family: Iterable[Place], start: re.Pattern[str], scan: str, low: str) -> Iterator[Span]:
    """Yield what the places find that all begin with `start`, in one pass for all."""
    for begun in start.finditer(low):
        for known in family:
            if found := known.pattern.match(low, begun.start()):
                yield from checked(known, scan, (found,))


def checked(of: Place, scan: str, found: Iterable[re.Match[str]]) -> Iterator[Span]:
    """Yield the secret of each match that the place does not refuse."""
    for match in found:
        if of.check is None or of.check(scan, *match.span("s")):
            yield *match.span("s"), of.kind
