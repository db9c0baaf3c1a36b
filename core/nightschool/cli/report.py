"""`nightschool report`: read a night's page."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_markdown
from nightschool.errors import DONE, NightschoolError

DESCRIPTION = "Write and print the newest night's page, or that of --night. With --json nothing is written."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--night", metavar="ID", help="which night (default: the newest)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown even on a terminal")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Print the page."""
    from nightschool.morning import report
    from nightschool.night.steps import Steps, all_nights
    from nightschool.paths import Home
    from nightschool.records import Proposal

    home = Home.from_env()
    nights = [night for night in all_nights(home) if args.night in {None, night.id}]
    if not nights:
        what = f"there is no night {args.night!r}" if args.night else "there has been no night yet"
        raise NightschoolError(what, where=home.nights, fix="Sleep first: nightschool run.")
    night = nights[-1]
    text = report.page(home, night) if args.json else report.write(home, night)
    if args.json:
        proposal = Steps(home, night.id).found("proposal", Proposal)
        rules = [rule.model_dump(mode="json") for rule in proposal.rules] if proposal else []
        print_json({"night": night.model_dump(mode="json"), "rules": rules, "markdown": text})
    elif args.markdown:
        print(text)
    else:
        print_markdown(text)
    return DONE
