"""`nightschool uninstall`: take back everything outside the home."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.cli.options import json_flag, print_json, print_plain, tell
from nightschool.errors import DONE, FAILED, NightschoolError

if TYPE_CHECKING:
    from nightschool.morning.uninstall import Touched
    from nightschool.paths import Home
    from nightschool.records import NightRequest

DESCRIPTION = (
    "Take back everything Nightschool has changed outside its home: each file nobody has edited since gets its exact "
    "bytes back, in the others only our rules and block go. Tells what stays and how to remove that too."
)
_DONE = {
    "restored": "restored, byte for byte:",
    "removed": "removed, we had made it:",
    "cleaned": "our rules taken out, your edits kept:",
    "failed": "NOT restored:",
}
_PLANNED = {
    "restored": "would be restored, byte for byte:",
    "removed": "would be removed, we have made it:",
    "cleaned": "our rules would go, your edits stay:",
    "failed": "cannot be restored:",
}
_COMMAND = "uv tool uninstall nightschool, or pipx uninstall nightschool"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--purge", action="store_true", help="remove Nightschool's home too, with all it has learned")
    parser.add_argument("--yes", action="store_true", help="the answer to what --purge asks")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Take back, remove the home when that is wanted, and tell what stays; exit 1 when a file could not be restored."""
    from nightschool.morning import guards
    from nightschool.morning.uninstall import planned, purge, uninstall
    from nightschool.paths import Home

    home = Home.from_env()
    if args.purge and not args.yes and not args.dry_run:
        why = "it removes every session, task, night and receipt"
        fix = "Nothing was changed. If you mean it: nightschool uninstall --purge --yes."
        raise NightschoolError("--purge wants --yes", where=home.root, why=why, fix=fix)
    shared = _shared(home)  # asked before the home may go
    nights = _unscheduled(home, dry_run=args.dry_run)
    guarded = guards.uninstall(home, dry_run=args.dry_run)
    files = guarded + (planned(home) if args.dry_run else uninstall(home, tell))
    files += _unwired(dry_run=args.dry_run)
    failed = any(file.action == "failed" for file in files)
    foreign = purge(home) if args.purge and not args.dry_run and not failed else []
    failed = failed or bool(foreign)
    told = {
        "dry_run": args.dry_run,
        "schedules": nights,
        "files": [file.model_dump(mode="json") for file in files],
        "kept": _kept(home, purging=args.purge, failed=failed, foreign=foreign) + shared,
        "next": _next(),
    }
    if args.json:
        print_json(told)
    else:
        for night in nights:
            print_plain(f"{'would be unscheduled' if args.dry_run else 'unscheduled'}: {night}")
        _print(files, told["kept"], told["next"], dry_run=args.dry_run)
    return FAILED if failed else DONE


def _unscheduled(home: "Home", *, dry_run: bool) -> list[str]:
    """Take scheduled nights back, or only say which; return their ids."""
    from nightschool.schedule import install, jobs

    known = jobs.all_jobs(home)
    if known and not dry_run:
        install.remove(home, known, tell)
    return [job.id for job in known]


def _unwired(*, dry_run: bool) -> tuple["Touched", ...]:
    """Let every platform take back what installing it has put into its client's files."""
    from nightschool import platforms
    from nightschool.morning.unwire import unwire

    return unwire(platforms.installed(), _request(), dry_run=dry_run)


def _request() -> "NightRequest":
    from nightschool.records import NightRequest

    return NightRequest(user_home=str(Path.home()), environ=dict(os.environ), project=None)


def _kept(home: "Home", *, purging: bool, failed: bool, foreign: list[str]) -> list[dict[str, str]]:
    """Say what stays and why."""
    if not home.root.exists():
        return []
    if foreign:
        why = f"it also holds what is not Nightschool's: {', '.join(foreign[:10])}; move that away first"
    elif purging and failed:
        why = "without its receipts the files above could not be restored any more"
    elif purging:
        why = "--purge --yes would remove it"
    else:
        why = "what was learned, and the receipts; nightschool uninstall --purge --yes removes it"
    return [{"path": str(home.root), "why": why}]


def _shared(home: "Home") -> list[dict[str, str]]:
    """Name what was shared and lies elsewhere: only who owns that place removes it."""
    from nightschool.config import load

    try:
        rules = load(home).sync
    except NightschoolError:
        return []  # settings that cannot be read stop no uninstall
    if rules.backend == "none" or not rules.url:
        return []
    why = "what this machine has shared; other machines may still use it, delete it there"
    if rules.deploy_key and rules.backend == "git":
        why += ", and take the deploy key called nightschool from it"
    return [{"path": rules.url, "why": why}]


def _next() -> dict[str, str]:
    """Say what only others can remove: each client its plugin, the installer the command."""
    from nightschool import platforms

    loaded = platforms.installed()
    hints = {name: getattr(loaded.manager.get_plugin(name), "uninstall_hint", "") for name in loaded.names()}
    told = {loaded.title(name): str(hint) for name, hint in hints.items() if hint}
    return told | {"this command": _COMMAND}


def _print(files: tuple["Touched", ...], kept: list[dict[str, str]], steps: dict[str, str], *, dry_run: bool) -> None:
    words = _PLANNED if dry_run else _DONE
    for file in files:
        print_plain(f"{words[file.action]} {file.path}")
        for note in file.notes:
            print_plain(f"  {note}")
    if not files:
        print_plain("nothing outside Nightschool's home is left to take back")
    for one in kept:
        print_plain(f"kept: {one['path']} ({one['why']})")
    for what, step in steps.items():
        print_plain(
            f"to remove {what}: {step}" if what == "this command" else f"to remove the plugin of {what}: {step}"
        )
