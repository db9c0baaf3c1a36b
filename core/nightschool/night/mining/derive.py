# ruff: noqa: RUF001  dashes and quotes as people type them
"""Checks that follow from the words of a rule with certainty, and no others.

The text is read in clauses. Each *literal* in it (code, quoted, symbols, capitals with a number, the name of a known
tool) becomes a check when the clause says plainly that an answer must or must not show it. Words of plain English are
not literals: "use tabs, never spaces" is a rule whose good answers hold neither word. When in doubt there is no
check, and the rule stays unexamined.
"""

import re
from typing import NamedTuple

from nightschool.night.mining.literals import LIT, MARK, PROSE, TOOLS, Literal, mask
from nightschool.night.mining.plainly import plainly
from nightschool.night.mining.shapes import NEGATIVE, SECTION, length_checks, mark_checks, section_checks, tool_checks
from nightschool.records import Check, CheckOp

_LONGEST = 400  # characters; a longer text is not one rule


def derive_checks(directive: str) -> tuple[Check, ...]:
    """Return the checks that `directive` implies, in the order of its words; () when nothing is certain."""
    text = " ".join(directive.replace("’", "'").split())
    if not text or len(text) > _LONGEST or text.endswith("?"):
        return ()
    text = plainly(text)
    masked, literals = mask(text)
    called = tool_checks(masked, literals)
    if called:
        return tuple(called)
    checks = [*section_checks(masked, literals), *length_checks(text), *mark_checks(text)]
    if not checks or not SECTION.search(masked):
        checks += _placed(masked, literals)
    return _consistent(list(dict.fromkeys(checks)))


_SPLIT = re.compile(
    rf"[;,.:!](?=\s|$)|\s(?=(?:but|aber|sondern|mais|pero|sino|ma|mas) )|\s(?=(?:and|und|et|y|e) (?!{MARK}))"
    rf"|\s(?=(?:{NEGATIVE})\b(?! only\b))|\s[–—-]\s",
    re.IGNORECASE,
)
_OPENSNEGATIVE = re.compile(rf"(?:(?:and|but|please|always|or|und|y|e|et) )*{NEGATIVE}(?:\b|(?=\s))", re.IGNORECASE)
_ASIDE = re.compile(
    r"^(?:\W*)(?:when(?:ever)?|if|for|in|on|before|after|inside|wenn|falls|bei|für|quand|si|pour|dans|cuando"
    r"|para|en|quando|se|per)\b[^,]*,\s*"
    r"|\b(?:unless|except|when(?:ever)?|if|because|since|so that|as in|before|after|außer|wenn|sauf|quand"
    r"|parce que|salvo|cuando|porque"
    r"|exceto|quando|tranne|perché)\b[^,;.]*",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    rf"\b(?:like|such as|e\.g\.|for example|for instance|z\.\s?B\.|wie|par exemple|por ejemplo|por exemplo"
    rf"|ad esempio)[,:]?\s+(?:{LIT}[,\s]*(?:(?:or|and)\s)?)+",
    re.IGNORECASE,
)
_TEXTUAL = (
    r"(?:use|put|add|append|end|finish|start|begin|include|write|mention|say|prefix|wrap|enclose|import|call"
    r"|cite|format|prefer|insert"
    r"|quote|sign(?: off)?|close|open|mark|tag|label|contain|have|has|show|give|print|emit|output|return"
    r"|annotate|declare|replace|stick"
    r"|using|adding|writing|putting|including|importing|saying|calling"
    r"|verwenden?|benutzen?|nutzen?|nimm|schreibe?n?|setzen?|füge?n?|hänge?n?|beende?n?|beginne?n?|zitieren?"
    r"|ergänzen?|formatieren?|ende[nt]?"
    r"|utilise[rz]?|mets|mett(?:ez|re)|ajoute[rz]?|termine[rz]?|finis|commence[rz]?|écri(?:s|vez|re)|inclu(?:s|ez|re)"
    r"|us[ae]r?|uses|utiliz[ae]r?|utilice|pon(?:ga|er)?|añad(?:e|a|ir)|agreg(?:a|ue|ar)|empie[zc][ae]"
    r"|escrib(?:e|a|ir)|incluy[ae]|incluir|cit[ae]r?"
    r"|coloque|coloca|ponha|adicion[ae]r?|comece|escrev[ae]r?|inclu[ai]"
    r"|usate|utilizzar?e?|metti|mettere|aggiung(?:i|ere)|finisci|inizia|scriv(?:i|ere)|includ(?:i|ere))"
)
_INSIDE = (
    r"(?:put|wrap|enclose|give|write|format|express|setze?n?|schreibe?n?|gib|mets|écris|pon|escribe"
    r"|coloque|metti|scrivi)"
)
_ACTS = re.compile(
    r"\b(?:run|commit|push|touch|edit|delete|change|modify|read|open|deploy|install|execute|rename|move|check"
    r"|look|merge)\b",
    re.IGNORECASE,
)
_ANSWER = (
    r"(?:answers?|repl(?:y|ies)|responses?|messages? to me|antwort(?:en)?|réponses?|respuestas?|respostas?"
    r"|rispost[ae])"
)
_ENDS = re.compile(
    rf"\b(?:ends?|finish|close|beende?n?|ende[nt]?|termin[ae][rz]?"
    rf"|finis)\b[^{MARK}]*\b{_ANSWER}\b[^{MARK}]*\b(?:with|by|mit|par|con|com)\s*(?:\w+\s)?$",
    re.IGNORECASE,
)
_STARTS = re.compile(
    rf"\b(?:starts?|begin|open|beginne?n?|commence[rz]?|empie[zc][ae]|comece|inizia)\b[^{MARK}]*\b(?:with|mit"
    rf"|par|con|com)\s*(?:\w+\s)?$",
    re.IGNORECASE,
)
_FAR = re.compile(
    r"\b(in|to|from|for|of|at|on|inside|under|about|into|by|zu|für|von|dans|pour|para|per|di|de|en|em|nach"
    r"|aus)\s+(?:the |a |an |your |every )?$",
    re.IGNORECASE,
)
_JOINED = re.compile(rf"^(?:(?:and|or|und|oder|et|ou|y|o|e)\s+)?(?:the |a |an )?{LIT}\W*(?:please)?\W*$", re.IGNORECASE)
_NOUNS = "prefix|suffix|tag|label|trailer|footer|header|heading|keyword|line|block|statement|clause|option|flag|comment"
_DESCRIBES = re.compile(
    rf"^\s+(?!(?:{_NOUNS}|in|to|at|on|for|as|or|and|with|before|after|please|instead|not|every\w*)\b)[a-z]+"
)


class _Clause(NamedTuple):
    text: str
    negative: bool
    inherited: str  # the verb that the clause before had


def _placed(masked: str, literals: list[Literal]) -> list[Check]:
    listed = re.sub(
        rf"({MARK}),\s*(?:(or|and|oder|und|ou|et|o|y|e) )?(?={MARK})", lambda m: f"{m[1]} {m[2] or 'and'} ", masked
    )
    plain = _EXAMPLE.sub(" ", _ASIDE.sub(" ", listed))
    checks: list[Check] = []
    for clause in _clauses(plain):
        checks += _said_of(clause, literals)
    return checks


def _clauses(text: str) -> list[_Clause]:
    clauses: list[_Clause] = []
    verb = ""
    for part in (p.strip() for p in _SPLIT.split(text)):
        if not part:
            continue
        negative = bool(_OPENSNEGATIVE.match(part))
        if _JOINED.match(part) and clauses:
            negative = clauses[-1].negative
        own = re.search(rf"\b{_TEXTUAL}\b|{_ACTS.pattern}", part, re.IGNORECASE)
        verb = own.group() if own else verb
        clauses.append(_Clause(part, negative, verb))
    return clauses


def _said_of(clause: _Clause, literals: list[Literal]) -> list[Check]:
    bare_contrast = clause.negative or re.match(
        r"(?:but|sondern|always|immer|toujours|siempre|sempre|and|or|und|prefer)\b", clause.text, re.IGNORECASE
    )
    joined = _JOINED.match(clause.text)
    verb = re.search(rf"\b{_TEXTUAL}\b|{_ACTS.pattern}", clause.text, re.IGNORECASE)
    told = verb.group() if verb else clause.inherited
    named = re.search(rf"\bas {MARK}", clause.text)
    if _ACTS.fullmatch(told) or not (verb or bare_contrast or joined or named):
        return []
    if clause.negative and re.search(r"\b(?:end|start|begin|finish)\b", clause.text, re.IGNORECASE):
        return []
    said: list[tuple[Literal, str]] = []
    for match in re.finditer(LIT, clause.text):
        literal, before = literals[int(match.group(1))], clause.text[: match.start()]
        far = _FAR.search(_OPENSNEGATIVE.sub("", before))
        if literal.regex == "?" or (
            far and not (far[1].casefold() == "in" and re.search(rf"\b{_INSIDE}\b", before, re.IGNORECASE))
        ):
            continue
        describes = _DESCRIBES.match(clause.text[match.end() :])
        if describes and (literal.quoted or literal.topic) and not clause.negative:
            continue
        said.append((literal, before))
    return _checks_of(clause, said)


def _checks_of(clause: _Clause, said: list[tuple[Literal, str]]) -> list[Check]:
    if clause.negative:
        return [_absent(literal) for literal, _ in said if literal.text not in PROSE]
    if len(said) > 1 and re.search(rf"{MARK}\s+(?:or|oder|ou|o)\s+", clause.text):
        either = Literal(said[0][0].text, quoted=False, regex=f"(?:{'|'.join(_shape(literal) for literal, _ in said)})")
        return [_present(either, said[0][1])]
    return [_present(literal, before) for literal, before in said if literal.text not in PROSE]


def _present(literal: Literal, before: str) -> Check:
    if _ENDS.search(before):
        return Check(op=CheckOp.REGEX, arg=rf"{_shape(literal)}[\s`*_.;!\"')]*\Z")
    if _STARTS.search(before) and re.search(rf"\b{_ANSWER}\b", before, re.IGNORECASE):
        return Check(op=CheckOp.REGEX, arg=rf"\A[\s`*_#>\"']*{_shape(literal)}")
    if _STARTS.search(before):
        return Check(op=CheckOp.REGEX, arg=rf"(?:^[\s`*_#>-]*|[\"'`]){_shape(literal)}")
    if literal.regex or _is_short_word(literal.text):
        return Check(op=CheckOp.REGEX, arg=_shape(literal))
    return Check(op=CheckOp.CONTAINS, arg=literal.text)


def _absent(literal: Literal) -> Check:
    shape = "" if literal.text == "pytest" else literal.regex
    if (
        shape
        or _is_short_word(literal.text)
        or (literal.text.islower() and literal.text.isalpha() and literal.text.casefold() not in TOOLS)
    ):
        return Check(op=CheckOp.REGEX, arg=rf"\A(?![\s\S]*(?:{shape or _shape(literal)}))")
    return Check(op=CheckOp.NOT_CONTAINS, arg=literal.text)


def _is_short_word(text: str) -> bool:
    """Tell whether a text may hide inside a longer word; capitals do not."""
    return bool(re.fullmatch(r"\w{1,5}", text)) and not text.isupper()


def _shape(literal: Literal) -> str:
    """Return a regex of the literal that does not match inside a longer word."""
    text = literal.text
    left, right = (r"\b" if text[0].isalnum() else ""), (r"\b" if text[-1].isalnum() else "")
    return literal.regex or f"{left}{re.escape(text)}{right}"


def _consistent(checks: list[Check]) -> tuple[Check, ...]:
    """Drop a ban that its own demand would break, as in "use ===, never ==": no answer could pass."""
    wanted = [c.arg for c in checks if c.op is CheckOp.CONTAINS]
    return tuple(c for c in checks if c.op is not CheckOp.NOT_CONTAINS or not any(c.arg in w for w in wanted))
