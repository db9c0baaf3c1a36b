"""What comes from another machine is another's word: what it may do here, and what not.

A proposal may only speak of documents that rules can go to on this machine, its quarantine is decided here, and where
`sync.adopt_by` names authors, a proposal of anybody else comes without rules that could be adopted.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nightschool.night.rules.screen import reasons
from nightschool.records import Night, NightStatus, Proposal, ProposedRule, Session
from nightschool.sync.layout import Place

_DEEP = 5  # directories between a project and its document, at most
Documents = Callable[[str | None], set[str]]
"""Gives the real files that rules can go to, for a project or everywhere."""


def guest(documents: Documents, authors: Callable[[], Mapping[str, str]], adopt_by: str) -> Callable[[Place, Any], Any]:
    """Return what looks at each record from elsewhere: it gives it back as it may come in, or None."""
    allowed = {name.strip() for name in adopt_by.split(",") if name.strip()}

    def look(place: Place, record: Any) -> Any | None:
        if isinstance(record, Session):
            return None if record.own else record
        if isinstance(record, Night):
            return record.model_copy(update={"config": {}}) if record.status is NightStatus.DONE else None
        if isinstance(record, Proposal):
            known = authors()
            author = known.get(place.machine, "")
            return _proposal(record, documents, author, may=not allowed or author in allowed)
        return record

    return look


def _proposal(proposal: Proposal, documents: Documents, author: str, *, may: bool) -> Proposal:
    targets = tuple(target for target in proposal.targets if _is_document(target.path, documents))
    paths = {target.path for target in targets}
    rules = [_rule(rule, author, may=may) for rule in proposal.rules if rule.edit.path in paths]
    return proposal.model_copy(update={"targets": targets, "rules": tuple(rules)})


def _is_document(path: str, documents: Documents) -> bool:
    """Tell whether rules can go to a file here: as the user's own document, or as that of a directory above it."""
    if not Path(path).is_absolute() or ".." in Path(path).parts:
        return False
    projects = [None, *(str(folder) for folder in list(Path(path).parents)[:_DEEP])]
    return any(path in documents(project) for project in projects)


def _rule(rule: ProposedRule, author: str, *, may: bool) -> ProposedRule:
    why = list(dict.fromkeys((*rule.quarantine, *reasons(rule.edit.text))))
    if not Path(rule.edit.path).parent.is_dir():
        why.append("its project is not on this machine")
    if not may:
        why.append(f"it is proposed by {author or 'somebody without a name'}, who is not in sync.adopt_by")
    return rule.model_copy(update={"quarantine": tuple(why)})
