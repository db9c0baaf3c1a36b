"""What a session start and a tool call cost in the real client, part by part: interleaved runs of five set-ups."""

import json
import shutil
import statistics
import time
from pathlib import Path

import pytest
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.clients import ROOT, Claude

pytestmark = pytest.mark.bench
RAW = Path(__file__).parent / "raw" / "client_parts.json"
RUNS, CALLS = 20, 20
TOOLS = [Say(tools=[("Bash", {"command": "true"})]) for _ in range(CALLS)] + [Say("Done.")]

# set-up -> hooks of ours it keeps; None: no plugin at all
SETUPS = {"no plugin": None, "empty": (), "no hooks": (), "start only": ("SessionStart",), "all": None}


def world(binary, root, name):
    """Return a client in a fresh home with the plugin cut down to some of its hooks."""
    made = Claude(binary, root)
    made.project.mkdir(parents=True)
    (root / "tmp").mkdir()
    if name == "no plugin":
        return made
    plugin = root / "plugin"
    for part in (".claude-plugin", "claude-code", "hooks", "skills"):
        shutil.copytree(ROOT / part, plugin / part)
    if name == "empty":  # what any plugin costs
        manifest = plugin / ".claude-plugin" / "plugin.json"
        told = {key: value for key, value in json.loads(manifest.read_text()).items() if key not in {"hooks", "skills"}}
        manifest.write_text(json.dumps(told))
        shutil.rmtree(plugin / "skills")
    wiring = plugin / "claude-code" / "hooks.json"
    told = json.loads(wiring.read_text())
    kept = SETUPS[name]
    told["hooks"] = {event: found for event, found in told["hooks"].items() if kept is None or event in kept}
    wiring.write_text(json.dumps(told))
    assert made.run("plugin", "marketplace", "add", str(plugin)).returncode == 0
    assert made.run("plugin", "install", "nightschool@nightschool").returncode == 0
    return made


def timed(client, asked, url):
    """Run one session and return its wall time in ms."""
    began = time.perf_counter()
    ran = client.run("-p", asked, "--allowedTools", "Bash", url=url)
    took = time.perf_counter() - began
    assert ran.returncode == 0, ran.stderr
    return took * 1e3


def test_the_parts_of_what_the_plugin_costs(claude_binary, tmp_path):
    """Print medians of pair differences (20 runs each): plugin load, session start, the other hooks; and per call."""
    worlds = {name: world(claude_binary, tmp_path / name.replace(" ", "-"), name) for name in SETUPS}
    rows = []
    with AnthropicServer([Rule("calls", TOOLS)], Say("Done.")) as server:
        for run in range(RUNS + 1):
            for name, client in worlds.items():
                for asked in ("hello", "many calls"):
                    took = timed(client, asked, server.url)
                    if run:  # the first of each warms up
                        rows.append({"setup": name, "asked": asked, "run": run, "wall_ms": took})
    RAW.write_text(json.dumps(rows, indent=1) + "\n")

    def times(setup, asked):
        return [row["wall_ms"] for row in rows if (row["setup"], row["asked"]) == (setup, asked)]

    def told(what, pairs):
        low, middle, high = statistics.quantiles(pairs, n=4)
        print(f"{what:<44}{middle:>8.1f}{f'{low:.1f} to {high:.1f}':>20}")

    print(f"\n{'ms, n = ' + str(RUNS):<44}{'median':>8}{'quartiles':>20}")
    for what, (more, less) in {
        "any plugin (an empty one of ours)": ("empty", "no plugin"),
        "our skills": ("no hooks", "empty"),
        "a session start (the hook)": ("start only", "no hooks"),
        "turn end, session end, the drain beside": ("all", "start only"),
        "all together": ("all", "no plugin"),
    }.items():
        told(what, [b - a for a, b in zip(times(less, "hello"), times(more, "hello"), strict=True)])
    spent = {
        name: [b - a for a, b in zip(times(name, "hello"), times(name, "many calls"), strict=True)] for name in SETUPS
    }
    told("a tool call", [(b - a) / CALLS for a, b in zip(spent["no plugin"], spent["all"], strict=True)])
    assert len(rows) == RUNS * len(SETUPS) * 2
