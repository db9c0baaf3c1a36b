"""`nightschool bench`: the gate on simulated edits whose true effect is known; a rule's lift with a real model."""

import argparse
from typing import TYPE_CHECKING

from nightschool.cli.options import json_flag, print_json, print_plain, tell
from nightschool.errors import DONE, FAILED

if TYPE_CHECKING:
    from nightschool.night.gating.table import Cell

DESCRIPTION = (
    "gate: its error rates by simulation, no model, no key. lift: whole nights over made-up sessions with a real model "
    "(--base-url and --model, or --gguf), in a throw-away home. Nothing of yours is read or written."
)
MOST = 1_000_000  # repetitions


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("what", choices=["gate", "lift"], help="what to measure")
    parser.add_argument("--repetitions", type=_count, default=1000, help="of each cell (default: 1000)")
    parser.add_argument("--seed", type=int, default=7, help="of the simulation (default: 7)")
    parser.add_argument("--outcomes", help="JSON file of real outcomes, for the same agent against itself")
    parser.add_argument("--base-url", metavar="URL", help="lift: an endpoint of the OpenAI protocol")
    parser.add_argument("--model", metavar="NAME", help="lift: the model there")
    parser.add_argument("--gguf", metavar="FILE", help="lift: a model file to serve (needs the extra `local`)")
    parser.add_argument("--lesson", action="append", default=[], metavar="NAME", help="lift: only this one")
    parser.add_argument("--max-tokens", type=_count, default=160, help="lift: of an answer (default: 160)")
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Print the table; FAILED when a line is not what is asked."""
    if args.what == "lift":
        from nightschool.cli import lift

        return lift.call(args)
    import os
    from pathlib import Path

    from nightschool.night.gating.table import rows, same_agent, simulated

    say = _quiet if args.json else tell
    real = list(same_agent(Path(args.outcomes), args.repetitions, args.seed)) if args.outcomes else []
    table = simulated(args.repetitions, args.seed, workers=min(4, os.cpu_count() or 1), say=say) + real
    kept = all(cell.met for cell in table)
    if args.json:
        cells = rows(table)
        print_json({"repetitions": args.repetitions, "seed": args.seed, "met": kept, "cells": cells})
    else:
        print_plain(page(table))
    return DONE if kept else FAILED


def page(table: "list[Cell]") -> str:
    """Return the table as text."""
    lines = [f"{'':51}{'where':42}{'mean rises':>11}{'ours':>8}{'asked':>9}"]
    before = ""
    for cell in table:
        what = cell.what if cell.what != before else ""
        before = cell.what
        sign = "≥" if cell.at_least else "≤"
        asked = "-" if cell.limit is None else f"{sign} {_number(cell.limit, cell.unit)}"
        naive = "-" if cell.naive is None else _number(cell.naive, cell.unit)
        missed = "" if cell.met else "  missed"
        lines.append(f"{what:51}{cell.where:42}{naive:>11}{_number(cell.ours, cell.unit):>8}{asked:>9}{missed}")
    kept = sum(cell.met for cell in table)
    return "\n".join([*lines, f"{kept} of {len(table)} lines as asked (shares in %, rollouts as counts)"])


def _number(value: float, unit: str) -> str:
    return f"{100 * value:.1f}" if unit == "%" else f"{value:.0f}"


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST:
        raise ValueError
    return number


def _quiet(_line: str) -> None:
    """Say nothing."""
