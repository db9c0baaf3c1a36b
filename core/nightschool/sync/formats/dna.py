"""DNA strings: who an agent was spawned as, for what, in one line.

`<role>::<caps>::<scope_sha8>::<body_sha8>-<nonce8>`. The hashes are the first four bytes of a SHA-256, written in upper
case; the nonce is four random bytes, written in lower case. Hexadecimal digits are read in either case.
"""

import hashlib
import re
import secrets

from nightschool.errors import NightschoolError
from nightschool.events import Record

_HEX = re.compile(r"[0-9A-Fa-f]{8}")
_NONCE = 9  # characters: the delimiter and the nonce


class DNA(Record):
    """One spawned agent. `caps` are tags; the hashes and the nonce are eight hexadecimal digits each."""

    role: str
    caps: tuple[str, ...]
    scope: str
    body: str
    nonce: str

    def __str__(self) -> str:
        """Give the documented form."""
        return f"{self.role}::{'-'.join(self.caps)}::{self.scope.upper()}::{self.body.upper()}-{self.nonce.lower()}"

    @property
    def task_class(self) -> str:
        """What all agents spawned alike share: everything but the nonce."""
        return task_class_dna(str(self))


def parse(text: str) -> DNA:
    """Read a DNA string. Raises NightschoolError that says which part is wrong."""
    if not text:
        raise _wrong(text, "it is empty")
    parts = text.split("::")
    if len(parts) != 4:  # noqa: PLR2004  the format's
        raise _wrong(text, f"it has {len(parts)} parts, not 4")
    role, caps, scope, last = parts
    body, delimiter, nonce = last.partition("-")
    if not delimiter:
        raise _wrong(text, "no nonce follows the body's hash")
    if not role or not caps:
        raise _wrong(text, f"the {'capabilities are' if role else 'role is'} empty")
    for name, digits in (("scope", scope), ("body", body), ("nonce", nonce)):
        if not _HEX.fullmatch(digits):
            raise _wrong(text, f"the {name} is not eight hexadecimal digits: {digits[:20]!r}")
    return DNA(role=role, caps=tuple(caps.split("-")), scope=scope.upper(), body=body.upper(), nonce=nonce.lower())


def made(role: str, caps: tuple[str, ...], scope: bytes, body: bytes, nonce: str = "") -> DNA:
    """Return the DNA of an agent for these bytes; a nonce is drawn when none is given. Raises NightschoolError."""
    dna = DNA(role=role, caps=caps, scope=_sha8(scope), body=_sha8(body), nonce=nonce or secrets.token_hex(4))
    return parse(str(dna))


def task_class_dna(text: str) -> str:
    """Return a DNA string without its nonce: what agents spawned alike have in common.

    As the ledger's generated column does: a text whose ninth character from the end is no `-` is returned as it is.
    """
    return text[:-_NONCE] if len(text) > _NONCE and text[-_NONCE] == "-" else text


def _sha8(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8].upper()


def _wrong(text: str, why: str) -> NightschoolError:
    return NightschoolError("not a DNA string", where=repr(text[:80]), why=why)
