"""`nightschool audit`: what keeps going wrong, worst first, and what you decide about it."""

import argparse
from typing import TYPE_CHECKING

from nightschool.cli.options import json_flag, print_json, print_plain, printed, project_of
from nightschool.errors import DONE, UsageError

if TYPE_CHECKING:
    from nightschool.records import Finding

DESCRIPTION = (
    "List what keeps failing, what you keep correcting, and adopted rules that do not hold: recurring and severe ones "
    "first. Asks nothing. --decide records what you do about a finding; it comes back when it happens again."
)
_NEXT = {
    "codify": "to draft a rule: nightschool escalate ID",
    "dig": "look at the sessions named under it",
    "guard": "to have a hook for it: nightschool guard add --finding ID; nothing is registered by itself",
    "log": "it is on record and stays out of the list until it happens again",
    "postpone": "it comes back in a week",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--project", metavar="DIR", help="of this project (default: this directory)")
    parser.add_argument("--scope", choices=["invoked", "all"], default="invoked", help="all: of every project")
    parser.add_argument("--all", action="store_true", help="also what was decided or postponed")
    parser.add_argument("--decide", metavar="ID", help="decide about this finding (the beginning of its id will do)")
    parser.add_argument("--choice", metavar="CHOICE", help="codify, dig, guard, log or postpone")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for later")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Print the findings, or record a decision."""
    from nightschool.clock import SystemClock
    from nightschool.morning import audit
    from nightschool.paths import Home

    home, now = Home.from_env(), SystemClock().now()
    if bool(args.decide) != bool(args.choice):
        raise UsageError("--decide and --choice go together", fix="nightschool audit --decide ID --choice postpone")
    project = None if args.scope == "all" else project_of(args)
    found = audit.findings(home, project, now, everything=args.all or bool(args.decide))
    if args.decide:
        decision = audit.decide(home, found, args.decide, args.choice, args.reason, now)
        if args.json:
            print_json(decision.model_dump(mode="json"))
        else:
            told = _NEXT[decision.choice.value].replace(" ID", f" {decision.finding}")
            print_plain(f"{decision.finding}: {decision.choice.value}; {told}")
    elif args.json:
        print_json({"findings": [finding.model_dump(mode="json") for finding in found]})
    else:
        _show(found)
    return DONE


def _show(found: "list[Finding]") -> None:
    from nightschool.morning.facts import one_line

    if not found:
        print_plain("nothing keeps going wrong that you have not decided about")
    for finding in found:
        print_plain(printed(f"{finding.id}  {one_line(finding.text, 160)}"))
        told = f"{finding.sessions} session(s), {finding.times} time(s), last {finding.last:%Y-%m-%d}"
        print_plain(f"    {finding.kind.replace('_', ' ')} in {told}; choices: {', '.join(finding.options)}")
        print_plain(printed(f"    newest: {_places(finding.places)}"))


def _places(places: tuple[str, ...]) -> str:
    """Return sessions as people name them: the platform once, and the beginning of each id; --json has all of it."""
    held: dict[str, list[str]] = {}
    for place in places:
        platform, _, session = place.partition("/")
        held.setdefault(platform, []).append(session[:8])
    return "; ".join(f"{platform} {', '.join(sessions)}" for platform, sessions in held.items())
