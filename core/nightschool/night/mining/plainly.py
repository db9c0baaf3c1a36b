"""Idioms of rules in plain words: what two negations ask for, what a preference bans, what to keep one's hands off."""

import re

_NOT = r"(?:don't|do not|dont|never|not|no)"
_SOME = r"[^,.;:!?\n]"
_REPLACE = r"replace|swap|ersetze|remplace[rz]?|reemplaz[ae]|substitu[ai]|sostituisci"
_IDIOMS = tuple(
    (re.compile(pattern, re.IGNORECASE), plain)
    for pattern, plain in (
        # "never forget to X", "don't write a query without X", "a query without X must not exist"
        (rf"\b{_NOT} (?:ever )?forget(?: to)? ", "always "),
        (rf"\b(?:{_NOT}(?: ever)?|stop|quit|avoid) (miss|omit|skip)(?:p?ing)?\b", r"always \1"),
        (
            r"\b(?:vergiss nicht,?|n'oublie[rz]? pas de|no (?:te )?olvides|não (?:se )?esqueça de|non dimenticare di) ",
            "",
        ),
        (rf"\b{_NOT} ({_SOME}{{1,60}}?) without (?=\S)", r"always \1, include "),
        (
            rf"\b(\w{1, 40}) without ({_SOME}{{1,60}}?),? (?:must|may|should|can|is) (?:not|never)\b",
            r"\1, include \2, ",
        ),
        (rf"\b{_NOT} ({_SOME}{{1,60}}?\b(?:before|until)\b)", r"always \1"),
        (r"\bprefer (\S{1,80}(?: \S{1,80}){0,3}?),? (?:over|to) (?=\S)", r"use \1, never "),
        (
            rf"\b(?:{_REPLACE}) (\S{{1,80}}(?: \S{{1,80}}){{0,2}}?) (?:with|by|for|durch|par|por|con) (?=\S)",
            r"never use \1, use ",
        ),
        (r"(?<!\S)(\S{1,80}) (?:is|are) (?:forbidden|banned|disallowed|not allowed|off[- ]limits)\b", r"never use \1"),
        (r"\bstick (?:to|with) ", "use "),
        (r"\b(?:PRs?|MRs?|(?:pull|merge)[- ]requests?)\b", "pullrequest"),
        (r"\bleave (\S{1,80}(?: \S{1,80}){0,3}?) out\b", r"never use \1"),
        (r"\bleave out ", "never use "),
        (r"\b(?:keep (?:your )?)?hands off ", "never touch "),
        (r"\bstay away from ", "never touch "),
        (r"\bleave (\S{1,80}(?: \S{1,80}){0,3}?) alone\b", r"never touch \1"),
    )
)


def plainly(rule: str) -> str:
    """Return a rule with its idioms in plain words; what is no idiom stays letter for letter."""
    for idiom, plain in _IDIOMS:
        rule = idiom.sub(plain, rule)
    return rule
