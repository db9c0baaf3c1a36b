"""Guards of the user's: a file of hooks of its own for each, and what it answers."""

import json

from nightschool.errors import NightschoolError
from nightschool.records import Action, GuardPlan, GuardWanted, NightRequest
from nightschool_copilot.place import config_dir

_EVENT = "PreToolUse"  # spelt so, the client tells it with the fields and tool names that other clients use


def plan(request: NightRequest, wanted: GuardWanted) -> GuardPlan:
    """Return how the client takes a guard. Raises NightschoolError for a warning: it shows the user none."""
    if wanted.action is Action.WARN:
        fix = "Use --action remind or --action block."
        raise NightschoolError("Copilot cannot warn its user before a tool runs", fix=fix)
    handler = {"type": "command", "bash": wanted.command, "timeoutSec": 5}
    remind = {"additionalContext": wanted.message}
    block = {"permissionDecision": "deny", "permissionDecisionReason": wanted.message}  # with exit 2 no reason is told
    said = remind if wanted.action is Action.REMIND else block
    return GuardPlan(
        path=str(config_dir(request) / "hooks" / f"nightschool-{wanted.id}.json"),
        keys=("hooks", _EVENT),
        entry={"matcher": wanted.tool, "hooks": [handler]},
        begin={"version": 1},
        out=json.dumps(said | {"hookSpecificOutput": {"hookEventName": _EVENT} | said}) + "\n",
        note="It holds from the next session on, in every project.",
    )
