# ruff: noqa: RUF001  quotes, dashes and full-width marks as people type them
"""What a user's words tell: whether they correct the agent, and which rule they state.

Pure functions on text. A correction is recognised by its place and its grammar, never by its mood: at the head of
the message (after nods and thanks) a refusal, a complaint that ends, or a reminder of what was said; and after it a
directive. A word such as "broken", "fixed" or "wrong" somewhere in a request says nothing.
"""

import re
from typing import NamedTuple

from nightschool.night.mining import phrases
from nightschool.night.mining.cues import binding, of_a_kind
from nightschool.night.mining.derive import derive_checks
from nightschool.night.mining.idle import once, tells, without_reason
from nightschool.night.mining.tokens import content, normalise, straight
from nightschool.records import Turn

__all__ = [
    "content",
    "derive_checks",
    "directive",
    "is_correction",
    "is_nod",
    "normalise",
    "sentences",
    "standing_rule",
    "without_directive",
]

LONGEST = 8_000
"""Characters. A longer prompt is pasted matter, not something a person typed."""

_I = re.IGNORECASE
_GAP = re.compile(r"[\s,.;:!–—、。，！*>-]*")
_HEADS = {
    "neutral": re.compile(phrases.NEUTRAL, _I),
    "strong": re.compile(rf"{phrases.CLOSED}|{phrases.OPEN}", _I),
    "weak": re.compile(
        rf"{phrases.REFUSAL}|{phrases.BUT}|no(?=\s+(?:always|never|i (?:said|told|asked)|that's)\b)", _I
    ),
    "soft": re.compile(phrases.SOFT, _I),
}
_SENTENCE = re.compile(
    r"(?:`[^`\n]*`|\"[^\"\n]*\"|\b(?:e\.g|i\.e|vs|etc)\.|[^.!?。！？\n]|[.!?](?![\s\"')]|$))+[.!?。！？\"')]*"
)
_LEADING = (
    rf"^\W*(?:(?:and|but|so|then|just|und|et|y|e|aber|{phrases.POLITE})[,\s]+)*"
    r"(?:(?:before|after|when(?:ever)?|if|wenn|bevor|quand|avant de|cuando|antes de|quando|prima di)\b"
    r"[^,.!?\n]{1,60},\s+)?"
)
_ASKED = re.compile(r"[?？]\W*$")
_ASKS_FOR_A_RULE = re.compile(r"^\W*(?:can|could|would|will) you (?:please )?(?:always|never|stop|not)\b", _I)
_CALLBACK = re.compile(rf"{_LEADING}(?:{phrases.CALLBACK})(?!\W+(?:i|i'll|we)\b)", _I)
_STANDING = re.compile(
    rf"{_LEADING}(?:you (?:must|should) |make sure (?:to |you )?|remember to |we )?"
    rf"(?:{phrases.ALWAYS}\b(?!\s+(?:happy|glad|mind|seen|been|had|the|a|this|gets?|fails?|noch|pas|le|la"
    rf"|(?!embed)\w*[^e\W]ed)\b)|(?:{phrases.VERBS} (?:\w+ ){{0,2}}?{phrases.ALWAYS}\b))|^\W*{phrases.CJK_ALWAYS}",
    _I,
)
_IMPERATIVE = re.compile(
    rf"{_LEADING}(?:{phrases.VERBS}\b|{phrases.FORBID}|(?:only|instead)[, ]+{phrases.VERBS}\b"
    rf"|we (?:don't )?use\b|{phrases.CJK_ORDER})",
    _I,
)
_NORM = re.compile(phrases.NORM, _I)
_COMPLAINT = re.compile(phrases.COMPLAINT, _I)
_PLEASE = re.compile(rf"\b{phrases.POLITE}\b", _I)
_ALL_TIMES = re.compile(rf"\b{phrases.ALWAYS}\W*$|\b(?:remember|rules?|regeln|règles|reglas|regras|regole)\b\W*", _I)
_WANTS = re.compile(r"^\W*i(?:'d)? (?:want|expect|need|prefer|like)\b(?! (?:to|you to (?:fix|try|look))\b)", _I)
_IDLE = re.compile(
    rf"^\W*(?:{phrases.POLITE}[,\s]+)?(?:just )?(?:go|continue|proceed|try|do(?! not\b)|wait|carry)\b", _I
)
_FORBIDS = re.compile(rf"^\W*(?:{phrases.POLITE}\W+)?{phrases.FORBID}(?!.*\b(?:yet|for now)\b)", _I)
_NOT_BUT = re.compile(
    rf"^\W*not\b[^.!?\n]{{1,80}}?(?:[,;–—-]\s*(?:but )?|\bbut )(?:{phrases.POLITE} )?{phrases.VERBS}\b", _I
)
_CONTRAST = re.compile(
    rf"^\W*(?:{phrases.POLITE}\W+)?(?:use|prefer)\b[^.!?\n]{{1,80}}?(?:,? (?:not|never|nicht|pas|no) \w"
    rf"|\binstead\W*$)",
    _I,
)
_BAN = re.compile(
    r"^\W*no (?!\w+ (?:fail|found|left|needed))(?:[\w-]+ ){1,4}?(?:please|pls|ever|anywhere|again|in (?:the"
    r"|your) \w+)\b",
    _I,
)
_BANNED = re.compile(r"\b(?:is|are) (?:forbidden|banned|not allowed|off[- ]limits)\b", _I)
_INLINE = re.compile(
    rf"(?:^|[.!?;\n,]\s*|\s[–—-]\s*)(?:and |but |und |et |y "
    rf"|e )?(?P<rule>(?:{phrases.POLITE} )?{phrases.ALWAYS} {phrases.VERBS}\b[^.!?\n]*"
    rf"(?:[.](?=\w)[^.!?\n]*)*)|\b(?:and|but) (?P<joined>(?:please )?(?:always"
    rf"|never) {phrases.VERBS}\b[^.!?\n]*(?:[.](?=\w)[^.!?\n]*)*)",
    _I,
)


class _Heard(NamedTuple):
    strength: str  # of the lead-in: "strong", "weak", or "" when there is none
    rest: str  # what follows it, verbatim


def is_correction(prompt: str, previous_turn: Turn | None) -> bool:
    """Tell whether `prompt` corrects what the agent did in `previous_turn`; False when there was no such turn."""
    return previous_turn is not None and bool(correcting_rule(prompt))


def directive(prompt: str) -> str:
    """Return the rule that `prompt` states, in the user's own words without the lead-in; "" when it states none.

    A correction gives its whole sentence or sentences. A request that also states a standing rule ("…, and always
    end the query with LIMIT 1000") gives that clause.
    """
    found = correcting_rule(prompt)
    return found or (inline.group(inline.lastgroup or 0).strip() if (inline := _inline(prompt)) else "")


def is_nod(prompt: str) -> bool:
    """Tell whether a prompt is thanks, a nod or a shrug and nothing more."""
    return len(prompt) <= LONGEST and not _listen(straight(prompt)).rest


def standing_rule(prompt: str) -> str:
    """Return the rule for all times that a prompt states, whether or not it corrects anything; "" when there "
    "is none.
    """
    if len(prompt) > LONGEST:
        return ""
    inline = _inline(prompt)
    if inline:
        return inline.group(inline.lastgroup or 0).strip()
    return " ".join(_standing(sentences(_listen(straight(prompt)).rest)))


def without_directive(prompt: str) -> str:
    """Return the request without the standing rule it states, so that a task does not give its own answer away."""
    inline = _inline(prompt)
    if inline is None:
        return "" if standing_rule(prompt) else prompt.strip()
    left, right = prompt[: inline.start()].rstrip(" ,;–—-\n"), prompt[inline.end() :].lstrip(" .!?")
    return f"{left}{'.' if right and left[-1:] not in '.!?' else ''} {right}".strip()


def _inline(prompt: str) -> re.Match[str] | None:
    return _INLINE.search(straight(prompt)) if len(prompt) <= LONGEST else None


def correcting_rule(prompt: str, *, in_passing: bool = True) -> str:
    """Return the rule that a prompt states when it follows an answer and corrects it; "" when it does not.

    With `in_passing` rules count that no refusal opens; "we ship on Fridays only" may be one, or a fact to remember.
    """
    if len(prompt) > LONGEST:
        return ""
    heard = _listen(straight(prompt))
    told = sentences(heard.rest)
    rules = _standing(told) or _ordered(heard.strength, told) or _refused(heard.strength, told)
    text = " ".join(rules or (binding(told) if in_passing else ())).strip()
    least = 1 if heard.strength == "strong" else _least(text)
    return text if len(content(normalise(text, exact=True))) >= least else ""


def _refused(strength: str, sentences: list[str]) -> list[str]:
    """Return what a refusal puts in place of what it refuses: the first sentence, unless it tells what happened."""
    first = sentences[0] if strength and sentences else ""
    moody = _COMPLAINT.search(without_reason(first)) and not of_a_kind(first)
    told = _is_rule(first) and not (moody or _IDLE.search(first) or tells(first))
    return [first] if told and len(first.split()) > 1 else []


def opens_rules(lead: str, *, follows: bool) -> bool:
    """Tell whether a line announces rules: by correcting what the agent did, or by speaking of all times."""
    heard = _listen(straight(lead))
    return bool((follows and heard.strength) or _CALLBACK.search(heard.rest or lead) or _ALL_TIMES.search(lead))


def is_order(sentence: str) -> bool:
    """Tell whether one item of a list orders or forbids something."""
    told = straight(sentence)
    return _is_rule(told) and (_orders(told) or bool(_STANDING.search(told) or _FORBIDS.search(told)))


def _least(text: str) -> int:
    """Two telling words make a rule; one does when it is marked as a literal or stands after a prohibition."""
    return 1 if _IMPERATIVE.search(text) or _STANDING.search(text) or _BAN.search(text) or _BANNED.search(text) else 2


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [s.strip() for s in _SENTENCE.findall(text) if s.strip()]


def _standing(sentences: list[str]) -> list[str]:
    """Return the sentences that bind the future: from the head on, and wherever they speak of the next times."""
    heads = bool(sentences) and _is_rule(sentences[0]) and _binds_always(sentences[0])
    return [
        s for s in sentences if _is_rule(s) and ((heads and _binds_always(s)) or (_CALLBACK.search(s) and _binds(s)))
    ]


def _binds_always(sentence: str) -> bool:
    return bool(_STANDING.search(sentence) or _ASKS_FOR_A_RULE.search(sentence))


def _binds(sentence: str) -> bool:
    after = _CALLBACK.sub("", sentence, count=1).strip(" ,:")
    return bool(_IMPERATIVE.search(after) or _STANDING.search(after) or _NORM.search(after))


def _ordered(strength: str, sentences: list[str]) -> list[str]:
    """Return the sentences that order something, given how the message opened."""
    if not sentences:
        return []
    if not strength:
        first = sentences[0]
        opens = any(p.search(first) for p in (_FORBIDS, _NOT_BUT, _CONTRAST, _BAN))
        return [first] if opens and not _ASKED.search(first) else []
    standing = [s for s in sentences if _is_rule(s) and _STANDING.search(s)]
    if standing:
        return standing
    said = [s for s in sentences if _is_rule(s) and _orders(s)]
    if said:
        return said[:1]
    bare = sentences[0]
    told = strength == "strong" and _is_rule(bare) and not _COMPLAINT.search(bare)
    return [bare] if told and len(bare.split()) > 1 else []


def _is_rule(sentence: str) -> bool:
    return not (_ASKED.search(sentence) or once(sentence)) or bool(_ASKS_FOR_A_RULE.search(sentence))


def _orders(sentence: str) -> bool:
    if _IDLE.search(sentence):
        return False
    grammar = (_IMPERATIVE, _NORM, _WANTS, _NOT_BUT, _BAN, _ASKS_FOR_A_RULE)
    return any(p.search(sentence) for p in grammar) or (bool(_PLEASE.search(sentence)) and len(sentence.split()) > 2)  # noqa: PLR2004


def _listen(text: str) -> _Heard:
    """Take the lead-in off: nods, refusals, complaints and reminders, in any order, as long as they follow "
    "another.
    """
    strength, at = "", _skip(text, 0)
    for _ in range(8):
        for kind, pattern in _HEADS.items():
            found = pattern.match(text, at)
            if found and found.end() > at:
                strength = kind if kind == "strong" or (kind == "weak" and not strength) else strength
                at = _skip(text, found.end())
                break
        else:
            break
    return _Heard(strength, text[at:].strip())


def _skip(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    end = gap.end() if gap else at
    return end - 2 if text[at:end].endswith("--") else end  # a flag's dashes belong to the flag
