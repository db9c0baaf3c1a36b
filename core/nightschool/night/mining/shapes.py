"""Checks that need no literal: sections, lengths, money, decimals, and marks that must not stand in an answer."""

import re

from nightschool.night.mining.literals import LIT, Literal
from nightschool.records import Check, CheckOp

NEGATIVE = (
    r"(?:never|not|no|don't|do not|dont|avoid(?:ing)?|without|instead of|rather than|stop|quit|nor|nie|niemals"
    r"|nicht|keine?[nrms]?"
    r"|statt|ohne|vermeide|ne|n'\w+|jamais|pas(?: de)?|sans|au lieu de|évite[rz]?|nunca|no|evitar?|evite|sin"
    r"|en vez de|en lugar de|não|sem|em vez de"
    r"|mai|non|senza|invece di|al posto di)"
)
"""Words that forbid what follows, in six languages."""

SECTION = re.compile(
    rf"(?:{LIT}|\b(?:a|an|the|every|eine[nm]?|une|una"
    rf"|uma)\s+(?:#{{1,6}}\s+)?(?P<plain>[A-Z][\w-]+(?: [A-Z][\w-]+)*)) (?:sections?|heading|abschnitt)\b"
    rf"|\b(?:sections?|abschnitt|sección|seção|sezione)\s+(?:called |named |titled |headed |namens |appelée "
    rf"|llamada |chamada |chiamata )?{LIT}",
    re.IGNORECASE,
)


def section_checks(masked: str, literals: list[Literal]) -> list[Check]:
    """Return what a masked rule says of a section that must be there."""
    found = SECTION.search(masked)
    before = masked[: found.start()] if found else ""
    if (
        found is None
        or re.search(rf"\b{NEGATIVE}\b(?! forget)", before, re.IGNORECASE)
        or re.search(r"\b(?:in|from|to|of|under)\s*$", before)
    ):
        return []
    plain = found["plain"]
    if plain is not None and not plain[0].isupper():
        return []
    numbers = [g for g in found.groups() if g and g.isdigit()]
    name = literals[int(numbers[0])].text if numbers else plain
    inside = re.match(
        rf"\W*(?:that|which)?\s*(?:mentions?|contains?|includes?|with|lists?)\s+(?:the |a )?{LIT}",
        masked[found.end() :],
    )
    if inside:
        return [Check(op=CheckOp.SECTION_CONTAINS, arg=name, extra=literals[int(inside[1])].text)]
    return [Check(op=CheckOp.SECTION_PRESENT, arg=name)]


_TOOL = re.compile(
    rf"\b(?:call|use|invoke|run)\s+(?:the\s+|your\s+)?{LIT}\s+(?:MCP\s+)?tool\b(?!s)",
    re.IGNORECASE,
)


def tool_checks(masked: str, literals: list[Literal]) -> list[Check]:
    """Return that a tool must be called, when a masked rule says so: to name it in the answer is no call."""
    found = _TOOL.search(masked)
    if found is None or re.search(rf"\b{NEGATIVE}\b(?! forget)", masked[: found.start()], re.IGNORECASE):
        return []
    number = next(int(group) for group in found.groups() if group and group.isdigit())
    name = literals[number].text.strip()
    return [Check(op=CheckOp.TOOL_CALLED, arg=name)] if re.fullmatch(r"[\w.:/-]+", name) else []


_AT_MOST = re.compile(
    r"\b(?:(?:never|not|don't|do not) (?:\w+ ){0,3}?(?:more than|over|beyond)|limit(?:ed)? (?:\w+ ){0,3}?to"
    r"|under|below|at most|max(?:imum)?(?: of)?|no more than|not more than|up to|within|less than"
    r"|fewer than|shorter than|exceed|unter|höchstens|maximal"
    r"|moins de|au plus|maximum|menos de|máximo(?: de)?|no más de|até|meno di|al massimo)\s+(\d[\d,. ]*\d|\d+)[ -]?"
    r"(?:characters?|chars?|zeichen|caractères|caracteres|caratteri)\b",
    re.IGNORECASE,
)
_AT_LEAST = re.compile(
    r"\b(?:at least|no (?:less|fewer|shorter) than|mindestens|au moins|al menos|pelo menos"
    r"|almeno)\s+(\d+)[ -]?(?:characters?|chars?|zeichen|caractères|caracteres|caratteri)\b",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\b(?:lines?|functions?|names?|identifiers?|columns?|words?|paragraphs?|sentences?|each|every|bullets?"
    r"|cells?|zeilen?|lignes?|líneas?|linhas?|righe)\b",
    re.IGNORECASE,
)
_FIRST_LINE = re.compile(
    r"\b(?:subjects?|titles?|headlines?|first line|betreff\w*|titel|titres?|títulos?|titoli|titolo)\b", re.IGNORECASE
)


def length_checks(text: str) -> list[Check]:
    """Return what a rule says of the length of an answer, or of its first line, in characters."""
    most, least = _AT_MOST.search(text), _AT_LEAST.search(text)
    if most and _FIRST_LINE.search(text):
        limit = int(re.sub(r"\D", "", most[1]))
        return [Check(op=CheckOp.REGEX, arg=rf"\A\s*\S.{{0,{max(0, limit - 1)}}}$")]
    if _PART.search(text):
        return []
    checks = [Check(op=CheckOp.MAX_CHARS, arg=re.sub(r"\D", "", most[1]))] if most else []
    return checks + ([Check(op=CheckOp.MIN_CHARS, arg=least[1])] if least else [])


_DECIMALS = re.compile(
    r"\b(?:with|to|mit|avec|con|com)\s+(\d|two|three|one|zwei|deux|dos|dois|due)\s+(?:decimals?\b"
    r"|decimal places|nachkommastellen|décimales|decimales|decimais|decimali)",
    re.IGNORECASE,
)
_COUNT = {"one": 1, "two": 2, "three": 3, "zwei": 2, "deux": 2, "dos": 2, "dois": 2, "due": 2}
_CURRENCY = re.compile(r"\b(?:in|en|em|as)\s+(USD|EUR|GBP|JPY|CHF)\b")
_MONEY = {"USD": r"USD|\$", "EUR": "EUR|€", "GBP": "GBP|£", "JPY": "JPY|¥", "CHF": "CHF"}
_NO_MARKS = re.compile(
    r"\b(?:no|never use|avoid|don't use|do not use|without|stop using|keine|sans|sin|sem|senza)\s+(?:any "
    r"|more )?(emojis?|em[- ]dash(?:es)?)\b",
    re.IGNORECASE,
)
_MARKS = {"em": "—", "emoji": "[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55]"}


def mark_checks(text: str) -> list[Check]:
    """Return what a rule says of money, decimals, emojis and dashes."""
    checks = []
    if money := _CURRENCY.search(text):
        checks.append(Check(op=CheckOp.REGEX, arg=_MONEY[money[1]]))
    if decimals := _DECIMALS.search(text):
        told = decimals[1].casefold()
        checks.append(Check(op=CheckOp.REGEX, arg=rf"\d[.,]\d{{{_COUNT.get(told) or int(told)}}}(?!\d)"))
    if marks := _NO_MARKS.search(text):
        emoji = marks[1].casefold().startswith("emoji")
        checks.append(
            Check(op=CheckOp.REGEX, arg=rf"\A(?![\s\S]*{_MARKS['emoji']})")
            if emoji
            else Check(op=CheckOp.NOT_CONTAINS, arg=_MARKS["em"])
        )
    return checks
