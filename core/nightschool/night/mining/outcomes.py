"""What happened around the user's words: interruptions, refused calls, edits by hand, repairs, tests that turned green.

Calls are read as the platforms signalled them. What a tool printed may only support what a user said: it never
originates a rule or a task, and counts are all that is kept of it.
"""

import re
from collections import Counter
from collections.abc import Mapping

from nightschool.memory.observe import same_call
from nightschool.memory.steps import step_of
from nightschool.records import Session, Step, ToolCall, Turn

SIGNALS = ("corrected", "reasked", "interrupted", "rejected", "edited", "repaired", "green", "committed")
"""In the order in which they are shown. The first five cost the user something."""

TROUBLE = frozenset({"reasked", "interrupted", "rejected", "edited"})
_READ = 2_000  # characters of a refusal that are looked at
_REJECTED = re.compile(
    r"\b(?:rejected|declined|denied|aborted|cancel+ed) by (?:the )?user\b"
    r"|\buser (?:doesn't|does not|didn't|did not) want\b|\buser (?:has )?(?:rejected|declined|denied)\b",
    re.IGNORECASE,
)
_EDITED = re.compile(
    r"\bmodified (?:since|by the user)\b|\b(?:changed|modified) (?:on disk|outside|externally)\b"
    r"|\bunexpectedly modified\b|\bsince (?:it was |you )?last read\b",
    re.IGNORECASE,
)


class Light(Turn):
    """A turn without its calls and its reply; what happened in it is counted."""

    outcomes: Mapping[str, int]


def lightened(session: Session) -> Session:
    """Return a session without what mining does not read, so that a long history fits into little memory."""
    counted = _counted(session)
    turns = tuple(_light(turn, counts) for turn, counts in zip(session.turns, counted, strict=True))
    return session.model_copy(update={"turns": turns, "pending": {}})


def outcomes_of(turn: Turn) -> Mapping[str, int]:
    """Return what was counted in a turn; nothing for one that was not lightened."""
    return turn.outcomes if isinstance(turn, Light) else {}


def _light(turn: Turn, counts: Mapping[str, int]) -> Turn:
    if isinstance(turn, Light):
        return turn
    told = {name: getattr(turn, name) for name in Turn.model_fields} | {"calls": (), "reply": ""}
    return Light.model_construct(**told, outcomes=counts)


def _counted(session: Session) -> list[Mapping[str, int]]:
    """Count by turn. A repair counts where it passed: the same call, after something else was done about it."""
    failing: list[tuple[Step, int]] = []  # a failed call, and how many calls had been made by then
    made = 0
    counted: list[Mapping[str, int]] = []
    for turn in session.turns:
        counts: Counter[str] = Counter()
        counts["interrupted"] += turn.interrupted
        for call in turn.calls:
            step = step_of(call)
            made += 1
            _refused(call, counts)
            if call.failed:
                failing = [(f, at) for f, at in failing if not same_call(f, step)] + [(step, made)]
            elif step.ok:
                before = [at for f, at in failing if same_call(f, step)]
                failing = [(f, at) for f, at in failing if not same_call(f, step)]
                repaired = bool(before) and made - before[0] > 1
                counts["repaired"] += repaired
                counts["green"] += repaired and step.checks
                counts["committed"] += step.name in {"run git commit", "run git merge"}
        counted.append({name: counts[name] for name in SIGNALS if counts[name]})
    return counted


def _refused(call: ToolCall, counts: Counter[str]) -> None:
    if call.failed and _REJECTED.search(call.output[:_READ]):
        counts["rejected"] += 1
    elif call.failed and _EDITED.search(call.output[:_READ]):
        counts["edited"] += 1
