"""The sample: shipped sessions unpacked into a throw-away home. The night over them is the ordinary one."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.cli.options import configured, tell, told_budget

if TYPE_CHECKING:
    from nightschool.night.prepare import Setting


def sample_setting(args: argparse.Namespace) -> "Setting":
    """Unpack the sample and return a setting for it; nothing of the user's is read or written."""
    from nightschool import bundle, platforms
    from nightschool.clock import SystemClock
    from nightschool.config import save, with_setting
    from nightschool.night.prepare import Setting
    from nightschool.paths import Home
    from nightschool.records import NightRequest

    root = Path(tempfile.mkdtemp(prefix="nightschool-sample-"))
    project = bundle.unpack_sample(root)
    home = Home(root / "nightschool")
    config = configured(home, args)
    config = with_setting(config, "models.backend", args.backend or "mock")
    config = with_setting(config, "models.mock_script", str(bundle.sample() / "rehearsal.toml"))
    save(home, config)
    if not args.json:
        tell("a sample: shipped sessions, a throw-away home, and a scripted model in rehearsal (no key, no network)")
    request = NightRequest(user_home=str(root), environ={}, project=str(project))
    return Setting(
        home,
        config,
        request,
        platforms.installed(),
        SystemClock(),
        _quiet if args.json else tell,
        budget=told_budget(config, args),
    )


def _quiet(_line: str) -> None:
    """Say nothing."""
