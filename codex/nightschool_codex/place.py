"""Files of the client's: read as they are, replaced whole, given back with the directories that were made for them."""

import contextlib
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from nightschool.errors import NightschoolError

PRIVATE_FILE, PRIVATE_DIR = 0o600, 0o700


def bytes_of(path: Path) -> bytes | None:
    """Return a file's bytes; None when there is none. Raises NightschoolError when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NightschoolError("cannot read a file", where=path, why=error.strerror) from error


def missing_dirs(path: Path) -> list[str]:
    """Return the directories that have to be made for a file, innermost last."""
    return [str(folder) for folder in reversed(path.parents) if not folder.exists()]


def put(path: Path, data: bytes | None, *, mode: int = PRIVATE_FILE) -> None:
    """Replace a file whole; None removes it. A link stays one, and a file its mode. Raises NightschoolError."""
    real = Path(os.path.realpath(path))
    try:
        if data is None:
            real.unlink(missing_ok=True)
            return
        with contextlib.suppress(FileNotFoundError):
            mode = stat.S_IMODE(real.stat().st_mode)
        for folder in missing_dirs(real):
            Path(folder).mkdir(PRIVATE_DIR if mode == PRIVATE_FILE else 0o755, exist_ok=True)
        sibling = real.with_name(f".{real.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
        try:
            descriptor = os.open(sibling, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            sibling.replace(real)
        except BaseException:
            sibling.unlink(missing_ok=True)
            raise
    except OSError as error:
        fix = "Make it writable, then run the same command again."
        raise NightschoolError("cannot write a file", where=path, why=error.strerror, fix=fix) from error


def remove_dirs(folders: Sequence[str]) -> None:
    """Remove those of the directories that are empty. `folders` come innermost last."""
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
