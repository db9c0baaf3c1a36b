"""The bundle's manifests agree with each other and with the code."""

import json
import os
import re
from pathlib import Path

import pytest

from nightschool import __version__
from nightschool.events import Moment

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
