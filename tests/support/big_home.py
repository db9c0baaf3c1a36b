"""A seeded home full of real-format sessions, for benchmarks: mostly tool output, as real ones are."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

WORDS = [
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
    "line",
    "test",
    "queue",
    "stream",
    "parse",
]
ASKED = ("write a SQL query for {}", "add tests for {}", "why does {} fail?", "refactor {}", "document {}")
RULES = ("no, always end the query with LIMIT 100", "no, use pytest, never unittest", "thanks")
START = datetime(2026, 9, 1, tzinfo=UTC)


def fill(home: Path, sessions: int, *, first: int = 0, bytes_each: int = 200_000, project: str = "/srv/shop") -> int:
    """Write sessions number `first` … below `home` and return how many bytes. The same numbers give the same files."""
    folder = home / ".claude" / "projects" / project.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    pool = _pool(random.Random(1))
    total = 0
    for number in range(first, first + sessions):
        data = _session(random.Random(number), number, pool, bytes_each, project)
        (folder / f"{number:08d}-0000-4000-8000-000000000000.jsonl").write_bytes(data)
        total += len(data)
    return total


def _pool(source: random.Random) -> str:
    lines = ("    " * source.randrange(4) + " ".join(source.choices(WORDS, k=9)) + f'  # "{n}"' for n in range(20000))
    return "\n".join(lines)


def _session(source: random.Random, number: int, pool: str, size: int, project: str) -> bytes:
    name = f"{number:08d}-0000-4000-8000-000000000000"
    base = {"cwd": project, "sessionId": name, "gitBranch": "main", "version": "2.1.329", "isSidechain": False}
    lines: list[bytes] = []
    written, turn = 0, 0
    while written < size:
        at = START + timedelta(minutes=number * 7 + turn)
        asked = (
            source.choice(ASKED).format(f"module {source.randrange(500)}") if turn % 2 == 0 else source.choice(RULES)
        )
        rows = [{"type": "user", "message": {"role": "user", "content": asked}}]
        for call in range(source.randrange(1, 6)):
            tool = f"t{number}-{turn}-{call}"
            begin = source.randrange(len(pool) - 60_000)
            output = pool[begin : begin + int(min(60_000, source.lognormvariate(7.6, 1.2)))]
            use = {"type": "tool_use", "id": tool, "name": "Bash", "input": {"command": f"pytest -q {call}"}}
            told = {"type": "tool_result", "tool_use_id": tool, "content": output, "is_error": source.random() < 0.08}
            rows += [_said(f"m{tool}", use), {"type": "user", "message": {"role": "user", "content": [told]}}]
            rows[-1]["toolUseResult"] = {"stdout": output, "stderr": "", "interrupted": False}
        rows.append(_said(f"e{number}-{turn}", {"type": "text", "text": "Done. " + pool[:200]}))
        for row in rows:
            extra = {"uuid": f"{name}-{len(lines)}", "timestamp": at.isoformat().replace("+00:00", "Z")}
            lines.append(json.dumps(base | row | extra).encode() + b"\n")
            written += len(lines[-1])
        turn += 1
    return b"".join(lines)


def _said(name: str, block: dict[str, object]) -> dict[str, object]:
    usage = {"input_tokens": 900, "output_tokens": 90}
    return {"type": "assistant", "message": {"id": name, "role": "assistant", "content": [block], "usage": usage}}
