"""Payloads, hooks, manifests, targets, settings and the export: what ties the client to us, without the client."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nightschool import __version__, bundle
from nightschool.audit import prompt
from nightschool.clock import FixedClock
from nightschool.day.drain import drain
from nightschool.day.journal import read_events
from nightschool.events import Moment
from nightschool.morning.brief import place
from nightschool.morning.unwire import unwire
from nightschool.platforms import installed
from nightschool.records import Kept, NightRequest
from nightschool_copilot import platform
from nightschool_copilot.memories import export

ROOT = Path(__file__).resolve().parents[3]
ID = "7d42403c-eecf-4016-863a-bc795dcef145"
EVENTS = f"/home/u/.copilot/session-state/{ID}/events.jsonl"
OWN = {"sessionId": ID, "timestamp": 1795226510451, "cwd": "/home/u/shop", "transcriptPath": EVENTS}
FOREIGN = {
    "hook_event_name": "Stop",
    "session_id": ID,
    "timestamp": "2026-11-21T02:01:50.451Z",
    "cwd": "/home/u/shop",
    "transcript_path": EVENTS,
}
HOOKS = json.loads((ROOT / "copilot" / "hooks.json").read_text())["hooks"]


def test_both_dresses_of_an_event_are_one():
    """The client's own payload and the one in another client's dress point to the same, and are the same event."""
    own, foreign = (platform.read_payload("turn_end", json.dumps(told).encode()) for told in (OWN, FOREIGN))

    assert own == foreign
    assert own == {"session_id": ID, "transcript": EVENTS, "project": "/home/u/shop", "once": f"{ID} 1795226510451"}


@pytest.mark.parametrize("stamp", [None, "", "yesterday", 0])
def test_a_payload_without_a_time_is_its_bytes(stamp):
    """What tells no time cannot be known again by it."""
    told = platform.read_payload("turn_end", json.dumps(OWN | {"timestamp": stamp}).encode())

    assert "once" not in told


@pytest.mark.parametrize("key", ["agentId", "parentAgentId", "agent_id", "parent_agent_id"])
def test_a_sub_agent_is_not_the_users(key):
    """Sub-agents fire the same events; their mark tells."""
    assert platform.read_payload("turn_end", json.dumps(OWN | {key: "a2"}).encode()) is None


def test_the_journal_holds_an_event_once_and_no_sub_agents(home):
    """Three payloads of one event and one of a sub-agent: one event is journaled, nothing is rejected."""
    home.spool.mkdir(parents=True)
    for number, told in enumerate([OWN, FOREIGN, OWN, OWN | {"agentId": "a2", "sessionId": "a2"}]):
        path = home.spool / f"copilot.turn_end.{number}-1-1.json"
        path.write_text(json.dumps(told))
        os.utime(path, (1_795_226_511, 1_795_226_511))
    done = drain(home, installed(), clock=FixedClock(datetime(2026, 11, 21, 2, 2, tzinfo=UTC)), redact=str)

    assert [event.session_id for event in read_events(home)] == [ID]
    assert (len(done.events), done.again, done.rejected) == (1, 2, 0)
    assert not list(home.spool.glob("*.json"))


def test_the_manifest_names_files_that_are_there():
    """One version, one name, and no file in a place where a client would load it a second time."""
    manifest = json.loads((ROOT / ".github" / "plugin" / "plugin.json").read_text())
    other = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text())

    assert manifest["version"] == __version__
    assert manifest["name"] == other["name"]
    assert "$schema" not in manifest
    for key in ("hooks", "skills", "mcpServers"):
        assert (ROOT / manifest[key]).exists()
    assert not (ROOT / "hooks.json").exists()
    assert not (ROOT / "plugin.json").exists()
    server = json.loads((ROOT / manifest["mcpServers"]).read_text())["mcpServers"]["nightschool"]
    assert server == {"command": "sh", "args": ["${PLUGIN_ROOT}/hooks/mcp", "error", "--ask-project"]}
    assert json.loads((ROOT / "copilot/vscode/mcp.json").read_text())["servers"]["nightschool"]["args"] == ["mcp"]


@pytest.mark.parametrize("event", sorted(HOOKS))
def test_hooks_only_note(event):
    """Each is a command in both shells that ends soon and names a moment we know; no tool is waited for."""
    assert not event.lower().startswith(("pretool", "posttool", "permission"))
    for entry in HOOKS[event]:
        assert entry["type"] == "command"
        assert entry["timeoutSec"] <= 5
        moment = entry["bash"].rpartition(" ")[2]
        assert entry["bash"] == f'sh "${{PLUGIN_ROOT}}/copilot/hook" {moment}'
        if event == "userPromptSubmitted":
            assert (moment, entry.get("powershell")) == ("prompt", None)
            continue
        assert moment in set(Moment)
        assert entry["powershell"].endswith(f'harvest.ps1" copilot {moment}')


def fire(home, project, moment, data=b"{}", **more):
    """Run the hook as the client does: in the plugin's folder, told of the project by a variable."""
    env = {"PATH": "/usr/bin:/bin", "NIGHTSCHOOL_HOME": str(home.root), "COPILOT_PROJECT_DIR": str(project)} | more
    words = ["sh", str(ROOT / "copilot" / "hook"), moment]
    ran = subprocess.run(words, cwd=ROOT, env=env, input=data, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout


@pytest.mark.parametrize("text", ["one line\n", 'a "q" \\ back\\n\ttab\x01\nüber <tag>\n', "no end"])
def test_the_brief_is_told_as_the_client_reads_it(home, tmp_path, text):
    """At a session's start the project's brief is the one string of a JSON object; the payload is kept whole."""
    path = place(home, os.path.realpath(tmp_path))
    path.parent.mkdir(parents=True)
    path.write_text(text)
    told = json.loads(fire(home, tmp_path, "session_start", b'{"x": 1}'))

    wanted = text.translate({9: " ", 1: " "}).rstrip("\n") + "\n"
    assert told["additionalContext"] == wanted
    assert told["hookSpecificOutput"] == {"hookEventName": "SessionStart", "additionalContext": wanted}
    assert [spooled.read_bytes() for spooled in home.spool.glob("copilot.session_start.*.json")] == [b'{"x": 1}']


def test_the_prompt_is_told_once_as_the_client_reads_it(home, tmp_path):
    """What waits for a session comes with its user's next words, as JSON; then nothing, and no payload is kept."""
    payload = json.dumps({"sessionId": ID, "prompt": "go on"}).encode()
    assert fire(home, tmp_path, "prompt", payload) == b""
    prompt.leave(home, "copilot", ID, '<tag>\n3 x "a\\b"\n</tag>\n')
    told = json.loads(fire(home, tmp_path, "prompt", payload))
    wanted = '<tag>\n3 x "a\\b"\n</tag>\n'
    assert told["additionalContext"] == wanted
    assert told["hookSpecificOutput"] == {"hookEventName": "UserPromptSubmit", "additionalContext": wanted}
    assert fire(home, tmp_path, "prompt", payload) == b""
    assert not home.spool.exists()


def test_without_a_brief_nothing_is_told(home, tmp_path):
    """No brief, another moment, or a project that is gone: the payload is kept and nothing is printed."""
    assert fire(home, tmp_path, "session_start") == b""
    assert fire(home, tmp_path / "gone", "session_start") == b""
    path = place(home, os.path.realpath(tmp_path))
    path.parent.mkdir(parents=True)
    path.write_text("brief\n")
    assert fire(home, tmp_path, "turn_end") == b""
    assert len(list(home.spool.glob("*.json"))) == 3


def test_rules_can_go_where_the_client_looks(tmp_path):
    """The project's instructions come first; those for paths, the user's and skills are there by name."""
    folder = tmp_path / ".github" / "instructions"
    (folder / "web").mkdir(parents=True)
    (folder / "web" / "py.instructions.md").write_text('---\napplyTo: "**/*.py"\n---\n')
    (folder / "notes.md").touch()
    request = NightRequest(user_home="/home/u", project=str(tmp_path), environ={"COPILOT_HOME": "/moved"})
    targets = {target.key: target for target in platform.on_night(request).targets}

    assert {key: target.path.removeprefix(str(tmp_path)) for key, target in targets.items()} == {
        "copilot:project": "/.github/copilot-instructions.md",
        "copilot:instructions": "/.github/instructions/nightschool.instructions.md",
        "copilot:instructions/web/py": "/.github/instructions/web/py.instructions.md",
        "copilot:project-skill": "/.github/skills/nightschool-learned/SKILL.md",
        "copilot:user": "/moved/copilot-instructions.md",
        "copilot:skill": "/moved/skills/nightschool-learned/SKILL.md",
    }
    assert next(iter(targets)) == "copilot:project"
    assert 'applyTo: "**"' in targets["copilot:instructions"].opening


SETTINGS = {
    "extraKnownMarketplaces": {"nightschool": {"source": {}}},
    "enabledPlugins": {"nightschool@nightschool": True},
}


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (SETTINGS, None),
        ({"enabledPlugins": {"nightschool@nightschool": False}, "extraKnownMarketplaces": {}}, None),
        ({"theme": "däk"} | SETTINGS, {"theme": "däk"}),
        (
            SETTINGS | {"enabledPlugins": {"nightschool@nightschool": True, "a@b": True}},
            {"enabledPlugins": {"a@b": True}},
        ),
    ],
)
def test_our_name_goes_from_the_settings(tmp_path, told, left):
    """What is ours goes, what is the user's stays in the client's own layout, and a second time there is nothing to do."""
    path = tmp_path / ".copilot" / "settings.json"
    path.parent.mkdir()
    path.write_text(json.dumps(told))
    request = NightRequest(user_home=str(tmp_path), project=None)
    before = path.read_bytes()
    assert [file.path for file in unwire(installed(), request, dry_run=True)] == [str(path)]
    assert path.read_bytes() == before

    [file] = unwire(installed(), request, dry_run=False)
    assert file.action == ("removed" if left is None else "cleaned")
    assert (path.read_text() if path.exists() else None) == (
        None if left is None else json.dumps(left, indent=2, ensure_ascii=False) + "\n"
    )
    assert unwire(installed(), request, dry_run=False) == ()


def test_a_link_stays_one_and_a_mode_stays(tmp_path):
    """The file behind a link is changed, keeps its mode, and nothing lies beside it; one that cannot be is told."""
    real = tmp_path / "dotfiles" / "settings.json"
    real.parent.mkdir()
    real.write_text(json.dumps({"theme": "x"} | SETTINGS))
    real.chmod(0o640)
    (tmp_path / ".copilot").mkdir()
    (tmp_path / ".copilot" / "settings.json").symlink_to(real)
    request = NightRequest(user_home=str(tmp_path), project=None)
    before = real.read_bytes()
    real.parent.chmod(0o500)
    if os.geteuid():
        [file] = unwire(installed(), request, dry_run=False)
        assert (file.action, "cannot write a file" in file.notes[0], real.read_bytes()) == ("failed", True, before)
    real.parent.chmod(0o700)
    [file] = unwire(installed(), request, dry_run=False)
    assert file.action == "cleaned"
    assert (tmp_path / ".copilot" / "settings.json").is_symlink()
    assert json.loads(real.read_text()) == {"theme": "x"}
    assert (real.stat().st_mode & 0o777, list(real.parent.iterdir())) == (0o640, [real])


@pytest.mark.parametrize("text", ["{", "[]", "// mine\n{}", '{"enabledPlugins": 5}', '{"theme": "x"}'])
def test_settings_that_do_not_name_us_are_not_touched(tmp_path, text):
    """A file that is not plain JSON, or does not hold our name, stays as it is."""
    path = tmp_path / ".copilot" / "settings.json"
    path.parent.mkdir()
    path.write_text(text)

    assert unwire(installed(), NightRequest(user_home=str(tmp_path), project=None), dry_run=False) == ()
    assert path.read_text() == text


REMOTES = [
    ("git@github.com:sam/shop.git", ("github.com", "sam", "shop")),
    ("https://github.com/sam/shop", ("github.com", "sam", "shop")),
    ("https://user:token@ghe.example.org/sam/shop.git", ("ghe.example.org", "sam", "shop")),
    ("ssh://git@github.com:22/sam/shop.git", ("github.com", "sam", "shop")),
    ("/srv/git/shop.git", None),
    ("../shop", None),
]


@pytest.mark.parametrize(("remote", "told"), REMOTES)
def test_a_projects_rule_belongs_to_its_repository(tmp_path, remote, told):
    """The repository is the remote's, without what logs in there; without one the rule is left out, with the reason."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", remote], check=True)
    rule = Kept(id="e-1", text="Be\n  kind.", path=str(tmp_path / ".github" / "x.md"), scope="project")
    text, left = export([rule])

    assert (left == {}) == (told is not None)
    if told:
        memory = json.loads(text)
        assert tuple(memory["scope"]["repository"].values()) == told
        assert (memory["fact"], memory["externalId"]) == ("Be kind.", "e-1")
        assert "token" not in text


def test_the_wheel_has_what_the_manifest_names():
    """Every file of the plugin is shipped."""
    shipped = (ROOT / "pyproject.toml").read_text()
    for name in (".github/plugin", "copilot/hook", "copilot/hooks.json", "copilot/mcp.json", "copilot/vscode"):
        assert f'"{name}" = "nightschool/_bundle/{name}"' in shipped
        assert (bundle.root() / name).exists()
