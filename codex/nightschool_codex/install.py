"""`python -m nightschool_codex.install`: what `install.sh` runs. Says what it does; `--dry-run` shows it as a diff."""

import argparse
import difflib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.records import NightRequest
from nightschool_codex import wiring
from nightschool_codex.rules import home, read_settings

_TRUST = """\
Codex runs these hooks only after you have trusted them. Start codex, open /hooks, look at the five commands that call
hooks/harvest and hooks/prompt, and trust them; until then codex exec skips them and says nothing. Or run this again
with --trust-hooks, which writes your decision down for you. No session is lost either way: the night finds all of them
by itself."""
_TRUSTED = (
    "The five hooks are written down as trusted, as you asked; /hooks in codex shows them and can switch them off."
)
_TWICE = "Codex will warn that hooks stand in config.toml and in hooks.json; both run."


def main(argv: Sequence[str] | None = None) -> int:
    """Install or uninstall; return the exit code."""
    args = _arguments().parse_args(argv)
    request = NightRequest(user_home=str(Path.home()), environ=dict(os.environ), project=None)
    try:
        lines = _uninstall(request, args) if args.what == "uninstall" else _install(request, args)
        for line in lines:
            sys.stdout.write(f"{line}\n")
    except NightschoolError as error:
        sys.stderr.write(f"nightschool: {error}\n")
        return error.exit_code
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="install.sh", description="Install Nightschool into Codex, or take it out.")
    parser.add_argument("what", nargs="?", choices=("install", "uninstall"), default="install")
    parser.add_argument("--dry-run", action="store_true", help="only show every change, as a diff")
    parser.add_argument("--trust-hooks", action="store_true", help="also write down that you trust the hooks")
    parser.add_argument("--root", type=Path, required=True, help=argparse.SUPPRESS)
    return parser


def _install(request: NightRequest, args: argparse.Namespace) -> Iterator[str]:
    plan = wiring.install_plan(request, args.root.resolve(), trust=args.trust_hooks)
    if args.dry_run:
        yield from _diffs(plan.changes)
        yield f"{len(plan.changes)} file(s) would change; nothing was written." if plan.changes else "Nothing to do."
        return
    if not plan.changes and wiring.installed(request):
        yield "Nothing to do: Codex has it all."
    else:
        wiring.carry_out(plan)
    for change in plan.changes:
        yield f"{'changed' if change.now is not None else 'made'}: {change.path}"
    if any(name != "state" for name in _tables(read_settings(home(request)).get("hooks"))):
        yield _TWICE
    yield _TRUSTED if args.trust_hooks else _TRUST
    yield "To take it all back: install.sh uninstall, or nightschool uninstall."


def _uninstall(request: NightRequest, args: argparse.Namespace) -> Iterator[str]:
    if args.dry_run:
        changes = list(wiring.uninstall_plan(request))
        yield from _diffs(changes)
        yield f"{len(changes)} file(s) would change; nothing was written." if changes else "Nothing to take back."
        return
    done = wiring.take_back(request)
    for change in done:
        yield f"{change.action}: {change.path}" + (f" ({change.note})" if change.note else "")
    if not done:
        yield "Nothing to take back."
    failed = [str(change.path) for change in done if change.action == "failed"]
    if failed:
        raise NightschoolError("not everything could be taken back", where=", ".join(failed))


def _diffs(changes: Sequence[wiring.Change]) -> Iterator[str]:
    for change in changes:
        before, after = (_lines(data) for data in (change.now, change.then))
        old, new = ("/dev/null" if data is None else str(change.path) for data in (change.now, change.then))
        yield from difflib.unified_diff(before, after, old, new, lineterm="", n=1)
        if change.note:
            yield f"{change.path}: {change.note}"


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode(errors="replace").splitlines()


def _tables(told: object) -> list[str]:
    return list(told) if isinstance(told, dict) else []


if __name__ == "__main__":
    sys.exit(main())
