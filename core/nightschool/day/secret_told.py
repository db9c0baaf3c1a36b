"""Secrets that a tool tells in words of its own, or is told without a flag: tables of phrases and commands.

Read as the places are (`secret_places`): each begins with a literal, in lower case, and its repetitions are bounded.
"""

import re
from collections.abc import Container, Iterator

from nightschool.day.secret_places import Place, checked, is_mixed, long_random, of_family, place
from nightschool.day.secret_shapes import Span, is_real

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])"
_QUOTED = r"[\"'][^\"'\n]{1,200}[\"'],[ \t]?"
_WORDS = r"[:=]?\W{1,4}(?:1[.)] ?)?(?P<s>(?:[a-z]{3,8}(?:[ ,]{1,2}|\s{1,3}\d{1,2}[.)] ?)){11,23}[a-z]{3,8})"


def _mnemonic(text: str, start: int, end: int) -> bool:
    """The words of a wallet; prose of that length has one of these in it, which no wallet's list has."""
    return not re.search(r"(?i)\b(?:the|and|for|with|are|was|not|but|from|its|has)\b", text[start:end])


def _net_use(text: str, start: int, end: int) -> bool:
    return "net use " in text[max(0, start - 200) : start].lower() and is_mixed(text, start, end)


TOLD = (
    # what a program is given in its place
    place("password", r"http-basic\.\S{1,60} \S{1,80} [\"']?(?P<s>[^\s\"'\\]{3,})"),
    place(
        "password",
        r"rabbitmqctl (?:-\S{1,40} ){0,3}(?:add_user|change_password|authenticate_user) \S{1,64} "
        r"[\"']?(?P<s>[^\s\"'\\]{3,})",
    ),
    place("password", r"thin:[^\s/@:]{1,40}/(?P<s>[^\s@\"'\\]{2,64})@"),
    place("password", r"sqlplus (?:-\S{1,10} ){0,3}[\"']?[^\s/@\"']{1,40}/(?P<s>[^\s@\"'\\]{2,64})@"),
    Place("password", "/add", re.compile(r"net user \S{1,64} [\"']?(?P<s>[^\s\"'/\\]{3,64})[\"']? /add"), is_real),
    place("password", r"/user:\S{1,64} [\"']?(?P<s>[^\s\"'/\\]{3,64})", _net_use),
    place("cookie", r"-setcookie [\"']?(?P<s>[\w-]{12,})"),
    place(
        "password",
        r"sql:(?<=[\"'](?:my|pg)sql:)[^\"'\n]{1,200}[\"'],[ \t]?" + _QUOTED + r"[\"'](?P<s>[^\"'\n]{3,64})[\"']",
        is_mixed,
    ),
    # what a program says
    place("wifi-password", r"key content[ \t]{1,20}:[ \t](?P<s>\S{8,63})"),
    place("wifi-password", r"wifi:(?:[a-oq-z]:[^;\n]{0,64};){0,4}p:(?P<s>[^;\n]{4,64});"),
    place("secret-id", r"secret[_ -]?id\\?[\"']?[ \t]{0,20}[:=]?[ \t]{0,20}\\?[\"']?(?P<s>" + _UUID + ")"),
    place("session-key", r"bw_session=\\?[\"']?(?P<s>[\w+/]{40,}={0,2})", long_random),
    place("wallet-phrase", r"phrase(?: is| to [a-z ]{1,40})?" + _WORDS, _mnemonic),
    place("wallet-phrase", r"mnemonic(?: is)?" + _WORDS, _mnemonic),
    place("wallet-key", r"dumpprivkey[^\n]{0,80}\n(?P<s>[5klc9][1-9a-z]{50,51})(?!\w)"),
    place("cookie", "e\t" r"\d{1,12}\t[\w.-]{1,64}\t(?P<s>[^\s]{8,})"),
    # addresses that let in whoever knows them
    place("url-key", r"/key/(?P<s>[\w-]{20,})", long_random),
    place("url-key", r"/private-(?P<s>[0-9a-f]{32})(?!\w)"),
)
_PASSWORD = re.compile(r"password(?= is gen|(?: is|:|=)[ \t]|(?<=random_password)|[a-z ,()/.-]{0,80}+:[ \t]*\r?\n)")
_OF_PASSWORDS = (
    place("password", r"password is generated for \S{1,80}: (?P<s>\S{4,64})"),
    place(
        "password",
        r"password[a-z ,()/.-]{0,80}+:[ \t]*(?:\r?\n[ \t]*){1,3}(?P<s>[\w+/=-]{16,64})(?=\s*?(?:\n|\Z))",
        long_random,
    ),
    place(
        "password",
        r"password(?<=random_password)[^\0]{1,1500}?\bresult\\?[\"']? ?[:=] ?\\?[\"'](?P<s>[^\"'\n\\]{4,})",
    ),
    place(
        "app-password",
        r"password(?<=app password)(?: is|:|=)[ \t]{1,4}[\"'`]?(?P<s>(?:[a-z]{4}[ ]){3}[a-z]{4})(?![a-z])",
    ),
)
_BY_HEAD = tuple((entry.head, entry) for entry in TOLD)
TOLD_WORDS = tuple({entry.head for entry in TOLD})
"""One of these is in every text with such a secret."""


def told(scan: str, low: str, heads: Container[str]) -> Iterator[Span]:
    """Yield the secrets of these tables; `low` is `scan` in lower case, `heads` what is in it."""
    for entry in [entry for head, entry in _BY_HEAD if head in heads]:
        yield from checked(entry, scan, entry.pattern.finditer(low))
    if "password" in heads:
        yield from of_family(_OF_PASSWORDS, _PASSWORD, scan, low)
