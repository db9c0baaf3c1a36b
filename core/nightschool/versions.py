"""Which versions of our own files are read: those up to ours. A newer one is refused, and left as it is.

Records say theirs in `version`, SQLite files in `user_version`, a home as a whole in its file `version` (a number);
what says nothing is of version 1. An engine that changes what a home's files mean writes the file `version` before it
writes anything else there; a record that changes alone gets `known(2)`, and its model reads the first version as well.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel

from nightschool.errors import NewerVersion
from nightschool.files import read_plain

Kind = TypeVar("Kind", bound=BaseModel)


def known(highest: int) -> Callable[[int], int]:
    """Return a validator for a record's `version`. It raises NewerVersion, which no reader takes for a damaged file."""

    def check(version: int) -> int:
        if version > highest:
            raise NewerVersion("", version, highest)
        return version

    return check


Version = Annotated[int, AfterValidator(known(1))]
"""The version of a record that has had one only."""


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Have a NewerVersion name the file that is read in the block."""
    try:
        yield
    except NewerVersion as error:
        raise NewerVersion(path, error.version, error.highest) from None


def stored(kind: type[Kind], path: Path) -> Kind:
    """Return the record that a file of ours holds. Raises NewerVersion, OSError, and pydantic's ValidationError."""
    with reading(path):
        return kind.model_validate_json(read_plain(path))
