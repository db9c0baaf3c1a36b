"""`nightschool blame`: from a rule or a block to the session and the line."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_plain
from nightschool.errors import DONE

DESCRIPTION = "Say where a proposed rule or a block of memory comes from: session, transcript, line and words."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("id", metavar="ID", help="a rule's id, or a block's")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Trace it."""
    from nightschool.memory.blocks import BlockStore
    from nightschool.memory.evidence import evidence
    from nightschool.morning.blame import rule_places
    from nightschool.paths import Home

    home = Home.from_env()
    places = rule_places(home, args.id) or BlockStore(home).named(args.id).evidence
    told = evidence(home, places)
    if args.json:
        print_json({"id": args.id, "places": told})
        return DONE
    for place in told:
        where = f"{place['source']}:{place['line']}" if place["line"] else place["source"] or "its session is gone"
        print_plain(f"{place['at']}  {place['platform']} {place['session']}  {where}")
        if place.get("asked"):
            print_plain(f"    {place['asked']}")
    return DONE
