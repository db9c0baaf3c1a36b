"""What kind of failure a failed call is. Whether it failed is the platform's word; here its output is only sorted."""

import re
from collections import Counter
from collections.abc import Iterable

from nightschool.records import Failure, FailureKind, ToolCall

MOST = 6  # kinds of failure that one entry names

# The first that is found counts: a test run that ends in "permission denied" is a matter of permissions.
_KINDS = (
    (
        FailureKind.DENIED,
        (
            r"user (?:doesn't want|rejected|denied|declined)|denied by (?:the )?user|tool use was rejected"
            r"|(?:permission to use|requested permissions?)\b.{0,60}|blocked by|not allowed to run|operation blocked"
        ),
    ),
    (
        FailureKind.TIMEOUT,  # not the bare word: test runners list it among their plugins
        (
            r"timed[ -]out|timeout(?:error|expired|exception|:| expired| exceeded| after| of \d| was reached)"
            r"|deadline exceeded|ETIMEDOUT"
        ),
    ),
    (
        FailureKind.NETWORK,
        (
            r"could not resolve host|name or service not known|temporary failure in name"
            r"|connection (?:refused|reset)|network is unreachable|ECONNREFUSED|ENOTFOUND"
            r"|ssl.{0,20}error|certificate verify"
        ),
    ),
    (FailureKind.MISSING_COMMAND, r"command not found|: not found$|not recognized as (?:an? )?|no such command"),
    (
        FailureKind.PERMISSION,
        r"permission denied|EACCES|EPERM|operation not permitted|read-only file system|access is denied",
    ),
    (
        FailureKind.MERGE,
        (
            r"merge conflict|^CONFLICT|automatic merge failed|not possible to fast-forward|would be overwritten by"
            r"|already (?:checked out|used by worktree)|is not a working tree|unmerged|non-fast-forward|needs merge"
        ),
    ),
    (
        FailureKind.NO_MATCH,
        r"string (?:to replace )?not found|no match found|did not match|found \d+ matches|old_string",
    ),
    (FailureKind.SYNTAX, r"syntax ?error|unexpected (?:token|end of file|EOF|indent)|parse error|unterminated"),
    (
        FailureKind.TEST,
        r"\d+ failed|^FAILED |failures?=\d|tests? failed|assertion(?:error| failed)|--- FAIL|✕|not ok \d",
    ),
    (
        FailureKind.TYPES_LINT,
        (
            r"error TS\d+|\berror: .*\[[a-z-]+\]$|\b(?:mypy|pyright|ruff|eslint|clippy|tsc)\b"
            r"|type error|incompatible types"
            r"|error\[E\d+\]|✖ \d+ problem|:\d+:\d+:? [A-Z]{1,4}\d{3,4} "
        ),
    ),
    (
        FailureKind.MISSING_FILE,
        r"no such file or directory|ENOENT|file (?:does not exist|not found)|cannot find (?:the )?(?:file|path)",
    ),
    (
        FailureKind.BAD_INPUT,
        (
            r"invalid (?:input|argument|parameter|option)|unrecognized argument|missing required|InputValidation"
            r"|unknown (?:option|tool)"
        ),
    ),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for kind, pattern in _KINDS)
_READ = 4_000  # characters of an output, which harvest has clipped already

_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'])*"""
_LEAD = re.compile(
    rf"^(?:\s*(?:#[^\n]*\n|[({{]|(?:cd|pushd|set|source|\.|export)\s+{_VALUE}\s*(?:&&|;|\n)"
    rf"|sudo\b|env\b|time\b|nice\b|command\b|timeout(?:\s+-\S+)*\s+[\d.]+[smhd]?\b|\w+={_VALUE})\s*)+"
)
_RUNNER = re.compile(r"^(?:(?:uv|poetry|pipenv|hatch) run|npx|bunx|pnpm exec|python[\d.]* -m)\s+")
_PROGRAM = re.compile(r"[\w./+@-]+")
_WITH_VERB = frozenset(
    "git npm pnpm yarn bun cargo go uv pip docker kubectl make just terraform gradle mvn dotnet".split()  # noqa: SIM905
)
_SHELLS = frozenset(
    [
        "bash",
        "sh",
        "zsh",
        "shell",
        "exec",
        "exec_command",
        "run",
        "powershell",
        "terminal",
        "local_shell",
        "shell_command",
    ]
)


def failures(calls: Iterable[ToolCall]) -> tuple[Failure, ...]:
    """Return what failed among `calls`, the most frequent first; same kind and same program are one."""
    counted = Counter((kind_of(call), call_of(call)) for call in calls if call.failed is True)
    return tuple(Failure(kind=kind, call=told, count=count) for (kind, told), count in counted.most_common(MOST))


def kind_of(call: ToolCall) -> FailureKind:
    """Sort one failed call by what it said."""
    said = call.output[:_READ] + "\n" + call.output[-_READ:]
    return next((kind for kind, pattern in _PATTERNS if pattern.search(said)), FailureKind.OTHER)


def call_of(call: ToolCall) -> str:
    """Return the tool, or for a shell the program and its verb: no path, no argument, nothing that came back."""
    tool = call.name.rsplit("__", 1)[-1].strip()
    if tool.casefold() not in _SHELLS:
        return tool[:40] or "a tool"
    line = _RUNNER.sub("", _LEAD.sub("", call.input.strip()))
    words = [found.rsplit("/", 1)[-1] for found in _PROGRAM.findall(line[:200])]
    if not words:
        return tool[:40]
    verb = words[1:2] if words[0] in _WITH_VERB and len(words) > 1 and words[1].isalpha() else []
    return " ".join([words[0], *verb])[:40]
