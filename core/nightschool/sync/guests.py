"""What comes from another machine is another's word: what it may do here, and what not.

It is taken for the user's own only when `sync.author` is set and every machine that was met names that author. Else a
proposal's rules are adopted by name only (but those of authors that `sync.adopt_by` names), sessions, blocks and
evidence are marked `elsewhere`, and so is, in quarantine, every rule that rests on them; no session is told of such a
block by itself. Whose ever it is: a proposal may only speak of documents that rules can go to on this machine, its
quarantine is decided here, and no task may bring a command to run.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nightschool.clock import Clock, SystemClock
from nightschool.errors import NightschoolError
from nightschool.night.mining.mine import Mined
from nightschool.night.rules.screen import reasons
from nightschool.records import (
    Block,
    CheckOp,
    DreamTask,
    Evidence,
    Night,
    NightStatus,
    Proposal,
    ProposedRule,
    RealTask,
    Session,
    Target,
)
from nightschool.sync.layout import Place

_NO_PATH = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DEEP = 5  # directories between a project and its document, at most
_UNKNOWN = SystemClock()
Documents = Callable[[str | None], Mapping[str, Target]]
"""Gives the documents that rules can go to here, by their real files, for a project or everywhere."""


def guest(
    documents: Documents,
    authors: Callable[[], Mapping[str, str]],
    adopt_by: str,
    author: str = "",
    clock: Clock = _UNKNOWN,
) -> Callable[[Place, Any], Any]:
    """Return what looks at each record from elsewhere: it gives it back as it may come in, or None.

    Raises NightschoolError for what may not come in and has to be told.
    """
    allowed = {name.strip() for name in adopt_by.split(",") if name.strip()}

    def look(place: Place, record: Any) -> Any | None:
        if isinstance(record, Session) and record.own:
            return None
        if isinstance(record, Session | Block | Evidence):
            return record.model_copy(update={"elsewhere": not one_author(author, authors())})
        if isinstance(record, RealTask | DreamTask) and any(check.op is CheckOp.COMMAND for check in record.checks):
            raise NightschoolError("a command may not come from another machine", where=place.path)
        if isinstance(record, Night):
            return _night(record, clock) if record.status is NightStatus.DONE else None
        if isinstance(record, Mined) and not one_author(author, authors()):
            theirs = (told.model_copy(update={"elsewhere": told.sessions}) for told in record.recurrences)
            return record.model_copy(update={"recurrences": tuple(theirs)})
        if isinstance(record, Proposal):
            known = authors()
            whose = known.get(place.machine, "")
            own = one_author(author, known)
            return _proposal(record, documents, whose, own=own, may=whose in allowed if allowed else own)
        return record

    return look


def one_author(author: str, known: Mapping[str, str]) -> bool:
    """Tell whether all machines that were met say that they are this author's, who has a name."""
    return bool(author) and set(known.values()) <= {author}


def _night(night: Night, clock: Clock) -> Night:
    """Return a night as it may come in: without settings, and not from the future, where it would stay the newest.

    Raises NightschoolError for one about what cannot be a directory anywhere.
    """
    if night.project and _NO_PATH.search(night.project):
        raise NightschoolError("a night is about no directory", where=ascii(night.project)[:100])
    now = clock.now()
    times = {"started": min(night.started, now), "ended": min(night.ended, now) if night.ended else None}
    return night.model_copy(update={"config": {}} | times)


def _proposal(proposal: Proposal, documents: Documents, author: str, *, own: bool, may: bool) -> Proposal:
    """Return a proposal with the documents as they are known here: what a new one begins with is not theirs to say."""
    told = {target.key: found for target in proposal.targets if (found := _document(target.path, documents))}
    rules = [
        _rule(rule.model_copy(update={"edit": rule.edit.model_copy(update={"document": mine.key})}), author, own, may)
        for rule in proposal.rules
        if (mine := told.get(rule.edit.document)) and rule.edit.path == mine.path
    ]
    targets = {target.key: target for target in told.values()}
    return proposal.model_copy(update={"targets": tuple(targets.values()), "rules": tuple(rules)})


def _document(path: str, documents: Documents) -> Target | None:
    """Return the document that rules can go to here: the user's own, or that of a directory above it."""
    if not Path(path).is_absolute() or ".." in Path(path).parts:
        return None
    projects = [None, *(str(folder) for folder in list(Path(path).parents)[:_DEEP])]
    return next((found[path] for project in projects if path in (found := documents(project))), None)


def _rule(rule: ProposedRule, author: str, own: bool, may: bool) -> ProposedRule:
    why = list(dict.fromkeys((*rule.quarantine, *reasons(rule.edit.text))))
    if not Path(rule.edit.path).parent.is_dir():
        why.append("its project is not on this machine")
    whose = author or "somebody without a name"
    if not may:
        why.append(f"another machine proposes it, of {whose}, who is not in sync.adopt_by")
    by = "" if own else f"another machine, of {whose}"
    return rule.model_copy(update={"quarantine": tuple(why), "by": by})
