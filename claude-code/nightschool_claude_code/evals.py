r"""Held-out tasks as cases of the client's own harness, `claude plugin eval` (format as of 2.1.269 to 2.1.329).

The suite is a whole plugin: `skills/nightschool-learned/SKILL.md` with the rules, and `evals/<task>/prompt.md` with
`evals/<task>/graders/*.md`. The harness runs each case with the plugin and without and prints the difference. Only its
free graders are used. A grader is a JavaScript regex, so a check is told as one where that says the same, and a task
with a check that cannot be told (a program to run, "no refusal") is left out and named.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from nightschool.records import Check, CheckOp, EvalSuite, RealTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LEARNED = "nightschool-learned"
TURNS = 6  # a case's model calls at most
_TOOLS = ("Read", "Glob", "Grep", "Skill")  # what the harness allows without asking; none of them writes
_PYTHON_ONLY = re.compile(r"\(\?(?:P|[aiLmsux]+[:)]|#)|\\[AZ]|\\N\{|[*+?}]\+|\(\?>")  # JavaScript has no such thing
_BROAD = 65_535  # a repetition beyond is more than any reply

Grader = dict[str, object]


def suite(tasks: Sequence[RealTask], rules: Sequence[str]) -> EvalSuite:
    """Return the plugin's files by their paths, and why a task is left out, by its id. `rules` are the skill's."""
    files = {".claude-plugin/plugin.json": _manifest(), f"skills/{LEARNED}/SKILL.md": _skill(rules)}
    left_out: dict[str, str] = {}
    for task in tasks:
        graders = [_graders(check) for check in task.checks]
        if untold := [check.op.value for check, found in zip(task.checks, graders, strict=True) if not found]:
            left_out[task.id] = f"no free grader says the same as {', '.join(dict.fromkeys(untold))}"
            continue
        files[f"evals/{task.id}/prompt.md"] = _prompt(task)
        for number, grader in enumerate((one for found in graders for one in found), 1):
            files[f"evals/{task.id}/graders/{number:02d}-{grader['type']}.md"] = _front(grader)
    return EvalSuite(files=files, left_out=left_out)


def _manifest() -> str:
    told = {"name": LEARNED, "version": "0.0.1", "description": "Rules that Nightschool learned, with their exam."}
    return json.dumps(told | {"author": {"name": "Nightschool"}}, indent=2) + "\n"


def _skill(rules: Sequence[str]) -> str:
    head = {
        "name": LEARNED,
        "description": "How this user wants work done. Use it for every request, before answering.",
    }
    lines = "\n".join(f"- {' '.join(rule.split())}" for rule in rules)
    return f"{_front(head)}\n# Rules\n\n{lines}\n"


def _prompt(task: RealTask) -> str:
    called = [check.arg for check in task.checks if check.op is CheckOp.TOOL_CALLED]
    head: dict[str, object] = {"max_turns": TURNS, "allowed_tools": list(dict.fromkeys((*_TOOLS, *called)))}
    head["tags"] = [task.split, task.family]
    return f"{_front(head)}\n{task.request}\n"


def _front(fields: Mapping[str, object]) -> str:
    """Return front matter: a JSON value is a YAML value, whatever stands in it."""
    return "---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in fields.items()) + "---\n"


def _graders(check: Check) -> list[Grader]:
    """Return the graders that together say what a check says; none when they cannot."""
    tell = _TOLD.get(check.op)
    return list(tell(check)) if tell else []


def _regex(pattern: str, flags: str = "", match: str = "contains") -> Grader:
    return {"type": "regex", "target": "last_message", "pattern": pattern, "flags": flags, "match": match}


def _literal(text: str) -> str:
    return re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", text)


def _contains(check: Check) -> Iterator[Grader]:
    match = "contains" if check.op is CheckOp.CONTAINS else "not_contains"
    yield _regex(_literal(check.arg), f"{check.extra}u", match)


def _pattern(check: Check) -> Iterator[Grader]:
    if not _PYTHON_ONLY.search(check.arg):
        yield _regex(check.arg, "m" + check.extra)


def _title(title: str) -> str:
    words = re.sub(r"^#{1,6}[ \t]+", "", title.strip()).rstrip("# :").split()
    return (
        r"^ {0,3}#{1,6}[ \t]+(?:[\d.)]+[ \t]+)?[*_`]*" + r"\s+".join(map(_literal, words)) + r"[*_`]*:?[ \t]*#*[ \t]*$"
    )


def _section(check: Check) -> Iterator[Grader]:
    yield _regex(_title(check.arg), "imu")


def _section_text(check: Check) -> Iterator[Grader]:
    body = r"\n(?:(?! {0,3}#{1,6}[ \t])[^\n]*\n)*?(?! {0,3}#{1,6}[ \t])[^\n]*?"
    yield _regex(_title(check.arg) + body + _literal(check.extra.strip()), "imu")


def _at_least(count: int) -> str:
    return r"\S" if count <= 1 else rf"\S[\s\S]{{{count - 2},}}\S"


def _long(check: Check) -> Iterator[Grader]:
    if int(check.arg) <= _BROAD:
        yield _regex(_at_least(int(check.arg)), "u")


def _short(check: Check) -> Iterator[Grader]:
    if int(check.arg) < _BROAD:
        yield _regex(_at_least(int(check.arg) + 1), "u", "not_contains")


def _called(check: Check) -> Iterator[Grader]:
    yield {"type": "tool_used", "tool": check.arg, "min": 1}


def _keys(check: Check) -> Iterator[Grader]:
    for key in check.arg.split(","):
        yield _regex(_literal(json.dumps(key.strip())) + r"\s*:", "u")


def _equals(check: Check) -> Iterator[Grader]:
    yield _regex(rf"^\s*{_literal(check.arg.strip())}\s*$", "u")


def _number(check: Check) -> Iterator[Grader]:
    if not check.extra and re.fullmatch(r"-?\d+(?:\.\d+)?", check.arg.strip()):
        yield _regex(rf"(?<![\d.,]){_literal(check.arg.strip())}(?![\d]|[.,]\d)[^\d]*$", "u")


_TOLD: dict[CheckOp, Callable[[Check], Iterator[Grader]]] = {
    CheckOp.CONTAINS: _contains,
    CheckOp.NOT_CONTAINS: _contains,
    CheckOp.REGEX: _pattern,
    CheckOp.SECTION_PRESENT: _section,
    CheckOp.SECTION_CONTAINS: _section_text,
    CheckOp.MIN_CHARS: _long,
    CheckOp.MAX_CHARS: _short,
    CheckOp.TOOL_CALLED: _called,
    CheckOp.JSON_KEYS: _keys,
    CheckOp.EQUALS: _equals,
    CheckOp.NUMBER: _number,
}
