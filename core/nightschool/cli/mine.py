"""`nightschool mine`: list what keeps coming back."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import json_flag, print_json, print_markdown, print_plain, project_flags, setting_of
from nightschool.errors import DONE

if TYPE_CHECKING:
    from nightschool.night.mining.mine import Mined
    from nightschool.night.prepare import Setting

DESCRIPTION = "List what keeps coming back across sessions: requests and corrections, with counts, quotes and checks."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    project_flags(parser)
    file = parser.add_mutually_exclusive_group()
    file.add_argument("--export", metavar="FILE", help="write the tasks into a new file, for you to review")
    file.add_argument("--import", metavar="FILE", dest="tasks", help='take in such a file; mark it "reviewed": true')
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Harvest, mine and print."""
    from nightschool.files import single_flight
    from nightschool.morning.outlook import mined_page
    from nightschool.night.prepare import gather, mine_sessions

    setting = setting_of(args, quiet=args.json)
    if args.tasks:
        return _take_in(setting, args)
    with single_flight(setting.home.lock, "a harvest"):
        mined = mine_sessions(setting, gather(setting).sessions)
    if args.export:
        return _write(setting, mined, args)
    if args.json:
        print_json(_told(setting, mined))
    else:
        print_markdown(mined_page(mined.recurrences, setting.config.model_dump(mode="json")))
    return DONE


def _told(setting: "Setting", mined: "Mined") -> list[dict[str, Any]]:
    """Return what came back as JSON, each with its tasks, the most asked first."""
    from nightschool.morning.tasks_file import ranked
    from nightschool.night.bank import family_of

    family = family_of(setting.home, mined.tasks)
    tasks: dict[str, list[dict[str, Any]]] = {}
    for task in ranked(mined.tasks, mined.recurrences):
        told = task.model_dump(mode="json") | {"family": family.get(task.id, "")}
        tasks.setdefault(task.recurrence, []).append(told)
    return [r.model_dump(mode="json") | {"tasks": tasks.get(r.id, [])} for r in mined.recurrences]


def _write(setting: "Setting", mined: "Mined", args: argparse.Namespace) -> int:
    """Export, and say what to do with the file."""
    from nightschool.morning import tasks_file
    from nightschool.night.bank import family_of

    path = _path(args.export)
    count, unchecked = tasks_file.export(path, mined, family_of(setting.home, mined.tasks))
    if args.json:
        print_json({"tasks": count, "unchecked": unchecked, "file": str(path)})
    else:
        print_plain(f"{count} task(s) written to {path}")
        if unchecked:
            print_plain(f"{unchecked} more are left out unless you write their checks: what was said implies none")
        print_plain('look through them, set "reviewed": true, and take them in: nightschool mine --import FILE')
    return DONE


def _take_in(setting: "Setting", args: argparse.Namespace) -> int:
    """Import into the bank, and say whether a paid backend may be asked them."""
    from nightschool.files import single_flight
    from nightschool.morning import tasks_file
    from nightschool.night import bank

    drafts = tasks_file.read(_path(args.tasks), setting.request.project or "", setting.clock.now())
    with single_flight(setting.home.lock, "an import"):
        done = bank.deposit(setting.home, drafts)
    reviewed = all(draft.reviewed for draft in drafts)
    if args.json:
        print_json({"tasks": len(drafts), "new": done.new, "reviewed": reviewed, "bank": done.totals})
        return DONE
    print_plain(f"{len(drafts)} task(s) read, {done.new} new in the bank")
    if not reviewed:
        print_plain('no paid backend is asked them until the file says "reviewed": true and is imported again')
    return DONE


def _path(named: str) -> Path:
    return Path(os.path.abspath(Path(named).expanduser()))  # noqa: PTH100  a link stays as it was named
