"""Two machines have changed one thing: what it is then. Neither loses anything, and both come to the same.

Text is never merged line by line: each kind of record has a rule. `mine` is this home's, `theirs` the repository's.
"""

from typing import Any

from nightschool.records import Block, Evidence, RealTask, Ruling, Session


def goes_back(mine: Any, theirs: Any) -> bool:
    """Tell whether what comes must not simply take the place of what was not changed here: it may know less.

    A repository can be put back to an older state, by its host, a backup, or somebody who wants it. Exams are paid for,
    so pairs only add up; a session that was read less far is an earlier reading, unless its transcript is a later file.
    """
    if isinstance(mine, Session) and isinstance(theirs, Session):
        one, other = mine.source, theirs.source
        return other.offset < one.offset and other.mtime_ns <= one.mtime_ns
    return isinstance(theirs, Evidence)


def merged(mine: Any, theirs: Any) -> Any:
    """Return one record for two of the same name and kind. What has no rule of its own stays as it was published."""
    if isinstance(mine, Session) and isinstance(theirs, Session):
        return max(mine, theirs, key=_read)
    if isinstance(mine, Block) and isinstance(theirs, Block):
        return _block(mine, theirs)
    if isinstance(mine, RealTask) and isinstance(theirs, RealTask):
        return _task(mine, theirs)
    if isinstance(mine, Evidence) and isinstance(theirs, Evidence):
        return _evidence(mine, theirs)
    return theirs


def _read(session: Session) -> tuple[int, int, str]:
    """The one that was read further; of two read equally far the shorter: something was taken out of it."""
    text = session.model_dump_json(exclude_defaults=True)
    return session.source.offset, -len(text), text


def _block(mine: Block, theirs: Block) -> Block:
    newer = max(mine, theirs, key=lambda b: (b.seen, b.sessions, len(b.evidence), b.model_dump_json()))
    used = [at for at in (mine.last_used, theirs.last_used) if at is not None]
    told = {
        "pinned": mine.pinned or theirs.pinned,
        "uses": max(mine.uses, theirs.uses),
        "last_used": max(used, default=None),
        "created": min(mine.created, theirs.created),
        "life": max(mine.life, theirs.life),
    }
    return newer.model_copy(update=told)


def _task(mine: RealTask, theirs: RealTask) -> RealTask:
    """Join where it came from. Family and split are those that were published: a split is decided once, for all."""
    origins = {(o.platform, o.session, o.turn): o for o in (*mine.origins, *theirs.origins)}
    told = {
        "projects": tuple(sorted({*mine.projects, *theirs.projects})),
        "origins": tuple(sorted(origins.values(), key=lambda o: (o.at, o.platform, o.session, o.turn))),
        "first_seen": min(mine.first_seen, theirs.first_seen),
        "last_seen": max(mine.last_seen, theirs.last_seen),
    }
    return theirs.model_copy(update=told)


def _evidence(mine: Evidence, theirs: Evidence) -> Evidence:
    """Add the pairs of families the published evidence has not met. The verdict is that of who has seen more.

    What was set aside stays so: only an edit that was rejected begins anew, or one of the user's own machines says so.
    """
    anew = not theirs.elsewhere or (mine.verdict is not None and mine.verdict.ruling is Ruling.REJECT)
    aside = {*mine.set_aside, *(theirs.set_aside if anew else ())}
    met = {pair.family for pair in theirs.pairs}
    new = (pair for pair in mine.pairs if pair.family not in met)
    further = len(mine.pairs) > len(theirs.pairs) or theirs.verdict is None
    ruled = mine if not aside <= {*theirs.set_aside} or (further and aside == {*mine.set_aside}) else theirs
    begun = [found.one_sided for found in (theirs, mine) if aside <= {*found.set_aside}]  # not of before it began anew
    told = {
        "pairs": tuple(pair for pair in (*theirs.pairs, *new) if pair.family not in aside),
        "verdict": ruled.verdict,
        "ruled": ruled.ruled,
        "one_sided": {task: both for counted in begun for task, both in counted.items()},
        "set_aside": tuple(sorted(aside)),
        "first_seen": min(mine.first_seen, theirs.first_seen),
        "elsewhere": mine.elsewhere or theirs.elsewhere,
    }
    return theirs.model_copy(update=told)
