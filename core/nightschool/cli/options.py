"""Flags that several verbs share, and what they add up to."""

import argparse
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nightschool.config import Config
    from nightschool.night.prepare import Setting
    from nightschool.paths import Home

_CODE = re.compile(r"(`[^`\n]+`)")
_JOINS = "\t\u200c\u200d"  # joiners: some scripts and emoji are written with them
_UNSEEN = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def project_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--project` and `--scope`."""
    parser.add_argument("--project", metavar="DIR", help="the project (default: this directory)")
    parser.add_argument(
        "--scope", choices=["invoked", "all"], help="learn from this project's sessions, or from everybody's"
    )


def json_flag(parser: argparse.ArgumentParser) -> None:
    """Add `--json`: one document on stdout and nothing else there."""
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")


def night_flags(parser: argparse.ArgumentParser) -> None:
    """Add what a night can be told; each overrides the configuration for this night."""
    parser.add_argument("--backend", metavar="NAME", help="who answers: none, mock, handoff, or one a platform brings")
    parser.add_argument("--target-model", metavar="NAME", help="the model that is examined: MODEL or BACKEND:MODEL")
    parser.add_argument("--optimizer-model", metavar="NAME", help="the model that writes rules: BACKEND:MODEL")
    parser.add_argument("--budget-tokens", metavar="N", help="tokens this night may use, over all its resumptions")
    parser.add_argument("--budget-minutes", metavar="N", help="minutes in which this night's calls may run")
    parser.add_argument("--budget-usd", metavar="N", help="USD this night may cost, by models.prices")
    parser.add_argument("--executor", metavar="WHERE", help="threads, processes, or dask://HOST:PORT (many machines)")
    parser.add_argument("--gate", choices=["on", "off"], help="off: measure, say so, and refuse nothing")
    parser.add_argument("--rollouts-k", metavar="K", help="attempts at each task, with and without the edit")
    parser.add_argument("--reward", metavar="W", help="what counts in the exam: correctness=1,tokens=0.2,seconds=0")
    parser.add_argument("--max-sessions", metavar="N", help="transcripts to read now; the rest waits (0: all)")
    parser.add_argument("--preferences", metavar="TEXT", help="what you prefer, wherever a rule is written")
    parser.add_argument(
        "--dream", action="store_const", const="true", help="make variants of train tasks, recall old ones"
    )
    parser.add_argument("--target", metavar="KEY", help="where rules go: auto, or keys from doctor and SKILL.md paths")


_KEYS = {
    "backend": "models.backend",
    "target_model": "models.target_model",
    "optimizer_model": "models.optimizer_model",
    "budget_tokens": "budget.tokens",
    "budget_minutes": "budget.minutes",
    "budget_usd": "budget.usd",
    "executor": "executor.run",
    "gate": "exam.gate",
    "rollouts_k": "exam.rollouts_k",
    "reward": "exam.reward",
    "max_sessions": "mine.max_sessions",
    "dream": "mine.dream",
    "scope": "mine.scope",
    "preferences": "mine.preferences",
    "target": "adopt.target",
}


def configured(home: "Home", args: argparse.Namespace) -> "Config":
    """Return the configuration with this call's flags over it."""
    from nightschool.config import load, with_setting
    from nightschool.night.preferences import with_preferences

    config = load(home)
    for flag, key in _KEYS.items():
        told = getattr(args, flag, None)
        if told is not None:
            config = with_setting(config, key, str(told), f"--{flag.replace('_', '-')} {told}")
    if getattr(args, "target_model", None):
        _answered(config)
    return with_preferences(config, home)


def _answered(config: "Config") -> None:
    """Raise UsageError when a model was named and no backend is there to ask it."""
    from nightschool import platforms
    from nightschool.errors import UsageError
    from nightschool.models.backends import KNOWN, resolved

    if resolved(config, platforms.installed()).models.backend == "none":
        known = ", ".join([*KNOWN[1:], *sorted(platforms.installed().backends())])
        fix = f"Write BACKEND:MODEL, or add --backend. Known: {known}."
        raise UsageError("no backend answers for this model", where=config.models.target_model, fix=fix)


def told_budget(config: "Config", args: argparse.Namespace) -> dict[str, float]:
    """Return the limits that this call's flags set, by their names in `[budget]`."""
    named = ("tokens", "minutes", "usd")
    limits = {name: getattr(config.budget, name) for name in named if getattr(args, f"budget_{name}", None) is not None}
    return {name: limit for name, limit in limits.items() if limit is not None}


def project_of(args: argparse.Namespace) -> str:
    """Return the project's real path. It need not exist any more: its sessions may.

    Raises NightschoolError for one whose bytes are no text: no record could hold it.
    """
    from nightschool.errors import NightschoolError

    path = os.path.realpath(Path(args.project).expanduser() if args.project else Path.cwd())
    try:
        path.encode()
    except UnicodeEncodeError:
        fix = "Rename it, or name another with --project."
        raise NightschoolError("the project's path is not UTF-8", where=ascii(path), fix=fix) from None
    return path


def setting_of(args: argparse.Namespace, *, quiet: bool = False) -> "Setting":
    """Return what a night works on, from the environment, the configuration and the flags.

    `quiet` leaves out what is being done, unless NIGHTSCHOOL_PROGRESS is set: whoever runs us passes it on.
    """
    from nightschool import platforms
    from nightschool.clock import SystemClock
    from nightschool.night.prepare import Setting
    from nightschool.night.rules.documents import names
    from nightschool.paths import Home
    from nightschool.records import NightRequest

    home = Home.from_env()
    config = configured(home, args)
    named = config.adopt.target
    request = NightRequest(
        user_home=str(Path.home()),
        environ=dict(os.environ),
        project=project_of(args),
        skills=tuple(os.path.realpath(Path(name).expanduser()) for name in names(named) if name.endswith("SKILL.md")),
    )
    say = (lambda _line: None) if quiet and not os.environ.get("NIGHTSCHOOL_PROGRESS") else tell
    command = shlex.join(["nightschool", *sys.argv[1:]])
    return Setting(home, config, request, platforms.installed(), SystemClock(), say, command, told_budget(config, args))


def write_out(file: str, data: bytes, flag: str) -> None:
    """Write a file the user named with a flag. Raises NightschoolError that says how to name another."""
    from nightschool.errors import NightschoolError
    from nightschool.files import write_whole

    try:
        write_whole(Path(file).expanduser().absolute(), data)
    except NightschoolError as error:
        fix = f"Name another file with {flag}."
        raise NightschoolError(error.what, where=error.where, why=error.why, fix=fix) from error


def words(name: str, text: str, fix: str = "") -> str:
    """Return a text the user gave. Raises UsageError when there is nothing in it."""
    if not text.strip():
        from nightschool.errors import UsageError

        raise UsageError(f"{name} is empty", fix=fix)
    return text


def tell(line: str) -> None:
    """Say what is being done: on stderr, so that stdout holds results alone."""
    print(f"· {printed(line)}", file=sys.stderr, flush=True)


def printed(line: str) -> str:
    """Return a line as a terminal may have it: what a path, a title or a model said moves no cursor."""
    return "".join(sign if sign.isprintable() or sign in _JOINS else " " for sign in line)


def print_plain(text: str, *, end: str = "\n", flush: bool = False) -> None:
    """Print a result, which may quote others: what they said obeys no terminal."""
    print(_plain(text), end=end, flush=flush)


def print_data(text: str, *, end: str = "\n") -> None:
    """Print a file's text: as it is into a file or a pipe, as a terminal may have it there."""
    print(_plain(text) if sys.stdout.isatty() else text, end=end)


def _plain(text: str) -> str:
    return "\n".join(printed(line) for line in text.split("\n"))


def print_json(document: Any) -> None:
    """Print the one document. What moves a terminal's cursor or hides in it stands there as its number."""
    told = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    print(_UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], told))


def shown(text: str) -> str:
    """Return Markdown in which what stands escaped inside of code is as it was: there a backslash escapes nothing."""
    parts = _CODE.split(text)
    return "".join(_ESCAPED.sub(r"\1", part) if part.startswith("`") else part for part in parts)


def print_markdown(text: str) -> None:
    """Print Markdown: laid out on a terminal, as it is elsewhere."""
    if not sys.stdout.isatty():
        print_plain(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(shown(_plain(text))))
