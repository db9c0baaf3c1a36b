"""`nightschool export`: adopted rules in the format of a client's own memory."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import json_flag, print_json, tell
from nightschool.errors import DONE, NightschoolError, UsageError

if TYPE_CHECKING:
    from nightschool.platforms import Platforms

DESCRIPTION = (
    "Print the adopted rules in the format that a client's own memory imports. Nothing is imported by this, and the "
    "rules stay in their documents."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("platform", help="whose format, by the platform's name")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there, privately, in place of stdout")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Export; what has no place in that format is told on stderr."""
    from nightschool import platforms
    from nightschool.files import write_whole
    from nightschool.morning.kept import kept
    from nightschool.paths import Home

    rules = kept(Home.from_env())
    text, left = _exporter(platforms.installed(), args.platform)(rules)
    for name, why in left.items():
        tell(f"{name} is left out: {why}")
    if args.out:
        try:
            write_whole(args.out.absolute(), text.encode())
        except OSError as error:
            raise NightschoolError("cannot write the export", where=args.out, why=error.strerror) from error
    if args.json:
        told = {"platform": args.platform, "rules": len(rules) - len(left), "left": left}
        print_json(told | {"file": str(args.out) if args.out else None, "text": "" if args.out else text})
    elif not args.out:
        sys.stdout.write(text)
    return DONE


def _exporter(loaded: "Platforms", name: str) -> Any:
    found = {one: getattr(loaded.manager.get_plugin(one), "export", None) for one in loaded.names()}
    if not found.get(name):
        known = ", ".join(one for one, export in found.items() if export) or "none"
        raise UsageError("no such format of a memory", where=name, fix=f"Known here: {known}.")
    return found[name]
