"""`nightschool queue`: what the night is to sleep on."""

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any

from nightschool.cli.options import json_flag, print_data, print_json, print_plain, tell
from nightschool.errors import DONE, UsageError

if TYPE_CHECKING:
    from nightschool.night.incubation.shelf import Queued, Shelf

DESCRIPTION = (
    "Leave a question for the night to sleep on, and look after what was left. A night with a model takes up to 5 "
    "tasks and 480 minutes, oldest first; results are linked from its page."
)
_TIME = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,4})m?)?")
NEVER = "00000000-0000-0000-0000-000000000000"  # until the queue gives a task its own


def minutes(text: str) -> int:
    """Read `90m`, `2h`, `1h30m` or `90` as minutes, 1 to 480."""
    found = _TIME.fullmatch(text)
    total = int(found[1] or 0) * 60 + int(found[2] or 0) if found else 0
    if not 1 <= total <= 480:  # noqa: PLR2004  a night
        raise argparse.ArgumentTypeError(f"{text!r} is no time: say 90m or 2h, from 1m to 480m")
    return total


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="add|list|show|done|fail|cancel|purge")
    add = verbs.add_parser("add", help="leave a question")
    add.add_argument("text", metavar="TEXT", help="the question, at most 4,000 characters; - reads it from stdin")
    add.add_argument("--type", choices=["deep", "pipeline", "pattern", "compare", "custom"], default="deep")
    add.add_argument("--priority", choices=["quick", "standard", "deep", "marathon", "weekly"], default="standard")
    add.add_argument("--format", choices=["md", "adr", "checklist", "table"], default="md")
    add.add_argument("--time-budget", type=minutes, metavar="90m", help="instead of the priority's own")
    add.add_argument("--checkpoint-every", type=minutes, metavar="20m", help="how often the partial result is written")
    listed = verbs.add_parser("list", help="what is queued, in the order it runs")
    listed.add_argument("--all", action="store_true", help="with what has ended")
    shown = verbs.add_parser("show", help="one task, and what came of it")
    shown.add_argument("id", metavar="ID")
    for name, told in (("done", "no longer needed: answered"), ("fail", "given up"), ("cancel", "not wanted")):
        ended = verbs.add_parser(name, help=f"end a task: {told}")
        ended.add_argument("id", metavar="ID")
        ended.add_argument("--reason", default="", help="kept with the task")
        json_flag(ended)
    purge = verbs.add_parser("purge", help="remove tasks that ended long ago; their results stay")
    purge.add_argument("--days", type=_days, default=30, metavar="N", help="ended at least so many days ago (30)")
    for each in (add, listed, shown, purge):
        json_flag(each)


def _days(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return int(text)


def call(args: argparse.Namespace) -> int:
    """Do what was asked of the queue."""
    from nightschool.night.incubation.shelf import Shelf
    from nightschool.paths import Home

    shelf = Shelf(Home.from_env())
    {"add": _add, "list": _list, "show": _show, "purge": _purge}.get(args.what, _end)(shelf, args)
    return DONE


def _add(shelf: "Shelf", args: argparse.Namespace) -> None:
    from nightschool.clock import SystemClock
    from nightschool.night.incubation.packing import CHECKPOINTS
    from nightschool.records import QueuePriority, QueueTask

    try:
        text = sys.stdin.read() if args.text == "-" else args.text
    except UnicodeDecodeError as error:
        raise UsageError("the text is not UTF-8", why=error.reason) from error
    every = args.checkpoint_every or CHECKPOINTS.get(QueuePriority(args.priority), 20)
    told = {"uuid": NEVER, "submitted_at": SystemClock().now().replace(microsecond=0)}
    told |= {"type": args.type, "priority": args.priority, "format": args.format}
    told |= {"time_budget_minutes": args.time_budget, "checkpoint_every_minutes": every}
    queued = shelf.add(QueueTask.model_validate(told), text)
    if args.json:
        print_json(_document(shelf, queued))
        return
    print_plain(queued.id)
    tell(f"queued; a night with a model takes it up: nightschool run --backend handoff ({queued.path})")


def _list(shelf: "Shelf", args: argparse.Namespace) -> None:
    from nightschool.config import load

    found, faults = shelf.all()
    shown = [q for q in found if args.all or q.entry.task.status.open]
    unanswered = {q.id: q.progress.reason for q in shown if _waits_for_answers(shelf, q)}
    idle = any(q.entry.task.status.open and q.id not in unanswered for q in shown)
    waits = idle and load(shelf.home).models.backend == "none"
    if args.json:
        tasks = [_document(shelf, queued, body=False) for queued in shown]
        print_json(
            {"tasks": tasks, "faults": faults, "waits_for_backend": waits, "waits_for_answers": list(unanswered)}
        )
        return
    for queued in shown:
        print_plain(_line(queued))
    if not shown:
        print_plain("nothing is queued")
    for fault in faults:
        tell(fault)
    for name, why in unanswered.items():
        tell(f"{name[:8]} waits for answers: {why}")
    if waits:
        rest = "what is left of the queue" if unanswered else "the queue"
        tell(f"no model is chosen, so {rest} waits: nightschool run --backend NAME works on it")


def _waits_for_answers(shelf: "Shelf", queued: "Queued") -> bool:
    """Say whether questions of this task lie where somebody is to answer them."""
    asked = shelf.home.handoff / f"queue-{queued.id}"
    return queued.entry.task.status.open and bool(queued.progress.reason) and asked.is_dir()


def _line(queued: "Queued") -> str:
    task = queued.entry.task
    boxed = ", time-boxed" if queued.progress.time_boxed else ""
    return f"{queued.id[:8]}  {task.status}{boxed}  {task.priority}  {task.submitted_at:%Y-%m-%d}  {queued.entry.title}"


def _show(shelf: "Shelf", args: argparse.Namespace) -> None:
    queued = shelf.find(args.id)
    if args.json:
        print_json(_document(shelf, queued))
        return
    text = queued.entry.data().decode(errors="replace")
    print_data(text)
    if queued.progress.reason:
        tell(f"reason: {queued.progress.reason}")
    for what, path in (("result", shelf.result(queued.id)), ("partial result", shelf.partial(queued.id))):
        if path.is_file():
            tell(f"{what}: {path}")


def _end(shelf: "Shelf", args: argparse.Namespace) -> None:
    from nightschool.clock import SystemClock
    from nightschool.records import QueueStatus

    status = {"done": QueueStatus.DONE, "fail": QueueStatus.FAILED, "cancel": QueueStatus.CANCELLED}[args.what]
    queued = shelf.settle(args.id, status, SystemClock().now(), args.reason or "ended by hand")
    if args.json:
        print_json(_document(shelf, queued, body=False))
    else:
        print_plain(_line(queued))


def _purge(shelf: "Shelf", args: argparse.Namespace) -> None:
    from nightschool.clock import SystemClock
    from nightschool.night.incubation.shelf import days_ago

    gone = shelf.purge(days_ago(SystemClock().now(), args.days))
    if args.json:
        print_json({"purged": gone})
    else:
        print_plain(f"{len(gone)} task(s) removed")


def _document(shelf: "Shelf", queued: "Queued", *, body: bool = True) -> dict[str, Any]:
    told = queued.entry.task.model_dump(mode="json")
    told |= {"id": queued.id, "title": queued.entry.title, "path": str(queued.path)}
    told |= {"attempts": queued.progress.attempts, "time_boxed": queued.progress.time_boxed}
    told |= {"reason": queued.progress.reason, "ended": queued.progress.ended}
    for what, path in (("result", shelf.result(queued.id)), ("partial", shelf.partial(queued.id))):
        told[what] = str(path) if path.is_file() else None
    return told | ({"text": queued.entry.text} if body else {})
