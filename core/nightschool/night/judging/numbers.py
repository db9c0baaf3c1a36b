"""The number that a reply answers with, read exactly: no floating point."""

import re
from fractions import Fraction

_LONGEST = 60  # characters of one number; a longer one is not an answer
_EXPONENT_DIGITS = 3

# Possessive quantifiers and a bound on the groups of thousands keep the search linear in the text.
_DIGITS = r"(?:(?:[0-9]{1,3}(?:,[0-9]{3}){1,10}+(?![0-9])|[0-9]++)(?:\.[0-9]++)?+|(?<!\.)\.[0-9]++)"
_AMOUNT = rf"{_DIGITS}(?:[eE][-+]?[0-9]++)?+(?!\.[0-9])"
_START = r"(?:(?<![\w)\]}.])[-+\u2212])?[$€£¥]?(?<![^\W_])(?<![^\W_]_)(?<![0-9]\.)"
_RATIO = rf"(?<!/){_START}{_AMOUNT}/[0-9]++(?:\.[0-9]++)?+(?!/|[.,][0-9])"
_NUMBER = re.compile(rf"{_RATIO}|{_START}{_AMOUNT}")
_FRAC = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_BOX = "\\boxed{"


def parse_number(text: str) -> Fraction | None:
    """Read a text that is one number and nothing else, but for a percent sign; None when it is not."""
    text = text.strip().removesuffix("%").strip()
    found = _NUMBER.fullmatch(text)
    return _value(found[0]) if found else None


def final_number(reply: str) -> Fraction | None:
    r"""Return the last number of the last `\boxed{…}`, or of the whole reply when nothing is boxed; None without one.

    Read are signs (also U+2212), thousands in commas (1,204.50), exponents (1e3), a currency sign in front, units and
    percent signs behind (both ignored: 50 % is 50), and ratios written without spaces (1/2, and \frac{1}{2} in a
    box). Digits glued to a letter before them (x86), dotted chains (1.2.3), decimal commas, mixed numbers (1 1/2) and
    powers (10^3) are not read as one number. A hyphen behind a letter or digit is no sign (2-3 ends in 3).
    """
    text = _boxed(reply)
    last = None
    for found in _NUMBER.finditer(reply if text is None else text):
        last = found[0]
    return None if last is None else _value(last)


def _boxed(reply: str) -> str | None:
    start = reply.rfind(_BOX)
    if start < 0:
        return None
    depth, inside = 1, []
    for char in reply[start + len(_BOX) :]:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth == 0:
            break
        inside.append(char)
    text = _FRAC.sub(r"\1/\2", "".join(inside)).replace("{,}", ",")
    return re.sub(r"\\[,;:! ]", "", text)


def _value(written: str) -> Fraction | None:
    over, _, under = re.sub(r"[,$€£¥]", "", written).replace("\u2212", "-").partition("/")
    exponent = re.split("[eE]", over)[1:]
    if len(written) > _LONGEST or (exponent and len(exponent[0].lstrip("+-")) > _EXPONENT_DIGITS):
        return None
    try:
        return Fraction(over) / Fraction(under or "1")
    except ZeroDivisionError:
        return None
