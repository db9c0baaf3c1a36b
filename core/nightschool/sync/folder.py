"""A plain directory as the place to share things in: a mounted disk, or one that another program carries around.

There is no lock that all machines share. A file is replaced whole; should two machines replace one at the same time,
the next exchange of the one that lost finds another version there, merges, and puts it right.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.files import private_dir, write_whole
from nightschool.sync.remote import LARGEST, Contended, Listing, Unreachable

_DEEP = 8  # directories within each other: ours are three


@dataclass
class FolderRemote:
    """One directory. Links in it are neither followed nor written through."""

    root: Path
    found: dict[str, str] = field(default_factory=dict)

    def where(self) -> str:
        """Say where this is."""
        return str(self.root)

    def listing(self) -> Listing:
        """Look at every file. A version is the file's size and time: a tool that copies it makes another of it."""
        if not self.root.is_dir():
            fix = "Mount it, or make it; nothing is lost meanwhile."
            raise Unreachable("the shared folder is not there", where=self.root, fix=fix)
        listing = Listing()
        try:
            self._walk(self.root, "", listing)
        except OSError as error:
            raise Unreachable("the shared folder cannot be read", where=self.root, why=error.strerror) from error
        listing.sift()
        self.found = dict(listing.versions)
        return listing

    def read(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Read files; one that has become a link is left out."""
        for path in paths:
            try:
                descriptor = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                with os.fdopen(descriptor, "rb") as stream:
                    data = stream.read(LARGEST + 1)
            except OSError:
                continue
            yield path, data

    def publish(self, changes: Mapping[str, bytes | None], note: str) -> dict[str, str]:  # noqa: ARG002  no history here
        """Replace files one by one. Raises Contended before the first that is not as it was listed."""
        versions = {}
        for path, data in changes.items():
            target = self._inside(path)
            if _version(target) != self.found.get(path):
                raise Contended
            if data is None:
                target.unlink(missing_ok=True)
            else:
                write_whole(target, data)
                versions[path] = _version(target) or ""
        return versions

    def _inside(self, path: str) -> Path:
        target = self.root / path
        private_dir(target.parent)
        real = Path(os.path.realpath(self.root))
        if Path(os.path.realpath(target.parent)) != real.joinpath(*path.split("/")[:-1]) or target.is_symlink():
            raise NightschoolError("a link stands in the shared folder", where=target, fix="Remove it.")
        if target.exists() and (not target.is_file() or target.stat().st_size > LARGEST):
            why = "it is no plain file, or too large to be read"
            raise NightschoolError("something stands in a file's place in the shared folder", where=target, why=why,
                                   fix="Remove it.")  # fmt: skip
        return target

    def _walk(self, folder: Path, above: str, listing: Listing) -> None:
        for entry in os.scandir(folder):
            path = f"{above}{entry.name}"
            if entry.name.startswith("."):
                continue  # what a carrier or a half-written file leaves
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode) and path.count("/") >= _DEEP:
                listing.refused[ascii(path)] = "it lies deeper than anything of ours"
            elif stat.S_ISDIR(info.st_mode):
                self._walk(Path(entry.path), f"{path}/", listing)
            elif not stat.S_ISREG(info.st_mode):
                listing.refused[ascii(path)] = "it is a link or no plain file"
            elif info.st_size > LARGEST:
                listing.refused[ascii(path)] = f"it is larger than {LARGEST:,} bytes"
            else:
                listing.versions[path] = _mark(info)


def _version(path: Path) -> str | None:
    try:
        return _mark(path.lstat())
    except FileNotFoundError:
        return None


def _mark(info: os.stat_result) -> str:
    told = f"{info.st_size}-{info.st_mtime_ns}-{info.st_ino}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]
