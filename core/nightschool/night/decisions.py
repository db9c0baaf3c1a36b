"""What the user decided about proposed rules. A rule that was turned down is not proposed again.

The log only grows; the newest decision on an edit counts. A line that cannot be read is a fault, not a decision that
was never made: what the user turned down must not come back by accident.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import ValidationError

from nightschool.day.redact import redact
from nightschool.errors import NightschoolError
from nightschool.events import Instant, Name, Record
from nightschool.files import append_line, read_lines
from nightschool.night.mining.signals import directive
from nightschool.paths import Home
from nightschool.records import Edit, Recurrence


class Decision(Record):
    """One decision on one edit."""

    edit: Edit
    did: Literal["rejected", "edited", "skipped", "reopened"]
    at: Instant
    night: Name  # whose proposal it was
    reason: str = ""
    instead: Name | None = None  # the edit that the user wrote in its place


def note(home: Home, decision: Decision) -> None:
    """Add a decision to the log, without secrets."""
    told = decision.model_copy(update={"reason": redact(decision.reason)})
    append_line(home.decisions, told.model_dump_json())


def newest(home: Home) -> dict[str, Decision]:
    """Return the newest decision on each edit, by its id. Raises NightschoolError when the log was damaged."""
    found: dict[str, Decision] = {}
    try:
        for line in read_lines(home.decisions):
            decision = Decision.model_validate_json(line)
            found[decision.edit.id] = decision
    except (OSError, ValidationError) as error:
        fix = "Mend or remove the line."
        raise NightschoolError("the log of decisions is damaged", where=home.decisions, why=error, fix=fix) from error
    return found


def turned_down(home: Home) -> dict[str, Decision]:
    """Return the decisions that keep an edit from being proposed again, by the edit's id."""
    return {name: found for name, found in newest(home).items() if found.did in {"rejected", "edited"}}


def allowed(home: Home, edits: Sequence[Edit], recurrences: Sequence[Recurrence]) -> list[Edit]:
    """Return the edits without those that were turned down: as they are, or in other words for the same thing.

    As in `reflect`, it is the same thing by the recurrence's id or, should a session have changed that, by its words.
    """
    down = turned_down(home).values()
    words = {found.id: {_plain(directive(quote.text) or quote.text) for quote in found.quotes} for found in recurrences}

    def meant(edit: Edit, other: Edit) -> bool:
        if edit.id == other.id:
            return True
        same = edit.recurrence == other.recurrence or _plain(other.text) in words.get(edit.recurrence, set())
        return same and (edit.path, edit.op) == (other.path, other.op)

    return [edit for edit in edits if not any(meant(edit, found.edit) for found in down)]


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".! ")
