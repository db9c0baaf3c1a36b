"""Where the client and the editors keep what is theirs. `COPILOT_HOME` moves the client's own directory."""

import os
from collections.abc import Mapping
from pathlib import Path

from nightschool.records import NightRequest

EDITORS = ("Code", "Code - Insiders", "VSCodium")
_ROOTS = (".config", "Library/Application Support", "AppData/Roaming")


def config_dir(request: NightRequest) -> Path:
    """Return the client's directory."""
    return _config(request.environ, request.user_home)


def own_config_dir() -> Path:
    """Return the client's directory for whoever runs this, as a hook's process does."""
    return _config(os.environ, str(Path.home()))


def editor_dirs(request: NightRequest) -> list[Path]:
    """Return the `User` directories of the editors that may hold chats, on any system."""
    home = Path(request.user_home)
    roots = [home / root for root in _ROOTS]
    moved = request.environ.get("XDG_CONFIG_HOME")
    roots += [Path(moved)] if moved and Path(moved) not in roots else []
    found = [root / editor / "User" for root in roots for editor in EDITORS]
    return [*found, home / ".vscode-server" / "data" / "User"]


def _config(environ: Mapping[str, str], user_home: str) -> Path:
    told = environ.get("COPILOT_HOME")
    return Path(told) if told else Path(user_home) / ".copilot"
