"""`nightschool undo`: take an adoption back."""

import argparse

from nightschool.cli.options import json_flag, print_json
from nightschool.errors import DONE

DESCRIPTION = (
    "Take back the latest adoption, that of --night, or one --rule. A file nobody has touched since gets its exact "
    "bytes back; in one you have edited only our rules go."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--night", metavar="ID", help="what was adopted from this night")
    parser.add_argument("--rule", metavar="ID", help="only this rule")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Undo and say what changed."""
    from nightschool.clock import SystemClock
    from nightschool.morning.undo import undo
    from nightschool.paths import Home

    receipt = undo(Home.from_env(), night=args.night, rule=args.rule, clock=SystemClock())
    if args.json:
        print_json(receipt.model_dump(mode="json"))
        return DONE
    for change in receipt.files:
        print(f"restored {change.path}")
    return DONE
