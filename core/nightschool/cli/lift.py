"""What `nightschool bench lift` does: whole nights over made-up sessions, with a real model, in a throw-away home."""

import argparse
import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nightschool.cli.options import print_json, print_plain, tell
from nightschool.errors import DONE, UsageError


def call(args: argparse.Namespace) -> int:
    """Print what the gate ruled on each lesson; one row a rule."""
    if bool(args.base_url) == bool(args.gguf):
        fix = "Name --base-url URL and --model NAME, or --gguf FILE."
        raise UsageError("a lift is measured with one real model", fix=fix)
    with _endpoint(args) as url:
        nights = [night(url, args.model or "model", name, args.max_tokens) for name in _names(args.lesson)]
    if args.json:
        print_json({"model": args.model or str(args.gguf), "nights": nights})
        return DONE
    print_plain(_HEAD)
    for told in nights:
        print_plain(_row(told))
    return DONE


def night(url: str, model: str, name: str, max_tokens: int) -> dict[str, Any]:
    """Sleep one night over a lesson's sessions and return what came of it."""
    from nightschool import bundle, platforms
    from nightschool.clock import SystemClock
    from nightschool.config import Config
    from nightschool.memory.store import SessionStore
    from nightschool.night import lift
    from nightschool.night.prepare import Setting
    from nightschool.night.run import run
    from nightschool.paths import Home
    from nightschool.records import NightRequest

    root = Path(tempfile.mkdtemp(prefix="nightschool-lift-"))
    try:
        home, project = Home(root / "nightschool"), root / "shop"
        project.mkdir()
        loaded = platforms.installed()
        [lesson] = lift.lessons(bundle.sample() / "lift.toml", (name,))
        store = SessionStore(home)
        for session in lift.sessions(lesson, next(iter(loaded.names()), "sample"), str(project.resolve())):
            store.save(session)
        told = {
            "openai": {"base_url": url, "extra_body": '{"temperature": 0, "seed": 1}'},
            "models": {"backend": "openai", "target_model": model, "max_tokens": max_tokens, "side_by_side": 2},
        }
        request = NightRequest(user_home=str(root), environ={}, project=str(project.resolve()))
        outcome = run(Setting(home, Config.model_validate(told), request, loaded, SystemClock(), tell))
        rules = outcome.proposal.rules if outcome.proposal else ()
        verdicts = [{"text": rule.edit.text} | rule.verdict.model_dump(mode="json") for rule in rules]
        spent = outcome.night
        return {
            "lesson": name,
            "rules": verdicts,
            "calls": spent.calls,
            "tokens": spent.tokens,
            "minutes": spent.minutes,
        }
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _endpoint(args: argparse.Namespace) -> Iterator[str]:
    if args.base_url:
        yield args.base_url
        return
    from nightschool.models.llama import serving

    with serving(Path(args.gguf).expanduser().resolve()) as url:
        yield url


def _names(wanted: list[str]) -> tuple[str, ...]:
    from nightschool import bundle
    from nightschool.night import lift

    return tuple(lesson.name for lesson in lift.lessons(bundle.sample() / "lift.toml", tuple(wanted)))


def _row(told: dict[str, Any]) -> str:
    rule = told["rules"][0] if told["rules"] else {}
    low, high = rule.get("interval") or (-1.0, 1.0)
    sealed = rule.get("sealed") or {}
    cells = [told["lesson"], rule.get("ruling", "no rule"), str(rule.get("tasks", 0))]
    cells += [f"{sealed[side]:.2f}" if side in sealed else "-" for side in ("without", "with_")]
    cells += ["-" if rule.get("effect") is None else f"{rule['effect']:+.2f}", f"{low:+.2f} to {high:+.2f}"]
    cells += [f"{rule.get('e_value', 0):.3g}", str(told["calls"]), f"{told['minutes']:.1f}"]
    return _laid_out(cells)


def _laid_out(cells: Sequence[str]) -> str:
    return "".join(f"{cell:<{wide}}" for cell, wide in zip(cells, _WIDTHS, strict=True)).rstrip()


_WIDTHS = (10, 12, 7, 14, 11, 8, 18, 8, 7, 6)
_HEAD = _laid_out(
    ("lesson", "ruling", "tasks", "test without", "test with", "effect", "95 % interval", "e", "calls", "min")
)
