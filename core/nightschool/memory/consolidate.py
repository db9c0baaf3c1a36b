"""Consolidation: from sessions to observations, from observations to blocks. Only what has changed is done again.

A session is observed anew when its file is another than the one observed; the blocks of a project are made anew when a
session of it was. What a project's sessions no longer bear out is put away, what fades too, and both are noted.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from pydantic import Field, ValidationError

from nightschool.clock import Clock
from nightschool.config import Memory
from nightschool.events import Record
from nightschool.files import write_whole
from nightschool.memory import dose, forget, vectors
from nightschool.memory.blocks import BlockStore
from nightschool.memory.cases import Case, alike, by_project, until_then
from nightschool.memory.decisions import domain
from nightschool.memory.index import Index
from nightschool.memory.observe import Hear, observe
from nightschool.memory.patterns import patterns
from nightschool.memory.repairs import repairs
from nightschool.memory.settle import Remembered, settled
from nightschool.memory.store import SessionStore
from nightschool.memory.traps import traps
from nightschool.paths import Home, safe_name
from nightschool.records import AuditEntry, Block, Observed, Session, Voice
from nightschool.versions import stored

Commits = Mapping[tuple[str, str], Sequence[AuditEntry]]
"""The milestones of each session, by platform and id."""


class _State(Record):
    """Which files were observed: key -> file, project. Another `settings` makes all blocks anew.

    `touched` are projects of which sessions were observed and no blocks were made since.
    """

    settings: str = ""
    touched: tuple[str, ...] = ()
    files: dict[str, tuple[str, str]] = Field(default_factory=dict)


def remember(
    home: Home,
    rules: Memory,
    clock: Clock,
    hear: Hear,
    tell: Callable[[str], None],
    commits: Commits = MappingProxyType({}),
) -> Remembered:
    """Observe, consolidate, fade, check what is cited, and bring the index up to date."""
    state = _loaded_state(home)
    settings = json.dumps([1, rules.min_observations, rules.confidence])
    state, observed, touched = _observed(home, state, hear, commits, everything=state.settings != settings)
    here: dict[str, dict[str, tuple[str, str]]] = {project: {} for project in sorted(touched)}
    for key, file in state.files.items():
        if file[1] in here:
            here[file[1]][key] = file
    told = settled(
        home,
        sorted(here),
        lambda project: blocks_of(home, project, here[project], rules),
        Counter(project for _, project in state.files.values()),
        dose.credit(home, doses(home, state.files)),
        rules,
        clock,
    )
    emptied = forget.retire_sessions(home, rules.session_days, clock)
    _save_state(home, _State(settings=settings, files=state.files | _as_they_are(home, emptied, state)))
    if told.blocks or Index(home).path.exists():
        Index(home, tell).sync(check=True)
        vectors.sync(home)
    return told.model_copy(update={"observed": observed, "emptied": len(emptied)})


def observe_new(home: Home, hear: Hear, commits: Commits = MappingProxyType({})) -> int:
    """Observe the sessions that have changed, without making blocks of it yet; return how many there were."""
    state = _loaded_state(home)
    known, count, touched = _observed(home, state, hear, commits, everything=False)
    if count:
        _save_state(home, known.model_copy(update={"touched": tuple(sorted(touched))}))
    return count


def blocks_of(
    home: Home, project: str, files: Mapping[str, tuple[str, str]], rules: Memory, *, until: datetime | None = None
) -> list[Block]:
    """Return the blocks that a project's observations make; with `until`, those they would have made then."""
    mine = (key for key, (_, of) in files.items() if of == project)
    found = (_load(home, *key.split("/", 1)) for key in mine)
    here = list(alike(one for one in found if one is not None and one.project == project))
    cases = by_project(until_then(here, until)).get(project, [])
    return consolidated(project, cases, rules, BlockStore(home).buried())


def consolidated(project: str, cases: list[Case], rules: Memory, buried: frozenset[str] = frozenset()) -> list[Block]:
    """Return the blocks of all five types that a project's sessions make, but not those that must not come back."""
    least, confidence = rules.min_observations, rules.confidence
    blocks = [
        *domain(project, cases, buried.__contains__),
        *repairs(project, cases, least, confidence),
        *traps(project, cases, least, confidence),
        *patterns(project, cases, least, confidence),
    ]
    return [block for block in blocks if block.id not in buried]


def as_of(home: Home, block: Block, at: datetime, rules: Memory) -> Block | None:
    """Return what would have been told of a block's matter at an instant: it, what it superseded, or None."""
    if block.voice is Voice.IMPORTED:
        return block if block.created <= at else None
    then = {b.id: b for b in blocks_of(home, block.project, _loaded_state(home).files, rules, until=at)}
    names = [block.id]
    while names:
        name = names.pop(0)
        if name in then:
            return then[name]
        known = BlockStore(home).load(name)
        names += known.supersedes if known else ()
    return None


def doses(home: Home, files: Iterable[str] | None = None) -> list[Observed]:
    """Return every observed session when doses are measured, else none; of it what they are measured by."""
    if not dose.measured(home):
        return []
    files = _loaded_state(home).files if files is None else files
    return [dose.light(one) for key in files if (one := _load(home, *key.split("/", 1))) is not None]


def observed_projects(home: Home) -> list[str]:
    """Return the directories in which the observed sessions were held."""
    return sorted({project for _, project in _loaded_state(home).files.values() if project})


def _observed(
    home: Home, state: _State, hear: Hear, commits: Commits, *, everything: bool
) -> tuple[_State, int, set[str]]:
    """Observe the sessions whose files are others than they were; return how many and the projects concerned."""
    store, files = SessionStore(home), dict(state.files)
    touched = {project for _, project in files.values()} if everything else set(state.touched)
    count = 0
    for key, file in sorted(store.files().items()):
        name = "/".join(key)
        if name in files and files[name][0] == file:
            continue
        session = store.load(*key)
        if session is None:
            continue
        told = _with_what_was(session, observe(session, hear, commits.get(key, ())), _load(home, *key))
        write_whole(_path(home, *key), told.model_dump_json(exclude_defaults=True).encode(), durable=False)
        files[name] = (file, told.project)
        touched.add(told.project)
        count += 1
    return _State(settings=state.settings, files=files), count, touched


def _with_what_was(session: Session, told: Observed, before: Observed | None) -> Observed:
    """Keep what was observed in text that has gone since for its age: what is there begins where that ended."""
    if before is None or told.project != before.project or told.offset < before.offset or session.own:
        return told
    if any(turn.span[0] < before.offset for turn in session.turns):
        return told
    tokens = None if before.tokens is None else before.tokens + (told.tokens or 0)
    was = {"started": before.started, "tokens": tokens, "observations": (*before.observations, *told.observations)}
    return told.model_copy(update=was)


def _as_they_are(home: Home, names: list[str], state: _State) -> dict[str, tuple[str, str]]:
    """Return the state of sessions that were emptied: what was observed of them stands."""
    files = {"/".join(key): file for key, file in SessionStore(home).files().items()} if names else {}
    return {name: (files[name], state.files[name][1]) for name in names if name in files and name in state.files}


def _state_path(home: Home) -> Path:
    return home.memory / "observed.json"


def unsettle(home: Home) -> None:
    """Have the next night make all blocks anew."""
    _state_path(home).unlink(missing_ok=True)


def _save_state(home: Home, state: _State) -> None:
    write_whole(_state_path(home), state.model_dump_json().encode(), durable=False)


def _loaded_state(home: Home) -> _State:
    """Return what was observed; nothing when that is not known or the blocks are gone: all is then made anew."""
    try:
        return stored(_State, _state_path(home))
    except (OSError, ValidationError):
        return _State()


def _path(home: Home, *key: str) -> Path:
    platform, session = key
    return home.memory / "observations" / safe_name(platform) / f"{safe_name(session)}.json"


def _load(home: Home, *key: str) -> Observed | None:
    try:
        return stored(Observed, _path(home, *key))
    except (OSError, ValidationError):
        return None
