"""Guards of the user's: a handler in the client's own hooks, and what it answers."""

import json

from nightschool.records import Action, GuardPlan, GuardWanted, NightRequest
from nightschool_codex.rules import home

_EVENT = "PreToolUse"


def plan(request: NightRequest, wanted: GuardWanted) -> GuardPlan:
    """Return how the client takes a guard. It remembers trust by a handler's place: others keep theirs."""
    handler = {"type": "command", "command": wanted.command, "timeout": 5}
    specific = {"hookEventName": _EVENT, "additionalContext": wanted.message}
    out = {
        Action.BLOCK: None,
        Action.WARN: {"systemMessage": wanted.message},
        Action.REMIND: {"hookSpecificOutput": specific},
    }[wanted.action]
    return GuardPlan(
        path=str(home(request) / "hooks.json"),
        keys=("hooks", _EVENT),
        entry={"matcher": wanted.tool, "hooks": [handler]},
        hole={"hooks": []},
        out=json.dumps(out) + "\n" if out else "",
        err="" if out else f"{wanted.message}\n",
        note="Codex runs it only after you have trusted it: start codex and open /hooks.",
    )
