"""`nightschool sync`: exchange with your other machines."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import json_flag, print_json, print_plain, tell
from nightschool.errors import DONE, NightschoolError

if TYPE_CHECKING:
    from nightschool.config import Config
    from nightschool.paths import Home
    from nightschool.records import Target

DESCRIPTION = (
    "Exchange memory, sessions, evidence, nights and decisions with the private repository, folder or bucket that "
    "`nightschool setup` has set. Everything is redacted again before it leaves. Offline nothing is lost."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--status", action="store_true", help="only say what is behind; asks nobody, changes nothing")
    parser.add_argument(
        "--drop-history", action="store_true", help="leave only the newest state of a git repository, for all machines"
    )
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Exchange, or say how things stand."""
    from nightschool.clock import SystemClock
    from nightschool.config import load
    from nightschool.paths import Home
    from nightschool.sync import service

    home, clock = Home.from_env(), SystemClock()
    config = load(home)
    if args.status:
        return _status(service.status(home, config.sync, clock), as_json=args.json)
    if args.drop_history and not service.history_dropped(home, config.sync, clock, documents(config)):
        tell("a folder or a bucket keeps no history: there is nothing to drop")
    done = service.synced(home, config.sync, clock, documents(config), tell)
    if done.taken:
        _renew(home)
    if args.json:
        print_json({"sent": done.sent, "taken": done.taken, "lines": done.lines, "refused": done.refused})
        return DONE
    print_plain(f"{len(done.sent)} file(s) sent, {len(done.taken)} taken in, {done.lines} line(s) of others' logs")
    for path, why in done.refused.items():
        print_plain(f"refused {path}: {why}")
    return DONE


def around(home: "Home", config: "Config") -> None:
    """Exchange before or after a night, if that is wanted; what goes wrong is told, and stops no night."""
    if config.sync.backend == "none" or not config.sync.nightly:
        return
    from nightschool.clock import SystemClock
    from nightschool.sync import service

    try:
        done = service.synced(home, config.sync, SystemClock(), documents(config), tell)
    except NightschoolError as error:
        tell(f"not synced: {error}")
        return
    for path, why in done.refused.items():
        tell(f"refused {path}: {why}")


def documents(config: "Config") -> "Callable[[str | None], dict[str, Target]]":
    """Return what tells the documents rules can go to on this machine, by their files."""
    import functools
    import os
    from pathlib import Path

    from nightschool import platforms
    from nightschool.night.rules.documents import names
    from nightschool.records import NightRequest

    loaded = platforms.installed()
    skills = tuple(name for name in names(config.adopt.target) if name.endswith("SKILL.md"))

    @functools.cache
    def found(project: str | None) -> "dict[str, Target]":
        asked = NightRequest(user_home=str(Path.home()), environ=dict(os.environ), project=project, skills=skills)
        return {target.path: target for night in loaded.on_night(asked) for target in night.targets}

    return found


def _renew(home: "Home") -> None:
    from nightschool.morning import brief

    brief.renew(home, tell)


def _status(told: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        print_json(told)
        return DONE
    if not told["remote"]:
        print_plain("nothing is shared: nightschool setup says where to")
        return DONE
    print_plain(f"with        {told['remote']}")
    print_plain(f"machine     {told['machine']}" + (f", {told['author']}" if told["author"] else ""))
    print_plain(f"last        {told['last'] or 'never'}" + (f"; since then: {told['error']}" if told["error"] else ""))
    print_plain(f"waiting     {len(told['waiting'])} file(s)")
    for path in told["waiting"][:10]:
        print_plain(f"            {path}")
    for name, author in told.get("machines", {}).items():
        print_plain(f"also        {name}" + (f", {author}" if author else ""))
    for path, why in told["refused"].items():
        print_plain(f"refused     {path}: {why}")
    return DONE
