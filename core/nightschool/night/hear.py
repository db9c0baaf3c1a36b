"""What a session is heard for: what the user states in it, by the rules of mining, and what git told of its commits."""

from nightschool.audit import backlog
from nightschool.memory.told import statements
from nightschool.night.mining.listen import own_words
from nightschool.night.mining.signals import correcting_rule
from nightschool.night.rules.pasted import without_pasted
from nightschool.paths import Home
from nightschool.records import OWN_MARK, AuditEntry, ObservationKind

PASTED = 2_000  # characters: a longer prompt is pasted matter, and pasted matter is nobody's statement


def hear(prompt: str, follows: bool) -> list[tuple[ObservationKind, str]]:
    """Return what the user corrects, decides and states in a prompt; `follows` tells that an answer goes before it."""
    words = own_words(prompt)
    if not words or len(words) > PASTED or OWN_MARK in prompt:
        return []
    rule = correcting_rule(words, in_passing=False) if follows else ""
    told = [(ObservationKind(kind), text) for kind, text in statements(without_pasted(words)) if text not in rule]
    return ([(ObservationKind.CORRECTION, rule)] if rule else []) + told


def milestones(home: Home) -> dict[tuple[str, str], list[AuditEntry]]:
    """Return what git told of each session's commits."""
    found: dict[tuple[str, str], list[AuditEntry]] = {}
    for entry in backlog.entries(home, "milestone"):
        if entry.subject:
            found.setdefault((entry.platform, entry.session), []).append(entry)
    return found
