"""How long mining takes. Prints a table and keeps the raw figures; asserts no tight timing."""

import json
import random
import time
from pathlib import Path

import pytest
from tests.support.mined import PROJECT, plant

from nightschool.night import bank
from nightschool.night.mining.cluster import alike, families
from nightschool.night.mining.mine import mine
from nightschool.night.mining.signals import normalise

RAW = Path(__file__).parent / "raw" / "mine.json"


def clocked(work):
    """Return the seconds that `work` takes, and its result."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def texts(count):
    """Return texts of 4 to 24 words with the word frequencies of natural language."""
    rng = random.Random(3)
    words = ["".join(chr(97 + int(digit)) for digit in str(n)) + "q" for n in range(4000)]
    weights = [1 / (n + 5) for n in range(len(words))]
    return [normalise(" ".join(rng.choices(words, weights, k=rng.randrange(4, 25)))) for _ in range(count)]


@pytest.mark.bench
def test_mining_is_near_linear(home):
    """Sessions and texts against seconds."""
    rows = []
    for count in (750, 1500, 3000):
        planted = plant(count)
        took, found = clocked(lambda p=planted: mine(p.sessions, project=PROJECT, scope="invoked", min_sessions=2))
        rows.append({"what": "mine", "count": len(planted.sessions), "seconds": round(took, 3)})
    took, _ = clocked(lambda: bank.deposit(home, found.tasks))
    rows.append({"what": "deposit", "count": len(found.tasks), "seconds": round(took, 3)})
    for count in (2500, 5000, 10_000):
        some = texts(count)
        rows.append({"what": "families", "count": count, "seconds": round(clocked(lambda s=some: families(s))[0], 3)})
        rows.append(
            {"what": "alike 0.6", "count": count, "seconds": round(clocked(lambda s=some: alike(s, 0.6))[0], 3)}
        )
    RAW.parent.mkdir(exist_ok=True)
    RAW.write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        print(f"{row['what']:12} {row['count']:6} {row['seconds']:8.3f} s")
    assert all(row["seconds"] < 120 for row in rows)
