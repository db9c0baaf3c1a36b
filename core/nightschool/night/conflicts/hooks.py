"""Hooks that are registered twice: the same command for the same event, under matchers that overlap."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nightschool.night.conflicts.tree import Tree


@dataclass(frozen=True)
class Registration:
    """One hook: where it stands, and what it runs on what."""

    file: str
    line: int
    event: str
    matcher: str
    command: str
    place: tuple[int, ...]  # of its group in the event's list, and of itself in the group

    def overlaps(self, other: "Registration") -> bool:
        """Say whether both run for some event."""
        if (self.event, self.command) != (other.event, other.command):
            return False
        one, two = _tools(self.matcher), _tools(other.matcher)
        return not one or not two or bool(one & two)


def registered_twice(tree: Tree) -> list[tuple[Registration, Registration]]:
    """Return the pairs of registrations that run the same command twice."""
    found = [one for path, text in sorted(tree.hooks.items()) for one in _registrations(path, text)]
    return [(one, two) for place, one in enumerate(found) for two in found[place + 1 :] if one.overlaps(two)]


def without(text: str, hook: Registration) -> str | None:
    """Return a file's text without one registration; None when its layout could not be kept."""
    try:
        told = json.loads(text)
        layouts: list[dict[str, Any]] = [{"indent": 2}, {"indent": 4}, {"indent": "\t"}, {"indent": None}]
        layout = next((lay for lay in layouts if _dump(told, lay, text) == text), None)
        if layout is None:
            return None
        groups = _events(told)[hook.event]
        if len(hook.place) > 1:
            del groups[hook.place[0]]["hooks"][hook.place[1]]
            if not groups[hook.place[0]]["hooks"]:
                del groups[hook.place[0]]
        else:
            del groups[hook.place[0]]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    return _dump(told, layout, text)


def _dump(told: Any, layout: dict[str, Any], text: str) -> str:
    end = "\n" if text.endswith("\n") else ""
    return json.dumps(told, ensure_ascii=False, **layout) + end


def _events(told: Any) -> dict[str, Any]:
    hooks = told.get("hooks") if isinstance(told, dict) else None
    return hooks if isinstance(hooks, dict) else {}


def _registrations(path: str, text: str) -> Iterator[Registration]:
    try:
        events = _events(json.loads(text))
    except (ValueError, RecursionError):
        return
    for event, groups in events.items():
        for number, group in enumerate(groups if isinstance(groups, list) else []):
            if not isinstance(group, dict):
                continue
            inner = group.get("hooks")
            hooks = (
                [((number, n), hook) for n, hook in enumerate(inner)]
                if isinstance(inner, list)
                else [((number,), group)]
            )
            for place, hook in hooks:
                command = hook.get("command") or hook.get("bash") if isinstance(hook, dict) else None
                if isinstance(command, str):
                    matcher = group.get("matcher", "")
                    line = _line(text, command)
                    yield Registration(path, line, event, str(matcher or ""), command, place)


def _line(text: str, command: str) -> int:
    place = text.find(json.dumps(command, ensure_ascii=False))
    return text.count("\n", 0, place) + 1 if place >= 0 else 1


def _tools(matcher: str) -> frozenset[str]:
    """Return the names a matcher lists; none means every one, and so does what is more than a list."""
    names = frozenset(name.strip() for name in matcher.split("|"))
    return frozenset() if names & {"", "*", ".*"} else names
