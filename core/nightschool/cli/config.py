"""`nightschool config`: show or set what you can choose."""

import argparse
from typing import TYPE_CHECKING

from nightschool.cli.options import json_flag, print_json, print_plain, tell
from nightschool.errors import DONE, UsageError

if TYPE_CHECKING:
    from nightschool.config import Config
    from nightschool.paths import Home

DESCRIPTION = (
    "Without a KEY: every setting with its value and meaning. With KEY: its value. With KEY VALUE: set it; --add and "
    "--take change one entry of a setting that is a list between commas."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words."""
    parser.add_argument("key", nargs="?", metavar="KEY", help="such as exam.rollouts_k")
    parser.add_argument("value", nargs="?", metavar="VALUE", help="its new value")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--add", action="store_true", help="add VALUE to the list")
    how.add_argument("--take", action="store_true", help="take VALUE out of the list")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Show or set."""
    from nightschool.config import load, save, settings, with_setting
    from nightschool.morning import brief
    from nightschool.paths import Home

    home = Home.from_env()
    config = load(home)
    if args.value is not None:
        _there(args.key, args.value)
        told = _listed(config, args) if args.add or args.take else args.value
        config = with_setting(config, args.key, told)
        save(home, config)
        if args.key.startswith("privacy."):
            _forget_words(home, config)
        if args.key in {"exam.field", "brief.tokens"}:  # what a session is told must not outlive the user's consent
            brief.renew(home, tell)
        return DONE
    if args.add or args.take:
        raise _no_entry("--add" if args.add else "--take", args.key)
    known = settings(config)
    chosen = {key: value for key, (value, _) in known.items() if args.key in {None, key}}
    if not chosen:
        raise UsageError("no such setting", where=args.key, fix=f"Known: {', '.join(known)}.")
    if args.json:
        print_json(chosen)
    elif args.key:
        print_plain(chosen[args.key])
    else:
        print_plain(f"# {home.config}" + ("" if home.config.exists() else " (not written yet: all defaults)"))
        for key, (value, meaning) in known.items():
            print_plain(f"{key} = {value!r}  # {meaning}")
    return DONE


def _forget_words(home: "Home", config: "Config") -> None:
    """What is private now may have been kept before."""
    from nightschool.day.privacy import forget_words
    from nightschool.files import single_flight
    from nightschool.night.withdraw import withdraw

    with single_flight(home.sessions_lock, "taking private words out", wait=30.0, sign=home.sessions_wanted):
        sessions, blocks = forget_words(home, config.privacy)
    if sessions:
        tasks = withdraw(home, sessions)
        tell(f"{len(sessions)} session(s) are kept without their words now")
        tell(
            f"{blocks} memory block(s) and {tasks} task(s) made of them are gone; what others said comes again by night"
        )
        tell(
            "pages and proposals of earlier nights may quote them: nightschool forget --hard --query TEXT erases words"
        )


def _listed(config: "Config", args: argparse.Namespace) -> str:
    """Return a list setting with one entry more, or less."""
    from nightschool.config import settings

    value, meaning = settings(config).get(args.key, (None, ""))
    if not isinstance(value, str) or "between commas" not in meaning:
        raise UsageError("not a list", where=args.key, fix="--add and --take are for settings between commas.")
    entry = args.value.strip()
    if not entry or "," in entry:
        raise UsageError("not one entry", where=args.value)
    kept = [one for part in value.split(",") if (one := part.strip()) and one != entry]
    return ", ".join([*kept, entry] if args.add else kept)


def _no_entry(how: str, key: str | None) -> UsageError:
    needs = "a value" if key else "a setting and a value"
    return UsageError(f"{how} needs {needs}", fix=f"Write: nightschool config {how} {key or 'KEY'} VALUE.")


def _there(key: str, value: str) -> None:
    """Raise UsageError when what is named is not on this machine."""
    if key == "models.backend":
        known_backend(value)
    if key == "models.command":
        _known_program(value)


def _known_program(command: str) -> None:
    """Raise UsageError when a command does not begin with a program that is there. Nothing takes the setting back."""
    import shlex
    import shutil

    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise UsageError("not a command", where=command, why=error) from error
    if parts and shutil.which(parts[0]) is None:
        fix = "Name one on your PATH, or its whole path."
        raise UsageError("no such program that can be run", where=parts[0], fix=fix)


def known_backend(name: str) -> None:
    """Raise UsageError when no backend of ours or of a platform has the name."""
    from nightschool import platforms
    from nightschool.models.backends import KNOWN

    known = [*KNOWN, *sorted(platforms.installed().backends())]
    if name not in known:
        raise UsageError("no such backend", where=name, fix=f"Known: {', '.join(known)}.")
