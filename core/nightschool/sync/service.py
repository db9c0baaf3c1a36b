"""Sync as a whole: open the remote the user chose, exchange, and keep what there is to know about it."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from nightschool.clock import Clock
from nightschool.config import Sync
from nightschool.errors import NightschoolError
from nightschool.files import single_flight
from nightschool.memory.index import Index
from nightschool.paths import Home
from nightschool.sync import access, keys, machine
from nightschool.sync.codec import codec
from nightschool.sync.exchange import Exchange, Exchanged
from nightschool.sync.folder import FolderRemote
from nightschool.sync.git import GitRemote
from nightschool.sync.guests import Documents, guest, one_author
from nightschool.sync.kinds import Shelf
from nightschool.sync.remote import Listing, Remote
from nightschool.sync.state import State

_AGAIN = timedelta(hours=20)  # a repository may be made public later
_BUSY = 2.0  # seconds another exchange is waited for


def opened(home: Home, rules: Sync, clock: Clock) -> Remote:
    """Return the remote that is set. Raises NightschoolError when none is, or it cannot be used."""
    if rules.backend == "none" or not rules.url:
        raise NightschoolError("nothing is shared yet", fix="nightschool setup says where to.")
    if rules.backend == "folder":
        return FolderRemote(Path(rules.url).expanduser().absolute())
    if rules.backend == "s3":
        from nightschool.sync.s3 import S3Remote

        return S3Remote.of(rules)
    return GitRemote(
        folder=home.sync / "repo.git",
        url=access.checked(rules.url),
        branch=rules.branch,
        author=rules.author,
        timeout=rules.timeout,
        clock=clock,
        ssh=keys.ssh(home) if rules.deploy_key else "",
    )


def synced(
    home: Home, rules: Sync, clock: Clock, documents: Documents, say: Callable[[str], None] = lambda _line: None
) -> Exchanged:
    """Exchange once. Raises Unreachable when offline, and NightschoolError; nothing is lost then, and it is noted."""
    remote = opened(home, rules, clock)
    with single_flight(home.root / "sync.lock", "syncing", wait=_BUSY):
        state = State.of(home, remote.where())
        try:
            if rules.backend == "git" and (state.private is None or abs(clock.now() - state.private) > _AGAIN):
                say("making sure that the repository is private")
                access.check_private(rules.url)
                state = state.model_copy(update={"private": clock.now()})
            say(f"exchanging with {remote.where()}")
            exchange = _exchange(home, rules, remote, state, documents, clock)
            done = exchange.run()
        except NightschoolError as error:
            told = {"tried": clock.now(), "error": str(error)}
            with contextlib.suppress(NightschoolError):
                state.model_copy(update=told).save(home)
            raise
        now = clock.now()
        state.model_copy(update={"last": now, "tried": now, "error": ""}).save(home)
        if isinstance(remote, GitRemote):
            remote.tidy()
    if any(path.startswith("blocks/") for path in done.taken) or done.lines:
        Index(home, say).sync()
    return done


def history_dropped(home: Home, rules: Sync, clock: Clock, documents: Documents) -> bool:
    """Exchange, then leave only the newest state of the repository; False when its kind keeps no history."""
    synced(home, rules, clock, documents)
    remote = opened(home, rules, clock)
    if not isinstance(remote, GitRemote):
        return False
    with single_flight(home.root / "sync.lock", "syncing", wait=_BUSY):
        remote.listing()
        remote.drop_history("earlier states were dropped")
    return True


def status(home: Home, rules: Sync, clock: Clock) -> dict[str, Any]:
    """Say what is behind, without asking anybody: what waits here, and how the last exchange went."""
    me = machine.this(home, rules.author)
    told: dict[str, Any] = {"backend": rules.backend, "machine": me.id, "author": rules.author}
    if rules.backend == "none" or not rules.url:
        return told | {"remote": "", "waiting": [], "last": None, "tried": None, "error": "", "refused": {}}
    remote = opened(home, rules, clock)
    state = State.of(home, remote.where())
    there = Listing(versions={path: known.version for path, known in state.agreed.items()})
    here = _exchange(home, rules, remote, state, lambda _project: {}, clock)
    waiting = sorted(path for path, _ in here.outgoing(there))
    refused = {path: known.refused for path, known in state.agreed.items() if known.refused}
    dates = {name: at.isoformat() if at else None for name, at in (("last", state.last), ("tried", state.tried))}
    machines = {name: author for name, author in machine.authors(home).items() if name != me.id}
    found = {"remote": remote.where(), "waiting": waiting, "error": state.error, "refused": refused}
    return told | found | dates | {"machines": machines}


def brief(home: Home, rules: Sync) -> dict[str, Any]:
    """Say how the last exchange went, and how many files were changed since: by their dates, no record is read."""
    told = {
        "backend": rules.backend,
        "remote": "",
        "last": None,
        "tried": None,
        "error": "",
        "refused": 0,
        "changed": 0,
    }
    if rules.backend == "none" or not rules.url:
        return told
    state = State.newest(home, rules.url)
    since = state.last.timestamp() if state.last else 0.0
    places = Shelf(home, machine.this(home).id).places()
    shared = [info for place, info in places if rules.sessions or place.kind != "sessions"]
    changed = sum(info.st_mtime > since for info in shared)
    dates = {name: at.isoformat() if at else None for name, at in (("last", state.last), ("tried", state.tried))}
    refused = sum(1 for found in state.agreed.values() if found.refused)
    return told | dates | {"remote": rules.url, "error": state.error, "refused": refused, "changed": changed}


def _exchange(home: Home, rules: Sync, remote: Remote, state: State, documents: Documents, clock: Clock) -> Exchange:
    me = machine.this(home, rules.author)
    met: set[str] = set()  # a machine that writes here and does not say whose it is, is nobody's

    def authors() -> dict[str, str]:
        return dict.fromkeys(met, "") | machine.authors(home)

    look = guest(documents, authors, rules.adopt_by, rules.author, clock)
    return Exchange(
        home, remote, codec(me.id), state, look, met, lambda: one_author(rules.author, authors()),
        sessions=rules.sessions, author=rules.author, clock=clock,
    )  # fmt: skip
