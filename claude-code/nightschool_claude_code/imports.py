r"""Which files a CLAUDE.md brings in by `@path`, as the client does it (probed with 2.1.329).

A path counts where it stands as a word of its own, bold or in a quote too; not in code, a fence, a comment, a link, or
with a full stop or a comma behind it. `#section` is cut off, `\\ ` is a blank. Files import on, four steps deep. What
lies outside the project (or the client's own directory) the client asks its user about, so it is not read here.
"""

from __future__ import annotations

import mimetypes
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS = 4  # CLAUDE.md -> 1 -> 2 -> 3 -> 4
MOST = 50  # files; more is no set of rules
MAX_BYTES = 1_000_000  # a file; the rest of it is not looked at

_HIDDEN = re.compile(
    r"^[ ]{0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^[ ]{0,3}(?P=fence)[^\n]*$|\Z)"  # fences, also one never closed
    r"|<!--.*?(?:-->|\Z)|(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)",
    re.DOTALL | re.MULTILINE,
)
_IMPORT = re.compile(r"(?:^|(?<=\s))[*_]{0,3}@(?P<path>(?:[^\s\\]|\\ )+)")


def imported(document: Path, inside: Path) -> list[Path]:
    """Return the files that `document` brings in, in the client's order, each once; only those below `inside`."""
    found: dict[Path, None] = {}
    root = inside.resolve()
    _follow(document, root, found, STEPS)
    found.pop(document.resolve(), None)
    return list(found)


def _follow(document: Path, root: Path, found: dict[Path, None], steps: int) -> None:
    for told in _named(document) if steps else ():
        path = (document.parent / told).resolve()
        if path in found or len(found) >= MOST or not _is_read(path, root):
            continue
        found[path] = None
        _follow(path, root, found, steps - 1)


def _is_read(path: Path, root: Path) -> bool:
    kind = (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]
    return path.is_relative_to(root) and path.is_file() and kind not in {"image", "audio", "video", "font"}


def _named(document: Path) -> Iterator[str]:
    try:
        with document.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return
    for match in _IMPORT.finditer(_HIDDEN.sub(" ", text)):
        told = match["path"].replace("\\ ", " ").partition("#")[0].rstrip("*_")
        if told and not told.startswith(("~", "/")) and "\0" not in told:
            yield told
