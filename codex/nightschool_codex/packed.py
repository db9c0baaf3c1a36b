"""Rollouts that the client has compressed: `.jsonl.zst`, read through whatever this machine can unpack them with."""

import importlib
import shutil
import subprocess
import tempfile
from typing import IO, Any

from nightschool.errors import NightschoolError

SUFFIX = ".zst"
LARGEST = 2**31  # bytes of an unpacked session; more is no session
_SECONDS = 300
_FIX = "Install the program zstd, or Nightschool's extra: nightschool[codex]."


def readable() -> bool:
    """Tell whether compressed rollouts can be read here: by Python (3.14), the package zstandard, or the program."""
    return _library() is not None or shutil.which("zstd") is not None


def unpacked(path: str) -> IO[bytes]:
    """Return an unnamed file with the unpacked bytes. Raises NightschoolError when nothing here unpacks it."""
    library = _library()
    out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        if library is None:
            _by_program(path, out)
        else:
            with open(path, "rb") as stream:  # noqa: PTH123
                _copy(_reader(library, stream), out, path)
    except NightschoolError:
        out.close()
        raise
    except (OSError, EOFError) as error:
        out.close()
        raise NightschoolError("a compressed session cannot be unpacked", where=path, why=error) from error
    except Exception as error:  # whatever the library raises for a damaged file
        out.close()
        if "zstd" not in type(error).__module__ and "Zstd" not in type(error).__name__:
            raise
        raise NightschoolError("a compressed session is damaged", where=path, why=error) from error
    return out


def _library() -> Any:
    for name in ("compression.zstd", "zstandard"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _reader(library: Any, stream: IO[bytes]) -> Any:
    return library.open(stream, "rb")


def _copy(source: Any, out: IO[bytes], path: str) -> None:
    size = 0
    while chunk := source.read(2**20):
        size += out.write(chunk)
        if size > LARGEST:
            raise NightschoolError("a compressed session is too large", where=path, why=f"over {LARGEST:,} bytes")


def _by_program(path: str, out: IO[bytes]) -> None:
    program = shutil.which("zstd")
    if program is None:
        raise NightschoolError("a compressed session cannot be unpacked", where=path, fix=_FIX)
    words = [program, "-q", "-d", "-c", "--", path]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as ran:
        try:
            _copy(ran.stdout, out, path)
            ran.wait(_SECONDS)
        finally:
            ran.kill()
    if ran.returncode != 0:
        raise NightschoolError("a compressed session is damaged", where=path, why=f"zstd exits {ran.returncode}")
