"""How long the page of a large night takes to write, and how large it is."""

import json
import statistics
import time
from pathlib import Path

import pytest
from tests.support import nights

from nightschool.morning import page

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "page.json"


def test_a_night_of_500_tasks(home):
    """Thirty rules over five hundred tasks: seconds and bytes, five times."""
    night = nights.night(home, 30, 500)
    path = home.nights / night.id / "report.html"
    seconds = []
    for _ in range(5):
        path.unlink(missing_ok=True)
        begun = time.perf_counter()
        page.write(home, night)
        seconds.append(time.perf_counter() - begun)
    size = path.stat().st_size
    RAW.write_text(json.dumps({"rules": 30, "tasks": 500, "seconds": seconds, "bytes": size}, indent=1) + "\n")
    print(
        f"\n30 rules x 500 tasks: median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s, {size:,} bytes"
    )
    assert size < 1_000_000
