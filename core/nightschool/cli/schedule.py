"""`nightschool schedule`: let a night run every day."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import (
    configured,
    json_flag,
    night_flags,
    print_json,
    print_plain,
    project_flags,
    project_of,
    tell,
)
from nightschool.errors import DONE, UsageError

if TYPE_CHECKING:
    from nightschool.schedule.jobs import Job

DESCRIPTION = (
    "Run a night every day, with all the flags given here, in the scheduler this machine has. Missed nights are caught "
    "up. `nightschool unschedule` takes it back byte for byte; without flags that differ, calling this again changes "
    "nothing but the time."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--hour", type=int, default=3, metavar="H", help="local time (default: 3)")
    parser.add_argument("--minute", type=int, default=17, metavar="M", help="(default: 17)")
    parser.add_argument(
        "--with", dest="kind", default="auto", choices=["auto", "cron", "systemd", "launchd", "windows", "ci"],
        help="the scheduler; ci prints a workflow for GitHub or Forgejo and installs nothing",
    )  # fmt: skip
    parser.add_argument("--on-battery", choices=["run", "skip"], default="run", help="skip: wait for power")
    parser.add_argument("--nice", type=int, default=10, metavar="N", help="0 to 19: how far others come first")
    parser.add_argument("--env", action="append", default=[], metavar="NAME", help="keep this variable too, say a key")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be scheduled")
    project_flags(parser)
    night_flags(parser)
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Schedule, and say when the first night is."""
    from nightschool.cli.config import known_backend
    from nightschool.clock import SystemClock
    from nightschool.paths import Home
    from nightschool.schedule import install, jobs

    for name, most in (("hour", 23), ("minute", 59), ("nice", 19)):
        if not 0 <= getattr(args, name) <= most:
            raise UsageError(f"--{name} is a number from 0 to {most}", where=getattr(args, name))
    home = Home.from_env()
    if args.kind == "ci":
        return _print_workflow(args)
    environ = dict(os.environ)
    kept = install.environment(environ, home, tuple(args.env))
    project, config = project_of(args), configured(home, args)
    known_backend(config.models.backend)
    scope = config.mine.scope
    job = jobs.Job(
        id=install.job_id(project, scope),
        kind=install.chosen(args.kind),
        hour=args.hour,
        minute=args.minute,
        project=project if scope == "invoked" else None,
        flags=("--project", project, *flags(args)),
        command=install.command(),
        cwd=os.getcwd(),  # noqa: PTH109  as the user named it, links unresolved
        environ=kept,
        nice=args.nice,
        on_battery=args.on_battery,
        since=SystemClock().now(),
    )
    if not args.dry_run:
        job = install.add(home, job, tell)
        for name in install.left_keys(environ, kept):
            tell(f"{name} is not kept for the night; if it needs it: --env {name} (it is then stored in the home)")
    _print(job, args, dry_run=args.dry_run)
    return DONE


def flags(args: argparse.Namespace) -> list[str]:
    """Return every flag of a night that was given, as it was given; paths become absolute."""
    parser = argparse.ArgumentParser(add_help=False)
    project_flags(parser)
    night_flags(parser)
    words: list[str] = []
    for flag in parser._actions:  # noqa: SLF001  argparse has no public list of a parser's flags
        told = getattr(args, flag.dest, None)
        if flag.dest == "project" or told is None or told is False or told == flag.default:
            continue
        name = flag.option_strings[-1]
        if flag.nargs == 0:
            words.append(name)
        else:
            words += [f"{name}={_absolute(str(one))}" for one in (told if isinstance(told, list) else [told])]
    return words


def _absolute(told: str) -> str:
    return os.path.abspath(os.path.expanduser(told)) if told.endswith("SKILL.md") else told  # noqa: PTH100, PTH111


def _print_workflow(args: argparse.Namespace) -> int:
    from nightschool.schedule import workflow

    words = flags(args)
    if not any(word.startswith("--scope") for word in words):
        words.append("--scope=all")  # a runner has no project of the user's to be in
    text = workflow.text(words, args.hour, args.minute, args.env)
    if args.json:
        print_json({"workflow": text})
    else:
        print_plain(text, end="")
    return DONE


def _print(job: "Job", args: argparse.Namespace, *, dry_run: bool) -> None:
    told = described(job) | {"dry_run": dry_run}
    if args.json:
        print_json(told)
        return
    print_plain(f"{'would be scheduled' if dry_run else 'scheduled'} with {job.kind}: {told['runs']}")
    print_plain(f"next night  {told['next_run']}")
    if not dry_run:
        print_plain(f"to take it back: nightschool unschedule --id {job.id}")


def described(job: "Job") -> dict[str, Any]:
    """Return a job as JSON; variables by name alone."""
    from nightschool.clock import SystemClock
    from nightschool.schedule import when
    from nightschool.schedule.script import one_line

    following = when.next_due(SystemClock().now(), job.hour, job.minute)
    return {
        "id": job.id,
        "with": job.kind,
        "at": f"{job.hour:02}:{job.minute:02}",
        "project": job.project,
        "runs": one_line(job),
        "environment": sorted(job.environ),
        "on_battery": job.on_battery,
        "next_run": following.astimezone().isoformat(timespec="minutes"),
    }
