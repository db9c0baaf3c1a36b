"""From a place to the session and the line: what a block, or a rule, rests on."""

from itertools import islice
from pathlib import Path
from typing import Any

from nightschool.errors import NightschoolError
from nightschool.memory.store import SessionStore
from nightschool.paths import Home
from nightschool.records import Block, Place, Session, Turn

_QUOTE = 400  # characters of each text
_CALLS = 20


def evidence(home: Home, places: tuple[Place, ...], *, limit: int = 12) -> list[dict[str, Any]]:
    """Return each place with its transcript, line, and what was said and done there, as it is kept: redacted."""
    store = SessionStore(home)
    return [_one(store, place) for place in islice(places, limit)]


def _one(store: SessionStore, place: Place) -> dict[str, Any]:
    told: dict[str, Any] = {
        "platform": place.platform,
        "session": place.session,
        "turn": place.turn,
        "at": place.at.isoformat(),
        "bytes": list(place.span),
        "source": place.source,
        "line": None,
    }
    session = _session(store, place)
    if session is None:
        return told
    told["source"] = session.source.path
    told["line"] = line_of(session.source.path, place.span[0])
    turn = next((turn for turn in session.turns if turn.id == place.turn), None)
    return told | (_said(turn) if turn else {})


def _session(store: SessionStore, place: Place) -> Session | None:
    try:
        return store.load(place.platform, place.session) if place.session else None
    except NightschoolError:
        return None


def _said(turn: Turn) -> dict[str, Any]:
    calls = [
        {"tool": call.name, "input": call.input[:_QUOTE], "failed": call.failed, "output": call.output[-_QUOTE:]}
        for call in turn.calls[:_CALLS]
    ]
    return {"asked": turn.prompt[:_QUOTE], "calls": calls}


def line_of(path: str, offset: int) -> int | None:
    """Return the line, from 1, that begins at this byte of a transcript; None when the file is gone or shorter."""
    if not Path(path).is_file():  # another machine's word may name a pipe, or a device without end
        return None
    lines, left = 1, offset
    try:
        with Path(path).open("rb") as stream:
            while left and (part := stream.read(min(left, 1 << 20))):
                lines, left = lines + part.count(b"\n"), left - len(part)
    except OSError:
        return None
    return None if left else lines


def cost(block: Block) -> int:
    """Return about how many tokens a block's line in a list of results costs: four characters are one."""
    return -(-len(f"{block.id} {block.title}") // 4) + 12
