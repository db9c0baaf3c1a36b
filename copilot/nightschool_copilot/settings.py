"""The client's own settings, and what names our plugin in them: read here, never written."""

import json
from collections.abc import Mapping
from typing import Any

from nightschool.records import NightRequest
from nightschool_copilot.place import config_dir

_MARKETPLACE, _PLUGIN = "nightschool", "nightschool@nightschool"
_OURS = {"extraKnownMarketplaces": _MARKETPLACE, "enabledPlugins": _PLUGIN}


def traces(request: NightRequest) -> Mapping[str, bytes | None]:
    """Return `settings.json` as it is without our marketplace and plugin, in the client's own layout.

    The client's own commands leave a switch that is off and empty tables behind; these go too. None: nothing else was
    in the file. Empty when we are not in it, or the file is not plain JSON and its user's to edit.
    """
    path = config_dir(request) / "settings.json"
    try:
        told: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(told, dict) or not _without(told):
        return {}
    return {str(path): (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode() if told else None}


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
