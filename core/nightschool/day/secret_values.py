"""Whether a value that a name announces is a secret: a password may be any word, a token or key has to look random."""

# ruff: noqa: PLR2004  lengths are part of a shape

import re
from typing import NamedTuple

from nightschool.day.secret_shapes import MARK, has_digit, stands_in

WORDS_ABROAD = (
    "psk",
    "contraseña",
    "kennwort",
    "wachtwoord",
    "senha",
    "密码",
    "密碼",
    "パスワード",
    "비밀번호",
    "пароль",
    "hasło",
    "lösenord",
)
"""What a password is called in other languages, and on a wireless network."""


class Hit(NamedTuple):
    """A name, and the value it is given."""

    before: str  # of the name, up to the word that tells
    word: str
    after: str  # of the name
    sign: str  # `=`, `:`, `,`, `>`, `is`, `[` before a list … or a blank
    spaced: bool  # blanks around the sign
    quoted: bool
    last: bool  # the value ends its sentence, line or item
    value: str


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
KEY_OWNERS = (
    "api", "access", "private", "account", "auth", "secret", "signing", "encryption", "encrypt", "master", "shared",
    "storage", "service", "subscription", "license", "webhook", "client", "app", "application", "consumer", "session",
    "jwt", "admin", "deploy", "bot", "write", "project", "integration", "unseal", "recovery",
    "priv", "validation", "decryption", "decrypt", "hmac",
)  # fmt: skip
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
_LETTERED = re.compile(r"[a-z]\.[A-Za-z0-9]{20,}|[a-z0-9]{6}\.[a-z0-9]{16}")  # old tokens of Vault; of kubeadm
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-")
_SIGNS = re.compile(r"[^A-Za-z]+")
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_DIGITS = re.compile(r"\d+")
_SYMBOL = re.compile(r"[!@#$%^&*+~?]")
_BREAK = re.compile(r"[^A-Za-z0-9]+")
_PART = re.compile(r"[A-Za-z]*\d{0,3}|\d+[a-z]{0,2}")


def kind_of(hit: Hit) -> str:
    """Name the kind of secret that the value is, or return nothing."""
    kind = "" if _NOT_A_SECRET.match(hit.after.lower()) or _other_word(hit) else _named_kind(hit)
    return "" if kind and (stands_in(hit.value) or MARK in hit.value) else kind


def _other_word(hit: Hit) -> bool:
    """`tokenizer` and `secretary` are no token and no secret; `secretkey` is."""
    last, following = hit.word[-1], hit.after[:1]
    inner = following.isalpha() and last.islower() == following.islower()
    return inner and not hit.after.lower().startswith(("key", "access", "hex", "value", "base", "string"))


def _named_kind(hit: Hit) -> str:
    word = hit.word.lower()
    if word in WORDS_ABROAD:
        word = "password"
    if word.startswith("_"):  # `GITHUB_PAT`, `NONCE_SALT`
        telling = hit.word.isupper() if word == "_pat" else not _HEX.fullmatch(hit.value)
        return "token" if telling and _is_random(hit.value, 20) else ""
    if word.startswith(("pass", "pw")):
        return "password" if _is_password(hit, word) else ""
    if word.startswith("key"):
        return "secret-key" if _is_key(hit) else ""
    if word.startswith("sess"):
        least = 16 if hit.sign == "=" and not hit.spaced else 24
        return (
            "cookie" if hit.sign in {"=", ":"} and _is_random(hit.value, least) and not _UUID.search(hit.value) else ""
        )
    if hit.sign == " " and not hit.before.startswith("--"):
        return word.rstrip("s") if _is_random(hit.value, 20) and len(_DIGITS.findall(hit.value)) > 1 else ""
    return word.rstrip("s") if _is_secret(hit) else ""


def _is_key(hit: Hit) -> bool:
    """An API key is a secret; a key that nobody is named to own is one when it is long and random, and no hash."""
    owner = hit.before.lower().rstrip("_- .")
    if owner.endswith(KEY_OWNERS):
        return _is_random(hit.value, 20) if hit.sign == " " and not hit.before.startswith("--") else _is_secret(hit)
    owned = hit.before[-1:] in {"_", "-"} and hit.sign in {"=", ":"} and not owner.endswith(_PUBLIC)
    return owned and _is_random(hit.value, 20) and not _HEX.fullmatch(hit.value)


def _is_password(hit: Hit, word: str) -> bool:
    """A password may be any word, so what code and prose say about passwords is ruled out instead."""
    value = hit.value
    if len(value) < 3 or _TALK.fullmatch(value.lower()) or (word == "pass" and _is_verb(hit)):
        return False
    mixed = has_digit(value) or value.endswith("=") or bool(_SYMBOL.search(value)) or is_mingled(value)
    if hit.quoted and _SPACE.search(value):
        return _is_phrase(hit, word)
    if hit.quoted:
        return hit.sign not in {",", "["} or mixed
    if hit.sign == " " and value.startswith("*"):  # C: a pointer to one
        return False
    return not _CODE.match(value) and _is_bare_password(hit, word, mixed)


def _is_verb(hit: Hit) -> bool:
    """`pass` alone is a verb or a test's outcome, and `bypass` is another word; `db_pass` and `"pass": "…"` tell."""
    if hit.quoted and (not hit.value.isascii() or _SPACE.search(hit.value)):  # what a passed test is called
        return True
    if hit.before:
        return hit.before.isalpha() and not hit.before.lower().endswith(_PASS_OWNERS)
    outcome = not hit.quoted and ((hit.sign == ":" and not is_mingled(hit.value)) or hit.value.isdigit())
    return outcome or hit.sign in {" ", ",", "is"}


def _is_phrase(hit: Hit, word: str) -> bool:
    """Four plain words are a passphrase unless they talk; other phrases need a digit, which prompts rarely have."""
    value = hit.value
    if _FOUR_WORDS.fullmatch(value) and hit.sign != ",":
        return not _PROMPT.search(value)
    return word.startswith("passphrase") or (has_digit(value) and value[-1] not in ".:?" and value[0] not in ")],} ")


def _is_bare_password(hit: Hit, word: str, mixed: bool) -> bool:
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


def _is_secret(hit: Hit) -> bool:
    """Secrets and tokens are random; what is spelled like an identifier is not one."""
    value = hit.value
    if hit.quoted:
        return _is_random(value, 8 if hit.sign != "[" or len(_DIGITS.findall(value)) > 1 else 16)
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
    value = value.replace("\\ ", "")  # an escaped line break in bytes
    if len(value) >= 40 and has_digit(value) and len(_SYMBOL.findall(value)) * 8 >= len(value):
        return True
    if len(value) < least or re.search(r"\s|://", value) or not re.search(r"[A-Za-z]", value):
        return False
    if not has_digit(value):
        return (value.isalpha() and _jumbled(value)) or _symbols(value)
    return not all(_PART.fullmatch(part) and not _jumbled(part) for part in _BREAK.split(value)) or _symbols(value)


def _jumbled(part: str) -> bool:
    """Capitals change more often than in any camelCase."""
    return len(part) >= 16 and len(_TURN.findall(part)) * 5 >= len(part)


def is_mingled(value: str) -> bool:
    """Tell of letters in both cases that nobody took from words: `RNzchWDaka`, not `myDbName`."""
    letters = _SIGNS.sub("", value)
    parts = _HUMPS.findall(letters)
    odd = [part for part in parts if len(part) == 1 or not _VOWEL.search(part)]
    return (
        len(letters) >= 8
        and len(parts) > 2
        and len(letters) < 3.5 * len(parts)
        and (len(odd) > 1 or len(letters) <= 2.5 * len(parts))
    )


def _symbols(value: str) -> bool:
    return len(value) >= 8 and len(_SYMBOL.findall(value)) > 1 and not re.match(r"[\[(<{]", value)
