"""`nightschool unschedule`: no more nights by themselves."""

import argparse

from nightschool.cli.options import json_flag, print_json, print_plain, project_of, tell
from nightschool.errors import DONE, NightschoolError

DESCRIPTION = "Take scheduled nights back: those of this project, of one --id, or --all. Every other byte stays."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--project", metavar="DIR", help="the project (default: this directory)")
    parser.add_argument("--id", metavar="ID", help="one schedule, as `nightschool status` names it")
    parser.add_argument("--all", action="store_true", help="every schedule")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Unschedule and say what is left."""
    from nightschool.config import load
    from nightschool.morning import brief
    from nightschool.paths import Home
    from nightschool.schedule import install, jobs

    home = Home.from_env()
    known = jobs.all_jobs(home)
    if args.id:
        wanted = [job for job in known if job.id == args.id]
        if not wanted:
            ids = ", ".join(job.id for job in known) or "none"
            raise NightschoolError("no such schedule", where=args.id, fix=f"There is: {ids}.")
    else:
        project = project_of(args)
        ours = {install.job_id(project, scope) for scope in ("invoked", "all")}
        wanted = [job for job in known if args.all or job.id in ours]
    if wanted:
        install.remove(home, wanted, tell)
        for job in wanted:  # what its last night failed of is told no more
            brief.prepare(home, job.project, load(home).brief.tokens)
    taken = {job.id for job in wanted}
    left = [job.id for job in known if job.id not in taken]
    if args.json:
        print_json({"unscheduled": sorted(taken), "left": left})
        return DONE
    for job in wanted:
        print_plain(f"unscheduled {job.id} ({job.kind}, {job.hour:02}:{job.minute:02})")
    if not wanted:
        print_plain("nothing is scheduled here")
    if left:
        print_plain(f"still scheduled: {', '.join(left)} (nightschool unschedule --all takes all back)")
    return DONE
