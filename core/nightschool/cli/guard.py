"""`nightschool guard`: hooks of the user's own that speak up before a tool is used."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import json_flag, print_json, print_plain, project_of
from nightschool.errors import DONE, FAILED, UsageError

if TYPE_CHECKING:
    from nightschool.morning.guards import Wish
    from nightschool.paths import Home
    from nightschool.records import Guard, NightRequest

DESCRIPTION = (
    "Have a client block, warn or remind before a tool is used as a pattern names. A guard is tried on what it is for "
    "and on what is fine before it is registered; `guard remove` and `uninstall` take it back, byte for byte."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words and flags."""
    parser.add_argument("what", choices=["add", "list", "test", "remove"])
    parser.add_argument("id", nargs="?", metavar="ID", help="of test and remove: the guard's (the beginning will do)")
    parser.add_argument("--finding", metavar="ID", help="of audit: pattern and inputs come from its sessions")
    parser.add_argument("--pattern", metavar="TEXT", help="what to look for in what a tool is given")
    parser.add_argument("--regex", action="store_true", help="the pattern is an extended regular expression")
    parser.add_argument("--on", default="Bash", metavar="TOOL", help="as the client's hooks name it (default: Bash)")
    parser.add_argument("--action", choices=["block", "warn", "remind"], default="remind", help="default: remind")
    parser.add_argument("--message", metavar="TEXT", help="what is said then, in your words")
    parser.add_argument("--hits", action="append", default=[], metavar="INPUT", help="it must fire on this")
    parser.add_argument("--spares", action="append", default=[], metavar="INPUT", help="it must let this pass")
    parser.add_argument("--platform", metavar="NAME", help="whose client (default: the finding's, or the only one)")
    parser.add_argument("--project", metavar="DIR", help="whose finding (default: this directory)")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Do one of the four."""
    from nightschool.morning import guards
    from nightschool.paths import Home

    home = Home.from_env()
    if args.what == "list":
        return _list(args, guards.everything(home))
    if args.what == "add":
        return _add(args, home)
    if not args.id:
        raise UsageError(f"guard {args.what} needs an ID", fix="`nightschool guard list` shows them.")
    guard = guards.named(home, args.id)
    if args.what == "test":
        return _test(args, home, guard)
    touched = guards.remove(home, guard)
    if args.json:
        print_json({"id": guard.id} | touched.model_dump(mode="json"))
    else:
        print_plain(f"removed {guard.id}\n{touched.action}: {touched.path}")
    return DONE


def _add(args: argparse.Namespace, home: "Home") -> int:
    from nightschool import platforms
    from nightschool.clock import SystemClock
    from nightschool.morning import guards

    if not args.message:
        raise UsageError("a guard needs --message TEXT", fix="Say it in your words; text of a tool is never used.")
    guard = guards.add(home, platforms.installed(), _request(), _wish(args, home), SystemClock())
    if args.json:
        print_json(guard.model_dump(mode="json"))
    else:
        print_plain(f"{guard.id}: {guard.action.value} when {guard.tool} is given {guard.pattern!r}")
        print_plain(
            f"fired on {len(guard.hits)} input(s), let {len(guard.spares)} pass; registered in {guard.plan.path}"
        )
        print_plain(f"{guard.plan.note}\nto take it back: nightschool guard remove {guard.id}")
    return DONE


def _wish(args: argparse.Namespace, home: "Home") -> "Wish":
    from nightschool.clock import SystemClock
    from nightschool.morning import audit, guards
    from nightschool.records import Action

    hits, spares, found = tuple(args.hits), tuple(args.spares), None
    if args.finding:
        everything = audit.findings(home, project_of(args), SystemClock().now(), everything=True)
        found = audit.named(everything, args.finding)
    pattern = args.pattern or (found.text.partition(": ")[2] if found and found.kind == "failure" else "")
    if not pattern:
        raise UsageError("a guard needs --pattern TEXT", fix="It is what stands in the input of such a call.")
    if found and found.kind == "failure":
        failed, well = guards.seen(home, found)
        hits = hits or tuple(one for one in failed if args.regex or pattern in one) or (pattern,)
        spares = (*spares, *(well if args.action == Action.BLOCK else ()))  # a reminder may come too often
    plain = tuple(one for one in guards.PLAIN if pattern not in one)
    return guards.Wish(
        platform=args.platform or _platform(found.places if found else ()),
        tool=args.on,
        pattern=pattern,
        action=Action(args.action),
        message=args.message,
        regex=args.regex,
        finding=found.id if found else "",
        hits=hits or (() if args.regex else (pattern,)),
        spares=(*spares, *plain),
    )


def _platform(places: tuple[str, ...]) -> str:
    """Return the platform of a finding, else the only one whose client is here."""
    from nightschool import platforms

    if places:
        return places[0].partition("/")[0]
    loaded = platforms.installed()
    asked = {name: getattr(loaded.manager.get_plugin(name), "client", None) for name in loaded.names()}
    here = [name for name, client in asked.items() if client and client()]
    if len(here) != 1:
        raise UsageError("a guard needs --platform NAME", fix=f"Known: {', '.join(loaded.names())}.")
    return here[0]


def _test(args: argparse.Namespace, home: "Home", guard: "Guard") -> int:
    """Try a guard once more, on its own inputs and on those given."""
    from nightschool.morning import guard_trial, guards

    script, wrong = home.guards / guard.id / "guard", 0
    rows: list[dict[str, Any]] = []
    for wanted, texts in ((True, (*guard.hits, *args.hits)), (False, (*guard.spares, *args.spares))):
        for text in texts:
            fired = guard_trial.fires(script, guards.payload(guard.tool, text))
            rows.append({"input": text, "fired": fired, "right": fired is wanted})
            wrong += fired is not wanted
    if args.json:
        print_json({"id": guard.id, "inputs": rows})
    else:
        for row in rows:
            print_plain(
                f"{'ok   ' if row['right'] else 'WRONG'} {'fires ' if row['fired'] else 'passes'}  {row['input'][:120]}"
            )
    return FAILED if wrong else DONE


def _list(args: argparse.Namespace, found: "list[Guard]") -> int:
    if args.json:
        print_json({"guards": [guard.model_dump(mode="json") for guard in found]})
        return DONE
    for guard in found:
        print_plain(
            f"{guard.id}  {guard.platform} {guard.tool}  {guard.action.value}  {guard.pattern!r}: {guard.message}"
        )
    if not found:
        print_plain("no guard is registered")
    return DONE


def _request() -> "NightRequest":
    from nightschool.records import NightRequest

    return NightRequest(user_home=str(Path.home()), environ=dict(os.environ), project=None)
