"""`nightschool brief`: what a session here is told at its start."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_plain, project_of
from nightschool.errors import DONE

DESCRIPTION = "Show what a session in this project is told at its start; --renew prepares it anew."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--project", metavar="DIR", help="the project (default: this directory)")
    parser.add_argument("--renew", action="store_true", help="prepare it anew first")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Print it; nothing when a session is told nothing."""
    from nightschool.config import load
    from nightschool.morning import brief
    from nightschool.paths import Home

    home, project = Home.from_env(), project_of(args)
    if args.renew:
        brief.prepare(home, project, load(home).brief.tokens)
    path = brief.found(home, project)
    text = path.read_text(encoding="utf-8") if path else ""
    if args.json:
        tokens = brief.upper_tokens(text)
        print_json({"project": project, "path": str(path) if path else None, "tokens_at_most": tokens, "text": text})
    elif text:
        print_plain(text, end="")
    else:
        print_plain("a session here is told nothing")
    return DONE
