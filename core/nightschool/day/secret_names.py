"""Values that are secret because of the name they are given to: `DB_PASS=…`, `"api_key": "…"`, "the password is …".

A name alone proves nothing: code passes tokens around all day. So a value is read as it would be in a shell, in JSON
(escaped or not), in YAML or in prose, and then judged: a password may be any word that is neither code nor talk about
passwords; a token or key has to look random.
"""

# ruff: noqa: PLR2004  lengths are part of a shape

import re
from collections.abc import Iterator
from typing import NamedTuple

from nightschool.day.secret_shapes import MARK, Span, has_digit, stands_in


class _Hit(NamedTuple):
    """A name, and the value it is given."""

    before: str  # of the name, up to the word that tells
    word: str
    after: str  # of the name
    sign: str  # `=`, `:`, `,`, `>`, `is` … or a blank
    spaced: bool  # blanks around the sign
    quoted: bool
    last: bool  # the value ends its sentence, line or item
    value: str


_SIGN = (
    r"(?P<after>[a-z0-9_-]{0,32}+)(?: \d{1,2}(?=[ \t]?[:=]))?(?P<close>(?:\\{0,7}[\"'`\])]|\*\*|__|\[\d{0,4}\]){0,4}+)"
    r"(?:[ \t]\[[a-z*]{0,24}\](?=:))?"  # AWS Secret Access Key [None]: …
    r"(?:[\s,\\:={]{1,14}+[\"'\\]{0,4}(?:value|default)[\"'\\]{0,4}(?=[ \t]{0,4}[:=]))?"  # {"name": "TOKEN", "value": …}
    r"(?:(?P<typed>[ \t]{0,4}(?::|as\b)[ \t]{0,4}[a-z_&][\w\[\].&'? ]{0,40}(?: \| none)?[ \t]{0,2}=(?![=>]))"
    r"|(?P<sign>(?:[ \t][\w:]{1,20}=[\"'][^\"'<>]{0,80}[\"']){1,3}>|</key>\s{0,20}<string>|[ \t]{1,8}(?:--?>?|[—–→]|\|)(?=[ \t])|は|"
    r"[ \t]{0,8}(?:=>|:=|={1,3}|!={1,2}|:|>|,|<-|\?=|\|\||\?\?|or(?= [\"'])|[({]))"
    r"|(?P<prose>(?:[ \t]{1,2}(?:for|of)(?:[ \t][\w.@-]{1,30}){1,3}?)?"
    r"(?:[ \t]{1,2}(?:is|was|ist|est|es|lautet|to|be|now|set|changed|reset|still|currently|has|been|should|will)\b|[ \t][éè](?=[ \t])|[ \t]from[ \t]\S{1,40}[ \t]to\b){1,4}:?)|(?=[ \t]))"
    r"(?P<blank>(?:\*\*|__)?[ \t]{0,8}(?:\*\*|!!?\w{1,10}[ \t]|[|>][+-]?(?=\r?\n))?(?:(?<=[:|>+-])(?<!->)\r?\n[ \t]{0,16})?(?:<!\[cdata\[)?)(?=[^\s)\]},;:])"
)
_NAMES = tuple(
    re.compile(f"(?P<word>{word}){_SIGN}", re.ASCII)
    for word in (
        r"pass(?:w(?:or)?ds?|phrases?|code|wort|w|e)?",
        r"pwd?",
        r"secrets?",
        r"tokens?",
        r"keys?",
        r"credentials?",
        r"sess(?:ion)?_?id",
        r"_pat(?![a-z])",
        r"_salt(?![a-z])",
    )
)
_ABROAD = tuple(
    (word, re.compile(f"(?P<word>{word}){_SIGN}", re.ASCII))
    for word in ("psk", "contraseña", "kennwort", "wachtwoord", "senha", "密码", "密碼", "パスワード", "비밀번호", "пароль", "hasło", "lösenord")
)
NAME_WORDS = ("pass", "pw", "secret", "token", "key", "credential", "sess", "_pat", "_salt", *(word for word, _ in _ABROAD))
"""One of these is in every name that is looked for."""

_NAME = re.compile(r"[\w-]*", re.ASCII)
_OPEN = re.compile(r"[rbfuRBFUL@]{0,2}(?P<open>\"{3}|'{3}|\\{0,7}[\"'`])", re.ASCII)
_BARE = re.compile(r"(?:[^\s\"'`\\&;<,]|,(?!\s)|&(?![\w.%-]{1,40}=|&)|\\(?![\snrtu\"'`/\\])){1,64}", re.ASCII)
_ALONE = re.compile(r"\Z|[\n\"'`&;]|\\| [\w-]+=", re.ASCII)
_LAST = re.compile(r"[\"'`)\]]*[.!?]?(?:\s*(?:\Z|\n|[\"'`\\,;}])| (?:and|for|on|but|so|please|if|in|at)\b)", re.ASCII)
_WORD = re.compile(r"[^\s\"'`]{0,19}+\s", re.ASCII)  # a short value at a glance: neither quoted nor `_LONG`
_CELL = re.compile(r"[ \t`]{0,8}\|")
_BESIDE = frozenset({"||", "??", "or", "(", "{"})
_DRAWN = frozenset({"-", "--", "->", "—", "–", "→", "|"})
_LONG = 20  # characters of a value that may be a secret without a sign before it
_JUDGED = 64  # characters of a value that are looked at, so that refusing many long ones stays cheap


def named(scan: str, low: str) -> Iterator[Span]:
    """Yield the secret values that names announce; `low` is `scan` in lower case, of the same length."""
    abroad = [pattern for word, pattern in _ABROAD if word in low]
    for pattern in (*_NAMES, *abroad):
        done = 0
        for match in pattern.finditer(low):
            nobodys = match["word"][0] == "k" and low[match.start() - 1 : match.start()] not in _KEY_BEFORE
            if nobodys or match.start() < done:
                continue
            talk = _is_talk(low, match)
            if (talk and _WORD.match(scan, match.end())) or not (read := _read(scan, match.end())):
                continue
            at, end, quoted = read
            if talk and end - at < _LONG:
                continue
            hit = _hit(scan, match, at, end, quoted=quoted)
            if hit and (kind := _kind(hit)):
                done = end if quoted or end - at < _JUDGED else _rest(scan, end)
                yield at, done, kind


def _is_talk(low: str, match: re.Match[str]) -> bool:
    """Tell of a name with a short word behind it, and no sign between, that it stands by itself: "the token was".

    What `_named_kind` would say as well, but at a fraction of the cost: prose and code are full of such words.
    """
    signed = match["sign"] or match["prose"] or match["typed"]
    before = low[match.start() - 1 : match.start()]
    return not signed and match["word"][0] in "tsc" and not (before.isalnum() or before in {"_", "-"})


def _hit(scan: str, match: re.Match[str], at: int, end: int, *, quoted: bool) -> _Hit | None:
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
        if not has_digit(scan[at:end]) or not (_LAST if sign != "|" else _CELL).match(scan, end):
            return None
        sign = ":"
    elif "<" in sign or sign == "は" or len(sign) > 3:
        sign = "="
    elif (sign == "," and not ((match["close"] or scan[start - 1 : start] == "{") and quoted)) or (sign == ">" and not scan.startswith("</", end)):
        return None
    return _Hit(
        before=before,
        word=scan[start : start + len(match["word"])],
        after=scan[match.start("after") : match.end("after")],
        sign=sign,
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


_NOT_A_SECRET = re.compile(
    r"[_-]?(?:hash|sha|md5|digest|checksum|fingerprint|thumb|name|type|count|limit|len|length|budget|expir|ttl|timeout|"
    r"version|re$|regex|pattern|class|size|index|idx|field|header|prefix|suffix|env|policy|kind|url|uri|path|file|dir|"
    r"usage|ref|arn|label|hint|rule|min|max|error|err$|msg|message|input|reset|require|valid|strength|prompt|format|"
    r"id$|ids$|at$|mode|scope|use|rate|per|map|list|store|stage|num|source|word_|manager|provider|param|column|status)"
)
_PUBLIC = (
    "public", "pub", "primary", "foreign", "sort", "cache", "partition", "hash", "idempotency", "object", "s3", "dedup",
    "group", "row", "index", "host", "ssh", "known", "i18n", "query", "lookup", "map", "dict", "routing", "max", "num",
)  # fmt: skip
_KEY_OWNERS = (
    "api", "access", "private", "account", "auth", "secret", "signing", "encryption", "encrypt", "master", "shared",
    "storage", "service", "subscription", "license", "webhook", "client", "app", "application", "consumer", "session",
    "jwt", "admin", "deploy", "bot", "write", "project", "integration", "unseal", "recovery",
)  # fmt: skip
_KEY_BEFORE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_- ")
_PASS_OWNERS = ("user", "require", "become", "db", "my", "root", "admin", "ssh", "mail", "smtp", "ftp")
_TALK = re.compile(
    r"(?:[a-z_.-]*(?:password|passwd|passphrase|pwd|secret|token|credential|apikey|api_key)[a-z_.?!-]*|"
    r"str|string|bytes|text|bool|boolean|int|integer|number|object|any|auto|optional|required|input|hidden|none|null|nil|"
    r"true|false|yes|no|on|off|wrong|right|good|bad|weak|strong|empty|missing|blank|same|safe|secure|plain|plaintext|"
    r"unknown|expired|correct|incorrect|valid|invalid|mandatory|long|short|case|unset|default|prompt|ask|needed|value|"
    r"values|field|word|not|the|this|that|an?|it|here|there|too|very|only|also|ok|okay|fine|pass|fail|user|username|name|"
    r"if|for|in|is|as|or|and|to|at|by|from|with|must|may|can|self|cls|bcrypt|argon|scrypt|redis|postgres_type|"
    r"case-sensitive|[a-z]+(?:ed|ing|ly|able|ible|ory|less|ful))\W*"
)
_CODE = re.compile(
    r"[A-Za-z_$@&*!][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_][\w$]*)*[(\[{]|[A-Za-z_$]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+(?:\W*$)|"
    r"[(\[{|]|[A-Za-z]:\\|\w+://|0x[0-9a-fA-F]{1,8}$|lambda\b|(?:sha|md)\d+[:-]|data:|![a-z]+$"
)
_PATH = re.compile(r"(?:~|\.{1,2})?/[\w./@-]*$")
_TERM = re.compile(
    r"(?:[a-z]*(?:sha|md|utf|base|v|pbkdf|argon|oauth|rfc|aes|http|ipv|win|py|python|x|latin|int|uint|p|s)\d+)"
)
_SPACE = re.compile(r"\s")
_FOUR_WORDS = re.compile(r"[a-z]+(?:[ -][a-z]+){3,}")
_PROMPT = re.compile(
    r"pass|enter|your|user|please|must|should|the\b|is\b|are\b|not\b|for\b|to\b|with\b|word|an?\b|or\b|of\b"
)
_SNAKE = re.compile(r"[a-z]+_(?:[a-z0-9_]*|[A-Za-z_]*)")
_TURN = re.compile(r"[a-z][A-Z]")
_HEX = re.compile(r"[0-9a-fA-F-]+")
_LETTERED = re.compile(r"[a-z]\.[A-Za-z0-9]{20,}")  # an old token of Vault
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-")
_DIGITS = re.compile(r"\d+")
_SYMBOL = re.compile(r"[!@#$%^&*+~?]")
_BREAK = re.compile(r"[^A-Za-z0-9]+")
_PART = re.compile(r"[A-Za-z]*\d{0,3}|\d+[a-z]{0,2}")


_WORDS_ABROAD = frozenset(word for word, _ in _ABROAD)


def _kind(hit: _Hit) -> str:
    """Name the kind of secret that the value is, or return nothing."""
    kind = "" if _NOT_A_SECRET.match(hit.after.lower()) or _other_word(hit) else _named_kind(hit)
    return "" if kind and (stands_in(hit.value) or MARK in hit.value) else kind


def _other_word(hit: _Hit) -> bool:
    """`tokenizer` and `secretary` are no token and no secret; `secretkey` is."""
    last, following = hit.word[-1], hit.after[:1]
    inner = following.isalpha() and last.islower() == following.islower()
    return inner and not hit.after.lower().startswith(("key", "access", "hex", "value", "base", "string"))


def _named_kind(hit: _Hit) -> str:
    word = hit.word.lower()
    if word in _WORDS_ABROAD:
        word = "password"
    if word == "_pat":
        return "token" if hit.word.isupper() and _is_random(hit.value, 20) else ""
    if word == "_salt":
        return "secret-key" if _is_random(hit.value, 20) and not _HEX.fullmatch(hit.value) else ""
    if word.startswith(("pass", "pw")):
        return "password" if _is_password(hit, word) else ""
    if word.startswith("key"):
        return "secret-key" if _is_key(hit) else ""
    if word.startswith("sess"):
        least = 16 if hit.sign == "=" and not hit.spaced else 24
        return "cookie" if hit.sign in {"=", ":"} and _is_random(hit.value, least) and not _UUID.search(hit.value) else ""
    if hit.sign == " " and not hit.before.startswith("--"):
        return word.rstrip("s") if _is_random(hit.value, 20) and len(_DIGITS.findall(hit.value)) > 1 else ""
    return word.rstrip("s") if _is_secret(hit) else ""


def _is_key(hit: _Hit) -> bool:
    """An API key is a secret; a key that nobody is named to own is one when it is long and random, and no hash."""
    owner = hit.before.lower().rstrip("_- ")
    if owner.endswith(_KEY_OWNERS):
        return _is_random(hit.value, 20) if hit.sign == " " and not hit.before.startswith("--") else _is_secret(hit)
    owned = hit.before[-1:] in {"_", "-"} and hit.sign in {"=", ":"} and not owner.endswith(_PUBLIC)
    return owned and _is_random(hit.value, 20) and not _HEX.fullmatch(hit.value)


def _is_password(hit: _Hit, word: str) -> bool:
    """A password may be any word, so what code and prose say about passwords is ruled out instead."""
    value = hit.value
    if len(value) < 3 or _TALK.fullmatch(value.lower()) or (word == "pass" and _is_verb(hit)):
        return False
    mixed = has_digit(value) or value.endswith("=") or bool(_SYMBOL.search(value))
    if hit.quoted and _SPACE.search(value):
        return _is_phrase(hit, word)
    if hit.quoted:
        return hit.sign != "," or mixed
    if hit.sign == " " and value.startswith("*"):  # C: a pointer to one
        return False
    return not _CODE.match(value) and _is_bare_password(hit, word, mixed)


def _is_verb(hit: _Hit) -> bool:
    """`pass` alone is a verb or a test's outcome, and `bypass` is another word; `db_pass` and `"pass": "…"` tell."""
    if hit.quoted and (not hit.value.isascii() or _SPACE.search(hit.value)):  # what a passed test is called
        return True
    if hit.before:
        return hit.before.isalpha() and not hit.before.lower().endswith(_PASS_OWNERS)
    outcome = not hit.quoted and (hit.sign == ":" or hit.value.isdigit())
    return outcome or hit.sign in {" ", ",", "is"}


def _is_phrase(hit: _Hit, word: str) -> bool:
    """Four plain words are a passphrase unless they talk; other phrases need a digit, which prompts rarely have."""
    value = hit.value
    if _FOUR_WORDS.fullmatch(value) and hit.sign != ",":
        return not _PROMPT.search(value)
    return word.startswith("passphrase") or (has_digit(value) and value[-1] not in ".:?" and value[0] not in ")],} ")


def _is_bare_password(hit: _Hit, word: str, mixed: bool) -> bool:
    value, flag = hit.value, hit.before.startswith("--")
    if flag or (hit.sign == "=" and not hit.spaced and hit.word.isupper()):
        return not value.startswith("-") and not _PATH.match(value)
    if value.isdigit():
        return hit.sign in {"=", ":"} and len(value) > 3 and not word.endswith("s")
    if mixed:
        return (
            len(value) >= 5
            and not _PATH.match(value)
            and not _TERM.fullmatch(value.lower())
            and not _SNAKE.fullmatch(value)
        )
    told = hit.last and word.startswith("passw") and (hit.sign in {"is", ":"} or (hit.sign == "=" and not hit.spaced))
    return told and value.islower() and value.isalpha() and len(value) >= 6


def _is_secret(hit: _Hit) -> bool:
    """Secrets and tokens are random; what is spelled like an identifier is not one."""
    value = hit.value
    if hit.quoted:
        return _is_random(value, 8)
    if not _is_random(value, 8) or (_CODE.match(value) and not _LETTERED.fullmatch(value)):
        return False
    named = (
        len(value) >= 32
        or hit.word.isupper()
        or hit.before.startswith("--")
        or hit.sign in {":", "is"}
        or not hit.spaced
    )
    return named or (len(value) >= 12 and len(_DIGITS.findall(value)) > 1)


def _is_random(value: str, least: int) -> bool:
    """Tell whether a value has letters and digits as no word, version, path or date has them."""
    if len(value) < least or re.search(r"\s|://", value) or not re.search(r"[A-Za-z]", value):
        return False
    if not has_digit(value):
        return (value.isalpha() and _jumbled(value)) or _symbols(value)
    return not all(_PART.fullmatch(part) and not _jumbled(part) for part in _BREAK.split(value)) or _symbols(value)


def _jumbled(part: str) -> bool:
    """Capitals change more often than in any camelCase."""
    return len(part) >= 16 and len(_TURN.findall(part)) * 5 >= len(part)


def _symbols(value: str) -> bool:
    return len(value) >= 8 and len(_SYMBOL.findall(value)) > 1 and not re.match(r"[\[(<{]", value)
