"""`nightschool setup`: say where this home is shared."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import json_flag, print_json, print_plain, tell
from nightschool.errors import DONE, UsageError

if TYPE_CHECKING:
    from nightschool.config import Sync

DESCRIPTION = (
    "Set up what your machines share: a private git repository, a folder or a bucket. On a terminal it asks; each "
    "answer has a flag, and with any flag nothing is asked. It ends with a test push and pull. Calling it again with "
    "the same answers changes nothing."
)
_FLAGS = ("url", "backend", "branch", "author", "endpoint", "region", "adopt_by")
_SWITCHES = ("deploy_key", "sessions", "nightly")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare a flag for each answer."""
    parser.add_argument("--url", "--repo", metavar="URL", help="ssh, https, a directory, or s3://BUCKET/PREFIX")
    parser.add_argument("--backend", choices=["none", "git", "folder", "s3"], help="(default: what the URL speaks of)")
    parser.add_argument("--branch", metavar="NAME", help="of a git repository (default: main)")
    parser.add_argument(
        "--author",
        metavar="NAME",
        help="who you are; what others write is adopted by name only (default: git's user.email)",
    )
    parser.add_argument("--adopt-by", metavar="NAMES", help="authors whose proposals count here (default: all)")
    parser.add_argument("--endpoint", metavar="URL", help="of an S3-compatible service")
    parser.add_argument("--region", metavar="NAME", help="of the bucket")
    for name, told in (
        ("deploy-key", "a key made for this repository, used for nothing else"),
        ("sessions", "share the redacted text of sessions"),
        ("nightly", "exchange before and after each night"),
    ):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=told)
    parser.add_argument("--no-test", action="store_true", help="leave the test push and pull out")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Ask what was not told, try it, keep it, and sum it up."""
    from nightschool.clock import SystemClock
    from nightschool.config import load
    from nightschool.errors import NightschoolError
    from nightschool.paths import Home
    from nightschool.sync import setup

    home = Home.from_env()
    config = load(home)
    flags = {name: getattr(args, name) for name in (*_FLAGS, *_SWITCHES) if getattr(args, name) is not None}
    if not flags and not sys.stdin.isatty() and config.sync.backend == "none":
        raise UsageError("nobody to ask: this is no terminal", fix="nightschool setup --url URL (--help lists all).")
    answers = flags or (_asked(config.sync) if sys.stdin.isatty() and not args.json else {})
    rules = setup.settled(_with(config.sync, answers))
    public = setup.prepared(home, rules)
    if public and not args.json:
        tell("the repository must know this deploy key, with the right to write:")
        print_plain(public, flush=True)  # on a line of its own, to be copied
        if not flags:
            _wait()
    try:
        if rules.backend != "none" and not args.no_test:
            setup.tried(home, rules, SystemClock(), tell)
    except NightschoolError as error:
        if public:
            tell(f"the key to add to the repository, with the right to write: {public}")
        raise error from None
    told = setup.summary(home, rules, public, changed=setup.kept(home, config, rules))
    if args.json:
        print_json(told)
    else:
        _print(told)
    return DONE


def _with(known: "Sync", answers: dict[str, Any]) -> "Sync":
    """Return the settings with the answers in them; a URL without a backend says which it is."""
    from pydantic import ValidationError

    from nightschool.config import Sync, first_fault
    from nightschool.sync import setup

    told = known.model_dump() | answers
    if "url" in answers and "backend" not in answers:
        same = known.backend != "none" and known.url == answers["url"]
        told["backend"] = known.backend if same else setup.guessed(answers["url"])
    if told["backend"] != "none" and not told["author"] and "author" not in answers:
        told["author"] = setup.myself()  # what machines of other authors write is adopted by name only
    try:
        return Sync.model_validate(told)
    except ValidationError as error:
        raise UsageError("not an answer", why=first_fault(error)) from error


def _asked(known: "Sync") -> dict[str, Any]:
    """Ask a person, with what is set now as the default."""
    from rich.prompt import Confirm, Prompt

    from nightschool.sync import setup

    url = Prompt.ask("Where to? A private repository, a directory, or s3://BUCKET", default=known.url or None)
    if not url:
        return {"backend": "none"}
    kind = known.backend if known.backend != "none" and url == known.url else setup.guessed(url)
    told: dict[str, Any] = {"url": url}
    told["backend"] = Prompt.ask("What is it?", choices=["git", "folder", "s3"], default=kind)
    if told["backend"] == "git" and not url.startswith(("https:", "http:", "/", "file:", "~", ".")):
        told["deploy_key"] = Confirm.ask("Make a key for this repository alone?", default=True)
    if told["backend"] == "s3":
        told["endpoint"] = Prompt.ask("Endpoint (empty: AWS)", default=known.endpoint)
        told["region"] = Prompt.ask("Region (empty: as the environment says)", default=known.region)
    told["sessions"] = Confirm.ask("Share the redacted text of your sessions?", default=known.sessions)
    told["nightly"] = Confirm.ask("Exchange before and after each night?", default=known.nightly)
    told["author"] = Prompt.ask("Your name, the same on all your machines", default=known.author or setup.myself())
    return told


def _wait() -> None:
    from rich.prompt import Prompt

    Prompt.ask("Add it, then press Enter", default="", show_default=False)


def _print(told: dict[str, Any]) -> None:
    if told["backend"] == "none":
        print_plain("nothing is shared with other machines")
        return
    print_plain(f"shared with {told['url']} ({told['backend']})" + ("" if told["changed"] else ", as before"))
    print_plain(f"sessions    {'their redacted text is shared' if told['sessions'] else 'stay on this machine'}")
    print_plain(f"nights      {'exchange before and after' if told['nightly'] else 'do not exchange by themselves'}")
    print_plain(f"machine     {told['machine']}" + (f", {told['author']}" if told["author"] else ""))
    print_plain("next        nightschool sync; on another machine the same nightschool setup")
