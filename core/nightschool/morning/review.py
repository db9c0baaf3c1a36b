"""Review: decide on a night's rules one by one. Each decision is in force, or on record, as soon as it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nightschool.clock import Clock
from nightschool.errors import NightschoolError
from nightschool.files import single_flight
from nightschool.morning.adopt import LOCK_WAIT, adopt
from nightschool.morning.receipts import adopted_edits
from nightschool.night import decisions
from nightschool.night.decisions import Decision
from nightschool.night.reflect import edit_id
from nightschool.night.rules import block, screen
from nightschool.paths import Home
from nightschool.records import Edit, Proposal, ProposedRule, Receipt, Ruling, Verdict

State = Literal["open", "skipped", "adopted", "rejected", "edited", "failed"]
ORDER = (Ruling.ACCEPT, Ruling.PROBATION, Ruling.UNEXAMINED, Ruling.REJECT)


@dataclass(frozen=True)
class Item:
    """A rule with its number, the same in every look at this night, and what has become of it.

    `failed`: its exam rejected it, so there is nothing to decide.
    """

    number: int
    rule: ProposedRule
    state: State
    decision: Decision | None = None

    @property
    def edit(self) -> Edit:
        """Return what it would do."""
        return self.rule.edit


def items(home: Home, proposal: Proposal) -> list[Item]:
    """Return a proposal's rules, the accepted ones first."""
    adopted = {edit.id for edit in adopted_edits(home)}
    known = decisions.newest(home)
    ordered = sorted(proposal.rules, key=lambda rule: ORDER.index(rule.verdict.ruling))
    found = []
    for number, rule in enumerate(ordered, 1):
        decision = known.get(rule.edit.id)
        state: State = "failed" if rule.verdict.ruling is Ruling.REJECT else "open"
        if rule.edit.id in adopted:
            state = "adopted"
        elif decision is not None and decision.did != "reopened":
            state = decision.did
        found.append(Item(number, rule, state, decision))
    return found


def to_decide(found: list[Item]) -> list[Item]:
    """Return what waits for a decision, in the order to ask: what was skipped comes last."""
    return [item for item in found if item.state == "open"] + [item for item in found if item.state == "skipped"]


def numbered(found: list[Item], number: int) -> Item:
    """Return the rule of that number. Raises NightschoolError when there is none."""
    for item in found:
        if item.number == number:
            return item
    raise NightschoolError("there is no rule of this number", where=number, fix=f"There are {len(found)}.")


def check_open(item: Item, *, reopening: bool = False) -> None:
    """Raise NightschoolError when a rule cannot be decided on: its exam rejected it, or that was done already."""
    where = f"{item.number}, {item.edit.id}"
    if reopening:
        if item.state not in {"rejected", "edited", "skipped"}:
            raise NightschoolError("there is no decision to take back", where=where, why=f"it is {item.state}")
    elif item.state == "failed":
        why = f"its exam rejected it: {item.rule.verdict.reason}"
        raise NightschoolError("there is nothing to decide on this rule", where=where, why=why)
    elif item.state == "adopted":
        fix = f"To take it back: nightschool undo --rule {item.edit.id}."
        raise NightschoolError("this rule is adopted already", where=where, fix=fix)
    elif item.state in {"rejected", "edited"}:
        fix = f"To decide anew: nightschool review --reopen {item.number}."
        raise NightschoolError(f"this rule is {item.state} already", where=where, fix=fix)


def accept(
    home: Home, proposal: Proposal, item: Item, clock: Clock, tell: Callable[[str], None], *, screened: bool = False
) -> Receipt | None:
    """Adopt one rule, by hand when its exam did not accept it; `screened` as in `adopt`."""
    check_open(item)
    return adopt(home, proposal, [item.edit.id], clock=clock, screened=screened, tell=tell)


def decide(home: Home, proposal: Proposal, item: Item, did: Literal["rejected", "skipped", "reopened"], clock: Clock,
           reason: str = "") -> None:  # fmt: skip
    """Put a decision on record."""
    check_open(item, reopening=did == "reopened")
    with single_flight(home.lock, "deciding", wait=LOCK_WAIT):
        told = Decision(edit=item.edit, did=did, at=clock.now(), night=proposal.night, reason=reason)
        decisions.note(home, told)


def reword(
    home: Home, proposal: Proposal, item: Item, text: str, clock: Clock, tell: Callable[[str], None]
) -> Receipt | None:
    """Adopt a rule in the user's own words; what was proposed is not proposed again. None: they stand there already.

    Raises NightschoolError, with nothing changed, for a text that cannot be a rule, or that is what was proposed.
    """
    check_open(item)
    words = block.canonical(text)
    if words == item.edit.text.replace("\r\n", "\n").strip():
        raise NightschoolError("these are the words that were proposed", where=item.edit.id, fix="Accept it as it is.")
    mine = item.edit.model_copy(update={"id": edit_id(item.edit.op, item.edit.path, words), "text": words})
    told = Verdict(ruling=Ruling.UNEXAMINED, reason="You reworded it; these words were not examined.")
    rule = ProposedRule(edit=mine, verdict=told, quarantine=screen.reasons(words))
    receipt = adopt(home, proposal.model_copy(update={"rules": (rule,)}), [mine.id], clock=clock, tell=tell)
    at = clock.now()
    decisions.note(
        home, Decision(edit=item.edit, did="edited", at=at, night=proposal.night, instead=mine.id)
    )  # fmt: skip
    return receipt
