"""Characters a reader cannot see, and which of them ordinary writing needs.

Ordinary writing needs the joiner between emoji and after an Indic virama, the non-joiner between Arabic letters
(Persian) and after a virama, and a variation selector after a character that has variants (RFC 5892, appendix A, for
the joiners). All other invisible, bidirectional, control, private-use and tag characters can carry text that only a
model reads.
"""

import unicodedata

_NON_JOINER, _JOINER = "\u200c", "\u200d"
_FORMAT_BUT_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_SEEN_AS_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0\ufffc")
_VIRAMA = 9  # canonical combining class


def hidden(text: str) -> tuple[str, ...]:
    """Return the hidden characters of `text`, each once and as `U+200B`, in the order they come."""
    return tuple(dict.fromkeys(f"U+{ord(char):04X}" for at, char in enumerate(text) if _is_hidden(text, at)))


def visible(text: str) -> str:
    """Return `text` as a reader sees it, without its hidden characters."""
    return "".join(char for at, char in enumerate(text) if not _is_hidden(text, at))


def _is_hidden(text: str, at: int) -> bool:
    char = text[at]
    if char in "\n\t" or " " <= char <= "~":
        return False
    if char in _SEEN_AS_NOTHING:
        return True
    if "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return not _has_variants(text[at - 1 : at], char)
    if char in (_JOINER, _NON_JOINER):
        return not _joins(text, at)
    if char in _FORMAT_BUT_SEEN:
        return False
    # Control, format, surrogate, private use, unassigned; the line and the paragraph separator. An emoji that is newer
    # than this Python's tables counts as unassigned there.
    return (
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        and not "\U0001f000" <= char <= "\U0001faff"
    )


def _has_variants(before: str, selector: str) -> bool:
    if not before:
        return False
    if selector in "\ufe0e\ufe0f":
        return _is_emoji(before) or before in "0123456789#*©®™‼⁉\u2139" or unicodedata.category(before) in {"Sm", "So"}
    return unicodedata.category(before) in {"Lo", "Sm"}


def _joins(text: str, at: int) -> bool:
    before, after = text[max(0, at - 8) : at].rstrip("\ufe0f"), text[at + 1 : at + 2]
    if not before or not after:
        return False
    if unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    if text[at] == _JOINER:
        return _is_emoji(before[-1]) and _is_emoji(after)
    while before and unicodedata.category(before[-1]) == "Mn":
        before = before[:-1]
    return unicodedata.bidirectional(before[-1:] or " ") == "AL" and unicodedata.bidirectional(after) == "AL"


def _is_emoji(char: str) -> bool:
    """Tell whether `char` is a pictograph or a skin tone, roughly: a symbol beyond Latin."""
    return char >= "\u2190" and unicodedata.category(char) in {"So", "Sk", "Sm"}
