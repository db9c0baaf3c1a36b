"""`nightschool forget`: let memory go, take that back, or erase it with proof."""

import argparse
from typing import TYPE_CHECKING

from nightschool.cli.options import json_flag, print_json, print_plain, project_of
from nightschool.errors import DONE, NightschoolError, UsageError

if TYPE_CHECKING:
    from nightschool.memory.blocks import BlockStore
    from nightschool.paths import Home
    from nightschool.records import Block

DESCRIPTION = (
    "Put a block of memory away so that no night makes it again; --undo takes that back. --hard erases its words from "
    "every file that is kept, and proves it by a search for the bytes: that cannot be taken back."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("id", nargs="*", metavar="ID", help="a block's id, or its beginning")
    parser.add_argument("--query", metavar="TEXT", help="the blocks a search finds; with --hard: this very text")
    parser.add_argument("--project", metavar="DIR", help="of this project (default: this directory)")
    parser.add_argument("--hard", action="store_true", help="erase, and prove it")
    parser.add_argument("--yes", action="store_true", help="do what --query or --hard would do, instead of telling it")
    parser.add_argument("--undo", nargs="?", const="", metavar="N", help="take a forgetting back (default: the newest)")
    parser.add_argument("--list", action="store_true", help="list what was forgotten, by nights and by you")
    parser.add_argument("--pin", action="store_true", help="keep these blocks for ever instead")
    parser.add_argument("--unpin", action="store_true", help="let pinned blocks fade again")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Forget, and say what is gone."""
    from nightschool.files import single_flight
    from nightschool.memory.blocks import BlockStore
    from nightschool.paths import Home

    home = Home.from_env()
    if args.list:
        return _list(home, args)
    if args.undo is None and not args.id and not args.query:
        raise UsageError("nothing is named", fix="Name an id, or --query TEXT, --undo or --list.")
    with single_flight(home.lock, "forgetting"):
        if args.undo is not None:
            return _undo(home, args)
        blocks = _meant(home, BlockStore(home), args)
        if args.pin or args.unpin:
            return _pin(home, blocks, args)
        if args.hard:
            return _erase(home, blocks, args)
        return _forget(home, blocks, args)


def _meant(home: "Home", store: "BlockStore", args: argparse.Namespace) -> "list[Block]":
    from nightschool.memory.search import MOST, search

    blocks = [store.named(name) for name in args.id]
    if args.query:
        found = search(home, args.query, project=project_of(args), limit=MOST).hits
        exact = args.query.casefold()
        near = (
            hit.block for hit in found if not args.hard or exact in f"{hit.block.title}\n{hit.block.text}".casefold()
        )
        blocks += [block for block in near if not block.pinned]
    return blocks


def _forget(home: "Home", blocks: "list[Block]", args: argparse.Namespace) -> int:
    from nightschool.clock import SystemClock
    from nightschool.memory.forget import as_json, forget

    if not blocks or (args.query and not args.yes):
        told = {"would_forget": [{"id": block.id, "title": block.title} for block in blocks]}
        if args.json:
            print_json(told)
        for block in blocks if not args.json else ():
            print_plain(f"{block.id}  {block.title}")
        if not args.json:
            print_plain("the same with --yes puts them away" if blocks else "nothing matches: nothing was changed")
        return DONE
    note = forget(home, blocks, args.query or "by name", SystemClock())
    _renew(home)
    if args.json:
        print_json(as_json(note))
    else:
        print_plain(f"put away: {', '.join(note.put_away)}")
        print_plain(f"to take it back: nightschool forget --undo {note.id}")
    return DONE


def _erase(home: "Home", blocks: "list[Block]", args: argparse.Namespace) -> int:
    from nightschool.clock import SystemClock
    from nightschool.day.rest import at_rest
    from nightschool.memory.blocks import BlockStore
    from nightschool.memory.erase import erase, remaining

    texts = [args.query] if args.query else []
    texts += [text for block in blocks for text in (block.title, block.text) if text and not args.query]
    if not args.yes:
        held = remaining(home, texts)
        told = {"would_remove": [block.id for block in blocks], "texts": texts, "files": held}
        if args.json:
            print_json(told)
        else:
            print_plain(
                f"would remove {len(blocks)} block(s) and rewrite {len(held)} file(s); it cannot be taken back: --yes"
            )
        return DONE
    store = BlockStore(home)
    with at_rest(home, "erasing"):  # a file that grows while it is rewritten would lose what was added
        if blocks:
            store.bury([block.id for block in blocks], SystemClock())
        for block in blocks:
            store.remove(block.id)
        written, left = erase(home, texts)
    _renew(home)
    if args.json:
        print_json({"removed": [block.id for block in blocks], "rewritten": written, "remaining": left})
    else:
        print_plain(f"removed {len(blocks)} block(s), rewrote {len(written)} file(s), made the index anew")
        print_plain(f"searched the bytes of every file under {home.root}: {len(left)} hold it still")
        print_plain("the transcripts are the clients' own: what they keep is theirs to remove")
        if home.sync.exists():
            print_plain("what was shared has a history: nightschool sync --drop-history takes it out there")
    if left:
        fix = "Receipts keep the bytes that undo restores; remove those you no longer want to undo."
        raise NightschoolError("not everything is erased", where=", ".join(left[:3]), fix=fix)
    return DONE


def _undo(home: "Home", args: argparse.Namespace) -> int:
    from nightschool.clock import SystemClock
    from nightschool.memory.forget import undo

    note, back = undo(home, args.undo or None, SystemClock())
    _renew(home)
    if args.json:
        print_json({"undone": note.id, "back": back, "purged": list(note.purged)})
    else:
        print_plain(f"there again: {', '.join(back) or 'none'}")
        if note.purged:
            print_plain(f"{len(note.purged)} had been purged: the next night makes them again from what is kept")
    return DONE


def _pin(home: "Home", blocks: "list[Block]", args: argparse.Namespace) -> int:
    from nightschool.memory.forget import pin

    told = [pin(home, block, pinned=args.pin) for block in blocks]
    if args.json:
        print_json([{"id": block.id, "pinned": block.pinned} for block in told])
    else:
        print_plain("\n".join(f"{block.id} {'is pinned' if block.pinned else 'fades again'}" for block in told))
    return DONE


def _list(home: "Home", args: argparse.Namespace) -> int:
    from nightschool.memory.forget import as_json, forgettings

    told = [as_json(note) for note in forgettings(home)]
    if args.json:
        print_json(told)
        return DONE
    for note in forgettings(home):
        undone = ", taken back" if note.undone else ""
        counts = f"{len(note.put_away)} put away, {len(note.purged)} purged{undone}"
        print_plain(f"{note.id}  {note.at:%Y-%m-%d}  {note.why}: {counts}")
    return DONE


def _renew(home: "Home") -> None:
    from nightschool.cli.options import tell
    from nightschool.memory.index import Index
    from nightschool.morning import brief

    Index(home, tell).sync()
    brief.renew(home, tell)
