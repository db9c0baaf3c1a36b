"""The client's own settings, and what names our plugin in them."""

import contextlib
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from nightschool.errors import NightschoolError
from nightschool.records import NightRequest
from nightschool_copilot.place import config_dir

_MARKETPLACE, _PLUGIN = "nightschool", "nightschool@nightschool"
_OURS = {"extraKnownMarketplaces": _MARKETPLACE, "enabledPlugins": _PLUGIN}
_NOTE = "Copilot's settings no longer name our plugin"


def take_back(request: NightRequest, *, dry_run: bool) -> list[dict[str, object]]:
    """Take our marketplace and plugin out of `settings.json`, in the client's own layout; tell what becomes of it.

    The client's own commands leave a switch that is off and empty tables behind; these go too. A file that held nothing
    else goes. Empty when we are not in it, or the file is not plain JSON and its user's to edit.
    """
    path = config_dir(request) / "settings.json"
    try:
        told: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(told, dict) or not _without(told):
        return []
    then = (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode() if told else None
    done: dict[str, object] = {"path": str(path), "action": "cleaned" if told else "removed", "notes": (_NOTE,)}
    try:
        if not dry_run:
            _put(path, then)
    except NightschoolError as error:
        return [done | {"action": "failed", "notes": (str(error),)}]
    return [done]


def _without(settings: dict[str, Any]) -> bool:
    """Take what is ours out; tell whether there was something."""
    found = False
    for table, name in _OURS.items():
        entries = settings.get(table)
        if isinstance(entries, dict) and name in entries:
            found = True
            del entries[name]
    if found:
        for table in _OURS:
            if settings.get(table) == {}:
                del settings[table]
    return found


def _put(path: Path, data: bytes | None) -> None:
    """Replace the file whole; None removes it. A link stays one, and a file its mode. Raises NightschoolError."""
    real = Path(os.path.realpath(path))
    sibling = real.with_name(f".{real.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        if data is None:
            real.unlink(missing_ok=True)
            return
        mode = stat.S_IMODE(real.stat().st_mode)
        with os.fdopen(os.open(sibling, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        sibling.replace(real)
    except OSError as error:
        with contextlib.suppress(OSError):
            sibling.unlink(missing_ok=True)
        fix = "Make it writable, then run the same command again."
        raise NightschoolError("cannot write a file", where=path, why=error.strerror, fix=fix) from error
