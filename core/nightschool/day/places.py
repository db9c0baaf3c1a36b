"""Where a session may have committed: its project, and the directories its commands went to."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

MOST = 16  # directories of one session
_READ = 20_000  # characters of a command

_WORD = r"""(?:"[^"\n]*"|'[^'\n]*'|(?:\\.|[^\s;&|()<>"'\\])+)"""
_STEP = re.compile(
    rf"(?:^|[;&|({{\n]|\b(?:then|do|else)\b)\s*(?:cd|pushd)\s+(?:(?:--|-[LP])\s+)?(?P<go>{_WORD})"
    rf"|\bgit(?P<options>(?:\s+(?:-[Cc]\s+{_WORD}|--(?:git-dir|work-tree)[=\s]\s*{_WORD}|--?[\w-]+(?:={_WORD})?))+)"
)
_OPTION = re.compile(rf"\s(?:-C\s+|--(?:git-dir|work-tree)[=\s]\s*)(?P<to>{_WORD})")


def places(project: Path, commands: Iterable[str]) -> list[Path]:
    """Return the directories that are there, the project first, each once, at most `MOST`.

    A shell that is kept from call to call goes on from where it was, another starts in the project: both are taken.
    What a variable stands for is not known.
    """
    found = dict.fromkeys([project])
    here = project
    for command in commands:
        for base, told in _steps(command[:_READ], here, project):
            if told is not None:
                here = told
            if base not in found and len(found) < MOST and base.is_dir():
                found[base] = None
    return list(found)


def _steps(command: str, here: Path, project: Path) -> Iterator[tuple[Path, Path | None]]:
    """Yield each directory that a command may work in, and, when it went there for good, where it is then."""
    fresh = project
    for step in _STEP.finditer(command):
        if step["go"]:
            here, fresh = _joined(here, [step["go"]]), _joined(fresh, [step["go"]])
            yield fresh, None
            yield here, here
        else:
            words = [option["to"] for option in _OPTION.finditer(step["options"])]
            for base in (here, fresh) if words else ():
                yield _joined(base, words), None


def _joined(base: Path, words: Iterable[str]) -> Path:
    for word in words:
        plain = word[1:-1] if word[:1] in {'"', "'"} else re.sub(r"\\(.)", r"\1", word)
        if plain and plain != "-" and not re.search(r"[$`*?\0]", plain):
            base = Path(os.path.normpath(base / os.path.expanduser(plain)))  # noqa: PTH111
    return base
