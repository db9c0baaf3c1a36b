"""`nightschool adopt`: apply rules of a night's proposal."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_plain, project_of, tell
from nightschool.errors import DONE, NightschoolError

DESCRIPTION = (
    "Apply the accepted rules of the newest proposal, or those named with --rule (also unexamined ones, by hand). "
    "What was there before is kept; `nightschool undo` restores it byte for byte."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--rule", action="append", metavar="ID", help="adopt this rule (may be repeated)")
    parser.add_argument("--screened", action="store_true", help="refuse what is quarantined, even when it is named")
    parser.add_argument("--project", metavar="DIR", help="of this project's newest proposal (default: this directory)")
    parser.add_argument("--night", metavar="ID", help="of this night's proposal (default: the newest)")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Adopt and say what changed."""
    from nightschool.clock import SystemClock
    from nightschool.morning import brief
    from nightschool.morning.adopt import adopt
    from nightschool.night import drafts
    from nightschool.night.steps import Steps, all_nights, newest_proposal_night
    from nightschool.paths import Home
    from nightschool.records import Proposal

    home = Home.from_env()
    if args.night:
        night = next((n for n in all_nights(home) if n.id == args.night), None)
    else:
        night = newest_proposal_night(home, project_of(args))
    proposal = Steps(home, night.id).found("proposal", Proposal) if night else None
    if args.rule and not args.night:
        here = [rule.edit.id for rule in proposal.rules] if proposal else []
        if not all(any(name.startswith(told) for name in here) for told in args.rule):
            proposal = drafts.named(home, args.rule) or proposal
    if proposal is None:
        fix = "Sleep first (nightschool run), or name the project with --project, or the night with --night."
        raise NightschoolError("there is no proposal to adopt here", where=home.nights, fix=fix)
    receipt = adopt(home, proposal, args.rule, clock=SystemClock(), screened=args.screened, tell=tell)
    brief.renew(home, tell)
    if args.json:
        print_json(receipt.model_dump(mode="json") if receipt else {"edits": []})
    elif receipt is None:
        print_plain("nothing to adopt: no rule of this night is accepted, or all are adopted or turned down already")
    else:
        for edit in receipt.edits:
            print_plain(f"adopted {edit.id}: {edit.text}")
        for change in receipt.files:
            print_plain(f"changed {change.path}")
        print_plain(f"to take it back: nightschool undo --night {receipt.night}")
    return DONE
