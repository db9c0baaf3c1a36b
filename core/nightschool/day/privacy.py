"""Private sessions: of those in a directory or with an id that the user has named, only counts are kept."""

import os
from collections import Counter

from nightschool.audit import backlog
from nightschool.config import Privacy
from nightschool.memory.store import SessionStore
from nightschool.memory.withdraw import withdraw
from nightschool.paths import Home
from nightschool.records import Session

_PROMPTS = "private prompts"


def is_private(session: Session, rules: Privacy) -> bool:
    """Tell whether the user has marked the session, or a directory it was held in or below.

    A session that was kept without its words once stays so: what it goes on with may not say where it is held.
    """
    if session.id in _list(rules.sessions) or _PROMPTS in session.skipped:
        return True
    inside = os.path.normpath(session.project) if session.project else ""
    folders = (os.path.normpath(os.path.expanduser(folder)) for folder in _list(rules.projects))  # noqa: PTH111
    return bool(inside) and any(
        inside == folder or inside.startswith(folder.rstrip("/") + os.sep) for folder in folders
    )


def stripped(session: Session) -> Session:
    """Return the session without a word of it: how many prompts, calls and failures, and how far it was read."""
    calls = [call for turn in session.turns for call in turn.calls]
    counts = {_PROMPTS: len(session.turns), "private calls": len(calls)}
    counts["private failures"] = sum(call.failed is True for call in calls)
    told = dict(Counter(session.skipped) + Counter(counts))
    return session.model_copy(update={"turns": (), "project": "", "branch": "", "pending": {}, "skipped": told})


def forget_words(home: Home, rules: Privacy) -> tuple[frozenset[tuple[str, str]], int]:
    """Take the words out of sessions that were kept before they were marked, and the memory blocks made of them.

    Returns the sessions, by platform and id, and how many blocks. Their transcripts are the client's; pages of earlier
    nights stay until their words are erased. The caller holds the lock of the sessions.
    """
    store, meant = SessionStore(home), set()
    for session in list(store.sessions()):
        if session.turns and is_private(session, rules):
            store.save(stripped(session))
            meant.add((session.platform, session.id))
    for platform, name in meant:
        (home.memory / "observations" / platform / f"{name}.json").unlink(missing_ok=True)
        (home.prompts / platform / name).unlink(missing_ok=True)
    if meant:
        bare = {"asked": "", "subject": "", "passed": (), "failures": (), "project": "", "retrospect": None}
        noted = backlog.entries(home)
        backlog.rewrite(
            home, [e.model_copy(update=bare) if (e.platform, e.session) in meant else e for e in noted]
        )  # fmt: skip
    return frozenset(meant), withdraw(home, meant) if meant else 0


def _list(told: str) -> list[str]:
    return [one for part in told.split(",") if (one := part.strip())]
