"""Secrets that stand alone in what a command prints: the command tells what they are, and they have no mark.

Only the call and its output together show it, so this is looked for where a call is kept, not in any text.
"""

import re

from nightschool.day.secret_shapes import MARK, stands_in

_LINES = 20  # at the beginning of an output; what comes later something else has printed
_NAME = r"[^\n]{0,140}?(?:token|secret|passw(?:or)?d|passphrase|api_?key|private_?key|credential)s?\b"
_ASKS = re.compile(
    r"\bop (?:read|item get)\b|\bpass (?:show\b|[\w.@-]+/[\w./@-]+[ \t]*(?:$|[|;&\n]))|\bbw get (?:password|totp)\b"
    r"|\blpass show\b|\bgopass (?:show|cat)\b|\bsecret-tool lookup\b|\bfind-(?:generic|internet)-password\b"
    r"|\bgcloud secrets versions access\b|\bprint-(?:access|identity)-token\b|\bget-access-token\b"
    r"|\bsecretsmanager get-secret-value\b|\bssm get-parameter|\bget-login-password\b|\bkeyvault secret show\b"
    r"|\bvault (?:kv get|read|print token)\b|\bdoppler secrets get\b|\binfisical secrets get\b|\bchamber read\b"
    r"|\bget secrets?\b[^\n]{0,400}(?:jsonpath|base64|template)|\bbase64 (?:-d|-D|--decode)\b|\binitial-password\b"
    r"|\b(?:auth|print|create|gen|generate|new|rotate|get)[-: ](?:access-|auth-|api-)?(?:token|password|secret|key)s?\b"
    r"|\bgh auth token\b|\btoken (?:create|new|issue)\b|\bjoin-token\b|\bwg gen(?:key|psk)\b|\bopenssl rand\b|\bpwgen\b"
    r"|\b(?:rails|rake) secret\b|\bsecrets\.token_|\bsops (?:-d|decrypt)\b|\bgpg\b[^\n]{0,200}(?:-d|--decrypt)\b"
    rf"|\b(?:echo|printenv|printf|print)\b{_NAME}",
    re.IGNORECASE,
)
_ALONE = re.compile(r"(?m)^[ \t]*[\"']?(?P<s>[^\s\"']{8,})[\"']?[ \t]*\r?$")
_RANDOM = re.compile(r"[0-9!@#$%^&*+~?=]|[a-z][A-Z]|[A-Z][a-z]+[A-Z]")


def without_asked(command: str, output: str) -> str:
    """Return the output without the values that stand alone on a line, where the command asks for a secret."""
    if not output or not _ASKS.search(command):
        return output
    lines = output.splitlines(keepends=True)
    return _ALONE.sub(_hidden, "".join(lines[:_LINES])) + "".join(lines[_LINES:])


def _hidden(line: re.Match[str]) -> str:
    value = line["s"]
    if not _RANDOM.search(value) or value.endswith(":") or stands_in(value) or MARK in value:
        return line[0]
    start, end = (place - line.start() for place in line.span("s"))
    return f"{line[0][:start]}[redacted:asked-for]{line[0][end:]}"
