"""Tool calls without what is particular to them: what two sessions are compared by. Pure functions."""

import re
from typing import Any

from nightschool.records import Step, ToolCall

_SHELLS = frozenset(
    [
        "bash",
        "sh",
        "zsh",
        "shell",
        "exec",
        "exec_command",
        "run",
        "run_command",
        "terminal",
        "powershell",
        "local_shell",
        "shell_command",
        "command",
    ]
)
_EDITS = re.compile(r"edit|write|patch|replace|insert|create", re.IGNORECASE)
_READS = re.compile(r"^(?:read|view|open|cat)(?:_?file)?$", re.IGNORECASE)
_WITH_VERB = frozenset(
    [
        "git",
        "npm",
        "pnpm",
        "yarn",
        "bun",
        "cargo",
        "go",
        "uv",
        "pip",
        "pip3",
        "poetry",
        "docker",
        "kubectl",
        "make",
        "just",
        "terraform",
        "gradle",
        "mvn",
        "dotnet",
    ]
)
_CHECKS = re.compile(
    r"run (?:pytest|tox|nox|unittest|jest|vitest|mocha|rspec|phpunit|ctest|tsc|mypy|pyright|ruff|eslint|clippy"
    r"|(?:npm|pnpm|yarn|bun) (?:test|build|lint|typecheck|check)|cargo (?:test|build|check|clippy)"
    r"|go (?:test|build|vet)|make(?: \w+)?|just \w+|gradle \w+|mvn \w+|dotnet (?:test|build))"
)
_LEADING = re.compile(r"^(?:\s*(?:cd\s+\S+\s*(?:&&|;)|sudo|env|time|nice|\w+=\S*))+\s*")
_RUNNERS = re.compile(r"^(?:(?:uv|poetry|pipenv|hatch) run|npx|bunx|pnpm exec|python[\d.]* -m)\s+")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TELLS = re.compile(
    r"\b\w*(?:error|exception|fatal|panic)\b|\bfailed\b|\bcannot\b|not found|denied|no such", re.IGNORECASE
)
_PATH = re.compile(r"(?<![\w.@+~-])(?:~|\.{0,2})?/[\w.@+~-]+(?:/[\w.@+~-]*)*")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{7,40}\b|\d+(?:\.\d+)*")
LONGEST = 160  # characters of an error or a detail
_READ = 4_000


def step_of(call: ToolCall) -> Step:
    """Return a call as a step."""
    tool = call.name.rsplit("__", 1)[-1].strip()
    failed = call.failed is True
    told: dict[str, Any] = {
        "ok": None if call.failed is None else not failed,
        "error": error_of(call.output) if failed else "",
    }
    if tool.casefold() in _SHELLS:
        name = f"run {command_head(call.input)}".strip()
        return Step(name=name, detail=_plain(call.input), checks=bool(_CHECKS.fullmatch(name)), **told)
    if _EDITS.search(tool):
        return Step(name="edit", detail=_file(call.input), edits=True, **told)
    if _READS.match(tool):
        return Step(name="read", detail=_file(call.input), **told)
    return Step(name=" ".join(tool.split())[:60] or "?", detail=_plain(call.input), **told)


def command_head(command: str) -> str:
    """Return the program of a command line, with its verb where it has some: "pytest", "git commit"."""
    line = _RUNNERS.sub("", _LEADING.sub("", command.strip()[:_READ]))
    words = re.split(r"[\s;|&<>]+", line, maxsplit=6)
    program = words[0].rsplit("/", 1)[-1][:40] if words else ""
    verbs = [word for word in words[1:] if re.fullmatch(r"[a-z][\w:-]{0,30}", word)]
    if program in _WITH_VERB and verbs:
        if verbs[0] == "run" and len(verbs) > 1:
            verbs = verbs[1:]
        return f"{program} {verbs[0]}"
    return program


def error_of(output: str) -> str:
    """Return what a failure said, in one line without paths and numbers; "" when it said nothing."""
    lines = [line.strip() for line in _ANSI.sub("", output[-_READ:]).splitlines() if line.strip()]
    telling = [line for line in lines if _TELLS.search(line)]
    return _plain((telling or lines or [""])[-1])


def _plain(text: str) -> str:
    """Return one line, absolute paths as their last name, numbers as #."""
    line = _PATH.sub(lambda found: found.group().rstrip("/").rsplit("/", 1)[-1], " ".join(text[:_READ].split()))
    return _NUMBER.sub("#", line)[:LONGEST]


def _file(text: str) -> str:
    name = text.strip().splitlines()[0] if text.strip() else ""
    return name.rsplit("/", 1)[-1][:80]
