"""`nightschool config`: show or set what you can choose."""

import argparse

from nightschool.cli.options import json_flag, print_json, tell
from nightschool.errors import DONE, UsageError

DESCRIPTION = "Without a KEY: every setting with its value and meaning. With KEY: its value. With KEY VALUE: set it."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words."""
    parser.add_argument("key", nargs="?", metavar="KEY", help="such as exam.rollouts_k")
    parser.add_argument("value", nargs="?", metavar="VALUE", help="its new value")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Show or set."""
    from nightschool.config import load, save, settings, with_setting
    from nightschool.morning import brief
    from nightschool.paths import Home

    home = Home.from_env()
    config = load(home)
    if args.value is not None:
        if args.key == "models.backend":
            _known_backend(args.value)
        save(home, with_setting(config, args.key, args.value))
        if args.key in {"exam.field", "brief.tokens"}:  # what a session is told must not outlive the user's consent
            brief.renew(home, tell)
        return DONE
    known = settings(config)
    chosen = {key: value for key, (value, _) in known.items() if args.key in {None, key}}
    if not chosen:
        raise UsageError("no such setting", where=args.key, fix=f"Known: {', '.join(known)}.")
    if args.json:
        print_json(chosen)
    elif args.key:
        print(chosen[args.key])
    else:
        print(f"# {home.config}" + ("" if home.config.exists() else " (not written yet: all defaults)"))
        for key, (value, meaning) in known.items():
            print(f"{key} = {value!r}  # {meaning}")
    return DONE


def _known_backend(name: str) -> None:
    """Raise UsageError when no backend of ours or of a platform has the name."""
    from nightschool import platforms
    from nightschool.models.backends import KNOWN

    known = [*KNOWN, *sorted(platforms.installed().backends())]
    if name not in known:
        raise UsageError("no such backend", where=name, fix=f"Known: {', '.join(known)}.")
