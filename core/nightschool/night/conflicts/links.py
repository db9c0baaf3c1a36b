"""References between pages, and the one resolver that the scan and the graph check share.

Understood are `[[page]]`, `[[folder/page.md#heading|shown]]`, `[[page#^block]]`, `![[picture.png]]`, `block:NAME` and
`handoff:NAME`, the fields `blocks` and `handoffs` at the top of a file, and Markdown links to other `.md` files. Code,
comments and shell tests are no references.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal

from nightschool.night.conflicts.text import front_matter, prose
from nightschool.night.conflicts.tree import Tree
from nightschool.records import BrokenLink

Kind = Literal["wikilink", "embed", "block", "handoff", "link"]
_WIKI = re.compile(r"(!?)\[\[([^\[\]\n]{1,300})\]\]")
_TOKEN = re.compile(r"(?<![\w:/.-])@?(block|handoff):([A-Za-z0-9][\w./-]*\w|[A-Za-z0-9])")
_LINK = re.compile(r"(?<!!)\[[^\[\]\n]*\]\(<?([^()\s<>]+?\.md)(?:#[^()\s<>]*)?>?(?:[ \t]+\"[^\"\n]*\")?\)")
_SHELL = re.compile(r"^\s*[!-]|[$\"'=<>;{}&*]|^\s*$")
_FIELD = re.compile(r"^(block|handoff)s?:[ \t]*(.*)$")
_ITEM = re.compile(r"^[ \t]*-[ \t]+(?:agent:[ \t]*)?([\w./-]+)[ \t]*$|^[ \t]+agent:[ \t]*([\w./-]+)[ \t]*$")


@dataclass(frozen=True)
class Reference:
    """One reference as it stands: the line (from 1), what it names, and its kind."""

    line: int
    target: str
    kind: Kind


@lru_cache(maxsize=16384)
def references(text: str) -> tuple[Reference, ...]:
    """Return every reference of a page."""
    if not any(sign in text for sign in ("[[", "](", "block", "handoff")):
        return ()
    found = list(_in_fields(text))
    for number, line in enumerate(prose(text, spans=True).split("\n"), 1):
        if "[[" in line:
            for embed, inner in _WIKI.findall(line):
                if not _SHELL.search(inner.split("|")[0]):
                    kind: Kind = "embed" if embed else "block" if re.search(r"#?\^", inner) else "wikilink"
                    found.append(Reference(number, inner.strip(), kind))
        if ":" in line:
            found += [Reference(number, name, kind) for kind, name in _TOKEN.findall(line)]
        if "](" in line:
            found += [Reference(number, target, "link") for target in _LINK.findall(line) if "://" not in target]
    return tuple(found)


def broken(tree: Tree) -> list[BrokenLink]:
    """Return every reference that leads nowhere, by file and line."""
    index = Index(tree)
    return [
        BrokenLink(source=tree.shown + path, line=ref.line, target=page_of(ref.target) or ref.target, kind=ref.kind)
        for path, text in sorted(tree.pages.items())
        for ref in references(text)
        if not index.resolves(path, ref)
    ]


def page_of(target: str) -> str:
    """Return the page that a wikilink's inside names: without what is shown, the heading and the block."""
    return re.split(r"\\?\||#|\^", target, maxsplit=1)[0].strip()


class Index:
    """Finds the page that a reference means."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.by_stem: dict[str, list[str]] = defaultdict(list)
        self.by_file: dict[str, list[str]] = defaultdict(list)
        for path in sorted(tree.names):
            self.by_file[PurePosixPath(path).name.casefold()].append(path)
            if path in tree.pages:
                self.by_stem[PurePosixPath(path).stem.casefold()].append(path)
        for path, text in tree.pages.items():
            if name := front_matter(text).get("name", "").casefold():
                self.by_stem[name].append(path)
        self.lower = {path.casefold() for path in tree.names}

    def resolves(self, source: str, ref: Reference) -> bool:
        """Say whether a reference leads somewhere."""
        if ref.kind == "link":
            told = ref.target.replace("%20", " ")
            base = "" if told.startswith("/") else posixpath.dirname(source)
            path = posixpath.normpath(posixpath.join(base, told.lstrip("/")))
            return path in self.tree.names or path.startswith("../")  # outside the folder nothing is known
        if ref.kind in {"block", "handoff"} and "^" not in ref.target:
            return bool(self._pages(source, ref.target))
        page = page_of(ref.target)
        pages = self._pages(source, page) if page else [source]
        wanted = re.search(r"#\^([\w-]+)", ref.target)
        if wanted and pages:
            marked = re.compile(rf"\^{re.escape(wanted[1])}\s*$", re.MULTILINE)
            return any(marked.search(self.tree.pages.get(path, "")) for path in pages)
        return bool(pages)

    def _pages(self, source: str, page: str) -> list[str]:
        name = page.casefold().lstrip("/")
        suffix = PurePosixPath(name).suffix
        wanted = [name] if suffix in {".md", ".mdc", ".markdown"} else [f"{name}.md", f"{name}.mdc", f"{name}.markdown"]
        if suffix:
            wanted.append(name)
        if "/" not in name:
            found = [path for each in wanted for path in self.by_file.get(each, [])]
            return found or list(self.by_stem.get(name, []))
        below = [posixpath.normpath(posixpath.join(posixpath.dirname(source).casefold(), each)) for each in wanted]
        exact = [posixpath.normpath(each) for each in wanted]
        plain = [each for each in exact if not each.startswith("../")]
        found = [path for path in (*below, *plain) if path in self.lower]
        return found or [
            path
            for each in plain
            for path in self.by_file.get(posixpath.basename(each), [])
            if path.casefold().endswith(f"/{each}")
        ]


def _in_fields(text: str) -> Iterator[Reference]:
    """Yield what the fields `blocks` and `handoffs` at the top of a file name."""
    if not text.startswith("---") or not front_matter(text):
        return
    kind: Kind | None = None
    for number, line in enumerate(text.split("\n")[1:], 2):
        if line.startswith(("---", "...")):
            return
        if field := _FIELD.match(line):
            kind = "block" if field[1] == "block" else "handoff"
            for name in re.findall(r"[\w./-]+", field[2]):
                yield Reference(number, name, kind)
        elif kind and (item := _ITEM.match(line)):
            yield Reference(number, item[1] or item[2], kind)
        elif line[:1].strip() and not line.startswith("-"):
            kind = None
