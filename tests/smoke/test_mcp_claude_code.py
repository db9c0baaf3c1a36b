"""The real Claude Code starts our MCP server and calls its tools."""

import json
import sys

import pytest
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.clients import ROOT

pytestmark = pytest.mark.smoke
TOOL = "mcp__nightschool__sleep_{}"


def test_a_model_calls_the_tools(claude):
    """The client lists our tools, calls two for the model, and hands it their results; a failure is told as one."""
    sources = ":".join(str(ROOT / name) for name in ("core", "claude-code", "codex", "copilot"))
    server = {"command": sys.executable, "args": ["-m", "nightschool", "mcp"], "env": {"PYTHONPATH": sources}}
    config = claude.root / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"nightschool": server}}))
    says = [
        Say(tools=[(TOOL.format("status"), {})]),
        Say(tools=[(TOOL.format("report"), {"night": "9999"})]),
        Say(tools=[(TOOL.format("run"), {"project": str(claude.project)})]),
        Say("Done."),
    ]
    with AnthropicServer([Rule("where do things stand", says)], Say("Hm.")) as model:
        ran = claude.run(
            "-p", "where do things stand", "--mcp-config", str(config), "--strict-mcp-config", "--tools", "",
            "--allowedTools", "mcp__nightschool", url=model.url,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = json.dumps(model.asked[-1].body["messages"])
    assert TOOL.format("adopt") in [tool["name"] for tool in model.asked[0].body["tools"]]
    assert "last_night" in told, "this client passes on what is structured, and leaves the words aside"
    assert "there is no night" in told
    assert '"is_error": true' in told
    assert (claude.root / "nightschool-home" / "nights" / "0001" / "night.json").exists()
