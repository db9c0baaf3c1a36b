"""Neutral sessions with planted recurrences and the truth about them: what the miner is scored against."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nightschool.records import OWN_MARK, Session, Source, ToolCall, Turn

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROJECT = "/home/kim/shop"

# name -> (wordings of one rule, frames of the requests it is said about)
FAMILIES = {
    "limit": (
        (
            "always end the query with LIMIT 500",
            "end every query with LIMIT 500",
            "always put LIMIT 500 at the end of the query",
        ),
        (
            "write a query for {a} per {b}",
            "which {a} have no {b}? give me the SQL",
            "SQL that joins {a} with {b} by week",
        ),
    ),
    "vitest": (
        ("use vitest, never jest", "always use vitest and never jest", "vitest please, not jest"),
        (
            "cover the {a} component with tests",
            "a failing test that shows the {a} {b} bug",
            "test plan and code for {a}",
        ),
    ),
    "polars": (
        ("use polars instead of pandas", "always use polars, not pandas"),
        (
            "load the {a} csv and group it by {b}",
            "plot {a} against {b}",
            "clean the {a} frame, {b} is sometimes missing",
        ),
    ),
    "changelog": (
        (
            "add a `CHANGELOG.md` entry with the heading `## Unreleased`",
            "always add `## Unreleased` to the `CHANGELOG.md` entry",
        ),
        ("release notes for the {a} work", "describe what we changed in {a} and {b}", "note the {a} deprecation"),
    ),
    "cite": (
        ("cite sources as [Author, Year]", "always cite sources as [Author, Year]"),
        ("what do we know about {a} and {b}", "background reading on {a}", "compare {a} with {b} in two paragraphs"),
    ),
    "german": (
        ("answer in German, in short sentences", "always answer in German in short sentences"),
        ("explain how {a} talks to {b}", "why was {a} split from {b}?", "walk me through the {a} flow"),
    ),
    "print": (
        ("never use `console.log`, use `logger.info`", "use `logger.info`, not `console.log`"),
        ("trace where {a} loses the {b}", "add debug output around {a}", "show me the {a} values while {b} runs"),
    ),
    "feat": (
        ("start every commit subject with `feat:`", "every commit subject must start with `feat:`"),
        ("commit the {a} rework", "wrap up {a} and {b} in one commit", "message for what is staged in {a}"),
    ),
    "short": (
        ("keep answers under 400 characters", "always keep answers under 400 characters"),
        ("status of {a}?", "summarise the {a} incident from {b}", "tell the team what happened to {a}"),
    ),
}
LEADS = (
    "no, that's wrong. {}",
    "nope, {} please",
    "you forgot again: {}",
    "still not right: {}",
    "I told you, {}",
    "no, {}.",
)
NOUNS = (
    "invoice", "shipment", "refund", "courier", "voucher", "basket", "supplier", "warehouse", "newsletter", "session",
    "payment", "address", "category", "discount", "review", "tax", "pallet", "contract", "ticket", "device",
)  # fmt: skip
ONCE = (
    "why is {a} so slow on my old laptop since the {b} upgrade", "rename {a} to {b} everywhere", "is the {b} in {a} still used",
    "bump {a} to the newest minor", "what does the {a} flag of {b} do", "delete the {a} branch when {b} is merged",
)  # fmt: skip
NODS = (
    "perfect, thanks",
    "great, that works",
    "no problem, thanks",
    "lgtm",
    "continue",
    "never mind",
    "not sure what that does",
)


@dataclass
class Planted:
    """Sessions and the truth: rule -> ids of the sessions in which the user said it."""

    sessions: list[Session] = field(default_factory=list)
    said: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in FAMILIES})


def turn(number, at, prompt, reply="Done."):
    """Return a turn with an id that no other session has."""
    call = ToolCall(name="shell", input="ls", output="no, always use tabs, never spaces")
    return Turn(id=number, at=at, prompt=prompt, reply=reply, calls=(call,), tokens=1200)


def session(name, turns, *, project=PROJECT, own=False):
    """Return a session of turns."""
    at = turns[0].at if turns else None
    return Session(
        platform="harness",
        id=name,
        source=Source(path=f"/t/{name}"),
        project=project,
        started=at,
        turns=tuple(turns),
        own=own,
    )


def talk(name, *prompts, hours=0, **options):
    """Return a session in which these things were said, a minute apart, `hours` after the start."""
    at = START + timedelta(hours=hours)
    turns = [turn(f"{name}-{n}", at + timedelta(minutes=n), prompt) for n, prompt in enumerate(prompts)]
    return session(name, turns, **options)


def fill(rng, text):
    """Put two different nouns into a frame."""
    one, other = rng.sample(NOUNS, 2)
    return text.replace("{a}", one).replace("{b}", other)


def plant(count, seed=1):
    """Return `count` sessions: most hold a request of a family, most of these its correction, some more than once."""
    rng = random.Random(seed)
    planted = Planted()
    for number in range(count):
        name, hours = f"s{number:05d}", number * 3
        prompts, family = [], None
        if rng.random() < 0.75:
            family = rng.choice(sorted(FAMILIES))
            rules, frames = FAMILIES[family]
            prompts.append(fill(rng, rng.choice(frames)))
            if rng.random() < 0.7:
                prompts += [rng.choice(LEADS).format(rng.choice(rules)) for _ in range(rng.choice((1, 1, 1, 3)))]
                planted.said[family].add(name)
        prompts += [fill(rng, rng.choice(ONCE)) for _ in range(rng.randrange(3))]
        prompts += rng.sample(NODS, rng.randrange(3))
        planted.sessions.append(talk(name, *(prompts or ["hello"]), hours=hours))
    _add_what_must_not_count(planted, count)
    return planted


def _add_what_must_not_count(planted, count):
    """Add sessions of our own, forks that repeat history, and sessions held elsewhere."""
    for number in range(max(3, count // 50)):
        source = planted.sessions[number * 7 % count]
        copied = source.model_copy(update={"id": f"fork{number:04d}"})
        own = talk(f"own{number:04d}", f"{OWN_MARK} write a query", "no, always use goto, never loops", hours=number)
        elsewhere = talk(f"far{number:04d}", "write a query", "no, always use goto", hours=number, project="/home/kim")
        planted.sessions += [copied, own, own.model_copy(update={"id": f"mark{number:04d}", "own": True}), elsewhere]
