"""A drain over the small real platform in `toy/`."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nightschool.clock import FixedClock
from nightschool.day import drain as room

TOY = Path(__file__).parent / "toy"
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def toy(monkeypatch):
    """Import the small real platform."""
    monkeypatch.syspath_prepend(str(TOY))
    import nightschool_toy

    return nightschool_toy


@pytest.fixture
def drain(home, toy):
    """Return a function that drains once, with the toy or the plugins given."""

    def run(*plugins, redact=str, **more):
        return room.drain(home, toy.platforms(*plugins), clock=FixedClock(AT), redact=redact, **more)

    return run


@pytest.fixture
def tell(home, tmp_path):
    """Return a function that spools a payload as the hook does, and gives its path."""
    count = iter(range(10_000))

    def spooled(moment="turn_end", sid="s1", at=AT, *, platform="toy", data=None, **more):
        home.spool.mkdir(parents=True, exist_ok=True)
        path = home.spool / f"{platform}.{moment}.{next(count)}-1-1.json"
        told = {"sid": sid, "file": str(tmp_path / f"{sid}.jsonl"), "dir": str(tmp_path)} | more
        path.write_bytes(json.dumps(told).encode() if data is None else data)
        os.utime(path, (at.timestamp(), at.timestamp()))
        return path

    return spooled
