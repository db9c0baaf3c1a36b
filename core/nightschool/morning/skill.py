"""A skill of ours: a SKILL.md that is made when there is none."""

import json
from pathlib import Path

from nightschool.records import Target

_DESCRIPTION = (
    "Rules that the user has given again and again, adopted with Nightschool. Read them before starting on a task."
)


def is_skill(target: Target) -> bool:
    """Tell whether a target is a skill, by its kind or by its file's name."""
    return target.kind == "skill" or Path(target.path).name == "SKILL.md"


def opening(target: Target) -> bytes | None:
    """Return what a document that is not there yet begins with; None: nothing."""
    return new_skill(target) if is_skill(target) else target.opening.encode() or None


def new_skill(target: Target) -> bytes:
    """Return a SKILL.md without rules: front matter and a title. Its name is its directory's."""
    name = Path(target.path).parent.name
    front = f"name: {json.dumps(name, ensure_ascii=False)}\ndescription: {_DESCRIPTION}"
    return f"---\n{front}\n---\n\n# Adopted rules\n".encode()
