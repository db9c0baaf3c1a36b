"""Proposals to adopt, and a clock at which something happens."""

from datetime import UTC, datetime

from nightschool.clock import FixedClock
from nightschool.records import Edit, Proposal, ProposedRule, Ruling, Target, Verdict

AT = datetime(2025, 1, 2, 3, 4, tzinfo=UTC)
CLOCK = FixedClock(AT)


class BusyClock:
    """A clock that does something each time it is asked: the moment between reading and replacing."""

    def __init__(self, does):
        self.does = does

    def now(self):
        self.does()
        return AT


def target(path, key="toy:project", kind="block"):
    """Return a document that rules can go to."""
    return Target(key=key, platform="toy", kind=kind, scope="project", path=str(path), title="the toy's rules")


def edit(text="", *, id=None, op="add", replaces="", document="toy:project"):  # noqa: A002  it is the field's name
    """Return an edit; its id comes from its text."""
    name = id or f"r-{op}-" + "".join(c if c.isalnum() else "-" for c in (text or replaces))[:40]
    return Edit(id=name, op=op, document=document, text=text, replaces=replaces, recurrence="c1")


def rule(what, ruling=Ruling.ACCEPT, quarantine=()):
    """Return a proposed rule from an edit or a text."""
    what = what if isinstance(what, Edit) else edit(what)
    return ProposedRule(edit=what, verdict=Verdict(ruling=ruling, reason="It hurt."), quarantine=quarantine)


def proposal(path, *rules, night="n1", targets=None):
    """Return a night's proposal of rules (or texts, or edits) for the document at `path`."""
    made = tuple(r if isinstance(r, ProposedRule) else rule(r) for r in rules)
    return Proposal(night=night, at=AT, targets=tuple(targets or [target(path)]), rules=made)
