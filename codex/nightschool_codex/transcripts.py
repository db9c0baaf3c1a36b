"""Where Codex keeps its sessions. Reading them is not done yet; `doctor` tells how many wait."""

from pathlib import Path


def count(home: Path) -> int:
    """Return how many rollout files lie below the client's directory."""
    return sum(1 for _ in (home / "sessions").glob("*/*/*/rollout-*.jsonl"))
