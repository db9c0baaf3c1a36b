"""A model sleeps and adopts by our server's tools through the real Copilot; without the engine nobody meets an error."""

import json
import re
import shutil
from dataclasses import replace

import pytest
from tests.smoke.test_copilot import held, install
from tests.smoke.test_copilot_night import SETTINGS, files, import_sessions
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.subjects import SUBJECTS

pytestmark = pytest.mark.smoke
INSTRUCTIONS = b"# Shop\r\n\r\nBe kind."


class Adopting(AnthropicServer):
    """Adopts the rule that the night's result names: a model reads it there too."""

    def reply(self, body, headers):
        said = super().reply(body, headers)
        ids = re.findall(r"unexamined (r[0-9a-f]{10}): ", json.dumps(body["messages"]))
        named = [(name, given | ({"rule": ids[-1:]} if "adopt" in name else {})) for name, given in said.tools]
        return replace(said, tools=named)


def script(project):
    """Return what the model does: it looks, searches, sleeps, searches again, forgets the project once, and adopts."""
    search = ("nightschool-memory_search", {"query": "limit", "project": project})
    calls = [
        ("nightschool-sleep_status", {}),
        search,
        ("nightschool-sleep_run", {"project": project}),
        search,
        ("nightschool-sleep_dry_run", {}),
        ("nightschool-sleep_adopt", {"project": project}),
    ]
    return [Rule("sleep now", [*(Say(tools=[call]) for call in calls), Say("Adopted.")])]


def results(asked):
    """Return the text of every tool's result in a request, in order."""
    parts = [part for message in asked.body["messages"] for part in message["content"] if isinstance(part, dict)]
    return [json.dumps(part["content"]) for part in parts if part["type"] == "tool_result"]


def test_a_model_sleeps_and_adopts(copilot):
    """Status, search, a night with progress, adoption; the next request carries the rule; undo; uninstall byte for byte."""
    copilot.config.mkdir(parents=True)
    (copilot.config / "settings.json").write_text(SETTINGS)
    document = copilot.project / ".github" / "copilot-instructions.md"
    document.parent.mkdir()
    document.write_bytes(INSTRUCTIONS)
    before = files(copilot.home)
    install(copilot)
    import_sessions(copilot, SUBJECTS[:4])
    with Adopting(script(str(copilot.project)), Say("Hm.")) as server:
        ran = copilot.run("-p", "sleep now", "--allow-all-tools", "--output-format", "json", url=server.url)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        status, nothing, night, found, lost, adopted = results(server.asked[-1])
        assert "no night yet" in status
        assert '\\"results\\":[]' in nothing
        assert "unexamined r" in night
        assert "always end the query with LIMIT 100" in found
        assert "which project?" in lost
        assert str(document) in adopted
        events = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
        progress = [event["data"]["progressMessage"] for event in events if event["type"] == "tool.execution_progress"]
        assert "1.0: harvesting sessions" in progress
        assert b"LIMIT 100" in document.read_bytes()

        def instructed():
            server.asked.clear()
            held(copilot, server, "hello there")
            return server.asked[0].system

        assert instructed().count("always end the query with LIMIT 100") == 1
        copilot.nightschool("undo")
        assert document.read_bytes() == INSTRUCTIONS
        assert "LIMIT 100" not in instructed()
    copilot.nightschool("uninstall")
    assert files(copilot.home) == before


def test_the_plugin_alone_shows_no_error(copilot, monkeypatch):
    """No engine: no tools and no warning; the session after it is there has them; gone again, a call says how to get it."""
    whole = copilot.environment

    def without(url="http://127.0.0.1:9"):
        path = f"{copilot.binary.parent}:/usr/bin:/bin"
        return whole(url) | {"PATH": path, "COPILOT_CACHE_HOME": str(copilot.root / "cache")}

    shutil.copytree(copilot.cache, copilot.root / "cache", dirs_exist_ok=True, symlinks=True)  # lists are kept there
    shutil.rmtree(copilot.root / "cache" / "mcp-tools", ignore_errors=True)
    monkeypatch.setattr(copilot, "environment", without, raising=False)
    install(copilot)
    engine = copilot.root / "nightschool-home" / "bin" / "nightschool"

    def session(server):
        server.asked.clear()
        held(copilot, server, "where do things stand")
        tools = [tool["name"] for tool in server.asked[0].body["tools"] if "nightschool" in tool["name"]]
        logs = sorted((copilot.config / "logs").glob("*"), key=lambda path: path.stat().st_mtime)
        told = [line for line in logs[-1].read_text().splitlines() if "nightschool" in line.lower()]
        return tools, [line for line in told if "[ERROR]" in line or "[WARNING]" in line]

    calls = [Say(tools=[("nightschool-sleep_status", {})]), Say("Done.")]
    with AnthropicServer([Rule("where do things", calls)], Say("Done.")) as server:
        assert session(server) == ([], [])
        engine.parent.mkdir(parents=True, exist_ok=True)
        engine.write_text(f'#!/bin/sh\nexec {shutil.which("python3", path=whole()["PATH"])} -m nightschool "$@"\n')
        engine.chmod(0o755)
        assert "nightschool-sleep_status" in session(server)[0]
        assert "no night yet" in results(server.asked[-1])[0]
        engine.unlink()
        session(server)
        assert "uv tool install" in results(server.asked[-1])[0]
