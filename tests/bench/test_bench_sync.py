"""How long an exchange takes with 10,000 blocks: the first, one with nothing new, and one with one change."""

import json
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nightschool.clock import SystemClock
from nightschool.config import Sync
from nightschool.memory.blocks import BlockStore
from nightschool.paths import Home
from nightschool.records import Block
from nightschool.sync import service

pytestmark = pytest.mark.bench
AT = datetime(2026, 5, 6, 7, 8, tzinfo=UTC)
BLOCKS = 10_000


def test_sync_of_many_blocks(tmp_path):
    """One change is one file on the way, whatever else there is; the times are printed and kept."""
    bare, rows = tmp_path / "shared.git", {}
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    rules, homes = Sync(backend="git", url=str(bare)), (Home(tmp_path / "a"), Home(tmp_path / "b"))
    store = BlockStore(homes[0])

    def keep(number, title):
        store.save(Block(id=f"d-{number:05}", kind="domain", title=title, project="/p/shop", created=AT, seen=AT))

    def timed(name, home):
        begun = time.perf_counter()
        done = service.synced(home, rules, SystemClock(), lambda _project: {})
        rows[name] = {
            "seconds": round(time.perf_counter() - begun, 3),
            "sent": len(done.sent),
            "taken": len(done.taken),
        }
        return done

    for number in range(BLOCKS):
        keep(number, f"always end query number {number} with a limit of {number} rows")
    timed("first, all sent", homes[0])
    timed("nothing new", homes[0])
    keep(77, "one change")
    assert timed("one change", homes[0]).sent == ["blocks/d-00077.json"]
    objects = subprocess.run(
        ["git", "-C", str(bare), "diff", "--name-only", "main~1", "main"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert objects == ["blocks/d-00077.json"]
    timed("another machine, all taken", homes[1])
    keep(78, "one more change")
    timed("one more sent", homes[0])
    assert timed("one taken", homes[1]).taken == ["blocks/d-00078.json"]

    print(f"\n{BLOCKS} blocks")
    for name, row in rows.items():
        print(f"{name:<28} {row['seconds']:8.3f} s  {row['sent']:6} sent {row['taken']:6} taken")
    raw = Path(__file__).parent / "raw" / "sync.json"
    raw.write_text(json.dumps({"blocks": BLOCKS, "rows": rows}, indent=1) + "\n")
