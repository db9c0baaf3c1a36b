"""A model sleeps and adopts by our server's tools through the real Codex; without the engine nobody meets an error."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from tests.e2e.conftest import World
from tests.support.clients import ROOT
from tests.support.openai_server import OpenAIServer, Rule, Say
from tests.support.subjects import SUBJECTS, WORDS

pytestmark = pytest.mark.smoke
PARTS = (".agents", ".codex-plugin", ".claude-plugin", "hooks", "skills", "codex/hooks.json", "codex/mcp.json")


class Adopting(OpenAIServer):
    """Adopts the rule that the night's result names: a model reads it there too."""

    def reply(self, body, headers):
        said = super().reply(body, headers)
        ids = re.findall(r"\br[0-9a-f]{10}\b", json.dumps(body["input"]))
        named = [(name, given | ({"rule": ids[-1:]} if "adopt" in name else {})) for name, given in said.tools]
        return replace(said, tools=named)


def plug(codex):
    """Install the plugin from a copy of what the client needs of the root: it copies all that is there."""
    bundle = codex.root / "bundle"
    for part in PARTS:
        source, target = ROOT / part, bundle / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    codex.run("plugin", "marketplace", "add", str(bundle))
    codex.run("plugin", "add", "nightschool@nightschool")


def unplug(codex):
    """Take the plugin out by the client's own commands."""
    codex.run("plugin", "remove", "nightschool@nightschool")
    codex.run("plugin", "marketplace", "remove", "nightschool")


def results(asked):
    """Return the text of every tool's result in a request, in order."""
    return [json.dumps(item["output"]) for item in asked.body["input"] if item.get("type") == "function_call_output"]


@pytest.mark.parametrize("way", ["script", "plugin"])
def test_a_model_sleeps_and_adopts(codex, way):
    """Status, search, a night, adoption into AGENTS.md; the next request carries the rule; undo and uninstall, byte for byte."""
    project = str(codex.project)
    document = codex.project / "AGENTS.md"
    document.write_bytes(b"# Shop\r\n\r\nBe kind.")
    world = World(codex.root)
    for number, subject in enumerate(SUBJECTS[:4]):
        world.session((f"write a SQL query for {subject}", "SELECT * FROM t;"), (WORDS[number % len(WORDS)], "Yes."))
    search = ("memory_search", {"query": "limit", "project": project})
    calls = [
        ("sleep_status", {}),
        search,
        ("sleep_run", {"project": project, "target": "codex:project"}),
        search,
        ("sleep_adopt", {"project": project}),
    ]
    rules = [Rule("sleep now", [*(Say(tools=[call]) for call in calls), Say("Adopted.")])]
    with Adopting(rules, Say("Hm.")) as server:
        codex.serve(server.url)
        before = (codex.codex_home / "config.toml").read_bytes()
        codex.install() if way == "script" else plug(codex)
        if way == "plugin":  # the client hands PATH and HOME on, and no more unless it is named
            engine = codex.ours / "bin" / "nightschool"
            engine.parent.mkdir(parents=True)
            words = " ".join(f"{key}='{value}'" for key, value in codex.environment().items() if key == "PYTHONPATH")
            engine.write_text(
                f'#!/bin/sh\n{words} exec {codex.environment()["NIGHTSCHOOL_PYTHON"]} -m nightschool "$@"\n'
            )
            engine.chmod(0o755)
        codex.exec("sleep now")
        status, nothing, night, found, adopted = results(server.asked[-1])
        assert "last_night" in status, "this client passes on what is structured, and leaves the words aside"
        assert "LIMIT" not in nothing
        assert "always end the query with LIMIT 100" in night
        assert "always end the query with LIMIT 100" in found
        assert str(document) in adopted
        codex.exec("hello there")
        assert server.asked[-1].text.count("always end the query with LIMIT 100") == 1
        codex.nightschool("undo")
        assert document.read_bytes() == b"# Shop\r\n\r\nBe kind."
        codex.exec("hello there")
        assert "LIMIT 100" not in server.asked[-1].text
    codex.nightschool("uninstall")
    if way == "plugin":
        unplug(codex)
    assert (codex.codex_home / "config.toml").read_bytes() == before
    assert document.read_bytes() == b"# Shop\r\n\r\nBe kind."


def started(codex, environment):
    """Open a thread as the terminal client does and return the last that is told of our server's start."""
    asks = [
        {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "test", "version": "1"}}},
        {"method": "initialized"},
        {"id": 2, "method": "thread/start", "params": {"cwd": str(codex.project)}},
    ]
    with subprocess.Popen(
        [codex.binary, "app-server"], cwd=codex.project, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as ran:  # fmt: skip
        ran.stdin.write("".join(json.dumps(ask) + "\n" for ask in asks))
        ran.stdin.flush()
        told = (json.loads(line) for line in ran.stdout if "startupStatus" in line)
        ours = (row["params"] for row in told if row["params"].get("name") == "nightschool")
        last = next(row for row in ours if row["status"] != "starting")
        ran.kill()
    return last


def test_the_plugin_alone_shows_no_error(codex):
    """Without the engine the server is ready all the same: the terminal client has nothing to complain of."""
    codex.serve("http://127.0.0.1:9")
    plug(codex)
    environment = codex.environment() | {"PATH": f"{codex.binary.parent}:/usr/bin:/bin"}
    last = started(codex, environment)
    assert (last["status"], last.get("error")) == ("ready", None)
