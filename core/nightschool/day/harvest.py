"""Harvest: ask the platforms what sessions there are, read what is new in them, redact it, and keep it.

Events are hints; this is the truth: whatever no event told of is found here. A watermark moves only together with
what was read, in one file, so a harvest that is killed reads no session twice and misses none.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from nightschool.errors import NightschoolError
from nightschool.events import Event, Moment
from nightschool.memory.store import SessionStore
from nightschool.paths import Home
from nightschool.platforms import Platforms
from nightschool.records import Funnel, PlatformNight, Session, ToolCall, TranscriptRef, Turn

PROMPT, REPLY, INPUT, OUTPUT, NAME = 20_000, 8_000, 2_000, 4_000, 200  # characters that are kept of each text
SHORT = 200  # characters of a text that may well come again
BATCH = 200  # sessions between two commits of the index

Redact = Callable[[str], str]


def harvest(
    home: Home, platforms: Platforms, nights: Sequence[PlatformNight], *, cap: int = 0, redact: Redact
) -> Funnel:
    """Read every transcript of `nights` that has changed, newest first, at most `cap` of them (0: all).

    Returns how many there are, were read, and wait; and which platforms or transcripts failed. What failed or was
    left by the cap keeps its watermark and is read another time.
    """
    store, redact = SessionStore(home), _remembering(redact)
    refs = [ref for night in nights for ref in night.transcripts]
    marks = store.marks()
    changed = [r for r in refs if marks.get((r.platform, r.session)) != (r.path, r.size, r.mtime_ns)]
    changed.sort(key=lambda r: (-r.mtime_ns, r.platform, r.session))
    chosen = changed[:cap] if cap else changed
    broken = dict(platforms.broken)
    read, new_bytes, done = 0, 0, []
    for ref in chosen:
        try:
            found, grown = _read(store, platforms, _hint(ref), redact)
        except Exception as error:  # noqa: BLE001  a platform may raise anything; its fault stops nobody else
            broken[ref.platform] = f"{ref.path}: {type(error).__name__}: {error}"
            continue
        if found is not None:
            done.append(found)
        read, new_bytes = read + (grown > 0), new_bytes + max(grown, 0)
        if len(done) == BATCH:
            store.mark(done)
            done.clear()
    store.mark(done)
    return Funnel(
        transcripts=len(refs), read=read, new_bytes=new_bytes, backlog=len(changed) - len(chosen), broken=broken
    )


def read_one(home: Home, platforms: Platforms, event: Event, redact: Redact) -> Session | None:
    """Read on the session an event points to. Raises what its platform raises."""
    store = SessionStore(home)
    found, _ = _read(store, platforms, event, redact)
    if found is not None:
        store.mark([found])
    return found


def _remembering(redact: Redact) -> Redact:
    """Redact a short text that comes again, as names of tools and commands do, only once."""
    known = functools.lru_cache(maxsize=4096)(redact)
    return lambda text: known(text) if len(text) <= SHORT else redact(text)


def _hint(ref: TranscriptRef) -> Event:
    at = datetime.fromtimestamp(ref.mtime_ns / 1e9, UTC)
    return Event(
        id="backfill",
        platform=ref.platform,
        moment=Moment.SESSION_END,
        at=at,
        session_id=ref.session,
        transcript=ref.path,
    )


def _read(store: SessionStore, platforms: Platforms, event: Event, redact: Redact) -> tuple[Session | None, int]:
    """Read one session on; return it and by how many bytes its watermark moved."""
    if event.session_id is None:
        return None, 0
    known = store.load(event.platform, event.session_id)
    found = platforms.on_session_end(event, known)
    if found is None or found is known:
        return found, 0
    if (found.platform, found.id) != (event.platform, event.session_id):
        raise NightschoolError("a platform answered for another session", where=event.platform)
    store.save(redacted(found, known, redact))
    before = known.source.offset if known and known.source.offset <= found.source.offset else 0
    return found, found.source.offset - before


def redacted(session: Session, known: Session | None, redact: Redact) -> Session:
    """Redact and clip what is new; turns that were kept as they are, are not looked at again."""
    before = known.turns if known else ()
    turns = tuple(
        turn if number < len(before) and turn == before[number] else _clean_turn(turn, redact)
        for number, turn in enumerate(session.turns)
    )
    project, branch = redact(session.project), redact(session.branch)
    return session.model_copy(update={"turns": turns, "project": project, "branch": branch})


def _clean_turn(turn: Turn, redact: Redact) -> Turn:
    """Redact first, then clip: a secret that is cut in two would not be known for one."""
    prompt, reply = redact(turn.prompt)[:PROMPT], redact(turn.reply)[:REPLY]
    calls = tuple(_clean_call(call, redact) for call in turn.calls)
    same = prompt == turn.prompt and reply == turn.reply and all(map(operator.is_, calls, turn.calls))
    return turn if same else turn.model_copy(update={"prompt": prompt, "reply": reply, "calls": calls})


def _clean_call(call: ToolCall, redact: Redact) -> ToolCall:
    output = redact(call.output)
    kept = output if len(output) <= OUTPUT else f"{output[: OUTPUT // 2]}\n…\n{output[-OUTPUT // 2 :]}"
    told = {"name": redact(call.name)[:NAME], "input": redact(call.input)[:INPUT], "output": kept}
    same = all(getattr(call, key) == text for key, text in told.items())
    return call if same else call.model_copy(update=told)
