"""What a first night's harvest of 1,000 Copilot sessions (about 110 MB) costs, and a second's with 30 new ones."""

import json
import random
from pathlib import Path

import pytest
from tests.bench.test_bench_codex import WORDS
from tests.bench.test_bench_harvest import harvested

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "copilot.json"
REAL = Path(__file__).parents[1] / "platforms" / "copilot" / "data"
EACH = 110_000  # bytes of a session
NAMES = ("id", "parentId", "messageId", "toolCallId", "interactionId", "apiCallId", "originatingMessageId")


def fill(home, count, first=0):
    """Write sessions number `first` … below `home` and return how many bytes. The same numbers give the same files."""
    source = random.Random(1)
    pool = "\n".join(" ".join(source.choices(WORDS, k=9)) for _ in range(20_000))
    told = [(REAL / f"{name}.jsonl").read_text() for name in ("tools", "failures")]
    real = [[json.loads(line) for line in text.splitlines()] for text in told]
    total = 0
    for number in range(first, first + count):
        name = f"{number:08d}-0000-4000-8000-000000000000"
        data = session(random.Random(number), name, real[number % 2], pool)
        path = home / ".copilot" / "session-state" / name / "events.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        total += len(data)
    return total


def session(source, name, real, pool):
    """Return a session made of a real one's records, turn after turn, with outputs as long as outputs are."""
    begin = next(place for place, row in enumerate(real) if row["type"] == "user.message")
    end = next((place for place, row in enumerate(real) if row["type"] == "session.shutdown"), len(real))
    rows, size, turn = [], 0, 0
    for row in real[:begin]:
        started = {"sessionId": name} if row["type"] == "session.start" else {}
        rows.append(json.dumps(row | {"data": row["data"] | started}, separators=(",", ":")) + "\n")
    while size < EACH:
        turn += 1
        for row in real[begin:end]:
            told = renamed(row, turn)
            if row["type"] == "tool.execution_complete":
                at = source.randrange(len(pool) - 60_000)
                result = told["data"].get("result") or {}
                result["content"] = pool[at : at + int(min(60_000, source.lognormvariate(7.6, 1.2)))]
                told["data"]["result"] = result
            rows.append(json.dumps(told, separators=(",", ":")) + "\n")
            size += len(rows[-1])
    return "".join(rows).encode()


def renamed(row, turn):
    """Return a record with the ids of another turn, those of its parts included."""
    if isinstance(row, list):
        return [renamed(one, turn) for one in row]
    if not isinstance(row, dict):
        return row
    return {
        key: f"{value}-{turn}" if key in NAMES and isinstance(value, str) else renamed(value, turn)
        for key, value in row.items()
    }


def test_harvest_of_1000_sessions_and_the_night_after(tmp_path, monkeypatch):
    """Print MB/s (CPU), seconds and peak memory; n = 3 homes for the first night, one second and one third night each."""
    home = tmp_path / "home"
    size, rows = fill(home, 1000), []
    for repeat in range(3):
        rows.append({"night": "first, 1,000 sessions"} | harvested(home, monkeypatch, tmp_path / f"target-{repeat}"))
    grown = fill(home, 30, first=1000)
    for repeat in range(3):
        target = tmp_path / f"target-{repeat}"
        rows.append({"night": "second, 30 new"} | harvested(home, monkeypatch, target))
        rows.append({"night": "third, nothing new"} | harvested(home, monkeypatch, target))
    RAW.write_text(json.dumps(rows, indent=1) + "\n")

    print(f"\n{size / 1e6:.0f} MB in 1,000 sessions, then {grown / 1e6:.1f} MB in 30")
    print(f"{'night':<24}{'MB':>7}{'CPU s':>8}{'wall s':>8}{'MB/s CPU':>10}{'MB/s wall':>11}{'peak MB':>9}")
    for row in sorted(rows, key=lambda r: r["night"]):
        megabytes = row["new_bytes"] / 1e6
        print(
            f"{row['night']:<24}{megabytes:>7.1f}{row['cpu_s']:>8.2f}{row['wall_s']:>8.2f}"
            f"{megabytes / row['cpu_s']:>10.0f}{megabytes / row['wall_s']:>11.0f}{row['peak_mb']:>9.0f}"
        )
    assert {row["read"] for row in rows} == {1000, 30, 0}
