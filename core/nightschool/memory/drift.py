"""Drift: a block that speaks of a line of a file is told only as long as the line is what it was."""

import hashlib
import re
from pathlib import Path

from nightschool.records import Block, Cite

_CITED = re.compile(r"(?<![\w/:.])((?:[\w.@+-]+/)*[\w.@+-]+\.[A-Za-z]\w{0,9}):(\d{1,7})(?![\w.])")
_MOST = 8  # cites of a block
_LARGE = 5_000_000  # bytes: a larger file is not read for a line of it


def cited(block: Block) -> tuple[Cite, ...]:
    """Return what a block cites as it is now; lines that are not there are left out."""
    found = dict.fromkeys((path, int(line)) for path, line in _CITED.findall(f"{block.title}\n{block.text}"))
    hashes = ((path, line, _hash(block.project, path, line)) for path, line in list(found)[:_MOST] if line > 0)
    return tuple(Cite(path=path, line=line, sha256=sha) for path, line, sha in hashes if sha)


def drifted(block: Block) -> str:
    """Return why a block must not be told: the first line it cites that is another one now; "" when none is."""
    for cite in block.cites:
        if _hash(block.project, cite.path, cite.line) != cite.sha256:
            return f"{cite.path}:{cite.line} has changed"
    return ""


def _hash(project: str, path: str, line: int) -> str:
    """Return the SHA-256 of a line of a file below the project; "" when there is none."""
    if not project:
        return ""
    root = Path(project)
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root.resolve()) or not file.is_file() or file.stat().st_size > _LARGE:
            return ""
        lines = file.read_bytes().split(b"\n")
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(lines[line - 1].strip()).hexdigest() if line <= len(lines) else ""
