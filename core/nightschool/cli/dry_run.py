"""`nightschool dry-run`: what a night would do."""

import argparse
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.cli.options import json_flag, night_flags, print_json, print_markdown, project_flags, setting_of
from nightschool.errors import DONE

if TYPE_CHECKING:
    from nightschool.night.prepare import Setting

DESCRIPTION = (
    "Say what a night would do: new sessions, what keeps coming back, the candidate rules and their exam. It works on "
    "a copy of Nightschool's home that is thrown away; it calls no model and stages nothing."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    project_flags(parser)
    night_flags(parser)
    json_flag(parser)


def call(args: argparse.Namespace) -> int:
    """Plan a night and print the plan."""
    print_plan(setting_of(args, quiet=args.json), as_json=args.json)
    return DONE


def print_plan(setting: "Setting", *, as_json: bool) -> None:
    """Plan a night on a copy of the home and print the plan."""
    from nightschool.morning.outlook import plan_page
    from nightschool.night.plan import plan
    from nightschool.paths import Home

    with tempfile.TemporaryDirectory(prefix="nightschool-dry-") as scratch:
        copy = Home(Path(scratch) / "home")
        for name in ("sessions", "bank", "evidence", "nights"):
            source = setting.home.root / name
            if source.is_dir():
                shutil.copytree(source, copy.root / name)
        # a rehearsal's script may lie beside the configuration
        for path in (*setting.home.root.glob("*.toml"), *setting.home.root.glob("recurrences.json")):
            copy.root.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy.root)
        planned = plan(replace(setting, home=copy))
    if as_json:
        print_json(planned.model_dump(mode="json"))
    else:
        print_markdown(plan_page(planned))
