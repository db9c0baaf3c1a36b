"""Harvest: ask the platforms what sessions there are, read what is new in them, redact it, and keep it.

Events are hints; this is the truth: whatever no event told of is found here. A watermark moves only together with
what was read, in one file, so a harvest that is killed reads no session twice and misses none.
"""

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from nightschool.config import Privacy, load
from nightschool.day.privacy import is_private, stripped
from nightschool.day.secret_outputs import without_asked
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
    home: Home,
    platforms: Platforms,
    nights: Sequence[PlatformNight],
    *,
    cap: int = 0,
    redact: Redact,
    store: SessionStore | None = None,
) -> Funnel:
    """Read every transcript of `nights` that has changed, newest first, at most `cap` of them (0: all).

    Returns how many there are, were read, and wait; and which platforms or transcripts failed. What failed or was
    left by the cap keeps its watermark and is read another time; what failed does not use the cap up.
    """
    store, redact, private = store or SessionStore(home), _remembering(redact), load(home).privacy
    refs = _newest(ref for night in nights for ref in night.transcripts)
    marks = store.marks()
    changed = [r for r in refs if marks.get((r.platform, r.session)) != (r.path, r.size, r.mtime_ns)]
    broken = {name: _line(redact(why)) for name, why in platforms.broken.items()}
    read = new_bytes = done = tried = 0
    for ref in changed:
        if cap and done == cap:
            break
        tried += 1
        known = _known(store, ref.platform, ref.session)
        try:
            found = _asked(platforms, _hint(ref), known, redact, private)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a platform may raise anything; its fault stops nobody else
            why = _line(redact(f"{type(error).__name__}: {error}"))
            broken[f"{ref.platform}: {_utf8(Path(ref.path).name)}"] = why
            continue
        grown = _kept(store, found, known)
        done, read, new_bytes = done + 1, read + (grown > 0), new_bytes + grown
        if done % BATCH == 0:
            store.index()
    store.index()
    return Funnel(transcripts=len(refs), read=read, new_bytes=new_bytes, backlog=len(changed) - tried, broken=broken)


def read_one(home: Home, platforms: Platforms, event: Event, redact: Redact) -> Session | None:
    """Read on the session an event points to. Raises what its platform raises."""
    if event.session_id is None:
        return None
    store = SessionStore(home)
    known = _known(store, event.platform, event.session_id)
    found = _asked(platforms, event, known, redact, load(home).privacy)
    _kept(store, found, known)
    store.index()
    return found


def _known(store: SessionStore, platform: str, name: str) -> Session | None:
    """Return what was read of a session here. Another's word for it is no beginning: its transcript is read anew."""
    known = store.load(platform, name)
    return None if known is not None and known.elsewhere else known


def _newest(refs: Iterable[TranscriptRef]) -> list[TranscriptRef]:
    """Order newest first. Of copies of a session the newest counts: two would take turns for ever."""
    ordered = sorted(refs, key=lambda r: (-r.mtime_ns, r.platform, r.session, -r.size, r.path))
    first: dict[tuple[str, str], TranscriptRef] = {}
    for ref in ordered:
        first.setdefault((ref.platform, ref.session), ref)
    return list(first.values())


def _line(text: str) -> str:
    return " ".join(_utf8(text).split())[:300]


def _utf8(text: str) -> str:
    """Return a text without what stands for bytes that are not UTF-8: names of files may hold any, records none."""
    return text.encode(errors="replace").decode()


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


def _asked(
    platforms: Platforms, event: Event, known: Session | None, redact: Redact, private: Privacy
) -> Session | None:
    """Ask the event's platform to read its session on; return it redacted, or `known` itself when nothing was added.

    Of a private session nothing but counts comes back.
    """
    found = platforms.on_session_end(event, known)
    if found is None or found is known:
        return found
    if (found.platform, found.id) != (event.platform, event.session_id):
        raise NightschoolError("a platform answered for another session", where=event.platform)
    if found.source.path != _utf8(found.source.path):
        raise NightschoolError("the path of its transcript is not UTF-8", fix="Rename what is not.")
    return stripped(found) if is_private(found, private) else redacted(found, known, redact)


def _kept(store: SessionStore, session: Session | None, known: Session | None) -> int:
    """Save what is new; return by how many bytes the watermark moved."""
    if session is None or session is known or session == known:
        return 0
    store.save(session)
    before = known.source.offset if known and known.source.offset <= session.source.offset else 0
    return session.source.offset - before


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
    output = redact(without_asked(call.input, call.output))
    kept = output if len(output) <= OUTPUT else f"{output[: OUTPUT // 2]}\n…\n{output[-OUTPUT // 2 :]}"
    name, asked = redact(call.name)[:NAME], redact(call.input)[:INPUT]
    if (name, asked, kept) == (call.name, call.input, call.output):
        return call
    return call.model_copy(update={"name": name, "input": asked, "output": kept})
