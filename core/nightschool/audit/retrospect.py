"""How a session went, and what was asked before a commit: counts and the user's words, nothing a tool printed."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from nightschool.audit.classify import call_of
from nightschool.records import Outcome, Retrospect, Session, ToolCall, Turn

FILES, ASKED = 8, 200  # files that are named; characters of a request
_CHECKERS = re.compile(
    "pytest|tox|nox|unittest|jest|vitest|mocha|rspec|phpunit|ctest|tsc|mypy|pyright|ruff|eslint|flake8|clippy"
)
_CHECK_VERBS = re.compile("tests?|check|build|lint|vet|clippy|typecheck")
_PATH = ("/", "./", "../", "~/")
_QUOTED = re.compile(r""""(?:\\.|[^"\\])*"|'[^']*'""")
_COMMITS = re.compile(
    r"(?:^|[;&|({\n])\s*(?:\w+=\S*\s+)*git(?:\s+(?:-[Cc]\s+\S+|--?\S+))*\s+(?:commit|merge)(?![\w-])(?P<rest>[^;&|\n]*)"
)
_NOT_DONE = re.compile(r"--(?:abort|quit|dry-run|help|no-commit)\b")

Corrects = Callable[[str], bool]


def retrospect(session: Session, corrects: Corrects) -> Retrospect:
    """Sum a session up. `corrects` tells of a prompt whether it sets the answer before it right."""
    calls = [call for turn in session.turns for call in turn.calls]
    corrections = sum(corrects(turn.prompt) for turn in session.turns[1:])
    failed = [call.failed is True for call in calls]
    interrupted = sum(turn.interrupted for turn in session.turns)
    began = session.started or (session.turns[0].at if session.turns else None)
    return Retrospect(
        seconds=max(0.0, (session.ended - began).total_seconds()) if began and session.ended else 0.0,
        prompts=len(session.turns),
        calls=len(calls),
        failures=sum(failed),
        interrupted=interrupted,
        corrections=corrections,
        files=tuple(path for path, _ in Counter(_files(calls)).most_common(FILES)),
        outcome=_outcome(session, calls, corrections),
    )


def _outcome(session: Session, calls: list[ToolCall], corrections: int) -> Outcome:
    if any(call.failed is False and _commits(call.input) for call in calls):
        return "committed"
    if session.turns and session.turns[-1].interrupted:
        return "interrupted"
    if session.turns and session.turns[-1].calls and session.turns[-1].calls[-1].failed is True:
        return "failing"
    return "corrected" if corrections else "ended"


def _commits(command: str) -> bool:
    """Tell whether a command asks git for a commit or a merge; what stands in quotes is data."""
    found = _COMMITS.finditer(_QUOTED.sub("_", command[:4_000]))
    return any(not _NOT_DONE.search(one["rest"]) for one in found)


def _files(calls: list[ToolCall]) -> Iterator[str]:
    for call in calls:
        told = call.input.strip()
        if told.startswith(_PATH) and "\n" not in told and " " not in told:
            yield told


def asked_before(session: Session, at: datetime) -> str:
    """Return the request that a commit of this time answers, clipped: the last one before it."""
    before = [turn.prompt for turn in session.turns if turn.at <= at]
    return " ".join(before[-1].split())[:ASKED] if before else ""


def passed_before(session: Session, at: datetime) -> tuple[str, ...]:
    """Return the checks whose last run in the turn of the commit, or in those before it, passed."""
    state: dict[str, bool] = {}
    for turn in _until(session, at):
        for call in turn.calls:
            name = call_of(call)
            program, _, verb = name.partition(" ")
            if (_CHECKERS.fullmatch(program) or _CHECK_VERBS.fullmatch(verb)) and call.failed is not None:
                state[name] = call.failed is False
    return tuple(sorted(name for name, passed in state.items() if passed))


def _until(session: Session, at: datetime) -> list[Turn]:
    return [turn for turn in session.turns if turn.at <= at]
