"""`nightschool doctor`: check the installation and name what is missing."""

import argparse
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.cli.options import json_flag, print_json, print_plain
from nightschool.errors import DONE, FAILED, NightschoolError

if TYPE_CHECKING:
    from nightschool.paths import Home
    from nightschool.platforms import Platforms

DESCRIPTION = "Check the installation and name what is missing, with the next step. Judges by what was really seen."

Finding = tuple[str, str, str]  # "ok", "note" or "fault"; what; the next step or ""
_Seen = tuple[tuple[str, str] | None, int, int]  # a platform's client (path, version), its events, its sessions


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Check and print; exit 1 when there is a fault."""
    from nightschool import platforms
    from nightschool.paths import Home

    home = Home.from_env()
    loaded = platforms.installed()
    seen = _seen(home, loaded)
    targets = _targets(loaded, seen)  # first: a platform may fail only when it is asked
    found = [*_engine(), *_home(home), *_stores(home), *_platforms(loaded, seen), *_spool(home), *targets]
    if args.json:
        print_json([{"level": level, "what": what, "next": step} for level, what, step in found])
    else:
        for level, what, step in found:
            print_plain(f"{level:<5} {what}" + (f". {step}" if step else ""))
    return FAILED if any(level == "fault" for level, _, _ in found) else DONE


def _engine() -> list[Finding]:
    from nightschool import __version__

    found: list[Finding] = [("ok", f"nightschool {__version__} on Python {sys.version.split()[0]}", "")]
    if shutil.which("git") is None:
        found.append(("fault", "git is not on PATH", "Install git: milestones are read from it"))
    return found


def _home(home: "Home") -> list[Finding]:
    from nightschool.config import load

    try:
        load(home)
    except NightschoolError as error:
        return [("fault", str(error), "")]
    if not home.root.exists():
        return [("note", f"{home.root} does not exist yet", "The first hook or the first night makes it")]
    if not os.access(home.root, os.W_OK):
        return [("fault", f"{home.root} cannot be written", "Make it writable, or set NIGHTSCHOOL_HOME")]
    if home.root.stat().st_mode & 0o077:
        return [("fault", f"{home.root} can be read by others", f"chmod -R go= {home.root}")]
    return [("ok", f"home {home.root}", "")]


def _stores(home: "Home") -> list[Finding]:
    """Read everything that is kept, and name what is damaged."""
    from nightschool.models.ledger import Ledger
    from nightschool.night import bank, evidence
    from nightschool.night.steps import all_nights

    found: list[Finding] = [
        (
            "fault",
            f"task {name} in the bank cannot be read: {why}",
            f"It is {home.bank / name}.json; restore or remove it",
        )
        for name, why in sorted(bank.read(home).broken.items())
    ]
    for look in (
        lambda: evidence.everything(home),
        lambda: all_nights(home),
        lambda: Ledger(home).close() if home.ledger.exists() else None,
    ):
        try:
            look()
        except NightschoolError as error:
            found.append(("fault", str(error), ""))
    return found


def _platforms(loaded: "Platforms", seen: dict[str, _Seen]) -> list[Finding]:
    """Tell what is there of each client, and judge its hooks by events really seen, not by a configuration."""
    from nightschool import bundle

    found: list[Finding] = [
        ("fault", f"platform {name} fails: {why}", "Uninstall or mend that plugin; the others work")
        for name, why in sorted(loaded.broken.items())
    ]
    found += [
        (
            "note",
            f"platform {name} is a plugin, from {made}: it runs with all your rights",
            "Uninstall what you do not know",
        )
        for name, made in sorted(loaded.guests.items())
    ]
    for name, (client, events, sessions) in seen.items():
        title = loaded.title(name)
        told = f"{client[1]} at {client[0]}" if client else "no client on PATH that tells its version"
        found.append(("ok" if client else "note", f"{title}: {told}", ""))
        if not (client or events or sessions):
            continue
        hint = str(loaded.answer(name, "install_hint", otherwise="")).replace("{root}", str(bundle.root()))
        step = "Without hooks sessions are read at night only" + (f". To have them: {hint}" if hint else "")
        told = f"{title}: {events} event(s) seen, {sessions} session(s) read"
        found.append(("ok" if events else "note", told, "" if events else step))
    return found


def _client(loaded: "Platforms", name: str) -> tuple[str, str] | None:
    told = loaded.answer(name, "client", otherwise=None)
    return (str(told[0]), str(told[1])) if isinstance(told, tuple | list) and len(told) > 1 else None


def _seen(home: "Home", loaded: "Platforms") -> dict[str, _Seen]:
    """Return each platform's client, how many events its hooks have told, and how many of its sessions were read."""
    from nightschool.day.journal import counted
    from nightschool.events import Moment
    from nightschool.memory.store import SessionStore

    found_by_us = {
        Moment.ERROR_SPIKE,
        Moment.MILESTONE_COMMIT,
        Moment.TOOL_FAILURE,
    }  # in sessions: no hook tells of them
    events = Counter[str]()
    for (platform, moment), count in counted(home).items():
        events[platform] += 0 if moment in found_by_us else count
    sessions = Counter(platform for platform, _ in SessionStore(home).marks())
    return {name: (_client(loaded, name), events[name], sessions[name]) for name in loaded.names()}


def _spool(home: "Home") -> list[Finding]:
    waiting = sum(1 for _ in home.spool.glob("*.json")) if home.spool.is_dir() else 0
    return [("note", f"{waiting} payload(s) in the spool", "nightschool drain files them")] if waiting else []


def _targets(loaded: "Platforms", seen: dict[str, _Seen]) -> list[Finding]:
    """List where rules could go: the documents of clients that are here, or of all where none is."""
    from nightschool.records import NightRequest

    request = NightRequest(user_home=str(Path.home()), environ=dict(os.environ), project=os.path.realpath(Path.cwd()))
    found: list[Finding] = []
    for name in loaded.names():
        unread = loaded.answer(name, "unread", request, otherwise=0)
        if unread:
            found.append(("note", f"{loaded.title(name)}: {unread} session(s) there that cannot be read yet", ""))
    here = {name for name, what in seen.items() if any(what)} or set(seen)
    for night in loaded.on_night(request):
        if night.platform not in here:
            continue
        found += [("ok", f"target {target.key}: {target.title} ({target.path})", "") for target in night.targets]
    return found
