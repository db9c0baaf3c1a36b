"""What a place to share things in must be able to do: tell what is there, give it, and take changes, or say no."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nightschool.errors import NightschoolError
from nightschool.sync import layout

LARGEST = 50_000_000  # bytes of one file that is taken in


class Contended(Exception):  # noqa: N818  nothing is wrong: another machine was first, and what it wrote is read next
    """Another machine has published since the listing; nothing, or only a part, of ours is there.

    Its text names the lock that stood in the way, if one did.
    """


class Unreachable(NightschoolError):  # noqa: N818  being offline is no fault
    """The place cannot be reached now. Nothing is lost: the same exchange is made the next time."""


@dataclass
class Listing:
    """What is there: a version of each path, and what is refused at sight, with the reason.

    `hidden` is what is refused for its name alone: it is there, and nothing of ours is put in its place.
    """

    versions: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def sift(self) -> None:
        """Refuse the paths that lead elsewhere, or that one disk could not tell from others."""
        for path, why in layout.faults(self.versions).items():
            del self.versions[path]
            self.refused[ascii(path)] = why
            self.hidden.add(path)


class Remote(Protocol):
    """A repository, a folder or a bucket. Everything may raise Unreachable."""

    def listing(self) -> Listing:
        """Say what is there now."""
        ...

    def read(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Give the files of the last listing; one that is gone since is left out."""
        ...

    def publish(self, changes: Mapping[str, bytes | None], note: str) -> dict[str, str]:
        """Put files (None: remove) on top of the last listing and return their versions. Raises Contended."""
        ...

    def where(self) -> str:
        """Say where this is, without a secret."""
        ...
