"""`nightschool mine`: list what keeps coming back."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_markdown, project_flags, setting_of
from nightschool.errors import DONE

DESCRIPTION = "List what keeps coming back across sessions: requests and corrections, with counts, quotes and checks."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    project_flags(parser)
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Harvest, mine and print."""
    from nightschool.files import single_flight
    from nightschool.morning.report import mined_page
    from nightschool.night.prepare import gather, mine_sessions

    setting = setting_of(args, quiet=args.json)
    with single_flight(setting.home.lock, "a harvest"):
        mined = mine_sessions(setting, gather(setting).sessions)
    if args.json:
        print_json([recurrence.model_dump(mode="json") for recurrence in mined.recurrences])
    else:
        print_markdown(mined_page(mined.recurrences))
    return DONE
