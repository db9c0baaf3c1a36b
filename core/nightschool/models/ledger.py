"""Every model call that was ever paid for: content-addressed answers, failed attempts, and what a night spent.

The ledger is money. An answer is on disk before it is used, errors are recorded but never served, and a damaged
file is reported, not replaced.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from nightschool.errors import NightschoolError
from nightschool.events import Record
from nightschool.files import single_flight, write_whole
from nightschool.models import charges
from nightschool.models.budget import Bound, Budget
from nightschool.models.charges import Charge, Reserved
from nightschool.models.questions import Answer, CallError, Question
from nightschool.paths import Home

APPLICATION, VERSION = 0x4E53_4C47, 2  # "NSLG", in the header of the file
BUSY = 30  # seconds to wait for another writer's commit
CLAIM_WAIT = 3600.0  # seconds to wait for another process that is asking the same questions
STRIPES = 32  # locks that questions are spread over; a batch holds at most so many descriptors

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE calls (
  key TEXT PRIMARY KEY, backend TEXT NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL,
  question TEXT NOT NULL, answer TEXT NOT NULL, outcome TEXT NOT NULL,
  tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, cost REAL, seconds REAL NOT NULL,
  at TEXT NOT NULL, night TEXT NOT NULL
) STRICT;
CREATE INDEX calls_night ON calls (night);
CREATE TABLE errors (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, backend TEXT NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL,
  outcome TEXT NOT NULL, why TEXT NOT NULL, seconds REAL NOT NULL, at TEXT NOT NULL, night TEXT NOT NULL
) STRICT;
CREATE INDEX errors_night ON errors (night);
{charges.SCHEMA}
"""


Recorded = tuple[datetime, int]  # when a question was answered, and the tokens charged for it


class Spend(Record):
    """What was spent: calls that were answered, and attempts that failed."""

    calls: int = 0
    tokens: int = 0  # in and out
    cost: float | None = 0.0  # USD; None when the cost of some call is not known
    failed: int = 0  # attempts without an answer, retries counted each
    lost: int = 0  # calls whose end nobody saw: their process died, or they run now; charged in full
    seconds: float = 0.0  # of all attempts, added up: more than the wall time when calls ran side by side


class Ledger:
    """The ledger of one home; made when there is none. Several threads and processes may use it at once.

    `check` looks first whether the whole file is sound, which reads all of it: for whoever writes it or judges it.
    Raises NightschoolError when the file is damaged or cannot be used, here and in every method.
    """

    def __init__(self, home: Home, *, check: bool = True) -> None:
        self.path = home.ledger
        self._locks = home.ledger.with_suffix(".locks")
        self._thread = threading.Lock()
        if not self.path.exists():
            self._make()
        with self._guarded():
            # `mode=rw`: a file that vanishes meanwhile is an error, not an empty ledger
            self._db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False,
            )  # fmt: skip
        self._closing = weakref.finalize(self, self._db.close)
        try:
            with self._guarded():
                self._prepare(check=check)
        except NightschoolError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file. Nothing is lost without it: every write is committed by itself."""
        self._closing()

    def get(self, key: str) -> Answer | None:
        """Return the answer that was paid for, marked as cached, or None. Errors are never returned."""
        with self._guarded():
            row = self._db.execute("SELECT answer FROM calls WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        try:
            return Answer.model_validate_json(row[0]).model_copy(update={"cached": True})
        except ValidationError as error:
            raise _damaged(self.path, f"the answer {key[:16]} cannot be read") from error

    def reserve(self, charge: Charge, budget: Budget, begun: float | None = None) -> Reserved:
        """Charge a call before it is made: the check and the charge are one transaction over all processes.

        `begun` is when the present span of asking began (POSIX seconds). Raises OutOfBudget, with nothing charged.
        """
        with self._transaction() as db:
            return charges.reserve(db, charge, budget, begun)

    def span(self, night: str, at: float, span: int | None = None) -> int:
        """Begin a span of asking at `at` (POSIX seconds), or move the end of one; return its number."""
        with self._transaction() as db:
            if span is not None:
                db.execute("UPDATE spans SET ended = max(ended, ?) WHERE id = ?", (at, span))
                return span
            begun = db.execute("INSERT INTO spans (night, began, ended) VALUES (?, ?, ?)", (night, at, at))
            return int(begun.lastrowid or 0)

    def put(
        self,
        key: str,
        question: Question,
        answer: Answer,
        *,
        backend: str,
        night: str,
        at: datetime,
        reserved: Reserved | None = None,
    ) -> None:
        """Keep a paid answer, durably, and settle its charge. Texts are redacted already. A first answer stays."""
        row = (
            key, backend, question.kind, answer.model or question.model, question.model_dump_json(),
            answer.model_copy(update={"cached": False}).model_dump_json(), "answered",
            answer.tokens_in, answer.tokens_out, answer.cost_usd, answer.seconds, at.isoformat(), night,
        )  # fmt: skip
        with self._transaction() as db:
            db.execute("INSERT INTO calls VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (key) DO NOTHING", row)
            _settle(db, _charge(key, question, backend, night, at), reserved, answer)

    def record_error(
        self,
        key: str,
        question: Question,
        error: CallError,
        *,
        backend: str,
        night: str,
        at: datetime,
        reserved: Reserved | None = None,
    ) -> None:
        """Keep the fact that an attempt failed, for the report alone, and settle its charge."""
        row = (
            key, backend, question.kind, question.model, error.kind, error.why[:2000], error.seconds,
            at.isoformat(), night,
        )  # fmt: skip
        columns = "key, backend, kind, model, outcome, why, seconds, at, night"
        with self._transaction() as db:
            db.execute(f"INSERT INTO errors ({columns}) VALUES (?,?,?,?,?,?,?,?,?)", row)  # noqa: S608  constants
            _settle(db, _charge(key, question, backend, night, at), reserved, error)

    def spent(self, night: str | None = None) -> Spend:
        """Add up one night, or all of them. What is charged and not settled is spent."""
        query = (
            "SELECT count(*), total(state = 'answered'), total(state = 'open'), total(tokens), total(cost),"
            " count(cost), total(seconds) FROM charges WHERE ?1 IS NULL OR night = ?1"
        )
        with self._guarded():
            rows, calls, lost, tokens, cost, priced, seconds = self._db.execute(query, (night,)).fetchone()
        known = cost if priced == rows else None
        failed = int(rows - calls - lost)
        return Spend(calls=int(calls), tokens=int(tokens), cost=known, failed=failed, lost=int(lost), seconds=seconds)

    def recorded(self, key: str) -> Recorded | None:
        """Return when a question was answered, and the tokens that were charged for it; None when it was not."""
        query = (
            "SELECT calls.at, charges.tokens FROM calls LEFT JOIN charges ON charges.key = calls.key"
            " AND charges.state = 'answered' WHERE calls.key = ? ORDER BY charges.id DESC LIMIT 1"
        )
        with self._guarded():
            row = self._db.execute(query, (key,)).fetchone()
        return None if row is None else (datetime.fromisoformat(row[0]), int(row[1] or 0))

    def minutes(self, night: str) -> float:
        """Return the minutes in which a night's calls ran."""
        with self._guarded():
            return charges.seconds_used(self._db, night) / 60

    def errors(self, night: str | None = None) -> dict[str, int]:
        """Return how many attempts failed in one night, or in all, by kind of failure."""
        query = "SELECT outcome, count(*) FROM errors WHERE ?1 IS NULL OR night = ?1 GROUP BY outcome ORDER BY outcome"
        with self._guarded():
            return dict(self._db.execute(query, (night,)).fetchall())

    @contextlib.contextmanager
    def claim(self, keys: Iterable[str], *, wait: float = CLAIM_WAIT) -> Iterator[None]:
        """Be the only process and thread that asks these questions while the block runs. Look again once inside.

        The locks are the operating system's: those of a killed process are free at once. They are taken in one
        order by everybody, so nobody waits in a circle. Raises NightschoolError after `wait` seconds.
        """
        stripes = sorted({int(key[:8], 16) % STRIPES for key in keys})
        with contextlib.ExitStack() as held:
            for stripe in stripes:
                lock = self._locks / f"{stripe:02}.lock"
                held.enter_context(single_flight(lock, "asking a model the same questions", wait=wait))
            yield

    def _make(self) -> None:
        with single_flight(self._locks / "make.lock", "making the ledger", wait=BUSY):
            if self.path.exists():
                return
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise _damaged(self.path, f"the file is gone, but its log {log.name} is still there")
            with contextlib.closing(sqlite3.connect(":memory:")) as empty:
                empty.executescript(_SCHEMA)
                write_whole(self.path, empty.serialize())

    def _prepare(self, *, check: bool) -> None:
        self._db.execute("PRAGMA synchronous = FULL")
        ours = self._db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if ours and version > VERSION:
            fix = "Update nightschool."
            raise NightschoolError("the ledger is of a newer version", where=self.path, why=version, fix=fix)
        # Also catches a file that was cut to nothing, which SQLite would take for a new one.
        fault = "ok" if ours else "it is not a ledger"
        if ours and check:
            fault = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if fault != "ok":
            raise _damaged(self.path, fault)
        if self._db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            # SQLite does not wait for others to change this: of processes that start at once, one does it
            with single_flight(self._locks / "make.lock", "making the ledger", wait=BUSY):
                self._db.execute("PRAGMA journal_mode = WAL")
        if version < VERSION:
            self._upgrade()

    def _upgrade(self) -> None:
        """Bring a ledger from before there were charges up to date, whole or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if self._db.execute("PRAGMA user_version").fetchone()[0] < VERSION:  # another process may have been first
                for statement in charges.SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(charges.FROM_CALLS)
                self._db.execute(charges.FROM_ERRORS)
                self._db.execute(f"PRAGMA user_version = {VERSION}")
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction that no other process's comes between."""
        with self._guarded():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Serialise the threads of this process, and tell what went wrong in words."""
        try:
            with self._thread:
                yield
        except sqlite3.OperationalError as error:
            fix = "Everything recorded so far is kept; free space or make it writable, then run the same command again."
            raise NightschoolError("cannot use the ledger", where=self.path, why=error, fix=fix) from error
        except sqlite3.DatabaseError as error:
            raise _damaged(self.path, error) from error


def _charge(key: str, question: Question, backend: str, night: str, at: datetime) -> Charge:
    none = Bound(tokens_in=0, tokens_out=0)
    return Charge(key=key, backend=backend, kind=question.kind, model=question.model, night=night, at=at, bound=none)


def _settle(db: sqlite3.Connection, charge: Charge, reserved: Reserved | None, outcome: Answer | CallError) -> None:
    if reserved is None:
        charges.note(db, charge, outcome)
    else:
        charges.settle(db, reserved, outcome)


def _damaged(path: Path, why: object) -> NightschoolError:
    fix = "It records what was paid for and is never replaced: restore it from a backup, or move it away to begin anew."
    return NightschoolError("the ledger of model calls is damaged", where=path, why=why, fix=fix)
