"""`nightschool graph-check`: do references between rules and memory lead somewhere?"""

import argparse
from pathlib import Path

from nightschool.cli.options import json_flag, print_json, print_plain, tell
from nightschool.errors import DONE, USAGE

DESCRIPTION = (
    "Check every wikilink, block and hand-off reference and link between Markdown files. Exit 2 when one is broken."
)
BROKEN = USAGE  # the code that other graph checks end with, too


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("path", nargs="?", metavar="DIR", help="the folder (default: this directory)")
    parser.add_argument("--path", dest="named", metavar="DIR", help="the same")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Print what is broken."""
    from nightschool.night.conflicts import written
    from nightschool.night.conflicts.scan import broken
    from nightschool.night.conflicts.tree import read

    tree = read(Path(args.named or args.path or ".").resolve())
    found = broken([tree])
    if args.json:
        print_json(written.graph_document(found))
    else:
        for link in found:
            target = "".join(sign if sign.isprintable() else "?" for sign in link.target)
            print_plain(f"{link.source}:{link.line}: {link.kind} to {target} leads nowhere")
        tell(f"{len(found)} broken reference(s) in {len(tree.pages)} page(s)")
    return BROKEN if found else DONE
