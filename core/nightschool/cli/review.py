"""`nightschool review`: decide on a night's rules, one by one."""

import argparse
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import json_flag, print_json, print_plain, project_of, tell
from nightschool.errors import DONE, NightschoolError, UsageError

if TYPE_CHECKING:
    from nightschool.morning.facts import RuleFacts
    from nightschool.morning.review import Item
    from nightschool.paths import Home
    from nightschool.records import Proposal, Receipt

DESCRIPTION = (
    "Walk through the rules of the newest proposal: see the evidence, accept, edit, reject with a reason, skip, quit "
    "and go on later. With numbers it asks nothing. A rule that you reject is not proposed again."
)
_ASK = "[a]ccept  [e]dit  [r]eject  [s]kip  [d]iff  [q]uit > "
_NUMBERED = {
    "--accept": "adopt rule N (may be repeated)",
    "--reject": "turn rule N down for good; wants --reason",
    "--edit": "adopt rule N in other words; wants --text",
    "--skip": "leave rule N for later",
    "--reopen": "forget what was decided on rule N",
}
_WORDS = {"open": "waits for you", "failed": "rejected by its exam", "edited": "reworded by you",
          "rejected": "rejected by you"}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    for flag, told in _NUMBERED.items():
        parser.add_argument(flag, type=int, action="append", default=[], metavar="N", help=told)
    parser.add_argument("--screened", action="store_true", help="refuse to adopt what is quarantined")
    parser.add_argument("--reason", action="append", default=[], help="why: one for all, or one for each --reject")
    parser.add_argument("--text", action="append", default=[], help="the other words, one for each --edit")
    parser.add_argument("--project", metavar="DIR", help="of this project's newest proposal (default: this directory)")
    parser.add_argument("--night", metavar="ID", help="of this night's proposal (default: the newest)")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Walk, or do what the numbers say, or list."""
    from nightschool.morning import brief, facts, review

    home, proposal = _proposal(args)
    orders = _orders(args, review.items(home, proposal))
    if orders:
        try:
            done = [_do(home, proposal, *order, screened=args.screened) for order in orders]
        finally:
            brief.renew(home, tell)
        if not args.json:
            print_plain("\n".join(done))
            return DONE
    elif not args.json and sys.stdin.isatty() and sys.stdout.isatty():
        try:
            return _walk(home, proposal)
        finally:
            brief.renew(home, tell)
    found = facts.rules_of(home, proposal)
    if args.json:
        print_json({"night": proposal.night, "rules": [_document(one) for one in found]})
    else:
        _list(found)
    return DONE


def _proposal(args: argparse.Namespace) -> tuple["Home", "Proposal"]:
    from nightschool.night.steps import Steps, all_nights, newest_proposal_night
    from nightschool.paths import Home
    from nightschool.records import Proposal

    home = Home.from_env()
    if args.night:
        night = next((n for n in all_nights(home) if n.id == args.night), None)
    else:
        night = newest_proposal_night(home, project_of(args))
    proposal = Steps(home, night.id).found("proposal", Proposal) if night else None
    if proposal is None:
        fix = "Sleep first (nightschool run), or name the project with --project, or the night with --night."
        raise NightschoolError("there is no proposal to review here", where=home.nights, fix=fix)
    return home, proposal


def _orders(args: argparse.Namespace, found: list["Item"]) -> list[tuple[str, "Item", str]]:
    """Return what the flags say as (verb, rule, words), or raise before anything is done."""
    from nightschool.morning import review

    reasons = args.reason * len(args.reject) if len(args.reason) == 1 else args.reason
    if len(reasons) != len(args.reject) or not all(reason.strip() for reason in reasons):
        raise UsageError("--reject wants a --reason: one for all, or one for each")
    if len(args.text) != len(args.edit):
        raise UsageError("--edit wants a --text, one for each")
    told = [(n, "reopen", "") for n in args.reopen] + [(n, "accept", "") for n in args.accept]
    told += [*zip(args.edit, ["edit"] * len(args.edit), args.text, strict=True), *((n, "skip", "") for n in args.skip)]
    told += zip(args.reject, ["reject"] * len(args.reject), reasons, strict=True)
    if len({number for number, _, _ in told}) < len(told):
        raise UsageError("a rule can be decided on once at a time")
    orders = [(verb, review.numbered(found, number), words) for number, verb, words in told]
    for verb, item, _ in orders:
        review.check_open(item, reopening=verb == "reopen")
    return orders


def _do(home: "Home", proposal: "Proposal", verb: str, item: "Item", words: str, *, screened: bool = False) -> str:
    """Carry one decision out and say so."""
    from nightschool.clock import SystemClock
    from nightschool.morning import review

    clock = SystemClock()
    if verb == "accept":
        return _adopted(item, review.accept(home, proposal, item, clock, tell, screened=screened))
    if verb == "edit":
        return _adopted(item, review.reword(home, proposal, item, words, clock, tell))
    if verb == "reject":
        review.decide(home, proposal, item, "rejected", clock, words)
        return f"{item.number}: rejected, and not proposed again ({item.edit.id})"
    review.decide(home, proposal, item, "skipped" if verb == "skip" else "reopened", clock)
    return f"{item.number}: {'left for later' if verb == 'skip' else 'open again'} ({item.edit.id})"


def _adopted(item: "Item", receipt: "Receipt | None") -> str:
    if receipt is None:
        return f"{item.number}: nothing was changed ({item.edit.id})"
    paths = ", ".join(change.path for change in receipt.files)
    return f"{item.number}: adopted in {paths}; nightschool undo --rule {receipt.edits[0].id} takes it back"


def _walk(home: "Home", proposal: "Proposal") -> int:
    """Ask about one rule after the other. Each answer is kept at once, so quitting loses nothing."""
    from nightschool.morning import facts, review

    waiting = [item.number for item in review.to_decide(review.items(home, proposal))]
    if not waiting:
        print_plain(f"night {proposal.night}: no rule waits for you")
        return DONE
    for place, number in enumerate(waiting, 1):
        one = next(found for found in facts.rules_of(home, proposal) if found.item.number == number)
        print_plain(f"\n── {place} of {len(waiting)} ──")
        _show(one)
        if not _asked(home, proposal, one):
            left = len(waiting) - place + 1
            print_plain(f"{left} rule(s) left; nightschool review goes on there")
            return DONE
    print_plain("\nthat was the last one; nightschool status shows where things stand")
    return DONE


def _asked(home: "Home", proposal: "Proposal", one: "RuleFacts") -> bool:
    """Ask until one rule is decided on; False when the user quits."""
    while True:
        answer = _input(_ASK)[:1].casefold()
        if answer == "q":
            return False
        verb = {"a": "accept", "e": "edit", "r": "reject", "s": "skip"}.get(answer)
        if answer == "d":
            print_plain(_clean(one.diff))
        if verb is None:
            continue
        words = ""
        if verb == "accept" and one.rule.quarantine and _input("it is quarantined; type yes to adopt it > ") != "yes":
            continue
        if verb == "reject" and not (words := _input("why? (it is remembered) > ")):
            continue
        if verb == "edit" and not (words := _reworded(one)):
            continue
        try:
            print_plain(_do(home, proposal, verb, one.item, words))
        except NightschoolError as error:
            print_plain(f"nightschool: {error}")
            continue
        return True


def _input(asked: str) -> str:
    """Ask for a line; the end of input is a wish to quit."""
    try:
        return input(asked).strip()
    except EOFError:
        print_plain("")
        return "q"


def _reworded(one: "RuleFacts") -> str:
    """Let the user write the rule anew: in their editor when they have one, else on a line."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        return _input("the rule in your words > ")
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rule.md"
        path.write_text(one.rule.edit.text + "\n", encoding="utf-8")
        subprocess.run([*shlex.split(editor), str(path)], check=False)
        text = path.read_text(encoding="utf-8").strip()
    return "" if text == one.rule.edit.text.strip() else text


def _show(one: "RuleFacts") -> None:
    from nightschool.morning import facts
    from nightschool.morning.report import sentence
    from nightschool.morning.said import examined_by, said, told_by

    rule = one.rule
    print_plain(f"{one.item.number}. {_clean(rule.edit.text)}")
    print_plain(f"   {_state(one)}. {_clean(examined_by(rule) + sentence(rule.verdict))}")
    if rule.quarantine:
        print_plain(f"   QUARANTINED: {_clean(', '.join(rule.quarantine))}")
        print_plain(f"   it comes from {'; '.join(facts.came_from(rule.quotes)) or 'no session of yours'}")
    if one.target:
        print_plain(f"   goes to {_clean(one.target.title)}, {_clean(one.target.path)}")
    print_plain(f"   {said(rule)}:")
    for quote in rule.quotes[:3]:
        print_plain(f"   “{facts.one_line(quote.text, 160)}” ({quote.at:%Y-%m-%d}{told_by(rule, quote)})")


def _list(found: list["RuleFacts"]) -> None:
    if not found:
        print_plain("this night proposes no rule")
    for one in found:
        _show(one)
    if any(one.item.state in {"open", "skipped"} for one in found):
        print_plain(
            "to decide: nightschool review --accept N, --reject N --reason WHY, --edit N --text WORDS, --skip N"
        )


def _state(one: "RuleFacts") -> str:
    word = _WORDS.get(one.item.state, one.item.state)
    why = f" ({one.item.decision.reason})" if one.item.decision and one.item.decision.reason else ""
    return _clean(f"{word[0].upper()}{word[1:]}{why}")


def _clean(text: str) -> str:
    from nightschool.morning.facts import bare

    return bare(text).replace("\n", "\n   ")


def _document(one: "RuleFacts") -> dict[str, Any]:
    told = one.rule.model_dump(mode="json")
    decision = one.item.decision
    return told | {
        "number": one.item.number,
        "state": one.item.state,
        "reason": decision.reason if decision else "",
        "path": one.target.path if one.target else None,
        "e_values": list(one.path),
        "tasks": [{"request": m.request, "without": m.pair.without, "with": m.pair.with_} for m in one.tasks],
        "diff": one.diff,
    }
