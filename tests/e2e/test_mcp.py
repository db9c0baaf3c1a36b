"""The MCP server as a process: real verbs as children, a clean stdout, and nothing left behind however it ends."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
from tests.support.mcp_client import HELLO, MODERN, WAIT, Bare, until


@pytest.fixture
def start(world):
    """Start servers in the world; none of them, and no child of theirs, may outlive the test."""
    made = []

    def begin(*, cwd=None, env=None, hello=True, **more):
        bare = Bare(world.environment() | (env or {}), cwd or world.project)
        made.append(bare)
        if hello:
            bare.hello(**more)
        return bare

    yield begin
    for bare in made:
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(bare.process.pid).children(recursive=True)
            bare.process.kill()
            for child in children:
                child.kill()
        bare.process.wait()
        for stream in (bare.process.stdin, bare.process.stdout, bare.process.stderr):
            with contextlib.suppress(OSError):
                stream.close()


@pytest.fixture
def stuck(world):
    """Make every night wait for ever: its rehearsal script is a pipe nobody writes to."""
    pipe = world.root / "script.toml"
    os.mkfifo(pipe)
    world.home.mkdir(mode=0o700)
    (world.home / "config.toml").write_text(f'[models]\nbackend = "mock"\nmock_script = "{pipe}"\n')
    (world.home / "config.toml").chmod(0o600)


def family(bare):
    """Return the server's children, and theirs."""
    try:
        return psutil.Process(bare.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def at_work(bare, progress="at-work"):
    """Start a night that hangs and return its request's id once the verb itself is at work."""
    to = bare.ask("tools/call", {"name": "sleep_run", "_meta": {"progressToken": progress}})
    heard = bare.read()
    assert heard["method"] == "notifications/progress"
    return to


def gone(processes):
    """Say whether all of these have ended."""
    return not [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_a_whole_life(queries, start):
    """Status, harvest, dry run, night, report, adopt and undo through the server: the documents as with the command."""
    rules = queries.project / "CLAUDE.md"
    rules.write_bytes(b"# Shop\r\n\r\nUse tabs.")
    bare = start()
    assert bare.call("sleep_status")["structuredContent"] == queries.json("status")
    assert bare.call("sleep_harvest")["structuredContent"]["read"] == queries.held
    plan = bare.call("sleep_dry_run")
    assert plan["structuredContent"] == queries.json("dry-run")
    assert "candidate" in plan["content"][0]["text"]
    night = bare.call("sleep_run", meta={"progressToken": "t"})
    proposed = [rule["edit"]["id"] for rule in night["structuredContent"]["rules"]]
    assert proposed
    assert f"unexamined {proposed[0]}" in night["content"][0]["text"]
    heard = [one["params"] for one in bare.passed]
    assert [one["progressToken"] for one in heard] == ["t"] * len(heard)
    assert [one["progress"] for one in heard] == list(range(1, len(heard) + 1))
    assert "harvesting sessions" in [one["message"] for one in heard]
    assert not [one for one in heard if "(0 s)" in one["message"]], "a sign of life after a line"
    bare.passed.clear()

    assert proposed[0] in bare.call("sleep_report")["content"][0]["text"]
    adopted = bare.call("sleep_adopt", rule=[proposed[0]])
    assert adopted["structuredContent"]["edits"][0]["id"] == proposed[0]
    assert str(rules) in adopted["content"][0]["text"]
    assert rules.read_bytes() != b"# Shop\r\n\r\nUse tabs."
    undone = bare.call("sleep_undo")
    assert f"restored {rules}" in undone["content"][0]["text"]
    assert rules.read_bytes() == b"# Shop\r\n\r\nUse tabs."
    assert bare.passed == [], "progress without a token"
    assert bare.end() == (0, [], "")


def test_failures_are_results(world, start):
    """An engine that fails gives its one line and the next step, as a result with isError; the server goes on."""
    bare = start()
    report = bare.call("sleep_report")
    assert report["isError"] is True
    assert report["content"][0]["text"].startswith("there has been no night yet")
    assert "nightschool run" in report["content"][0]["text"]
    assert "Traceback" not in json.dumps(bare.call("sleep_undo", rule="no-such"))
    usage = bare.call("sleep_run", backend="no-such-backend")
    assert usage["isError"] is True
    assert "no-such-backend" in usage["content"][0]["text"]
    assert bare.end() == (0, [], "")


def test_a_night_that_waits_is_no_failure(queries, start):
    """Exit code 3 is told as a state, with where the questions lie."""
    made = start().call("sleep_run", backend="handoff")
    assert "isError" not in made
    assert made["structuredContent"]["state"] == "waiting"
    assert "handoff" in made["content"][0]["text"]


def test_reading_writes_nothing(queries, start):
    """Tools with readOnlyHint leave Nightschool's home byte for byte as it was."""
    queries.run("run")
    (queries.home / "nights" / "0001" / "report.md").unlink()
    queries.run("search", "limit")  # brings the memory's index, which is made from the files, up to date
    before = queries.bytes()
    bare = start()
    listed = bare.answer(bare.ask("tools/list"))["result"]["tools"]
    reading = [tool["name"] for tool in listed if tool["annotations"]["readOnlyHint"]]
    assert {"sleep_status", "sleep_dry_run", "sleep_report"} <= set(reading)
    for name in reading:
        arguments = {"query": "limit"} if name == "memory_search" else {"id": "x"} if name == "memory_show" else {}
        bare.call(name, **arguments)
    assert queries.bytes() == before


def test_the_project_is_the_clients_root(queries, start, tmp_path):
    """No project named: the client's root when it has roots, asked once; else the directory it started us in."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    bare = start(cwd=elsewhere, capabilities={"roots": {"listChanged": True}})
    to = bare.ask("tools/call", {"name": "sleep_dry_run"})
    asked = bare.read()
    assert asked["method"] == "roots/list"
    bare.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": [{"uri": queries.project.as_uri()}]}})
    found = bare.answer(to)["result"]["structuredContent"]
    assert found["funnel"]["sessions"] == queries.held
    assert bare.call("sleep_dry_run")["structuredContent"] == found
    assert bare.call("sleep_dry_run", project=str(elsewhere))["structuredContent"]["funnel"]["sessions"] == 0

    bare.tell("notifications/roots/list_changed")
    to = bare.ask("tools/call", {"name": "sleep_dry_run"})
    asked = bare.read()
    bare.send({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "no"}})
    assert bare.answer(to)["result"]["structuredContent"]["funnel"]["sessions"] == 0
    assert start(cwd=queries.project).call("sleep_dry_run")["structuredContent"] == found


def test_roots_in_the_era_without_questions(queries, start, tmp_path):
    """2026-07-28: the question for the roots is a result, and the retried call brings the answer ("MRTR")."""
    bare = start(cwd=tmp_path, hello=False)
    meta = MODERN | {"io.modelcontextprotocol/clientCapabilities": {"roots": {}}}
    params = {"name": "sleep_dry_run", "arguments": {}, "_meta": meta}
    first = bare.answer(bare.ask("tools/call", params))["result"]
    assert first["resultType"] == "input_required"
    assert first["inputRequests"] == {"project": {"method": "roots/list"}}
    answered = {"project": {"roots": [{"uri": queries.project.as_uri()}]}}
    second = bare.answer(bare.ask("tools/call", params | {"inputResponses": answered}))["result"]
    assert second["resultType"] == "complete"
    assert second["structuredContent"]["funnel"]["sessions"] == queries.held
    plain = {"name": "sleep_dry_run", "_meta": MODERN}
    assert bare.answer(bare.ask("tools/call", plain))["result"]["resultType"] == "complete"


def test_others_are_answered_while_a_night_runs(stuck, start):
    """A long call holds nobody up: ping, lists and short tools are answered; cancelling ends it and it stays unanswered."""
    bare = start()
    to = at_work(bare)
    assert bare.answer(bare.ask("ping"))["result"] == {}
    assert bare.answer(bare.ask("tools/list"))["result"]["tools"]
    assert "isError" not in bare.call("sleep_status")
    again = bare.call("sleep_run")
    assert again["isError"] is True
    assert "another nightschool process is at work" in again["content"][0]["text"]
    taken = bare.answer(bare.ask("tools/call", {"name": "sleep_status"}, id=to))
    assert taken["error"]["code"] == -32600

    children = family(bare)
    assert {os.getpgid(child.pid) for child in children} == {children[0].pid}, "a group of its own"
    bare.tell("notifications/cancelled", requestId=to, reason="enough")
    until(lambda: gone(children))
    bare.passed.clear()
    assert "isError" not in bare.call("sleep_harvest"), "the lock is free again"
    assert bare.passed == []
    assert bare.end() == (0, [], "")


def test_calls_that_wait_their_turn_can_be_cancelled(stuck, start):
    """More calls than run at once are answered in the end, and a cancelled one never starts."""
    bare = start()
    to = at_work(bare)
    short = [bare.ask("tools/call", {"name": "sleep_status"}) for _ in range(12)]
    bare.tell("notifications/cancelled", requestId=short[-1])
    left = set(short[:-1])
    while left:
        left.discard(bare.read().get("id"))
    bare.tell("notifications/cancelled", requestId=to)
    code, said, _ = bare.end()
    assert code == 0
    assert [one for one in said if one.get("id") == to] == []


def test_too_many_calls_are_refused(stuck, start):
    """At most 64 calls are under way; a further one gets an error at once."""
    bare = start()
    at_work(bare)
    for _ in range(70):
        bare.ask("tools/call", {"name": "sleep_status"})
    assert bare.read()["error"]["code"] == -32603


@pytest.mark.slow
def test_a_long_silence_is_told(stuck, start):
    """A long call without a line says now and then that it is still at it, so that clients do not give it up."""
    bare = start()
    at_work(bare)
    for _ in range(3):
        heard = bare.read()
        if re.search(r"\(\d+ s\)", heard["params"]["message"]):
            return
    pytest.fail("it said nothing")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_signals_end_it_and_what_it_started(stuck, start, number):
    """A signal in the middle of a call ends server and verb; even SIGKILL leaves no child."""
    bare = start()
    at_work(bare)
    children = family(bare)
    assert children
    os.kill(bare.process.pid, number)
    assert bare.process.wait(WAIT) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    until(lambda: gone(children))
    assert bare.process.stderr.read() == b""


def test_eof_in_the_middle_of_a_call(stuck, start):
    """Stdin ends: the server ends within seconds, with exit code 0, and the verb with it."""
    bare = start()
    to = at_work(bare)
    children = family(bare)
    began = time.monotonic()
    code, said, err = bare.end()
    assert (code, err) == (0, "")
    assert time.monotonic() - began < 30
    assert [one for one in said if one.get("id") == to] == []
    until(lambda: gone(children))


def test_a_client_that_leaves_without_a_word(stuck, start):
    """Stdout is closed in the middle of a call: no trace, no child, no hang."""
    bare = start()
    at_work(bare)
    children = family(bare)
    bare.process.stdout.close()
    bare.ask("tools/list")
    with contextlib.suppress(BrokenPipeError):
        for _ in range(50):
            bare.ask("ping")
            time.sleep(0.05)
    assert bare.process.wait(WAIT) == 0
    assert bare.process.stderr.read() == b""
    until(lambda: gone(children))


def test_short_calls_are_answered_after_the_last_byte(world):
    """Messages from a file: the answers come although stdin has ended at once, the last line without its break."""
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "sleep_status"}},
        {"jsonrpc": "2.0", "id": 3, "method": "ping"},
    ]
    told = "\n".join(json.dumps(one) for one in asked)
    out, err = run(world, told.encode())
    assert {json.loads(line)["id"] for line in out.splitlines()} >= {1, 3}
    assert err == b""


def run(world, data, words=("-m", "nightschool", "mcp"), **more):
    """Run the server over some bytes and return what it printed."""
    ran = subprocess.run(
        [sys.executable, *words], input=data, env=world.environment(), cwd=world.project,
        capture_output=True, timeout=WAIT, check=False, **more,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout, ran.stderr


@pytest.mark.parametrize("size", [10 * 2**20, 40 * 2**20])
def test_large_messages(world, size):
    """10 MB are read and judged; more than may be kept is refused by its line; both times the next one is answered."""
    large = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "sleep_undo", "_meta": MODERN, "arguments": {"rule": "x" * size}},
    }
    ping = b'\n{"jsonrpc":"2.0","id":2,"method":"ping"}\n'
    out, err = run(world, json.dumps(large).encode() + ping)
    one, two = [json.loads(line) for line in out.splitlines()]
    assert len(out) < 3000
    if size < 32 * 2**20:
        assert one["result"]["isError"] is True
    else:
        assert one["error"]["code"] == -32600
    assert two == {"jsonrpc": "2.0", "id": 2, "result": {}}
    assert err == b""


def test_rubbish_from_a_pipe(world):
    """Bytes of all kinds: one answer a line, and only JSON on stdout."""
    rubbish = [
        bytes(range(256)).replace(b"\n", b""),
        b"\0" * 1000,
        b"\xff\xfe{}",
        b'{"jsonrpc":"2.0","id":',
        b"}" * 99,
        "ü".encode("utf-16"),
    ]
    out, err = run(world, b"\n".join(rubbish) + b'\n\n{"jsonrpc":"2.0","id":2,"method":"ping"}')
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer.get("error", {}).get("code") for answer in answers] == [-32700] * len(rubbish) + [None]
    assert err == b""


def test_without_streams(world):
    """Started with stdin closed it ends; with stdout closed it says so; with stderr closed it serves."""
    command = f'exec "{sys.executable}" -m nightschool mcp'
    env = world.environment()
    ping = b'{"jsonrpc":"2.0","id":2,"method":"ping"}\n'

    def sh(closing, data=ping):
        return subprocess.run(
            ["sh", "-c", f"{command} {closing}"], input=data, env=env, capture_output=True, timeout=WAIT, check=False
        )

    closed_in, closed_out, closed_err = sh("<&-"), sh(">&-"), sh("2>&-")
    assert (closed_in.returncode, closed_in.stdout, closed_in.stderr) == (0, b"", b"")
    assert closed_out.returncode == 1
    assert closed_out.stderr.startswith(b"nightschool: stdout is closed")
    assert (closed_err.returncode, json.loads(closed_err.stdout)["id"]) == (0, 2)


def test_nothing_is_imported_from_where_it_is_started(world, start):
    """A project's own files cannot become part of a verb, whatever they are called."""
    for name in ("argparse.py", "nightschool.py", "json.py", "pydantic.py"):
        (world.project / name).write_text("raise SystemExit('taken over')\n")
    command = (sys.executable, "-P", "-m", "nightschool", "mcp")
    bare = Bare(world.environment(), world.project, command)
    bare.hello()
    assert bare.call("sleep_status")["structuredContent"] == json.loads(
        subprocess.run(
            [sys.executable, "-P", "-m", "nightschool", "status", "--json"],
            cwd=world.project,
            env=world.environment(),
            capture_output=True,
            check=True,
        ).stdout
    )
    assert bare.end() == (0, [], "")


def test_a_plain_locale_loses_no_letter(world, start):
    """A client that passes on no locale gets every letter as it is."""
    project = world.user_home / "läden"
    project.mkdir()
    bare = start(env={"LANG": "C", "LC_ALL": "POSIX"})
    assert bare.call("sleep_run", project=str(project))["structuredContent"]["night"]["project"] == str(project)
    assert "läden" in bare.call("sleep_report")["content"][0]["text"]


def test_values_that_look_like_options(world, start):
    """A value that looks like an option is a value: the verb looks it up and does not find it."""
    bare = start()
    for rule in ("--yes", "-h", "--night=0001", "x --json"):
        made = bare.call("sleep_undo", rule=rule)
        assert made["isError"] is True
        assert "usage" not in made["content"][0]["text"]
