"""`nightschool status`: where things stand."""

import argparse
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import json_flag, print_json, print_plain
from nightschool.errors import DONE

if TYPE_CHECKING:
    from nightschool.paths import Home
    from nightschool.records import Night, Proposal

DESCRIPTION = "Where things stand: the last night, what waits for you, what is adopted, what was spent."

_GOES_ON = {  # what to do about a night that is not done
    "waiting": "answer the questions (handoff skill), then the same nightschool run again",
    "budget": "the same nightschool run with a larger budget goes on; nightschool report lists what was skipped",
    "failed": "nightschool report says why its calls failed; the same nightschool run goes on",
    "open": "nightschool run goes on with the night that was cut short",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Print the state; nothing is written."""
    from nightschool.paths import Home

    told = state(Home.from_env(), os.path.realpath(Path.cwd()))
    if args.json:
        print_json(told)
        return DONE
    print_plain(f"home        {told['home']}")
    night = told["last_night"]
    print_plain(
        "last night  "
        + (f"{night['id']}, {night['status']}, {night['started'][:16].replace('T', ' ')} UTC" if night else "none yet")
        + (f", {night['project'] or 'all projects'}" if night else "")
    )
    _print_proposed(told["proposed"], told["quarantined"])
    for there in told["elsewhere"]:
        waits = f"night {there['night']}, {there['status']}, {there['rules']} rule(s) to decide on"
        print_plain(f"elsewhere   {there['project']}: {waits}")
    print_plain("adopted     " + (", ".join(told["adopted"]) or "none"))
    for trial in told["field"]:
        print_plain(
            f"field       {trial['rule']}: {trial['with_']} session(s) with, {trial['without']} without; "
            f"{trial['passed_with']} and {trial['passed_without']} passed; e = {trial['e_value']:.3g}, "
            f"accepted from {trial['threshold']:.3g}" + ("" if trial["consent"] else " (paused: exam.field is off)")
        )
    for rule in told["in_use"]:
        print_plain(
            f"in use      {rule['rule']}: {rule['passed_since']} of {rule['since']} session(s) since it was adopted "
            f"passed its check, {rule['passed_before']} of {rule['before']} before"
            + (f": {rule['why']}" if rule["why"] else "")
        )
    for job in told["schedules"]:
        _print_schedule(job)
    _print_sync(told["sync"], told["plugins"])
    print_plain(f"spool       {told['spool']} payload(s) not filed yet, {told['events']} event(s) in the journal")
    spent = told["spent"]
    print_plain(
        f"spent       {spent['calls']} model call(s), {spent['tokens']} tokens, {_usd(spent['usd'])} over all nights"
    )
    rules = told["lifetime"]
    print_plain(
        f"exams       {rules['left']:.0%} of the chances to accept a useless rule are left: {rules['edits']} rule(s) "
        f"examined, {rules['accepted']} accepted (rehearsals not counted); the next is asked for e = "
        f"{rules['next_e']:.3g}"
    )
    print_plain(f"next        {told['next']}")
    return DONE


def _print_proposed(proposed: dict[str, list[str]], held: Collection[str]) -> None:
    for key in ("accepted", "probation", "unexamined"):
        marked = [rule + (" (quarantined)" if rule in held else "") for rule in proposed.get(key, [])]
        print_plain(f"{key:<11} " + (", ".join(marked) or "none"))


def state(home: "Home", project: str) -> dict[str, Any]:
    """Gather the state. The night and what it proposes are of this project if it has any, else the newest there is."""
    from nightschool.day.journal import counted
    from nightschool.morning.receipts import adopted_edits
    from nightschool.night import decisions
    from nightschool.night.steps import all_nights, of_project
    from nightschool.platforms import guests

    everywhere = all_nights(home)
    nights = of_project(everywhere, project)
    last = nights[-1] if nights else None
    adopted = {edit.id for edit in adopted_edits(home)}
    settled = adopted | decisions.turned_down(home).keys()
    proposed = _proposed(home, nights, settled)
    held = _held(home, nights, proposed)
    return {
        "home": str(home.root),
        "last_night": last.model_dump(mode="json") if last else None,
        "proposed": proposed,
        "quarantined": held,
        "elsewhere": _elsewhere(home, everywhere, last, settled),
        "adopted": sorted(adopted),
        "field": _field(home),
        "in_use": _in_use(home),
        "schedules": _schedules(home),
        "spool": sum(1 for path in home.spool.glob("*.json")) if home.spool.is_dir() else 0,
        "events": sum(counted(home).values()),
        "spent": _spent(home),
        "lifetime": _lifetime(home),
        "sync": _sync(home),
        "plugins": guests(),
        "next": _next(last.status if last else None, set(proposed.get("accepted", [])) - set(held), proposed),
    }


def _proposed(home: "Home", nights: Sequence["Night"], settled: Collection[str]) -> dict[str, list[str]]:
    """Return the rules of the newest finished night that wait for a decision, by what came of them."""
    from nightschool.records import Ruling

    proposal = _newest(home, nights)
    proposed: dict[str, list[str]] = {}
    words = {Ruling.ACCEPT: "accepted", Ruling.PROBATION: "probation", Ruling.UNEXAMINED: "unexamined"}
    for rule in proposal.rules if proposal else ():
        if rule.edit.id not in settled and rule.verdict.ruling in words:
            proposed.setdefault(words[rule.verdict.ruling], []).append(rule.edit.id)
    return proposed


def _newest(home: "Home", nights: Sequence["Night"]) -> "Proposal | None":
    from nightschool.night.steps import Steps
    from nightschool.records import NightStatus, Proposal

    done = [night for night in nights if night.status is NightStatus.DONE]
    return Steps(home, done[-1].id).found("proposal", Proposal) if done else None


def _held(home: "Home", nights: Sequence["Night"], proposed: dict[str, list[str]]) -> list[str]:
    """Return which of the rules that wait are adopted by name only."""
    proposal, waiting = _newest(home, nights), {name for names in proposed.values() for name in names}
    return [
        rule.edit.id for rule in (proposal.rules if proposal else ()) if rule.quarantine and rule.edit.id in waiting
    ]


def _elsewhere(
    home: "Home", nights: Sequence["Night"], last: "Night | None", settled: Collection[str]
) -> list[dict[str, Any]]:
    """Return what waits in other projects: a night that is not done, or rules nobody has decided on."""
    from nightschool.records import NightStatus

    of: dict[str | None, list[Night]] = {}
    for night in nights:
        of.setdefault(night.project, []).append(night)
    found = []
    for project, theirs in of.items():
        rules = sum(map(len, _proposed(home, theirs, settled).values()))
        ended = theirs[-1].status in {NightStatus.DONE, NightStatus.ABANDONED}
        if last is not None and project not in {last.project, None} and (rules or not ended):
            found.append(
                {"project": project, "night": theirs[-1].id, "status": theirs[-1].status.value, "rules": rules}
            )
    return found


def _lifetime(home: "Home") -> dict[str, float | int]:
    """Return what is left of the budget of exams."""
    from nightschool.config import load
    from nightschool.night.gating import lifetime

    budget, parts = load(home).exam.lifetime, lifetime.machines(home)
    return lifetime.left(lifetime.load(home), budget=budget, parts=parts)


def _sync(home: "Home") -> dict[str, Any]:
    """Return how the last exchange with other machines went; nobody is asked, and no record is read."""
    from nightschool.config import load
    from nightschool.sync import service

    return service.brief(home, load(home).sync)


def _print_sync(sync: dict[str, Any], plugins: dict[str, str]) -> None:
    """Print who else takes part."""
    for name, made in plugins.items():
        print_plain(f"plugin      {name}, from {made}: it runs with all your rights")
    if not sync["remote"]:
        return
    told = f"last {sync['last'][:16].replace('T', ' ')} UTC" if sync["last"] else "never yet"
    told += f", {sync['changed']} file(s) to send" if sync["changed"] else ", nothing to send"
    print_plain(f"shared      with {sync['remote']}: {told}")
    if sync["error"]:
        print_plain(f"            FAILED {sync['tried'][:16].replace('T', ' ')} UTC: {sync['error']}")
    if sync["refused"]:
        print_plain(f"            {sync['refused']} file(s) of others refused: nightschool sync --status")


def _field(home: "Home") -> list[dict[str, Any]]:
    """Return every rule on trial in real sessions, and what they show so far."""
    from nightschool.config import load
    from nightschool.night.trials import shown, trials

    rules = load(home).exam
    return [
        {"rule": trial.edit.id, "project": trial.project, "consent": rules.field == "on"}
        | shown(home, trial, alpha=rules.alpha, budget=rules.lifetime).model_dump(mode="json")
        for trial in trials(home)
        if trial.state == "running"
    ]


def _in_use(home: "Home") -> list[dict[str, Any]]:
    """Return every adopted rule that real sessions go on examining, and what they show so far."""
    from nightschool.config import load
    from nightschool.night.daily import in_use, shown

    alpha = load(home).exam.alpha
    return [
        {"rule": watch.edit.id, "project": watch.project, "adopted": watch.adopted.isoformat()}
        | shown(watch, alpha).model_dump(mode="json")
        for watch in in_use(home)
    ]


def _schedules(home: "Home") -> list[dict[str, Any]]:
    """Return every schedule: its next night, how the last one went, and whether the scheduler still knows it."""
    from nightschool.cli.schedule import described
    from nightschool.schedule import install, jobs

    found = []
    for job in jobs.all_jobs(home):
        ran = jobs.last_run(home, job.id)
        last = ran.model_dump(mode="json", exclude={"pid"}) | {"failed": ran.fault} if ran else None
        found.append(described(job) | {"installed": install.installed(home, job), "last_run": last})
    return found


def _print_schedule(job: dict[str, Any]) -> None:
    print_plain(
        f"scheduled   {job['id']}: daily at {job['at']} with {job['with']}, next {job['next_run']}: {job['runs']}"
    )
    if job["installed"] is False:
        print_plain(f"            {job['with']} does not know it any more: nightschool schedule puts it back")
    last = job["last_run"]
    if last:
        why = last["skipped"] and f"skipped: {last['skipped']}"
        how = why or (f"FAILED: {last['failed']}" if last["failed"] else f"exit code {last['code']}")
        print_plain(f"            last {last['started']}: {how}" + (f"; log {last['log']}" if last["log"] else ""))


def _spent(home: "Home") -> dict[str, Any]:
    from nightschool.models.ledger import Ledger

    if not home.ledger.exists():
        return {"calls": 0, "tokens": 0, "usd": 0.0, "failed": 0}
    spent = Ledger(home, check=False).spent()
    return {"calls": spent.calls, "tokens": spent.tokens, "usd": spent.cost, "failed": spent.failed}


def _usd(cost: float | None) -> str:
    return "cost not known" if cost is None else f"{cost:.4f} USD"


def _next(last: str | None, adoptable: Collection[str], proposed: dict[str, list[str]]) -> str:
    if last is None or last in _GOES_ON:
        return _GOES_ON.get(last or "", "nightschool run")
    if adoptable:
        return "nightschool adopt"
    return "nightschool review" if proposed.get("accepted") else "nightschool report"
