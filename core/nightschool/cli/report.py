"""`nightschool report`: read a night's page."""

import argparse
import os
from pathlib import Path

from nightschool.cli.options import json_flag, print_json, print_markdown, print_plain
from nightschool.errors import DONE, NightschoolError

DESCRIPTION = (
    "Write and print the newest night's page, or that of --night: as text here, as Markdown and HTML in the home. "
    "The HTML page is one file that loads nothing. With --json nothing is written, unless --html or --open wants it."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--night", metavar="ID", help="which night (default: the newest of this project, else of all)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown even on a terminal")
    parser.add_argument("--html", action="store_true", help="only print where the HTML page is")
    parser.add_argument("--history", action="store_true", help="the page over all nights (with --html or --open)")
    parser.add_argument("--open", action="store_true", help="open the HTML page in your browser")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Print the page."""
    from nightschool.morning import page, past, report
    from nightschool.night.steps import Steps, all_nights, of_project
    from nightschool.paths import Home
    from nightschool.records import Proposal

    home = Home.from_env()
    nights = [night for night in all_nights(home) if args.night in {None, night.id}]
    nights = nights if args.night else of_project(nights, os.path.realpath(Path.cwd()))
    if not nights:
        what = f"there is no night {args.night!r}" if args.night else "there has been no night yet"
        raise NightschoolError(what, where=home.nights, fix="Sleep first: nightschool run.")
    night = nights[-1]
    text = report.page(home, night) if args.json else report.write(home, night)
    path, history = home.nights / night.id / "report.html", home.history
    if args.html or args.open or args.history or not args.json:
        path, history = page.write(home, night), past.write(home)
    if args.open:
        import webbrowser

        shown = history if args.history else path
        if not webbrowser.open(shown.as_uri()):
            raise NightschoolError("no browser could be opened", where=shown, fix="Open this file yourself.")
    if args.json:
        proposal = Steps(home, night.id).found("proposal", Proposal)
        rules = [rule.model_dump(mode="json") for rule in proposal.rules] if proposal else []
        print_json({"night": night.model_dump(mode="json"), "rules": rules, "markdown": text,
                    "html": str(path), "history": str(history)})  # fmt: skip
    elif args.html or args.history or args.open:
        print_plain(str(history if args.history else path))
    elif args.markdown:
        print_plain(text)
    else:
        print_markdown(text)
    return DONE
