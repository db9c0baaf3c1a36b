"""The backend `claude`: how the client is run, what its results mean, and that nothing is left of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.support.fake_claude import FakeClaude

from nightschool.errors import NightschoolError
from nightschool.records import HeadlessCall, HeadlessFailure
from nightschool_claude_code.headless import Headless

RESULTS = Path(__file__).parent / "data" / "results"
KEY = {"ANTHROPIC_API_KEY": "sk-a"}


@pytest.fixture
def client(tmp_path):
    """Return a stand-in for the client."""
    return FakeClaude(tmp_path / "client")


def asked(client, prompt="why?", *, environ=None, **call):
    """Ask through the stand-in, in an environment of the test's own."""
    own = {"PATH": f"{client.folder}:/usr/bin:/bin", "HOME": str(client.folder), "TMPDIR": str(client.folder)}
    return Headless(own | (KEY if environ is None else environ)).ask(HeadlessCall(prompt=prompt, **call))


def until(found, seconds=20):
    """Wait until `found()` is true."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def test_what_is_asked_is_in_no_argument(client):
    """Anyone on the machine can list arguments: prompt and rules come on stdin and in a private file, whole."""
    prompt, system = "secret plan ü\n" * 5000, "a rule nobody else reads\n" * 5000
    reply = asked(client, prompt, system=system, model="fable")

    seen = client.seen()
    assert reply.text == "Hello."
    assert seen["prompt"] == prompt
    assert seen["system"] == system
    assert not any("secret plan" in word or "nobody else" in word for word in seen["argv"])
    assert "--model=fable" in seen["argv"]
    assert seen["mode"] == 0o700
    assert seen["in_cwd"] == []
    assert not Path(seen["system_path"]).parent.exists()
    assert not Path(seen["cwd"]).exists()


def test_the_environment_holds_what_is_needed_and_no_more(client):
    """The client's own login and proxies are passed; other people's keys, and what configures us, are not."""
    passed = KEY | {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "HTTPS_PROXY": "http://p:1", "LANG": "C.UTF-8"}
    kept_back = {"AWS_SECRET_ACCESS_KEY": "x", "GITHUB_TOKEN": "x", "OPENAI_API_KEY": "x", "CLAUDECODE": "1"}
    asked(client, environ=passed | kept_back | {"CLAUDE_PLUGIN_ROOT": "x", "LD_PRELOAD": "", "NIGHTSCHOOL_HOME": "x"})

    env = client.seen()["env"]
    assert passed.items() <= env.items()
    assert not kept_back.keys() & env.keys()
    assert not {"CLAUDE_PLUGIN_ROOT", "LD_PRELOAD", "NIGHTSCHOOL_HOME"} & env.keys()
    assert env["NIGHTSCHOOL_NO_DRAIN"] == "1"
    assert env["CLAUDE_CODE_DISABLE_ATTACHMENTS"] == "1"


def test_the_mode_follows_the_login(client):
    """A key in the environment allows the barest mode; a stored login is only read in the other one."""
    for environ, mode in ((KEY, "--bare"), ({"CLAUDE_CODE_OAUTH_TOKEN": "x"}, "--safe-mode"), ({}, "--safe-mode")):
        asked(client, environ=environ)
        words = client.seen()["argv"]
        assert words[:2] == ["-p", mode]
        assert words[words.index("--tools") + 1] == ""
        assert {"--strict-mcp-config", "--no-session-persistence", "--max-turns"} <= set(words)
        assert not {"--bare", "--safe-mode"} - {mode} & set(words)


def test_a_request_is_never_a_command(client):
    """A request that begins with a slash would be carried out by the client itself; it goes as text."""
    asked(client, "/cost of living, as a table")

    assert client.seen()["prompt"] == "\n/cost of living, as a table"


def test_a_captured_result_is_read_whole(client):
    """Text, model, tokens and cost are those of the result object a real client printed."""
    client.plan(f"print(open({str(RESULTS / 'answer.json')!r}).read())")
    reply = asked(client)

    assert reply.text == "Added `greet()` with a test and committed it."
    assert (reply.model, reply.tokens_in, reply.tokens_out) == ("claude-opus-5-5", 91582, 485)
    assert reply.cost_usd == pytest.approx(0.376028)
    assert 0 < reply.seconds < 60


def test_captured_failures_are_typed(client):
    """An API error under subtype success is no answer; neither is a turn that used a tool it does not have."""
    client.plan(f"print(open({str(RESULTS / 'api-error.json')!r}).read()); sys.exit(1)")
    failed = asked(client)
    assert (failed.kind, failed.why) == ("backend", "API Error: 400 fake bad request")

    client.plan(f"print(open({str(RESULTS / 'max-turns.json')!r}).read()); sys.exit(1)")
    failed = asked(client)
    assert failed.kind == "malformed"
    assert "2419 tokens were used, 0.0133 USD" in failed.why


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        ("say('API Error: 429', is_error=True, api_error_status=429); sys.exit(1)", "rate-limit"),
        ("say('Overloaded', is_error=True, api_error_status=529); sys.exit(1)", "rate-limit"),
        ("say('API Error: 500', is_error=True, api_error_status=500); sys.exit(1)", "unavailable"),
        ("say('API Error: Connection refused (ECONNREFUSED)', is_error=True); sys.exit(1)", "unavailable"),
        ("say('Request timed out', is_error=True); sys.exit(1)", "timeout"),
        ("say('flagged', is_error=True, stop_reason='refusal'); sys.exit(1)", "refused"),
        ("say('exceeded the 55 output token maximum', is_error=True); sys.exit(1)", "malformed"),
        ("say(' \\n')", "empty"),
        ("say('')", "empty"),
        ("say('Total cost: 0', num_turns=0, modelUsage={})", "malformed"),
        ("say(None)", "malformed"),
        ("say('half', subtype='error_during_execution')", "backend"),
        ("say('odd', is_error='no')", "backend"),
        ("pass", "malformed"),
        ("print('<html>garbage')", "malformed"),
        ("print('[' * 100000)", "malformed"),
        ("print('null'); print('[1, {}]')", "malformed"),
        ("sys.stdout.buffer.write(bytes(range(256)))", "malformed"),
        ("print('segfault', file=sys.stderr); sys.exit(139)", "backend"),
        ("os.kill(os.getpid(), 9)", "backend"),
        ("sys.stdout.write('x' * (17 << 20))", "malformed"),
    ],
)
def test_no_answer_is_ever_made_of_a_failure(client, plan, kind):
    """Whatever else comes back is a failure of a kind, never a text."""
    client.plan(plan)
    failed = asked(client)

    assert isinstance(failed, HeadlessFailure)
    assert failed.kind == kind


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            "say('Not logged in · Please run /login', is_error=True); sys.exit(1)",
            "cannot log in.*Not logged in.*/login",
        ),
        ("print('Invalid API key · Please run /login', file=sys.stderr); sys.exit(1)", "cannot log in"),
        ("say('API Error: 401', is_error=True, api_error_status=401); sys.exit(1)", "cannot log in.*401"),
        ("say('Credit balance is too low', is_error=True, api_error_status=400); sys.exit(1)", "cannot pay"),
        ("say('no such model', is_error=True, api_error_status=404); sys.exit(1)", "cannot use that model.*--target"),
        ("print(\"error: unknown option '--bare'\", file=sys.stderr); sys.exit(1)", "cannot be used.*update"),
    ],
)
def test_what_would_fail_every_question_stops_the_night(client, plan, words):
    """No login, no credit, no such model, too old a client: one error with its fix, not a failure per question."""
    client.plan(plan)
    with pytest.raises(NightschoolError, match=words):
        asked(client)


def test_a_login_spoken_of_in_an_answer_is_an_answer(client):
    """What the model says is never taken for the client's own words."""
    client.plan("say('You are not logged in: run /login. Error 401, timed out.')")

    assert asked(client).text.startswith("You are not logged in")


def test_a_verbose_client_is_understood(client):
    """With the user's `verbose` setting the client prints a list of messages; the result is its last."""
    client.plan("""
import io
out, sys.stdout = sys.stdout, io.StringIO()
say('Paris.')
told, sys.stdout = sys.stdout.getvalue(), out
print('warning: something'); print('[{"type": "system"}, ' + told.strip() + ']')
""")

    assert asked(client).text == "Paris."


def test_a_price_that_is_guessed_is_not_known(client):
    """The client makes a price up for a model it does not know; then there is none. Cached tokens count."""
    client.plan("say('x', modelUsage={'m': {'inputTokens': 5, 'cacheReadInputTokens': 7, 'costBasis': 'unknown'}})")
    assert asked(client).cost_usd is None
    assert asked(client).tokens_in == 12

    client.plan("say('x', modelUsage={'m': {'inputTokens': -5, 'outputTokens': 'many'}}, total_cost_usd=float('nan'))")
    reply = asked(client)
    assert (reply.tokens_in, reply.tokens_out, reply.cost_usd) == (0, 0, None)


HANG = """
child = subprocess.Popen(["sleep", "300"])
open(os.path.join(HERE, "child"), "w").write(str(child.pid))
"""


def test_a_client_that_hangs_is_killed_with_its_children(client):
    """At the timeout the whole process group ends, and the call says so."""
    client.plan(HANG + "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)")
    failed = asked(client, timeout=1.5)

    assert failed.kind == "timeout"
    seen = client.seen()
    assert seen["session"] == seen["group"] != os.getpgid(0)
    until(lambda: not psutil.pid_exists(seen["pid"]))
    until(lambda: not psutil.pid_exists(int((client.folder / "child").read_text())))


def test_a_child_the_client_leaves_behind_neither_delays_nor_survives(client):
    """An answer counts at once, although a grandchild holds the output open; the grandchild is ended."""
    client.plan(HANG + "say('Done.')")
    reply = asked(client)

    assert reply.text == "Done."
    assert reply.seconds < 100
    until(lambda: not psutil.pid_exists(int((client.folder / "child").read_text())))


def test_output_without_end_is_cut(client):
    """A client that prints for ever is ended long before its timeout."""
    client.plan("while True: sys.stdout.write('x' * (1 << 20))")
    began = time.monotonic()

    assert asked(client, timeout=120).kind == "malformed"
    assert time.monotonic() - began < 60


ASK = """
import sys
from nightschool_claude_code.headless import Headless
from nightschool.records import HeadlessCall
Headless().ask(HeadlessCall(prompt="x"))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_us(client, how):
    """Interrupted, ended or killed outright in the middle of a call: client and children are gone with us."""
    client.plan(HANG + "time.sleep(300)")
    env = os.environ | {"PATH": f"{client.folder}:/usr/bin:/bin"} | KEY
    ours = subprocess.Popen([sys.executable, "-c", ASK], env=env, stderr=subprocess.DEVNULL)
    until(lambda: (client.folder / "child").exists() and (client.folder / "child").read_text())
    ours.send_signal(how)
    assert ours.wait(20) != 0

    for pid in (client.seen()["pid"], int((client.folder / "child").read_text())):
        until(lambda pid=pid: not psutil.pid_exists(pid))


def test_a_client_that_is_not_there_or_does_not_run(tmp_path):
    """Both are told before anything is asked, with what to do."""
    with pytest.raises(NightschoolError, match=r"not on PATH.*Install"):
        Headless({"PATH": str(tmp_path)}).ready()

    broken = tmp_path / "claude"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(NightschoolError, match="version"):
        Headless({"PATH": str(tmp_path)}).ready()


def test_the_version_is_read(client):
    """`ready` gives the client's version line and asks no model."""
    assert Headless({"PATH": str(client.folder)}).ready() == "9.9.9 (Claude Code)"
    assert client.calls() == []


def test_captured_results_hold_nothing_personal():
    """The fixtures are results of a rehearsed client: no path, key or address of a person."""
    for path in RESULTS.glob("*.json"):
        assert "@" not in json.dumps(json.loads(path.read_text()))
