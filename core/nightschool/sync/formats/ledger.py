"""The agents' ledger: an SQLite file (`user_version` 9) of what agents were spawned, and how skills went.

The DDL stands beside this module in `ledger.sql`, and is what `create` runs. Rows are read and written as records.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from nightschool.errors import NightschoolError
from nightschool.events import Record
from nightschool.files import PRIVATE_FILE, private_dir

VERSION = 9
Row = TypeVar("Row", bound=Record)


class Agent(Record):
    """One agent. Times are seconds since 1970; a micro-cent is a millionth of a cent."""

    id: str
    branch: str = Field(max_length=256)
    parent_branch: str | None = Field(default=None, max_length=256)
    spec_sha: str
    status: Literal["running", "done", "failed", "merged", "rejected"]
    started_ts: int
    finished_ts: int | None = None
    summary: str | None = None
    worktree_path: str | None = None
    dna: str | None = None
    creator_id: str | None = None
    fork_parent_id: str | None = None
    cost_cents: int | None = 0
    provider: str | None = ""
    model: str | None = ""
    cost_micro_cents: int | None = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    stubs_count: int | None = 0
    outcome: Literal["functional", "partial", "scaffolding", "fail"] | None = None
    escalation_depth: int | None = 0


class SkillInvocation(Record):
    """One use of a skill."""

    skill_name: str
    ts: int
    agent_id: str | None = None
    success: bool
    trajectory_id: str | None = None
    duration_ms: int | None = None


def ddl() -> str:
    """Return the statements that make an empty ledger."""
    return resources.files("nightschool.sync.formats").joinpath("ledger.sql").read_text(encoding="utf-8")


def create(path: Path) -> None:
    """Make an empty ledger. Raises NightschoolError when there is a file already, or SQLite is older than 3.31."""
    if path.exists():
        raise NightschoolError("there is a file already", where=path, fix="Name one that is not there yet.")
    private_dir(path.parent)
    path.touch(mode=PRIVATE_FILE)
    with _opened(path, "rwc") as ledger, ledger:
        ledger.executescript(f"BEGIN IMMEDIATE;\n{ddl()}\nPRAGMA user_version = {VERSION};\nCOMMIT;")


def write(path: Path, agents: Iterable[Agent] = (), skills: Iterable[SkillInvocation] = ()) -> None:
    """Add rows in one transaction: all of them or none. Raises NightschoolError when the ledger refuses one."""
    with _opened(path, "rw") as ledger, ledger:
        for record, table in [*((a, "agents") for a in agents), *((s, "skill_invocations") for s in skills)]:
            told = record.model_dump()
            names, marks = ", ".join(told), ", ".join(f":{name}" for name in told)
            ledger.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", told)  # noqa: S608  names of our own


def agents(path: Path) -> list[Agent]:
    """Return the agents, oldest first. Raises NightschoolError for a file that is no such ledger."""
    return list(_rows(path, "agents", Agent, "started_ts, id"))


def skills(path: Path) -> list[SkillInvocation]:
    """Return the uses of skills, oldest first."""
    return list(_rows(path, "skill_invocations", SkillInvocation, "ts, id"))


def _rows(path: Path, table: str, kind: type[Row], order: str) -> Iterator[Row]:
    """Read rows; columns that an older ledger lacks have their defaults."""
    with _opened(path, "ro") as ledger:
        version = ledger.execute("PRAGMA user_version").fetchone()[0]
        if not 0 < version <= VERSION:
            raise NightschoolError("not a ledger of a known version", where=path, why=f"user_version is {version}")
        for row in ledger.execute(f"SELECT * FROM {table} ORDER BY {order}"):  # noqa: S608  names of our own
            told = {name: row[name] for name in row.keys() if name in kind.model_fields}  # noqa: SIM118  no mapping
            try:
                yield kind.model_validate(told)
            except ValidationError as error:
                raise NightschoolError("a row that cannot be", where=path, why=error.errors()[0]["msg"]) from error


@contextlib.contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    try:
        ledger = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10)
        ledger.row_factory = sqlite3.Row
        try:
            yield ledger
        finally:
            ledger.close()
    except sqlite3.Error as error:
        raise NightschoolError("the ledger refuses", where=path, why=error) from error
