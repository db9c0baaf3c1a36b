"""`nightschool export`: the exam of your rules, for a client's own harness."""

import argparse
import os
from pathlib import Path

from nightschool.cli.options import json_flag, print_json, project_of
from nightschool.errors import DONE

DESCRIPTION = (
    "Write the tasks behind adopted and accepted rules, with the rules as a skill, as a suite for a client's own "
    "harness: it runs every task with the rules and without. Sealed tasks are left out. Calls no model."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is exported and where to."""
    parser.add_argument("what", choices=["evals"], help="evals: cases for a client's own harness")
    parser.add_argument("folder", metavar="DIR", help="an empty directory, or one that is made")
    parser.add_argument("--platform", default="", metavar="NAME", help="whose harness (default: the only one)")
    parser.add_argument("--rule", action="append", default=[], metavar="ID", help="only this rule (may be repeated)")
    parser.add_argument("--project", metavar="DIR", help="of this project (default: this directory)")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Write the suite and say how to run it."""
    from nightschool import platforms
    from nightschool.morning.export import evals
    from nightschool.paths import Home

    folder = Path(os.path.abspath(Path(args.folder).expanduser()))  # noqa: PTH100  a link stays as it was named
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
    print(f"{len(done.tasks)} task(s) of {len(done.rules)} rule(s) as cases for {done.platform}: {done.folder}")
    for task, why in done.left_out.items():
        print(f"left out {task}: {why}")
    print("every run of a case is a model call of that client, under its own login")
    return DONE
