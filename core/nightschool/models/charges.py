"""What is charged to a night, in the ledger: each attempt is a row, written before its call and settled after it.

A row whose process died stays as it was charged: what cannot be known counts as spent. All functions work inside the
ledger's transaction.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from nightschool.events import Record
from nightschool.models.budget import Bound, Budget, OutOfBudget, priced
from nightschool.models.questions import Answer, CallError

DAY = timedelta(hours=24)
OPEN, ANSWERED = "open", "answered"
_DAY = f"at > ?1 AND at < ?1 + {2 * DAY.total_seconds()}"  # what lies further ahead, a wrong clock has charged

SCHEMA = """
CREATE TABLE charges (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, backend TEXT NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL,
  night TEXT NOT NULL, at REAL NOT NULL, state TEXT NOT NULL, tokens INTEGER NOT NULL, cost REAL,
  seconds REAL NOT NULL DEFAULT 0, over INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX charges_night ON charges (night, backend, over);
CREATE INDEX charges_at ON charges (at);
CREATE TABLE spans (id INTEGER PRIMARY KEY, night TEXT NOT NULL, began REAL NOT NULL, ended REAL NOT NULL) STRICT;
CREATE INDEX spans_night ON spans (night, began);
"""

_INSERT = "INSERT INTO charges (key, backend, kind, model, night, at, state, tokens, cost, seconds)"
_AT = "(julianday(at) - 2440587.5) * 86400"  # POSIX seconds
# Calls from before there were charges: what they told is what they cost. Failures were not priced then.
_SELECT = f"{_INSERT} SELECT key, backend, kind, model, night, {_AT}"
FROM_CALLS = _SELECT + ", 'answered', tokens_in + tokens_out, cost, seconds FROM calls"
FROM_ERRORS = _SELECT + ", outcome, 0, 0.0, seconds FROM errors"


class Charge(Record):
    """A call that is to be made."""

    key: str
    backend: str
    kind: str
    model: str
    night: str
    at: datetime
    bound: Bound


class Reserved(Record):
    """A call that may be made. `seconds` are those it may take by the budget; None: no limit."""

    id: int
    bound: Bound  # what was charged, with what earlier calls took beyond their bound
    seconds: float | None = None


def reserve(db: sqlite3.Connection, charge: Charge, budget: Budget, begun: float | None) -> Reserved:
    """Charge a call in full, or raise OutOfBudget. `begun` is when the asking process's present span began."""
    bound = _with_overrun(db, charge)
    now = charge.at.timestamp()
    _within(budget.tokens, "tokens", _tokens(db, "night = ?", charge.night), bound.tokens)
    _within(budget.usd, "usd", _cost(db, "night = ?", charge.night), bound.cost or 0.0)
    day = (charge.at - DAY).timestamp()
    _within(budget.day_tokens, "day_tokens", _tokens(db, _DAY, day), bound.tokens)
    _within(budget.day_usd, "day_usd", _cost(db, _DAY, day), bound.cost or 0.0)
    left = None
    if budget.seconds is not None:
        used = seconds_used(db, charge.night, extra=(now if begun is None else begun, now))
        _within(budget.seconds, "seconds", used, 1.0)
        left = budget.seconds - used
    row = (
        charge.key,
        charge.backend,
        charge.kind,
        charge.model,
        charge.night,
        now,
        OPEN,
        bound.tokens,
        bound.cost,
        0.0,
    )
    made = db.execute(f"{_INSERT} VALUES (?,?,?,?,?,?,?,?,?,?)", row)
    return Reserved(id=made.lastrowid or 0, bound=bound, seconds=left)


def settle(db: sqlite3.Connection, reserved: Reserved, outcome: Answer | CallError) -> None:
    """Replace what was charged by what the call used; where it does not tell, the charge stands."""
    tokens_in = _told(outcome.tokens_in, reserved.bound.tokens_in, outcome)
    tokens_out = _told(outcome.tokens_out, reserved.bound.tokens_out, outcome)
    cost = outcome.cost_usd
    if not cost and reserved.bound.price is not None:  # a backend that says 0 may not know
        cost = priced(reserved.bound.price, tokens_in, tokens_out)
    state = ANSWERED if isinstance(outcome, Answer) else outcome.kind
    over = max(0, tokens_in + tokens_out - reserved.bound.tokens)
    db.execute(
        "UPDATE charges SET state = ?, tokens = ?, cost = ?, seconds = ?, over = over + ? WHERE id = ? AND state = ?",
        (state, tokens_in + tokens_out, cost, outcome.seconds, over, reserved.id, OPEN),
    )


def note(db: sqlite3.Connection, charge: Charge, outcome: Answer | CallError) -> None:
    """Write down a call that nobody charged before: somebody else's agent made it."""
    state = ANSWERED if isinstance(outcome, Answer) else outcome.kind
    tokens = (outcome.tokens_in or 0) + (outcome.tokens_out or 0)
    cost = outcome.cost_usd if isinstance(outcome, Answer) else outcome.cost_usd or 0.0
    db.execute(
        f"{_INSERT} VALUES (?,?,?,?,?,?,?,?,?,?)",
        (charge.key, charge.backend, charge.kind, charge.model, charge.night, charge.at.timestamp(), state, tokens,
         cost, outcome.seconds),
    )  # fmt: skip


def seconds_used(db: sqlite3.Connection, night: str, extra: tuple[float, float] | None = None) -> float:
    """Return the seconds in which some process was asking for a night; two at once count once."""
    rows = db.execute("SELECT began, ended FROM spans WHERE night = ? ORDER BY began", (night,)).fetchall()
    total, reached = 0.0, float("-inf")
    for began, ended in sorted([*rows, extra] if extra else rows):
        total += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return total


def _told(tokens: int | None, charged: int, outcome: Answer | CallError) -> int:
    """A failure may say that nothing was used; an answer that used nothing does not exist."""
    known = bool(tokens) if isinstance(outcome, Answer) else tokens is not None
    return tokens if known and tokens is not None else charged


def _with_overrun(db: sqlite3.Connection, charge: Charge) -> Bound:
    """Add what this night's calls of the backend took beyond their bound: a client may say more than it is given."""
    query = "SELECT coalesce(max(over), 0) FROM charges WHERE night = ? AND backend = ?"
    over = db.execute(query, (charge.night, charge.backend)).fetchone()[0]
    return charge.bound.model_copy(update={"tokens_in": charge.bound.tokens_in + over})


def _within(limit: float | None, name: str, used: float, wanted: float) -> None:
    if limit is not None and used + wanted > limit:
        raise OutOfBudget(name, limit, used, wanted)


def _tokens(db: sqlite3.Connection, where: str, value: object) -> float:
    return float(db.execute(f"SELECT total(tokens) FROM charges WHERE {where}", (value,)).fetchone()[0])  # noqa: S608


def _cost(db: sqlite3.Connection, where: str, value: object) -> float:
    return float(db.execute(f"SELECT total(cost) FROM charges WHERE {where}", (value,)).fetchone()[0])  # noqa: S608
