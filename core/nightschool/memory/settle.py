"""Settling: the blocks' files brought in line with what a night makes anew, and what is not borne out fades.

One project at a time is made and written, so that a long history's blocks are never held together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from nightschool.clock import Clock
from nightschool.config import Memory
from nightschool.events import Record
from nightschool.memory import forget
from nightschool.memory.blocks import BlockStore
from nightschool.memory.drift import cited, drifted
from nightschool.paths import Home
from nightschool.records import Block, Voice

_KEPT = ("pinned", "life", "uses", "last_used", "mark", "helped", "hurt", "cites", "withheld", "put_away")
_Counts = Mapping[str, tuple[int, int]]


class Remembered(Record):
    """What a night did to memory."""

    observed: int = 0  # sessions
    blocks: int = 0  # there are now
    new: tuple[str, ...] = ()
    changed: int = 0
    put_away: tuple[str, ...] = ()
    purged: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    emptied: int = 0  # sessions, by their age
    forgetting: str = ""  # the record of what was put away and purged


class _Settling:
    """What has come of the blocks so far."""

    def __init__(self, home: Home, sessions: Mapping[str, int], credit: _Counts, rules: Memory) -> None:
        self.store, self.sessions, self.credit, self.rules = BlockStore(home), sessions, credit, rules
        self.uses = self.store.take_uses()
        self.away: list[Block] = []
        self.withheld: list[str] = []
        self.new: list[str] = []
        self.changed = self.kept = 0

    def settle(self, old: Block, again: Block | None, *, gone: bool) -> None:
        """Write a block as it is now, unless only its age has changed, or note that it is to be put away."""
        block = _merged(old, again, self.uses, self.credit)
        block = forget.aged(block, self.sessions.get(block.project, 0), self.rules.half_life)
        if (gone or block.life <= forget.FADED) and not block.pinned:
            self.away.append(block)
            return
        block = block.model_copy(update={"withheld": drifted(block)}) if block.cites else block
        self.withheld += [block.id] if block.withheld and not old.withheld else []
        self.kept += 1
        if block != old and not forget.only_aged(old, block):
            self.store.save(block)
            self.changed += 1


def settled(
    home: Home,
    anew: Sequence[str],
    made: Callable[[str], Iterable[Block]],
    sessions: Mapping[str, int],
    credit: _Counts,
    rules: Memory,
    clock: Clock,
) -> Remembered:
    """Bring the files in line with what is `made` of the projects `anew`, and let the rest fade.

    `sessions` is how many each project has had, `credit` what its sessions say of each block.
    """
    now = _Settling(home, sessions, credit, rules)
    of: dict[str, list[str]] = {project: [] for project in anew}
    for old in now.store.all():
        if old.project in of:
            of[old.project].append(old.id)
        else:
            now.settle(old, None, gone=False)
    for project in anew:
        fresh = {block.id: block for block in made(project)}
        for old in now.store.these(of[project]):
            again = fresh.pop(old.id, None)
            now.settle(old, again, gone=again is None and old.voice is not Voice.IMPORTED)
        now.new += _added(now.store, fresh.values(), sessions)
    return _noted(home, now, clock)


def _noted(home: Home, now: _Settling, clock: Clock) -> Remembered:
    """Put away and purge what has to go, after a record of it."""
    store = now.store
    purged = forget.purge(store, now.rules.purge_days, clock)
    names = sorted(block.id for block in now.away)
    noted = forget.note(home, "a night", clock, put_away=names, purged=purged) if names or purged else None
    for block in now.away:
        forget.put_away(store, block, clock)
    store.uses_counted()
    return Remembered(
        blocks=now.kept + len(now.new),
        new=tuple(sorted(now.new)),
        changed=now.changed,
        put_away=tuple(names),
        purged=tuple(sorted(purged)),
        withheld=tuple(sorted(now.withheld)),
        forgetting=noted.id if noted else "",
    )


def _added(store: BlockStore, blocks: Iterable[Block], sessions: Mapping[str, int]) -> list[str]:
    """Keep blocks that were not there, but those that faded and were not seen since; return which."""
    new = []
    for block in blocks:
        put_away = store.load(block.id, archived=True)
        if put_away is None or put_away.seen < block.seen:
            store.save(block.model_copy(update={"mark": sessions.get(block.project, 0), "cites": cited(block)}))
            (store.archive / f"{block.id}.json").unlink(missing_ok=True)
            new.append(block.id)
    return new


def _merged(
    old: Block, new: Block | None, uses: Mapping[str, tuple[int, str]], credit: Mapping[str, tuple[int, int]]
) -> Block:
    """Return a block as it is made now, with what was noted on it; new evidence and use give it its life back."""
    told: dict[str, object] = {}
    block = old
    if new is not None:
        block = new.model_copy(update={key: getattr(old, key) for key in _KEPT})
        if new.seen > old.seen:
            told["life"] = 1.0
    if block.id in uses:
        count, last = uses[block.id]
        told |= {"life": 1.0, "uses": block.uses + count, "last_used": datetime.fromisoformat(last)}
    if block.id in credit:
        told["helped"], told["hurt"] = credit[block.id]
    return block.model_copy(update=told) if told else block
