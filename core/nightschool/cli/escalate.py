"""`nightschool escalate`: a mistake that came back becomes a drafted rule."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_plain, project_flags, setting_of
from nightschool.errors import DONE

_SHOWN = 200  # characters of a quote
DESCRIPTION = (
    "Draft a rule from a finding of `nightschool audit` that came back: a correction in your own words, a failure in "
    "those of --rule. Shows one diff and changes nothing: `nightschool adopt --rule ID` adopts it."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words and flags."""
    parser.add_argument("finding", metavar="FINDING", help="its id (the beginning will do)")
    parser.add_argument("--rule", default="", metavar="TEXT", help="the rule in your words; a failure wants it")
    parser.add_argument("--not-when", default="", metavar="TEXT", help="when the rule does not apply")
    parser.add_argument("--verify", default="", metavar="TEXT", help="how to see that it was kept")
    parser.add_argument("--target", metavar="KEY", help="where it goes: auto, a key from doctor, or a SKILL.md path")
    project_flags(parser)
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Draft and show."""
    from nightschool.morning import audit
    from nightschool.morning.escalate import Words, escalate
    from nightschool.morning.ways import way

    setting = setting_of(args, quiet=args.json)
    project = None if args.scope == "all" else setting.request.project
    found = audit.findings(setting.home, project, setting.clock.now(), everything=True)
    finding = audit.named(found, args.finding)
    drafted = escalate(setting, finding, Words(args.rule, args.not_when, args.verify))
    rule = drafted.rule
    if args.json:
        told = {"rule": rule.model_dump(mode="json"), "document": drafted.target.path, "diff": drafted.diff}
        print_json({"finding": finding.id} | told)
        return DONE
    print_plain(f"{rule.edit.id} for {drafted.target.path}, seen in {finding.sessions} session(s)")
    for quote in rule.quotes[:2]:
        print_plain(f"  you said: {' '.join(quote.text.split())[:_SHOWN]}")
    print_plain(f"  {rule.verdict.ruling.value}: {rule.verdict.reason}")
    if how := way(rule.verdict, rule.edit.recurrence, setting.config.model_dump(mode="json")):
        print_plain(f"  {how}")
    for why in rule.quarantine:
        print_plain(f"  look twice: it {why}")
    print_plain(f"\n{drafted.diff}\n")
    print_plain(f"nothing was changed. to adopt it: nightschool adopt --rule {rule.edit.id}")
    return DONE
