"""`nightschool undo`: take an adoption back."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_plain, tell
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
    from nightschool.morning import brief
    from nightschool.morning.undo import undo
    from nightschool.paths import Home

    home = Home.from_env()
    taken = undo(home, night=args.night, rule=args.rule, tell=tell)
    brief.renew(home, tell)
    if args.json:
        print_json([receipt.model_dump(mode="json") for receipt in taken])
        return DONE
    for path in dict.fromkeys(change.path for receipt in taken for change in receipt.files):
        print_plain(f"restored {path}")
    return DONE
