"""What a first night's harvest of 1,000 rollouts (about 110 MB) costs, and a second's with 30 new ones."""

import json
import random
from pathlib import Path

import pytest
from tests.bench.test_bench_harvest import harvested

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "codex.json"
EACH = 110_000  # bytes of a rollout
WORDS = (
    "def",
    "return",
    "self",
    "value",
    "index",
    "token",
    "error",
    "build",
    "cache",
    "node",
    "write",
    "read",
    "parse",
)


def fill(home, count, first=0):
    """Write rollouts number `first` … below `home` and return how many bytes. The same numbers give the same files."""
    folder = home / ".codex" / "sessions" / "2026" / "09" / "01"
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(1)
    pool = "\n".join(" ".join(source.choices(WORDS, k=9)) for _ in range(20_000))
    total = 0
    for number in range(first, first + count):
        name = f"{number:08d}-0000-4000-8000-000000000000"
        data = rollout(random.Random(number), name, pool)
        (folder / f"rollout-2026-09-01T00-00-00-{name}.jsonl").write_bytes(data)
        total += len(data)
    return total


def rollout(source, name, pool):
    """Return one rollout in today's shape: heads, contexts, prompts told twice, commands told three times."""
    rows, size, ordinal = [], 0, 0

    def add(kind, **payload):
        nonlocal size, ordinal
        told = {"timestamp": "2026-09-01T00:00:00.000Z", "ordinal": ordinal, "type": kind, "payload": payload}
        rows.append(json.dumps(told, separators=(",", ":")) + "\n")
        size, ordinal = size + len(rows[-1]), ordinal + 1

    add("session_meta", id=name, cwd="/srv/shop", source="cli", base_instructions={"text": pool[:12_000]}, git={})
    turn = 0
    while size < EACH:
        turn += 1
        task = f"{name}-{turn}"
        add("event_msg", type="task_started", turn_id=task)
        add("world_state", full=True, state={"agents_md": pool[:3_000]})
        add("turn_context", turn_id=task, cwd="/srv/shop", model="m")
        text = [{"type": "input_text", "text": f"refactor module {source.randrange(500)}"}]
        marks = {"content_item_kinds": ["user.text"]}
        add(
            "response_item", type="message", role="user", content=text, internal_chat_message_metadata_passthrough=marks
        )
        add("event_msg", type="item_completed", item={"type": "UserMessage", "content": text})
        for place in range(source.randrange(1, 6)):
            call, begin = f"{task}-{place}", source.randrange(len(pool) - 60_000)
            out = pool[begin : begin + int(min(60_000, source.lognormvariate(7.6, 1.2)))]
            code = int(source.random() < 0.08)
            ran = {"type": "CommandExecution", "id": call, "command": ["bash", "-lc", "pytest -q"], "exit_code": code}
            ran |= {"status": "failed" if code else "completed", "aggregated_output": out}
            add(
                "response_item",
                type="function_call",
                name="exec_command",
                call_id=call,
                arguments='{"cmd":"pytest -q"}',
            )
            add("event_msg", type="item_completed", item=ran)
            told = f"Process exited with code {code}\nOutput:\n{out}"
            add("response_item", type="function_call_output", call_id=call, output=told)
            add("token_usage_record", usage={"input_tokens": 900, "output_tokens": 90})
        add(
            "event_msg",
            type="item_completed",
            item={"type": "AgentMessage", "content": [{"type": "Text", "text": "Done."}]},
        )
        add("event_msg", type="task_complete", turn_id=task)
    return "".join(rows).encode()


def test_harvest_of_1000_rollouts_and_the_night_after(tmp_path, monkeypatch):
    """Print MB/s (CPU), seconds and peak memory; n = 3 homes for the first night, one second and one third night each."""
    home = tmp_path / "home"
    size, rows = fill(home, 1000), []
    for repeat in range(3):
        rows.append({"night": "first, 1,000 rollouts"} | harvested(home, monkeypatch, tmp_path / f"target-{repeat}"))
    grown = fill(home, 30, first=1000)
    for repeat in range(3):
        target = tmp_path / f"target-{repeat}"
        rows.append({"night": "second, 30 new"} | harvested(home, monkeypatch, target))
        rows.append({"night": "third, nothing new"} | harvested(home, monkeypatch, target))
    RAW.write_text(json.dumps(rows, indent=1) + "\n")

    print(f"\n{size / 1e6:.0f} MB in 1,000 rollouts, then {grown / 1e6:.1f} MB in 30")
    print(f"{'night':<24}{'MB':>7}{'CPU s':>8}{'wall s':>8}{'MB/s CPU':>10}{'MB/s wall':>11}{'peak MB':>9}")
    for row in sorted(rows, key=lambda r: r["night"]):
        megabytes = row["new_bytes"] / 1e6
        print(
            f"{row['night']:<24}{megabytes:>7.1f}{row['cpu_s']:>8.2f}{row['wall_s']:>8.2f}"
            f"{megabytes / row['cpu_s']:>10.0f}{megabytes / row['wall_s']:>11.0f}{row['peak_mb']:>9.0f}"
        )
    assert {row["read"] for row in rows} == {1000, 30, 0}
