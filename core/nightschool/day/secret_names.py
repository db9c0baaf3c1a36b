"""Values that are secret because of the name they are given to: `DB_PASS=…`, `"api_key": "…"`, "the password is …".

A name alone proves nothing: code passes tokens around all day. So a value is read as it would be in a shell, in JSON
(escaped or not), in YAML or in prose, and then judged: a password may be any word that is neither code nor talk about
passwords; a token or key has to look random.
"""

# ruff: noqa: PLR2004  lengths are part of a shape

import re
from collections.abc import Container, Iterator

from nightschool.day.secret_shapes import MARK, Span, has_digit
from nightschool.day.secret_values import KEY_OWNERS, WORDS_ABROAD, Hit, is_mingled, kind_of

_WRAPPED = (  # what a value is put into where it is written: `SecretStr("…")`, `[]byte("…")`, `Some("…")`
    r"(?:\[\]byte|some|(?:std::|pydantic\.)?(?:secret)?str(?:ing)?(?:\.from|::from)?|secret|bytes|buffer\.from|"
    r"(?:base64\.)?b64decode|quote(?:_plus)?)"
)
_SIGN = (
    r"(?P<after>[a-z0-9_-]{0,32}+)(?: \d{1,2}(?=[ \t]?[:=]))?(?P<close>(?:\\{0,7}[\"'`\])]|\*\*|__|\[\d{0,4}\]){0,4}+)"
    r"(?:[ \t]\[[a-z*]{0,24}\](?=:))?"  # AWS Secret Access Key [None]: …
    r"(?:[\s,\\:={]{1,14}+[\"'\\]{0,4}(?:type|sensitive|version|tier)[\"'\\]{1,4}[ \t]{0,4}:[ \t]{0,4}"
    r"[\"'\\]{0,4}\w{1,24}[\"'\\]{0,4}(?=,)){0,4}"  # {"db_password": {"sensitive": true, "value": "…"
    r"(?:[\s,\\:={]{1,14}+[\"'\\]{0,4}(?:value|default)[\"'\\]{0,4}(?=[ \t]{0,4}[:=]))?"  # {"name": …, "value": …}
    r"(?:(?P<typed>[ \t]{0,4}(?::|as\b)[ \t]{0,4}[a-z_&][\w\[\].&'? ]{0,40}(?: \| none)?[ \t]{0,2}=(?![=>])|"
    r"[ \t]{1,4}(?:string|n?varchar\(\w{1,4}\))[ \t]{0,4}=(?=[ \t]{0,4}n?[\"']))"
    r"|(?P<sign>(?:[ \t][\w:]{1,20}=[\"'][^\"'<>]{0,80}[\"']){1,3}>|</key>\s{0,20}<string>|"
    r"[ \t]{1,8}(?:--?>?|[\u2014\u2013\u2192]|\|)(?=[ \t])|は|"
    r"(?<=[^\\]\")(?:\r?\n|\\ ){2,4}(?=\S)|"  # a field of a form
    r"[ \t]{0,8}(?:=>|:=|={1,3}|!={1,2}|:|>|,|<-|<<<|\?=|\|\|=?|\?\?=?|or(?= [\"'])|[({]))"
    r"|(?P<prose>(?:[ \t]{1,2}(?:for|of)(?:[ \t][\w.@-]{1,30}){1,3}?)?"
    r"(?:[ \t]{1,2}(?:is|was|ist|est|es|lautet|"
    r"to|be|now|set|changed|reset|still|currently|has|been|should|will)\b|"
    r"[ \t][éè](?=[ \t])|[ \t]from[ \t]\S{1,40}[ \t]to\b){1,4}:?)|(?=[ \t]))"
    r"(?P<blank>(?:\*\*|__)?[ \t]{0,12}(?:\*\*|!!?\w{1,10}[ \t]|[|>][+-]?(?=\r?\n))?"
    r"(?:(?<=[:|>+-])(?<!->)\r?\n[ \t]{0,16}(?:- )?)?(?:string\(\d{1,5}\) |<!\[cdata\[)?"
    r"(?:(?P<list>\[)\s{0,40}(?=\\{0,7}[\"'])|" + _WRAPPED + r"\([ \t]{0,4}(?=[rb]?[\"']))?)(?=[^\s)\]},;:])"
)
_NAMES = {
    head: re.compile(f"(?P<word>{head}{rest}){_SIGN}", re.ASCII)
    for head, rest in (
        ("pass", r"(?:w(?:or)?ds?|phrases?|code|wort|w|e)?"),
        ("pw", r"d?"),
        ("secret", r"s?"),
        ("token", r"s?"),
        ("key", r"s?"),
        ("credential", r"s?"),
        ("sess", r"(?:ion)?_?id"),
        ("_pat", r"(?![a-z])"),
        ("_salt", r"(?![a-z])"),
        *((word, "") for word in WORDS_ABROAD),
    )
}
NAME_WORDS = tuple(_NAMES)
"""One of these is in every name that is looked for."""

_NAME = re.compile(r"[\w-]*", re.ASCII)
_OPEN = re.compile(r"[rbfuRBFULN@]{0,2}(?P<open>\"{3}|'{3}|\\{0,7}[\"'`])", re.ASCII)
_BARE = re.compile(r"(?:[^\s\"'`\\&;<,]|,(?!\s)|&(?![\w.%-]{1,40}=|&)|\\(?![\snrtu\"'`/\\])){1,64}", re.ASCII)
_ALONE = re.compile(r"\Z|[\n\"'`&;]|\\| [\w-]+=", re.ASCII)
_LAST = re.compile(r"[\"'`)\]]*[.!?]?(?:\s*(?:\Z|\n|[\"'`\\,;}])| (?:and|for|on|but|so|please|if|in|at)\b)", re.ASCII)
_WORD = re.compile(r"[^\s\"'`]{0,19}+\s", re.ASCII)  # a short value at a glance: neither quoted nor `_LONG`
_CLOSED = re.compile(r"\s{0,40}</")  # `<password>` with its value on a line of its own
_CELL = re.compile(r"[ \t`]{0,8}\|")
_KEY_BEFORE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_- ")
_BESIDE = frozenset({"||", "??", "or", "(", "{"})
_DRAWN = frozenset({"-", "--", "->", "\u2014", "\u2013", "\u2192", "|"})
_ASSIGNS = re.compile(r"[A-Za-z_]\w*=(?=[^=\s])")  # the line after a name has a name of its own
_ITEM = re.compile(r"\\{0,7}[\"'],\s{0,40}\\{0,7}[\"'](?P<s>[^\"'\\\n]{1,4096})(?=\\{0,7}[\"'])")
_LINE = re.compile(r"[\"']?\r?\n[ \t]{0,16}- [\"']?(?P<s>[^\s\"']{1,4096})")
_CHANGE = re.compile(r"\\{0,7}\"[ ]->[ ]\\{0,7}\"(?P<s>[^\"\\\n]{1,4096})(?=\\{0,7}\")")
_LONG = 20  # characters of a value that may be a secret without a sign before it
_JUDGED = 64  # characters of a value that are looked at, so that refusing many long ones stays cheap


def named(scan: str, low: str, heads: Container[str]) -> Iterator[Span]:
    """Yield the secret values that names announce; `low` is `scan` in lower case, `heads` what is in it."""
    for pattern in [pattern for head, pattern in _NAMES.items() if head in heads]:
        done = 0
        for match in pattern.finditer(low):
            nobodys = match["word"][0] == "k" and not _is_owned(low, match.start())
            if nobodys or match.start() < done:
                continue
            talk = _is_talk(low, match)
            if (talk and _WORD.match(scan, match.end())) or not (read := _read(scan, match.end())):
                continue
            at, end, quoted = read
            if talk and end - at < _LONG:
                continue
            hit = _hit(scan, match, at, end, quoted=quoted)
            if hit and (kind := kind_of(hit)):
                done = end if quoted or end - at < _JUDGED else _rest(scan, end)
                yield at, done, kind
                items = _ITEM if match["list"] else _LINE if "- " in match["blank"] else _CHANGE
                yield from ((*more, kind) for more in _others(scan, done, hit, items))


def _is_owned(low: str, at: int) -> bool:
    """Tell whether a key may be somebody's: `api_key`, `stripe.api.key`; not `row.key`, `[key`."""
    before = low[at - 1 : at]
    return before in _KEY_BEFORE or (before == "." and low.endswith(KEY_OWNERS, max(0, at - 16), at - 1))


def _others(scan: str, at: int, hit: Hit, items: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield what follows a value under the same name: the rest of a list, or what a plan changes it to."""
    while other := items.match(scan, at):
        at = other.end()
        if kind_of(hit._replace(value=other["s"][:_JUDGED])):
            yield other.span("s")


def _is_talk(low: str, match: re.Match[str]) -> bool:
    """Tell of a name with a short word behind it, and no sign between, that it stands by itself: "the token was".

    What `_named_kind` would say as well, but at a fraction of the cost: prose and code are full of such words.
    """
    signed = match["sign"] or match["prose"] or match["typed"]
    before = low[match.start() - 1 : match.start()]
    return not signed and match["word"][0] in "tsc" and not (before.isalnum() or before in {"_", "-"})


def _hit(scan: str, match: re.Match[str], at: int, end: int, *, quoted: bool) -> Hit | None:
    """Gather what is known of a name and its value; None when the sign between them makes it no assignment."""
    start = match.start()
    back = _NAME.match(scan[max(0, start - 40) : start][::-1])
    before = back[0][::-1] if back else ""
    if scan.endswith(MARK, 0, start - len(before)):  # a word of our own placeholder
        return None
    if not before and match["word"].startswith("key"):
        before = scan[max(0, start - 16) : start]  # "api key"
    written = match["sign"] or " "
    sign = "is" if match["prose"] else "=" if match["typed"] else written.strip() or " "
    if sign in _BESIDE:
        if not quoted or (sign in {"(", "{"} and match["word"][0] != "p"):
            return None
        sign = ","  # a call or another way: not more than what stands beside it
    elif "\n" in match["blank"] or sign in _DRAWN:
        ends = _CELL if sign == "|" else _CLOSED if sign == ">" else _LAST
        if (
            not (has_digit(scan[at:end]) or is_mingled(scan[at:end]))
            or not ends.match(scan, end)
            or _ASSIGNS.match(scan, at)
        ):
            return None
        sign = ":"
    elif "<" in sign or sign == "は" or len(sign) > 3:
        sign = "="
    elif (sign == "," and not ((match["close"] or scan[start - 1 : start] == "{") and quoted)) or (
        sign == ">" and not scan.startswith(("</", "]]></"), end)
    ):
        return None
    return Hit(
        before=before,
        word=scan[start : start + len(match["word"])],
        after=scan[match.start("after") : match.end("after")],
        sign="[" if match["list"] else sign,
        spaced=bool(match["blank"]) or written[0] in " \t",
        quoted=quoted,
        last=bool((_ALONE if sign == "=" else _LAST).match(scan, end)),
        value=scan[at : min(end, at + _JUDGED)],
    )


def _read(scan: str, at: int) -> tuple[int, int, bool] | None:
    """Return where the value at `at` begins and ends, and whether it is quoted. None: it is no value."""
    opened = _OPEN.match(scan, at)
    if not opened:
        bare = _BARE.match(scan, at)
        return (at, at + len(bare[0].rstrip(".,:)]}>")), False) if bare else None
    quote, start = opened["open"], opened.end()
    end = scan.find(quote, start, start + 4096)
    while end > 0 and scan[end - 1] == "\\":
        end = scan.find(quote, end + 1, start + 4096)
    if end < 0:  # cut off by the end of the text, or not a quote
        bare = _BARE.match(scan, start)
        return (start, bare.end(), True) if bare and bare.end() >= len(scan.rstrip()) else None
    return (start, end, True) if "\n" not in scan[start:end] else None


def _rest(scan: str, end: int) -> int:
    """Return where a bare value really ends that was longer than what is judged of it."""
    while more := _BARE.match(scan, end):
        end = more.end()
    return end
