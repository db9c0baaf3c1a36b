"""The bundle's manifests agree with each other and with the code."""

import json
import os
import re
from pathlib import Path

import pytest

from nightschool import __version__
from nightschool.events import Moment
from nightschool_codex.hookfile import WIRED

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text())
MARKETPLACE = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text())
HOOKS = json.loads((ROOT / "claude-code" / "hooks.json").read_text())["hooks"]
# Events that the oldest supported client knows: one it does not know would switch all hooks of the plugin off.
KNOWN = {"SessionStart", "Stop", "SessionEnd", "PreCompact", "UserPromptSubmit"}
COMMAND = re.compile(r'sh "\$\{CLAUDE_PLUGIN_ROOT\}/hooks/(?:harvest" claude-code ([a-z_]+)|prompt" claude-code)')


def test_one_version():
    """The version is declared in the code; the plugin's manifest says the same."""
    assert PLUGIN["version"] == __version__


def test_the_root_is_the_plugin():
    """The marketplace names the root, the plugin names its wiring, and no file lies where clients would run it twice."""
    assert [entry["source"] for entry in MARKETPLACE["plugins"]] == ["./"]
    assert MARKETPLACE["plugins"][0]["name"] == PLUGIN["name"]
    assert (ROOT / PLUGIN["hooks"]).is_file()
    assert (ROOT / PLUGIN["skills"]).is_dir()
    assert not (ROOT / "hooks" / "hooks.json").exists()


@pytest.mark.parametrize("event", sorted(HOOKS))
def test_each_hook_calls_the_shared_script_with_its_own_name(event):
    """Every wired event is an old one, calls the executable hot path, names its platform and a moment we know."""
    assert event in KNOWN
    for group in HOOKS[event]:
        for hook in group["hooks"]:
            found = COMMAND.fullmatch(hook["command"])
            assert found, hook["command"]
            assert (found[1] or event) in {*Moment, "UserPromptSubmit"}
            assert hook["timeout"] <= 5
    assert all(os.access(ROOT / "hooks" / name, os.X_OK) for name in ("harvest", "prompt"))


def test_no_hook_runs_at_a_tool_call():
    """No tool is delayed and none can be denied: what tools did is read from the transcript."""
    assert not [event for event in HOOKS if "ToolUse" in event or event == "PermissionRequest"]


@pytest.mark.parametrize("path", sorted((ROOT / "skills").glob("*/SKILL.md")), ids=lambda path: path.parent.name)
def test_skills_have_the_name_of_their_folder(path):
    """Front matter names the folder and describes the skill within the limits of all hosts."""
    told = dict(re.findall(r"^(name|description): (.+)$", path.read_text().split("---")[1], re.MULTILINE))

    assert told["name"] == path.parent.name
    assert 20 <= len(told["description"]) <= 1000


def test_codex_finds_the_same_bundle():
    """Its marketplace names the root, its plugin the same version, wiring that calls the hot path, skills and the server."""
    plugin = json.loads((ROOT / ".codex-plugin" / "plugin.json").read_text())
    [entry] = json.loads((ROOT / ".agents" / "plugins" / "marketplace.json").read_text())["plugins"]
    assert (entry["name"], entry["source"]["path"]) == (plugin["name"], "./")
    assert plugin["version"] == __version__
    assert plugin["description"] == PLUGIN["description"]
    assert (ROOT / plugin["skills"]).is_dir()
    server = json.loads((ROOT / plugin["mcpServers"]).read_text())["mcpServers"]["nightschool"]
    assert server["args"] == ["hooks/mcp", "empty", "--ask-project"], (
        "it is started in the plugin's copy, which is no project"
    )
    assert (server["command"], server["cwd"], server["env_vars"]) == ("sh", ".", ["NIGHTSCHOOL_HOME"])
    wired = json.loads((ROOT / plugin["hooks"]).read_text())
    assert set(wired) <= {"description", "hooks"}, "the client refuses a file with any other key"
    for event, [group] in wired["hooks"].items():
        [hook] = group["hooks"]
        script, moment, seconds, matcher = WIRED[event]
        assert hook["command"] == f'sh "${{PLUGIN_ROOT}}/hooks/{script}" codex{moment}'
        assert (hook["timeout"], group.get("matcher")) == (seconds, matcher)
        assert os.access(ROOT / "hooks" / script, os.X_OK)
    assert set(wired["hooks"]) == set(WIRED)
