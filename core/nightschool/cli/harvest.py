"""`nightschool harvest`: read new sessions now."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_plain, project_flags, setting_of
from nightschool.errors import DONE

DESCRIPTION = "Read what sessions have written since they were last read. A night does this by itself."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    project_flags(parser)
    parser.add_argument("--max-sessions", metavar="N", help="transcripts to read now; the rest waits (0: all)")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Harvest and print the counts."""
    from nightschool.files import single_flight
    from nightschool.night.prepare import gather

    setting = setting_of(args, quiet=args.json)
    with single_flight(setting.home.lock, "a harvest"):
        found = gather(setting).funnel
    if args.json:
        print_json(found.model_dump(mode="json"))
        return DONE
    print_plain(f"{found.transcripts} transcript(s) known, {found.read} read now ({found.new_bytes:,} new bytes)")
    if found.backlog:
        print_plain(f"{found.backlog} left for the next harvest")
    for reason, count in sorted(found.skipped.items()):
        print_plain(f"{count} line(s) left out: {reason}")
    for name, why in sorted(found.broken.items()):
        print_plain(f"failed: {name}: {why}")
    return DONE
