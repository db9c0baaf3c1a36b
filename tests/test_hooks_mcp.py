"""The launcher of the server: the engine's own where there is one, else one without tools that says how to get it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

MCP = Path(__file__).parents[1] / "hooks" / "mcp"
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "id", "version": '{"id": 7}'}}


def served(env, *lines, shell=(), words=("error",), script=MCP):
    """Start it as a client does, say these lines, close stdin, and return its answers."""
    data = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    done = subprocess.run([*shell, script, *words], input=data, env=env, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask(method, to=1, **params):
    """Return a request, its members in an order that puts the wrong id first."""
    return {"method": method, "params": {"id": "inner"} | params, "jsonrpc": "2.0", "id": to}


def test_it_is_plain_sh(shell):
    """Every shell of this machine can read it, it is executable, and what it knows of the protocol is little."""
    assert subprocess.run([*shell, "-n", MCP], check=False).returncode == 0
    assert os.access(MCP, os.X_OK)
    assert len(MCP.read_text().splitlines()) < 70


@pytest.mark.parametrize("place", ["home", "path"])
def test_the_engine_takes_over(env, home, shell, tmp_path, place):
    """The home's own link first, then PATH: the same process, with the words that were given."""
    folder = home.root / "bin" if place == "home" else tmp_path / "bin"
    for where, said in ((folder, "right"), (tmp_path / "last", "wrong")):
        where.mkdir(parents=True)
        (where / "nightschool").write_text(f'#!/bin/sh\necho "[\\"{said}\\", \\"$*\\", $$]"\n')
        (where / "nightschool").chmod(0o755)
    env["PATH"] += f":{tmp_path}/bin:{tmp_path}/last"
    started = subprocess.Popen([*shell, MCP, "empty", "--ask-project"], env=env, stdin=-3, stdout=-1)
    out = started.communicate(timeout=60)[0]
    assert json.loads(out) == ["right", "mcp --ask-project", started.pid]


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_without_an_engine_it_shakes_hands(env, shell, version):
    """In the client's revision, as a server without tools whose instructions name a command that would install it."""
    [answer] = served(env, ask("initialize", **HELLO | {"protocolVersion": version}), shell=shell)
    made = answer["result"]
    assert (answer["id"], made["protocolVersion"], made["capabilities"]) == (1, version, {})
    assert f"uv tool install '{MCP.parents[1]}'" in made["instructions"]


def test_an_unknown_revision_gets_the_newest_that_shakes_hands(env, shell):
    """And 2026-07-28, which has no handshake, is answered so that a client falls back to one."""
    probe, hello = served(env, ask("server/discover"), ask("initialize", 2, protocolVersion="2031-01-01"), shell=shell)
    assert probe["error"]["code"] == -32601
    assert hello["result"]["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize("to", [0, -3, "a b", 'quo"te \\ {[', "ü"])
def test_answers_carry_the_id_that_was_asked_with(env, shell, to):
    """Numbers and strings, whatever is in them, also when objects within the message have ids of their own."""
    assert served(env, ask("ping", to), shell=shell) == [{"jsonrpc": "2.0", "id": to, "result": {}}]


@pytest.mark.parametrize("words", [["empty"], ["empty", "--ask-project"]])
def test_there_are_no_tools(env, shell, words):
    """One kind of client takes an empty list best; a call of a tool that is not there says how to get it."""
    listed, called = served(env, ask("tools/list"), ask("tools/call", 2, name="x"), shell=shell, words=words)
    assert listed["result"] == {"tools": []}
    assert "uv tool install" in called["error"]["message"]


@pytest.mark.parametrize("words", [["error"], []])
def test_a_client_that_remembers_lists_is_given_none(env, shell, words):
    """It would go on with an empty list in the first session that has the engine; and tools it remembers are explained."""
    listed, called = served(env, ask("tools/list"), ask("tools/call", 2, name="sleep_status"), shell=shell, words=words)
    for answer in (listed, called):
        assert answer["error"]["code"] == -32601
        assert "uv tool install" in answer["error"]["message"]


def test_only_requests_are_answered(env, shell):
    """Notifications, responses and empty lines get nothing; what is no object gets one error; a missing newline is forgiven."""
    quiet = [{"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 9, "result": {}}]
    answers = served(env, *quiet, b"", b"  ", b"[]", b"nonsense", b'{"id":', ask("ping", 5), shell=shell)
    assert [(one["id"], "error" in one) for one in answers] == [(None, True), (None, True), (5, False)]
    whole = json.dumps(ask("ping", 6)).encode()
    done = subprocess.run([*shell, MCP], input=whole, env=env, capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout)["id"] == 6


@pytest.mark.parametrize("name", ["with space", 'quo"te', "back\\slash"])
def test_any_folder_stands_in_json(env, tmp_path, shell, name):
    """Where the folder's name cannot be told, the package's is."""
    folder = tmp_path / name
    (folder / "hooks").mkdir(parents=True)
    (folder / "hooks" / "mcp").write_bytes(MCP.read_bytes())
    (folder / "pyproject.toml").touch()
    [answer] = served(env, ask("initialize", **HELLO), shell=shell or ("sh",), script=folder / "hooks" / "mcp")
    told = str(folder) if name == "with space" else "nightschool"
    assert f"uv tool install '{told}'" in answer["result"]["instructions"]
