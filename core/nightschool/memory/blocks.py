"""Blocks as files, one each: the truth that the index is made from. What was put away lies beside them."""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from nightschool.clock import Clock
from nightschool.errors import NightschoolError
from nightschool.files import append_line, private_dir, read_lines, sync_dir, write_whole
from nightschool.paths import Home, safe_name
from nightschool.records import Block
from nightschool.versions import stored


class BlockStore:
    """The blocks of a home."""

    def __init__(self, home: Home) -> None:
        self.folder = home.memory / "blocks"
        self.archive = home.memory / "archive"
        self.uses = home.memory / "uses.jsonl"
        self.tombs = home.memory / "forgotten.jsonl"

    def path(self, name: str) -> Path:
        """Return where a block lies."""
        return self.folder / f"{safe_name(name)}.json"

    def load(self, name: str, *, archived: bool = False) -> Block | None:
        """Return a block; None when it is not there. Raises NightschoolError when its file is damaged."""
        path = (self.archive if archived else self.folder) / f"{safe_name(name)}.json"
        try:
            return stored(Block, path)
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            fix = "Remove the file; the next night makes the block again from the sessions."
            raise NightschoolError("a block cannot be read", where=path, why=_short(error), fix=fix) from error

    def named(self, name: str) -> Block:
        """Return the block of an id or of its beginning. Raises NightschoolError when none, or several, are meant."""
        with contextlib.suppress(NightschoolError):
            if found := self.load(name) or self.load(name, archived=True):
                return found
        near = sorted({path.stem for path in self._paths(archived=None) if path.stem.startswith(name)}) if name else []
        if len(near) == 1:
            return self.named(near[0])
        why = f"{len(near)} begin like this: {', '.join(near[:5])}" if near else ""
        fix = "`nightschool search` finds ids."
        raise NightschoolError("no such block", where=repr(name[:80]), why=why, fix=fix)

    def all(self, *, archived: bool = False) -> Iterator[Block]:
        """Yield every block that can be read, by id."""
        yield from self.these((path.stem for path in sorted(self._paths(archived=archived))), archived=archived)

    def these(self, names: Iterable[str], *, archived: bool = False) -> Iterator[Block]:
        """Yield those blocks of these ids that are there and can be read."""
        for name in names:
            with contextlib.suppress(NightschoolError):
                if block := self.load(name, archived=archived):
                    yield block

    def save(self, block: Block, *, archived: bool = False, durable: bool = False) -> None:
        """Write a block whole. It can be made again from observations, so it is not waited for, unless told."""
        path = (self.archive if archived else self.folder) / f"{safe_name(block.id)}.json"
        write_whole(path, encoded(block), durable=durable)

    def put_away(self, name: str) -> bool:
        """Move a block to the archive."""
        return self._move(self.folder, self.archive, name)

    def take_back(self, name: str) -> bool:
        """Move a block back from the archive."""
        return self._move(self.archive, self.folder, name)

    def remove(self, name: str) -> bool:
        """Remove a block wherever it lies; tell whether there was one."""
        gone = False
        for folder in (self.folder, self.archive):
            with contextlib.suppress(FileNotFoundError):
                (folder / f"{safe_name(name)}.json").unlink()
                gone = True
                sync_dir(folder)
        return gone

    def used(self, names: Iterable[str], how: str, clock: Clock) -> None:
        """Note that blocks were shown. A disk that refuses loses a count, nothing else."""
        told = {"at": clock.now().isoformat(), "how": how, "blocks": sorted(names)}
        with contextlib.suppress(NightschoolError):
            append_line(self.uses, json.dumps(told))

    def take_uses(self) -> dict[str, tuple[int, str]]:
        """Return how often each block was used since this was last asked, and when last (ISO); the log is emptied."""
        counts: dict[str, tuple[int, str]] = {}
        taken = self.uses.with_suffix(".taken")
        with contextlib.suppress(FileNotFoundError):
            if not taken.exists():  # else a night was cut short after taking it
                os.replace(self.uses, taken)  # noqa: PTH105
        for line in read_lines(taken):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                told = json.loads(line)
                for name in told["blocks"]:
                    counts[name] = (counts.get(name, (0, ""))[0] + 1, str(told["at"]))
        return counts

    def uses_counted(self) -> None:
        """Drop the uses that were taken: they stand in the blocks now."""
        self.uses.with_suffix(".taken").unlink(missing_ok=True)

    def bury(self, names: Iterable[str], clock: Clock) -> None:
        """Note ids that must not come back, whatever the sessions say."""
        append_line(self.tombs, json.dumps({"at": clock.now().isoformat(), "ids": sorted(names)}))

    def unbury(self, names: Iterable[str], clock: Clock) -> None:
        """Let ids come back."""
        append_line(self.tombs, json.dumps({"at": clock.now().isoformat(), "back": sorted(names)}))

    def buried(self) -> frozenset[str]:
        """Return the ids that must not come back."""
        names: set[str] = set()
        for line in read_lines(self.tombs):
            with contextlib.suppress(ValueError, TypeError):
                told = json.loads(line)
                names |= set(told.get("ids", ()))
                names -= set(told.get("back", ()))
        return frozenset(names)

    def _paths(self, *, archived: bool | None) -> Iterator[Path]:
        folders = [self.folder, self.archive] if archived is None else [self.archive if archived else self.folder]
        for folder in folders:
            with contextlib.suppress(FileNotFoundError):
                yield from (p for p in folder.iterdir() if p.suffix == ".json" and not p.name.startswith("."))

    def _move(self, source: Path, target: Path, name: str) -> bool:
        private_dir(target)
        try:
            (source / f"{safe_name(name)}.json").replace(target / f"{safe_name(name)}.json")
        except FileNotFoundError:
            return False
        return True


def encoded(block: Block) -> bytes:
    """Return a block's file."""
    return block.model_dump_json(exclude_defaults=True).encode() + b"\n"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
