"""`nightschool export`: the exam of your rules for a client's own harness, or the rules for a client's own memory."""

import argparse
import os
from pathlib import Path

from nightschool.cli.options import json_flag, print_json, print_plain, project_of, words
from nightschool.errors import DONE

DESCRIPTION = (
    "Write the tasks behind adopted and accepted rules, with the rules as a skill, as a suite for a client's own "
    "harness: it runs every task with the rules and without. Sealed tasks are left out. Or write the adopted rules as "
    "a file that a client's own memory imports, the whole home as one file, or its sessions: as trace lines, as ATIF "
    "trajectories (one JSON file a session), or with its nights as an agents' ledger (SQLite). Calls no model."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is exported and where to."""
    told = "cases for a harness, rules for a memory, a whole home, or sessions in a format of others"
    parser.add_argument("what", choices=["evals", "memories", "home", "traces", "atif", "ledger"], help=told)
    parser.add_argument("folder", metavar="DIR", help="an empty directory, or one that is made; else the file")
    parser.add_argument("--platform", default="", metavar="NAME", help="whose (default: the only one)")
    parser.add_argument("--rule", action="append", default=[], metavar="ID", help="only this rule (may be repeated)")
    parser.add_argument("--project", metavar="DIR", help="of this project (default: this directory)")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Write the suite and say how to run it."""
    from nightschool import platforms
    from nightschool.morning.export import evals
    from nightschool.paths import Home

    words("the name of what is written", args.folder, "Name a directory that is made, or a file.")
    folder = Path(os.path.abspath(Path(args.folder).expanduser()))  # noqa: PTH100  a link stays as it was named
    if args.what == "memories":
        return _memories(args, folder)
    if args.what not in {"evals", "memories"}:
        return _sessions(args, folder)
    done = evals(
        Home.from_env(),
        platforms.installed(),
        folder,
        project=project_of(args),
        platform=args.platform,
        rules=args.rule,
    )
    if args.json:
        print_json(done.model_dump(mode="json"))
        return DONE
    print_plain(f"{len(done.tasks)} task(s) of {len(done.rules)} rule(s) as cases for {done.platform}: {done.folder}")
    for task, why in done.left_out.items():
        print_plain(f"left out {task}: {why}")
    print_plain("every run of a case is a model call of that client, under its own login")
    return DONE


def _sessions(args: argparse.Namespace, path: Path) -> int:
    """Write the home, or its sessions in a format of others."""
    from nightschool.paths import Home
    from nightschool.sync import archive, told

    write, things = {
        "home": (archive.exported, "file(s)"),
        "traces": (told.traces_to, "line(s)"),
        "atif": (told.trajectories_to, "trajectories"),
        "ledger": (told.ledger_to, "row(s)"),
    }[args.what]
    count = write(Home.from_env(), path)
    if args.json:
        print_json({"file": str(path), "count": count})
    else:
        print_plain(f"{count} {things}: {path}")
    return DONE


def _memories(args: argparse.Namespace, file: Path) -> int:
    """Write every adopted rule that has a place in that memory, and say which have none."""
    from nightschool import platforms
    from nightschool.morning.kept import memories
    from nightschool.paths import Home

    done = memories(Home.from_env(), platforms.installed(), file, platform=args.platform, rules=args.rule)
    if args.json:
        print_json(done.model_dump(mode="json"))
        return DONE
    print_plain(f"{len(done.rules)} adopted rule(s) for the memory of {done.platform}: {done.file}")
    for rule, why in done.left_out.items():
        print_plain(f"left out {rule}: {why}")
    return DONE
