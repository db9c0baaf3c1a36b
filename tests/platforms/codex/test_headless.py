"""The client as a model: asked alone, read exactly, and gone afterwards, whatever it does."""

import os
import time
import tomllib
from pathlib import Path

import psutil
import pytest
from tests.support.fake_codex import FakeCodex

from nightschool.errors import NightschoolError
from nightschool.records import HeadlessCall, HeadlessFailure
from nightschool_codex.headless import Headless

SETTINGS = """\
model = "fake-model"
model_provider = "mine"
approval_policy = "never"
notify = ["mine"]

[model_providers.mine]
base_url = "http://127.0.0.1:9/v1"
env_key = "MY_KEY"
env_http_headers = { X = "MY_HEADER" }

[model_providers.other]
env_key = "OTHER_KEY"

[mcp_servers.mine]
command = "mine"
"""


@pytest.fixture
def client(tmp_path):
    """Return a stand-in for the client."""
    return FakeCodex(tmp_path / "bin")


@pytest.fixture
def users(tmp_path):
    """Return the client's home of the user's: settings, a login, rules and history."""
    folder = tmp_path / "user-home" / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(SETTINGS)
    (folder / "auth.json").write_text("{}")
    (folder / "AGENTS.md").write_text("RULE")
    return folder


def asked(client, prompt="x", environ=None, **call):
    """Ask through the stand-in."""
    env = {"PATH": f"{client.folder}:/usr/bin:/bin", "HOME": os.environ["HOME"]} | (environ or {})
    return Headless(env).ask(HeadlessCall(prompt=prompt, **call))


def until(true, seconds=20):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def test_the_client_is_asked_alone(client, users):
    """A home of its own with the user's way to the model and nothing else; texts in private files, never in argv."""
    keys = {"MY_KEY": "k", "MY_HEADER": "h", "OTHER_KEY": "o", "AWS_SECRET_ACCESS_KEY": "s"}
    reply = asked(client, "what is $sleep?", keys, system="be brief", model="m-1")
    seen = client.seen()
    assert (reply.text, reply.model, reply.tokens_in, reply.tokens_out, reply.cost_usd) == (
        "Hello.",
        "m-1",
        12,
        3,
        None,
    )
    assert (seen["prompt"], seen["system"]) == ("what is $sleep?", "be brief")
    assert not {"what is $sleep?", "be brief"} & set(seen["argv"])
    assert {"--ephemeral", "--json", "read-only"} <= set(seen["argv"])
    assert (seen["in_cwd"], seen["mode"]) == ([], 0o700)
    assert seen["env"]["HOME"] != os.environ["HOME"]
    assert seen["env"]["MY_KEY"] + seen["env"]["MY_HEADER"] == "kh"
    assert not {"OTHER_KEY", "AWS_SECRET_ACCESS_KEY"} & set(seen["env"])
    told = tomllib.loads(seen["config"])
    assert told["model"] == "m-1"
    assert set(told["model_providers"]) == {"mine"}
    assert told["model_providers"]["mine"]["request_max_retries"] == 0
    assert not {"mcp_servers", "notify", "approval_policy"} & set(told)
    assert told["features"]["hooks"] is told["features"]["shell_tool"] is False
    assert seen["login"] == str(users / "auth.json")
    assert not Path(seen["cwd"]).exists(), "nothing of a question is left"
    assert sorted(path.name for path in users.iterdir()) == ["AGENTS.md", "auth.json", "config.toml"]


def test_without_settings_and_with_another_home(client, tmp_path):
    """No settings, no login and no system text are fine; CODEX_HOME is where the user's are looked up."""
    assert asked(client).text == "Hello."
    assert client.seen()["login"] is None
    assert client.seen()["system"].strip()
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.toml").write_text('model = "theirs"\n')
    assert asked(client, environ={"CODEX_HOME": str(other)}).model == "theirs"


def test_the_last_message_counts_and_warnings_are_no_failure(client):
    """Of several messages the last is the answer; an item of type error is a warning."""
    client.plan("show('item.completed', item={'type': 'error', 'message': 'careful'}); say('One.'); say('Two.')")

    assert asked(client).text == "Two."


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        ("fail('exceeded retry limit, last status: 429 Too Many Requests')", "rate-limit"),
        ("fail('You have hit your usage limit. Try again at 9 PM.')", "rate-limit"),
        ("fail('unexpected status 503 Service Unavailable: x')", "unavailable"),
        ("fail('We are currently experiencing high demand')", "unavailable"),
        ("fail('stream disconnected before completion: error sending request for url')", "unavailable"),
        ("fail('unexpected status 504 Gateway Timeout')", "timeout"),
        ("fail('request timed out')", "timeout"),
        ("fail('this content was flagged')", "refused"),
        ("fail('something else')", "backend"),
        ("say(' \\n')", "empty"),
        ("show('turn.completed', usage=None)", "empty"),
        ("say({'error': 'overloaded'})", "empty"),
        ("pass", "malformed"),
        ("print('<html>garbage'); print('[' * 100000); print('7')", "backend"),
        ("say('half'); sys.exit(3)", "backend"),
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


def test_an_empty_answer_has_cost_what_was_told(client):
    """What the client counted is told, so that a budget knows it."""
    client.plan("say('', input_tokens=7000)")
    failed = asked(client)

    assert (failed.kind, failed.tokens_in, failed.tokens_out) == ("empty", 7000, 3)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("fail('unexpected status 401 Unauthorized: x')", "cannot log in.*codex login"),
        ("fail('Missing environment variable: `MY_KEY`.')", "cannot log in"),
        ("print('Not logged in', file=sys.stderr); sys.exit(1)", "cannot log in"),
        ("fail('Your access token could not be refreshed because your refresh token was revoked.')", "cannot log in"),
        ("fail('Quota exceeded. Check your plan and billing details.')", "cannot pay"),
        ("fail('unexpected status 404 Not Found: x')", "cannot use that model.*--target"),
        ("fail('The model `m` does not exist')", "cannot use that model"),
        (
            "print(\"error: unexpected argument '--ephemeral' found\", file=sys.stderr); sys.exit(2)",
            "cannot be used.*npm",
        ),
    ],
)
def test_what_would_fail_every_question_stops_the_night(client, plan, words):
    """No login, no credit, no such model, too old a client: one error with its fix, not a failure per question."""
    client.plan(plan)
    with pytest.raises(NightschoolError, match=words):
        asked(client)


def test_a_login_spoken_of_in_an_answer_is_an_answer(client):
    """What the model says is never taken for the client's own words."""
    client.plan("say('You are not logged in: run codex login. status 401, timed out.')")

    assert asked(client).text.startswith("You are not logged in")


def test_a_client_that_hangs_is_killed_with_its_children(client):
    """At the timeout the whole process group ends, and the call says so."""
    client.plan("""
import signal
child = subprocess.Popen(["sleep", "300"])
open(os.path.join(HERE, "child"), "w").write(str(child.pid))
signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)
""")
    failed = asked(client, timeout=3)

    assert failed.kind == "timeout"
    assert client.seen()["session"] == client.seen()["group"] != os.getpgid(0)
    until(lambda: not psutil.pid_exists(client.seen()["pid"]))
    until(lambda: not psutil.pid_exists(int((client.folder / "child").read_text())))


def test_a_client_that_is_not_there_or_does_not_run(client, tmp_path):
    """Both are told before anything is asked, with what to do; `ready` tells the version of one that runs."""
    assert Headless({"PATH": str(client.folder)}).ready() == "codex-cli 9.9.9"
    with pytest.raises(NightschoolError, match=r"not on PATH.*Install"):
        Headless({"PATH": str(tmp_path)}).ready()
    (tmp_path / "codex").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "codex").chmod(0o755)
    with pytest.raises(NightschoolError, match="version"):
        Headless({"PATH": str(tmp_path)}).ready()
