"""Guards of the user's: a handler in the client's own settings, and what it answers."""

import json

from nightschool.records import Action, GuardPlan, GuardWanted, NightRequest
from nightschool_claude_code.rules import config_dir

_EVENT = "PreToolUse"


def plan(request: NightRequest, wanted: GuardWanted) -> GuardPlan:
    """Return how the client takes a guard: for every session of the user's, from the next one on."""
    handler = {"type": "command", "command": wanted.command, "timeout": 5}
    specific = {"hookEventName": _EVENT, "additionalContext": wanted.message}
    out = {
        Action.BLOCK: None,
        Action.WARN: {"systemMessage": wanted.message},
        Action.REMIND: {"hookSpecificOutput": specific},
    }[wanted.action]
    return GuardPlan(
        path=str(config_dir(request) / "settings.json"),
        keys=("hooks", _EVENT),
        entry={"matcher": wanted.tool, "hooks": [handler]},
        out=json.dumps(out) + "\n" if out else "",
        err="" if out else f"{wanted.message}\n",
        note="It holds from the next session on, in every project.",
    )
