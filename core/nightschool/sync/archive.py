"""A whole home in one file, and back. What can be made again, what is raw and what is secret stays behind."""

import contextlib
import gzip
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from nightschool.config import Config, load
from nightschool.errors import NightschoolError
from nightschool.files import PRIVATE_DIR, PRIVATE_FILE, private_dir, single_flight, sync_dir, write_whole
from nightschool.night import evidence, trials
from nightschool.paths import Home
from nightschool.records import Proposal, Receipt, ReceiptState
from nightschool.sync import layout

MARK = "nightschool-home-1"
_LEFT = (
    "sync/",
    "spool/",
    "bin/",
    "prompts/",
    "schedules/",
    "index.db",
    "journal.db",
    "memory/index.db",
    "machine.json",
)
_PASSING = (".lock", ".holder", ".tmp", "-wal", "-shm", "-journal")
_LARGEST = 2_000_000_000  # bytes of one file
_AT_ONCE = 16_000_000  # bytes that the format asks for at once: it reads files in small portions
_REST = 1_000_000  # bytes behind the last file
_CAME = "it came with an imported home"
_WHOSE = "the imported home"
_ACTS = (
    ("models", "command"), ("openai", "base_url"), ("schedule", "on_morning"), ("cases", "test_command"),
    ("cases", "setup_command"), ("executor", "run"), ("sync", "url"), ("sync", "endpoint"),
)  # fmt: skip
_WAIT = 5.0  # seconds


class _Unzipped(gzip.GzipFile):
    """What is packed in a file. A name may claim any length, and would be read whole: a gigabyte packs into little."""

    def read(self, size: int | None = -1) -> bytes:
        """Read some bytes. Raises OSError for what is no name."""
        if size is not None and size > _AT_ONCE:
            raise OSError(f"it has a name of {size:,} bytes")
        return super().read(size)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    with _Unzipped(file) as packed, tarfile.open(fileobj=packed) as archive:
        yield archive
        if len(packed.read(_REST)) == _REST:  # up to the end, where the sum of all bytes stands
            raise OSError("it goes on behind its last file")


def exported(home: Home, file: Path) -> int:
    """Write a home to a file that is not there yet, the same bytes for the same home; return how many files are in it.

    Left out are the raw payloads of hooks, keys, indexes, schedules and what names this machine. Raises
    NightschoolError while a night is at work.
    """
    if file.exists():
        raise NightschoolError("there is a file already", where=file, fix="Name one that is not there yet.")
    if not home.root.is_dir():
        raise NightschoolError("there is no home yet", where=home.root, fix="Sleep first: nightschool run.")
    held = io.BytesIO()
    count = 0
    with (
        single_flight(home.lock, "exporting", wait=_WAIT),
        gzip.GzipFile(fileobj=held, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        _add(archive, MARK, b"")
        for name, path in _files(home):
            _add(archive, name, _whole(path))
            count += 1
    write_whole(file, held.getvalue())
    return count


def is_archive(file: Path) -> bool:
    """Tell whether a file is a home that was exported."""
    if not file.is_file():  # a pipe would be waited for
        return False
    try:
        with _Unzipped(file) as packed, tarfile.open(fileobj=packed) as archive:
            first = archive.next()
            return first is not None and first.name == MARK
    except (OSError, tarfile.TarError, EOFError, zlib.error):
        return False


def imported(home: Home, file: Path) -> int:
    """Make the home from a file; return how many files came. Nothing is there when it fails.

    Raises NightschoolError when there is a home already, or a name in the file leads elsewhere.
    """
    if home.root.exists() and any(home.root.iterdir()):
        fix = "Move it away, or name another with NIGHTSCHOOL_HOME."
        raise NightschoolError("there is a home already", where=home.root, fix=fix)
    private_dir(home.root.parent)
    folder = Path(tempfile.mkdtemp(prefix=".nightschool-", dir=home.root.parent))
    try:
        count = _unpacked(file, folder)
        _doubted(Home(folder))
        folder.chmod(PRIVATE_DIR)
        with contextlib.suppress(FileNotFoundError):
            home.root.rmdir()
        folder.replace(home.root)
        sync_dir(home.root.parent)
    except (OSError, tarfile.TarError, EOFError, ValueError, zlib.error) as error:
        raise NightschoolError("the file cannot be unpacked", where=file, why=error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return count


def _unpacked(file: Path, folder: Path) -> int:
    count = 0
    names: list[str] = []
    with _opened(file) as archive:
        for member in archive:
            if member.name == MARK:
                continue
            if member.name.startswith("brief/"):  # what sessions are told is made again here
                continue
            names.append(member.name)
            why = layout.faults(names[-1:]).get(member.name, "")
            if member.name.startswith(_LEFT):
                why = "no exported home holds this"
            if not member.isreg() or member.size > _LARGEST:
                why = "it is no plain file"
            stream = archive.extractfile(member) if not why else None
            if stream is None:
                raise NightschoolError("the file was not made by nightschool", where=ascii(member.name), why=why)
            write_whole(folder / member.name, stream.read(), durable=False)
            count += 1
    if clash := layout.faults(names):
        name, why = next(iter(clash.items()))
        raise NightschoolError("the file was not made by nightschool", where=ascii(name), why=why)
    return count


def programs(home: Home) -> list[str]:
    """Return the settings that name a program of the user's to run, or whom a model is asked of, unless as usual."""
    told, usual = (config.model_dump(mode="json") for config in (load(home), Config()))
    acting = [(part, key) for part, key in _ACTS if told[part][key] != usual[part][key]]
    return [f"{part}.{key} = {told[part][key]!r}" for part, key in acting]


def _doubted(home: Home) -> None:
    """Mark what the file says was accepted: the file may be somebody else's, so it acts when the user names it.

    What a crash has left of an adoption is not finished here: it would put bytes of the file into documents.
    """
    for path in sorted(home.receipts.glob("*/receipt.json")):
        if Receipt.model_validate_json(path.read_bytes()).state is ReceiptState.PREPARED:
            shutil.rmtree(path.parent)
    for path in home.receipts.glob("*/undoing.json"):
        path.unlink()
    for path in sorted(home.nights.glob("*/proposal.json")):
        proposal = Proposal.model_validate_json(path.read_bytes())
        rules = tuple(
            r.model_copy(update={"quarantine": (*r.quarantine, _CAME), "by": r.by or _WHOSE}) for r in proposal.rules
        )
        doubted = proposal.model_copy(update={"rules": rules})
        write_whole(path, doubted.model_dump_json(indent=1).encode(), durable=False)
    for found in evidence.everything(home):
        evidence.save(home, found.model_copy(update={"elsewhere": True}))
    for trial in trials.trials(home):
        if trial.state == "running":
            trials.save(home, trial.model_copy(update={"state": "stopped", "why": _CAME}))


def _files(home: Home) -> Iterator[tuple[str, Path]]:
    for above, folders, files in os.walk(home.root):
        folders.sort()
        for file in sorted(files):
            path = Path(above, file)
            name = path.relative_to(home.root).as_posix()
            if not name.startswith(_LEFT) and not name.endswith(_PASSING) and path.is_file() and not path.is_symlink():
                yield name, path


def _whole(path: Path) -> bytes:
    """Read a file; of a database what is committed, whoever writes to it meanwhile."""
    if path.suffix != ".db":
        return path.read_bytes()
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
    ):
        with contextlib.closing(sqlite3.connect(Path(folder, "copy"))) as copy:
            source.backup(copy)
        return Path(folder, "copy").read_bytes()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), PRIVATE_FILE
    archive.addfile(info, io.BytesIO(data))
