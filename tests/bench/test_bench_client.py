"""What the plugin costs the real client: its wall time with and without, the runs interleaved."""

import json
import statistics
import time
from pathlib import Path

import pytest
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.clients import Claude, marketplace

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "client.json"
RUNS, CALLS = 10, 10
TOOLS = [Say(tools=[("Bash", {"command": "true"})]) for _ in range(CALLS)] + [Say("Done.")]
FAILING = [Say(tools=[("Bash", {"command": "false"})]) for _ in range(CALLS)] + [Say("Done.")]


def world(binary, root, *, plugin):
    """Return a client in a fresh home, with or without our plugin."""
    made = Claude(binary, root)
    made.project.mkdir(parents=True)
    (root / "tmp").mkdir()
    if plugin:
        assert made.run("plugin", "marketplace", "add", marketplace()).returncode == 0
        assert made.run("plugin", "install", "nightschool@nightschool").returncode == 0
    return made


def test_wall_time_with_and_without_the_plugin(claude_binary, tmp_path):
    """Print medians of 10 runs each: a plain turn, one with 10 calls that succeed, one with 10 that fail."""
    bare = world(claude_binary, tmp_path / "bare", plugin=False)
    ours = world(claude_binary, tmp_path / "ours", plugin=True)
    rules = [Rule("succeed", TOOLS), Rule("fail", FAILING)]
    rows = []
    with AnthropicServer(rules, Say("Done.")) as server:
        for asked in ("hello", "let ten calls succeed", "let ten calls fail"):
            for run in range(RUNS + 1):
                for name, client in (("without", bare), ("with", ours)):
                    began = time.perf_counter()
                    ran = client.run("-p", asked, "--allowedTools", "Bash", url=server.url)
                    took = time.perf_counter() - began
                    assert ran.returncode == 0, ran.stderr
                    if run:  # the first of each warms up
                        rows.append({"asked": asked, "plugin": name, "wall_s": took})
    RAW.write_text(json.dumps(rows, indent=1) + "\n")

    print(f"\n{'':<26}{'without ms':>12}{'with ms':>10}{'median of pair differences':>28}{'quartiles':>18}")
    for asked in ("hello", "let ten calls succeed", "let ten calls fail"):
        times = {
            n: [r["wall_s"] * 1e3 for r in rows if (r["asked"], r["plugin"]) == (asked, n)] for n in ("without", "with")
        }
        pairs = [b - a for a, b in zip(times["without"], times["with"], strict=True)]
        low, middle, high = statistics.quantiles(pairs, n=4)
        medians = [statistics.median(times[n]) for n in ("without", "with")]
        print(f"{asked:<26}{medians[0]:>12.0f}{medians[1]:>10.0f}{middle:>28.0f}{f'{low:.0f} to {high:.0f}':>18}")
    assert len(rows) == 2 * 3 * RUNS
