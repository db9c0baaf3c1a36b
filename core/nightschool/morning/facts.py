"""The facts of a night, gathered once: the page, the terminal's review and the history say them, each in its way."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from operator import mul

from nightschool.errors import NightschoolError
from nightschool.models.ledger import Ledger, Spend
from nightschool.morning.history import history_of
from nightschool.morning.place import look
from nightschool.morning.receipts import active, all_receipts, happened
from nightschool.morning.review import Item, items
from nightschool.morning.skill import is_skill, new_skill
from nightschool.night import bank, evidence
from nightschool.night.gate import BETS, WEIGHTS
from nightschool.night.mining.mine import Mined
from nightschool.night.rules import block
from nightschool.night.steps import Steps
from nightschool.paths import Home
from nightschool.records import Evidence, Night, NightStatus, Pair, Proposal, ProposedRule, Quote, Target, Task

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def printable(text: str) -> str:
    """Return foreign text without escape sequences and control characters; line breaks and tabs stay.

    Joiners stay too: some scripts and emoji are written with them.
    """
    return _CONTROL.sub(" ", _ESCAPE.sub("", text))


def bare(text: str, limit: int = 4000) -> str:
    """Return foreign text as it can be printed, cut at `limit` characters."""
    clean = printable(text).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def one_line(text: str, limit: int = 300) -> str:
    """Return foreign text as one line."""
    line = " ".join(bare(text, 10 * limit).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def came_from(quotes: Sequence[Quote]) -> list[str]:
    """Say of each quote in which session and at which bytes of its transcript it stands."""
    return [f"{q.platform} session {bare(q.session, 100)}, bytes {q.span[0]}-{q.span[1]}" for q in quotes]


@dataclass(frozen=True)
class Moved:
    """One held-out task, and its mean reward without and with the rule."""

    request: str
    pair: Pair


@dataclass(frozen=True)
class RuleFacts:
    """A rule and all that is known of it. `diff`: what adopting it would do now, or why that cannot be said."""

    item: Item
    target: Target | None
    tasks: tuple[Moved, ...]
    path: tuple[float, ...]  # the e-value after each task that could speak for the rule, oldest first
    diff: str

    @property
    def rule(self) -> ProposedRule:
        """Return what was proposed."""
        return self.item.rule


@dataclass(frozen=True)
class NightFacts:
    """A night and all that is known of it."""

    night: Night
    rules: tuple[RuleFacts, ...]
    mined: Mined | None
    spent: Spend
    errors: dict[str, int]
    timeline: tuple[tuple[datetime, str], ...]

    @property
    def rehearsed(self) -> bool:
        """Tell whether the model was a scripted one."""
        return any(facts.rule.verdict.examiner.startswith("mock") for facts in self.rules)


def gather(home: Home, night: Night) -> NightFacts:
    """Gather everything there is to say of a night. Nothing is written."""
    steps = Steps(home, night.id)
    proposal = steps.found("proposal", Proposal)
    spent, errors = _spent(home, night)
    return NightFacts(
        night, tuple(rules_of(home, proposal)) if proposal else (), steps.found("mined", Mined), spent, errors,
        tuple(_timeline(home, night, proposal)),
    )  # fmt: skip


def rules_of(home: Home, proposal: Proposal) -> list[RuleFacts]:
    """Return the facts of each rule of a proposal, in the order of their numbers."""
    known = {(found.edit.id, found.examiner): found for found in evidence.everything(home)}
    tasks: dict[str, Task] = {task.id: task for task in bank.read(home).tasks}
    found = []
    for item in items(home, proposal):
        target = next((t for t in proposal.targets if t.key == item.edit.document), None)
        pairs = _pairs(known.get((item.edit.id, item.rule.verdict.examiner)), proposal.night)
        moved = tuple(Moved(_request(tasks.get(pair.task)), pair) for pair in pairs)
        found.append(RuleFacts(item, target, moved, _path(pairs), diff(home, item, target)))
    return found


def diff(home: Home, item: Item, target: Target | None) -> str:
    """Return what adopting a rule would do to its document as it is now, as a unified diff."""
    if item.state == "adopted":
        return "It is adopted."
    if target is None:
        return "The proposal does not say where it goes."
    try:
        place = look(target.path)
        base = new_skill(target) if place.data is None and is_skill(target) else place.data
        origin = history_of(home, str(place.path)).origin()
        result = block.apply(base, [item.edit], origin.joint if origin else "")
    except NightschoolError as error:
        return str(error)
    if item.edit.id in result.conflicts:
        return result.conflicts[item.edit.id]
    before, after = ((data or b"").decode(errors="replace").splitlines() for data in (place.data, result.data))
    lines = difflib.unified_diff(before, after, "as it is", "with the rule", lineterm="")
    return "\n".join(lines) or "It stands there already."


def _pairs(found: Evidence | None, night: str) -> list[Pair]:
    """Return what an edit had shown by the end of a night: a later night's evidence is no part of its page."""
    return [pair for pair in found.pairs if pair.night <= night] if found else []


def _path(pairs: Sequence[Pair]) -> tuple[float, ...]:
    told = [pair.difference for pair in pairs if not pair.shape_only]
    bets = [accumulate([1 + bet * d for d in told], mul) for bet in BETS]  # `e_value` of every beginning, in one pass
    return tuple(sum(w * capital for w, capital in zip(WEIGHTS, held, strict=True)) for held in zip(*bets, strict=True))


def _request(task: Task | None) -> str:
    return one_line(task.request, 200) if task else "a task that is not in the bank any more"


def _spent(home: Home, night: Night) -> tuple[Spend, dict[str, int]]:
    if not home.ledger.exists():
        return Spend(calls=night.calls, tokens=night.tokens, cost=None, failed=night.failed_calls), {}
    ledger = Ledger(home, check=False)
    try:
        return ledger.spent(night.id), ledger.errors(night.id)
    finally:
        ledger.close()


def _timeline(home: Home, night: Night, proposal: Proposal | None) -> list[tuple[datetime, str]]:
    """Return what happened and when, as far as it was written down."""
    told = [(night.started, "The night began")]
    if proposal is not None:
        told.append((proposal.at, f"Rules staged: {len(proposal.rules)}"))
    if night.ended is not None:
        word = "was given up for another" if night.status is NightStatus.ABANDONED else "ended"
        told.append((night.ended, f"The night {word}"))
    for receipt in all_receipts(home):
        if receipt.night == night.id and happened(receipt):
            left = len(active(receipt))
            back = "" if left == len(receipt.edits) else f", {len(receipt.edits) - left} taken back since"
            told.append((receipt.at, f"You adopted {len(receipt.edits)} rule(s){back}"))
    return sorted(told, key=lambda event: event[0])
