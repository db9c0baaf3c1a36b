"""`nightschool cases`: your own commits as exams."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import (
    json_flag,
    night_flags,
    print_data,
    print_json,
    print_plain,
    project_of,
    tell,
    words,
    write_out,
)
from nightschool.errors import DONE, FAILED, NightschoolError, UsageError

if TYPE_CHECKING:
    from nightschool.cases.trial import Done, Side
    from nightschool.paths import Home
    from nightschool.records import Case

DESCRIPTION = (
    "Your own commits as exams. build: look at new commits, run their tests on the state before and on the commit, and "
    "keep those whose tests fail before and pass after, every time. run: let an agent do one again in a throw-away "
    "tree, with a rule and without. export: JSON lines as SWE-bench has them. Your checkout is only read."
)

_MOST = 100  # attempts on one side


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("what", choices=["build", "list", "show", "run", "export"], help="what to do")
    parser.add_argument("ids", nargs="*", metavar="ID", help="show, run, export: these cases (a beginning is enough)")
    parser.add_argument("--project", metavar="DIR", help="the project (default: this directory)")
    parser.add_argument("--scope", choices=["invoked", "all"], help="list, export: cases of every project with `all`")
    parser.add_argument(
        "--since", default=None, metavar="DATE", help="build: commits from then on: 2026-05-01, '30 days'"
    )
    parser.add_argument("--again", action="store_true", help="build: look again at every commit that was left out")
    parser.add_argument("--all", action="store_true", help="list: commits that were left out too, and why")
    parser.add_argument("--rule", metavar="TEXT", help="run: also with this rule in the project's document")
    parser.add_argument("--attempts", type=int, default=1, metavar="K", help="run: attempts on each side (default 1)")
    parser.add_argument("--out", metavar="FILE", help="export: write here instead of printing")
    night_flags(parser)
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Do one of them."""
    from nightschool.paths import Home

    home = Home.from_env()
    if args.since is not None:
        words("--since", args.since, "Write a date such as 2026-05-01, or an age such as '30 days'.")
    if args.rule is not None:
        words("--rule", args.rule, "Write the rule, or leave --rule out.")
    verbs = {"build": _build, "list": _list, "show": _show, "run": _run, "export": _export}
    if args.ids and args.what in {"build", "list"}:
        raise UsageError(f"`cases {args.what}` takes no ID", where=args.ids[0])
    return verbs[args.what](home, args)


def _build(home: "Home", args: argparse.Namespace) -> int:
    from nightschool.cases.build import build
    from nightschool.cases.find import since_of
    from nightschool.config import load

    since = since_of(args.since) if args.since else ""
    say = (lambda _line: None) if args.json else tell
    built = build(home, load(home).cases, Path(project_of(args)), since=since, again=args.again, say=say)
    if args.json:
        told = [case.model_dump(mode="json") for case in built.looked]
        print_json(
            {"looked": told, "verified": len(built.verified), "again": built.again, "sandbox": built.confinement}
        )
        return DONE
    eligible = sum(case.eligible for case in built.looked)
    once_more = f" and {built.again} once more" if built.again else ""
    new = len(built.looked) - built.again
    print_plain(f"{new} new commit(s){once_more}, {eligible} eligible, {len(built.verified)} new case(s)")
    for reason, count in built.reasons.most_common():
        print_plain(f"  {count:4} left out: {reason}")
    if unsettled := sum(case.unsettled for case in built.looked):
        print_plain(f"{unsettled} of these could not be judged here: the next build looks at them again")
    return DONE


def _list(home: "Home", args: argparse.Namespace) -> int:
    from nightschool.cases import store

    project = None if args.scope == "all" else project_of(args)
    known = store.verified(home, project)
    if args.all:
        known = store.of_project(store.everything(home), project)
    if args.json:
        print_json({"cases": [case.model_dump(mode="json") for case in known]})
        return DONE
    for case in known:
        state = f"{len(case.fail_to_pass)} test(s)" if case.state == "verified" else f"left out: {case.reason}"
        print_plain(f"{case.id}  {case.head[:10]}  {case.at:%Y-%m-%d}  {state:14}  {case.subject[:70]}")
    if not known:
        print_plain("no cases here yet: nightschool cases build")
    return DONE


def _show(home: "Home", args: argparse.Namespace) -> int:
    from nightschool.cases import store

    cases = _named(home, args)
    if args.json:
        told = [
            c.model_dump(mode="json") | {"runs": [_run_told(home, r) for r in store.runs(home, c.id)]} for c in cases
        ]
        print_json({"cases": told})
        return DONE
    for case in cases:
        _print_case(home, case)
    return DONE


def _print_case(home: "Home", case: "Case") -> None:
    from nightschool.cases import store

    print_plain(f"{case.id}  {case.state}{f': {case.reason}' if case.reason else ''}")
    print_plain(f"  {case.project}: {case.base[:10]} -> {case.head[:10]}, {case.at:%Y-%m-%d}, {case.subject}")
    print_plain(f"  asked in the {case.asked_in}{f' {case.platform}/{case.session}' if case.session else ''}:")
    print_plain("".join(f"    {line}\n" for line in case.request.splitlines()).rstrip())
    runs = f"{case.repeats[0]} time(s) before and {case.repeats[1]} on it, {case.seconds:g} s at most"
    print_plain(f"  tests by {case.runner or 'nothing'}, run {runs}:")
    for title, names in (("fail, then pass", case.fail_to_pass), ("pass", case.pass_to_pass), ("flaky", case.flaky)):
        for name in names:
            print_plain(f"    {title:16} {name}")
    for run in store.runs(home, case.id):
        told = "passed" if run.passed else f"failed{f': {run.why}' if run.why else ''}"
        where = store.run_folder(home, case.id, run.key)
        usage = f"{run.tokens} tokens" if run.tokens else "usage not told"
        print_plain(f"  {run.backend} {told}, {usage}, {run.seconds:g} s: {where}")


def _run_told(home: "Home", run: Any) -> dict[str, Any]:
    from nightschool.cases import store

    told: dict[str, Any] = run.model_dump(mode="json")
    return told | {"folder": str(store.run_folder(home, run.case, run.key))}


def _run(home: "Home", args: argparse.Namespace) -> int:
    from nightschool.cases.confine import confinement
    from nightschool.cases.replay import Caseworker
    from nightschool.cases.trial import replay
    from nightschool.cli.options import setting_of
    from nightschool.files import single_flight
    from nightschool.models.backends import open_backend, resolved

    if not 1 <= args.attempts <= _MOST:
        raise UsageError(f"--attempts must be between 1 and {_MOST}", where=str(args.attempts))
    cases = [case for case in _named(home, args) if case.state == "verified"]
    if not cases:
        raise NightschoolError("none of these is an exam", fix="`nightschool cases list --all` says why.")
    setting = setting_of(args, quiet=args.json)
    config = resolved(setting.config, setting.platforms)
    night = f"cases-{setting.clock.now():%Y%m%dT%H%M%S}"
    backend: Any = open_backend(config, home, night, setting.platforms, setting.command)
    if not getattr(backend, "works", False):
        fix = "Name an agent: --backend NAME of a client, or `command` with models.command."
        raise NightschoolError("this backend cannot work on files", where=config.models.backend, fix=fix)
    setting.say(confinement(config.cases.confine).told)
    worker = Caseworker(home, config, backend)
    with single_flight(home.lock, "working on cases"):
        done = replay(
            home, config, worker, cases, args.rule or "", attempts=args.attempts, clock=setting.clock, night=night
        )
    if args.json:
        print_json({"cases": [_done_told(one) for one in done]})
    else:
        _print_done(done)
    return DONE if all(s.judged for one in done for s in (one.without, one.with_) if s) else FAILED


def _done_told(one: "Done") -> dict[str, Any]:
    from dataclasses import asdict

    return {"case": one.case.id, "without": asdict(one.without), "with": asdict(one.with_) if one.with_ else None}


def _print_done(done: "list[Done]") -> None:
    for one in done:
        print_plain(f"{one.case.id}  {one.case.subject[:60]}")
        for title, side in (("without the rule", one.without), ("with the rule", one.with_)):
            if side is not None:
                print_plain(f"  {title:17} {_side_told(side)}")


def _side_told(side: "Side") -> str:
    told = f"{side.passed} of {side.judged} passed, {_usage_told(side)}, {side.seconds:.1f} s"
    if side.cached:
        some = "" if side.cached == side.judged else f"{side.cached} of them "
        told += f", {some}as recorded on {side.recorded}"
    return f"{told}; no verdict: {'; '.join(side.errors)}" if side.errors else told


def _usage_told(side: "Side") -> str:
    if not side.untold:
        return f"{side.tokens:.0f} tokens"
    charged = f"charged {side.charged:,.0f} tokens" + (" each" if side.untold > 1 else "")
    if side.untold == side.judged:
        return f"usage not told: {charged}"
    return f"{side.tokens:.0f} tokens; usage of {side.untold} not told: {charged}"


def _export(home: "Home", args: argparse.Namespace) -> int:
    from nightschool.cases.export import instance, lines

    cases = [case for case in _named(home, args, empty=True) if case.state == "verified"]
    if not cases:
        raise NightschoolError("there are no cases to export", fix="Build some: nightschool cases build.")
    if args.json:
        print_json([instance(home, case) for case in cases])
        return DONE
    text = lines(home, cases)
    if args.out:
        write_out(args.out, text.encode(errors="replace"), "--out")
        tell(f"{len(cases)} case(s) written to {args.out}; patches are your code as it is, not redacted")
    else:
        print_data(text, end="")
    return DONE


def _named(home: "Home", args: argparse.Namespace, *, empty: bool = False) -> "list[Case]":
    """Return the cases that were named; all of the project when none was and that is meant."""
    from nightschool.cases import store

    if args.ids:
        return [store.one(home, name) for name in args.ids]
    if not empty:
        raise UsageError(f"`cases {args.what}` needs an ID", fix="`nightschool cases list` shows them.")
    return store.verified(home, None if args.scope == "all" else project_of(args))
