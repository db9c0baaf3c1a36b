"""Adopted rules as lines for `copilot memories import FILE`: version 1 of that format, checked with client 1.0.102."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nightschool.records import Kept

_REMOTE = re.compile(
    r"(?:https?://|ssh://|git://)?(?:[^@/\s]+@)?(?P<host>[A-Za-z0-9.-]+)(?::\d+)?[/:](?P<owner>[^/\s]+)/"
    r"(?P<name>[^/\s]+?)(?:\.git)?/?"
)
_SECONDS = 5
_SUBJECT = 60  # characters


def export(kept: Sequence[Kept]) -> tuple[str, dict[str, str]]:
    """Return one line a rule, and by id why others are left out.

    A rule of a project is filed under the project's repository; one whose repository cannot be told would be taken for
    a rule of the user's everywhere, and stays out.
    """
    lines, left = [], {}
    for rule in kept:
        scope = {"type": "user"} if rule.scope == "user" else _repository(Path(rule.path))
        if scope is None:
            left[rule.id] = "its project has no remote `origin` that names host, owner and repository"
        else:
            lines.append(json.dumps(_memory(rule, scope), ensure_ascii=False) + "\n")
    return "".join(lines), left


def _memory(rule: Kept, scope: dict[str, Any]) -> dict[str, Any]:
    fact = " ".join(rule.text.split())
    often = f"asked for in {rule.sessions} sessions and " if rule.sessions > 1 else ""
    return {
        "type": "memory",
        "version": 1,
        "externalId": rule.id,
        "subject": fact if len(fact) <= _SUBJECT else f"{fact[:_SUBJECT].rsplit(' ', 1)[0]} …",
        "fact": fact,
        "reason": f"The user has {often}adopted this rule with Nightschool.",
        "scope": scope,
        "citations": [{"type": "text", "text": f"Nightschool rule {rule.id} in {Path(rule.path).name}"}],
    }


def _repository(document: Path) -> dict[str, Any] | None:
    words = ["git", "config", "--get", "remote.origin.url"]
    folder = next((parent for parent in document.parents if parent.is_dir()), None)
    if folder is None:
        return None
    try:
        ran = subprocess.run(
            words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _REMOTE.fullmatch(ran.stdout.decode(errors="replace").strip())
    return {"type": "repository", "repository": found.groupdict()} if found else None
