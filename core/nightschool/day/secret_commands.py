"""Passwords on command lines, by the program's own flag: `mysql -p…`, `curl -u user:…`, `zip -P …`, `… | sudo -S`.

A flag alone means nothing: `-p` is a port to `ssh` and a pipe to `unzip`. So a flag is found first, and the program is
looked for before it, in the same command; what is known of a command is carried from one flag to the next, so that
each character is looked at once.
"""

import re
from collections.abc import Container, Iterator
from typing import NamedTuple

from nightschool.day.secret_places import is_mixed
from nightschool.day.secret_shapes import Span, is_real


class _Option(NamedTuple):
    """A flag that takes a secret: of which programs, and how the secret is written behind it."""

    programs: frozenset[str]
    attached: bool  # `-psecret`
    spaced: bool  # `-p secret`, `-p=secret`
    within: str = ""  # `user:password` has `:` before the password


def _option(programs: str, form: str, within: str = "") -> _Option:
    return _Option(frozenset(programs.split()), "a" in form, "s" in form, within)


_WEB = "curl wget http https xh lftp aria2c"
_OPTIONS = {
    "-p": (
        _option("mysql mariadb 7z", "a"),
        _option("sshpass login mongo psexec", "as"),
    ),
    "-P": (_option("zip unzip zipcloak sqlcmd bcp", "as"),),
    "-w": (_option("ldap security", "s"),),
    "-k": (_option("openssl", "s"),),
    "-a": (_option("redis-cli", "s"), _option(_WEB, "s", ":")),
    "--auth": (_option(_WEB, "s", ":"),),
    "--pass": (_option("redis-cli", "s"),),
    "-u": (_option(_WEB, "as", ":"),),
    "--user": (_option(_WEB, "s", ":"),),
    "--proxy-user": (_option(_WEB, "s", ":"),),
    "-U": (_option("smbclient rpcclient smbmap", "as", "%"), _option(_WEB, "as", ":")),
    "-b": (_option("secret htpasswd", "s"),),
    "--body": (_option("secret", "s"),),
    "--value": (_option("secret put-parameter", "s"),),
    "--secret-string": (_option("secretsmanager", "s"),),
    "-pass": (_option("openssl", "s", "pass:"),),
    "-passin": (_option("openssl", "s", "pass:"),),
    "-passout": (_option("openssl", "s", "pass:"),),
}
_PROGRAM = re.compile(
    r"(?<![\w.-])(?:(curl|wget|https?|xh|lftp|aria2c|sshpass|login|psexec|zip|unzip|zipcloak|sqlcmd|bcp|security|openssl|"
    r"redis-cli|smbclient|rpcclient|smbmap|put-parameter|secretsmanager|htpasswd)(?:\.exe)?(?![\w-])|(mysql|mariadb|mongo|7z|ldap)[\w-]*|"
    r"(secret)s? (?:set|put|create))"
)
_FLAG = re.compile(  # `-` first, for a literal at its head makes a search fast
    r"-(?<=[ \t\"']-)"
    r"(?P<flag>(?:pass(?:in|out)?(?![a-z])|[pPwkabuU]|-(?:proxy-)?user|-auth|-pass|-body|-value|-secret-string)"
    r"(?:(?P<gap>[ \t=]|\\?[\"'],[ \t]?)|(?=[^\s-])))"
)
_VALUE = re.compile(r"\\{0,3}(?P<quote>[\"']?)(?P<s>[^\s\"'\\]+)")
_BREAK = re.compile(r"(?<!\\)(?<!\\\r)\n|(?:\||;|&&) ")

_PIPED = re.compile(
    r"\| ?(?:sudo (?:-\S+ )*-\w*s\b|(?:sudo )?chpasswd|(?:sudo )?cryptsetup|passwd |"
    r"(?P<coded>base64\b)|"
    r"[^\n|]{0,120}?(?:--[a-z-]*stdin|--data-file[= ]-|--with-token|secrets? (?:set|put|create)|/dev/stdin))"
)
_ECHO = re.compile(
    r"(?:echo|printf)(?: -\w+)*(?: \\?[\"']%s(?:\\n)?\\?[\"'])? \\?[\"']?"
    r"(?P<user>\w{1,32}:(?=\S*[\"']? ?$))?(?P<s>[^\s\"'\\]{3,}) ?\\?[\"']? ?$"
)


def commanded(scan: str, low: str, heads: Container[str]) -> Iterator[Span]:
    """Yield the passwords that programs are given by flags, or through a pipe; `low` is `scan` in lower case."""
    at, called = 0, set[str]()
    for match in _FLAG.finditer(scan):
        flag, start = match[0][: len(match[0]) - len(match["gap"] or "")], match.start() - 1
        if flag not in _OPTIONS:
            continue
        *earlier, rest = _BREAK.split(low[max(at, start - 4096) : start])
        called = {name for found in _PROGRAM.findall(rest) for name in found if name} | (set() if earlier else called)
        at = start
        for option in _OPTIONS[flag]:
            if called & option.programs and (value := _value(scan, match, option)):
                yield *value, "curl-user" if option.within == ":" else "password"
    if "echo " in heads or "printf " in heads:
        yield from _piped(scan, low)


def _value(scan: str, match: re.Match[str], option: _Option) -> tuple[int, int] | None:
    """Return where the secret behind a flag stands: to the closing quote, or to the next blank."""
    value = _VALUE.match(scan, match.end())
    if not value or not (option.spaced if match["gap"] else option.attached):
        return None
    start, end = value.span("s")
    if value["quote"]:
        closed = scan.find(value["quote"], start, start + 256)
        end = closed if closed > 0 and "\n" not in scan[start:closed] else end
    if option.within:
        inner = scan.find(option.within, start, end)
        if inner < 0 or (inner == start and option.within == "%"):
            return None
        start = inner + len(option.within)
    word = scan[start:end]
    plain = word.isdigit() and option.within == "" and bool(match["gap"])  # a number after `-p` is a port
    return (start, end) if len(word) > 1 and word[0] != "-" and not plain and is_real(scan, start, end) else None


def _piped(scan: str, low: str) -> Iterator[Span]:
    """Yield what is echoed into a program that reads a password."""
    for pipe in _PIPED.finditer(low):
        begin = max(0, pipe.start() - 400)
        told = _ECHO.search(
            scan[
                scan.rfind("\n", begin, pipe.start()) + 1
                if "\n" in scan[begin : pipe.start()]
                else begin : pipe.start()
            ]
        )
        if not told or (pipe["coded"] and not (told["user"] and is_mixed(told["s"], 0, len(told["s"])))):
            continue
        if is_real(told["s"], 0, len(told["s"])):
            shift = pipe.start() - len(told.string)
            yield shift + told.start("s"), shift + told.end("s"), "password"
