"""`nightschool import`: take in what other tools remember."""  # noqa: N999  the verb's own name

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.cli.options import json_flag, print_json, print_plain, project_of, tell
from nightschool.errors import DONE

if TYPE_CHECKING:
    from nightschool.paths import Home

DESCRIPTION = (
    "Read what another tool remembers (an SQLite memory, trace JSONL, Markdown notes) and show it; with --yes it "
    "becomes blocks that name their source. No session is told of imported blocks by itself. A file written by "
    "`nightschool export home` becomes this home, when there is none yet. The file is only read."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("file", nargs="+", metavar="FILE", help="what to import")
    parser.add_argument("--project", metavar="DIR", help="for what names no project (default: this directory)")
    parser.add_argument("--yes", action="store_true", help="take it in, instead of showing it")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Preview, or take in."""
    from nightschool.day.redact import redact
    from nightschool.files import single_flight
    from nightschool.memory.blocks import BlockStore
    from nightschool.memory.imports import read
    from nightschool.memory.index import Index
    from nightschool.paths import Home
    from nightschool.sync import archive

    home = Home.from_env()
    first = Path(args.file[0]).expanduser()
    if len(args.file) == 1 and archive.is_archive(first):
        return _home(args, home, first)
    blocks = [block for name in args.file for block in read(Path(name).expanduser(), project_of(args), redact)]
    taken = 0
    if args.yes and blocks:
        with single_flight(home.lock, "an import"):
            store = BlockStore(home)
            buried = store.buried()
            for block in blocks:
                if block.id not in buried and store.load(block.id) is None:
                    store.save(block, durable=True)
                    taken += 1
            Index(home, tell).sync()
    if args.json:
        found = [{"id": b.id, "title": b.title, "project": b.project, "from": b.evidence[0].source} for b in blocks]
        print_json({"found": found, "taken": taken})
        return DONE
    for block in blocks[:20]:
        print_plain(f"{block.id}  {block.title[:100]}  ({block.evidence[0].source})")
    if len(blocks) > 20:  # noqa: PLR2004
        print_plain(f"… and {len(blocks) - 20} more")
    print_plain(
        f"{taken} block(s) taken in" if args.yes else f"{len(blocks)} block(s) found; the same with --yes takes them in"
    )
    return DONE


def _home(args: argparse.Namespace, home: "Home", file: Path) -> int:
    """Make this home from an exported one."""
    from nightschool.sync import archive

    count = archive.imported(home, file) if args.yes else 0
    for told in archive.programs(home) if args.yes else ():
        tell(f"a setting that came with it runs a program or names a server: {told}")
    if args.json:
        print_json({"home": str(home.root), "taken": count})
    else:
        print_plain(
            f"{count} file(s) taken in as {home.root}" if args.yes else "a whole home; the same with --yes makes it"
        )
    return DONE
