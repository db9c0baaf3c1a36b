"""A user without luck: one clear line each, exit 1, nothing lost, and the same command goes on when the luck is back."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.conftest import World
from tests.e2e.test_faults import NIGHTSCHOOL, few
from tests.support.faults import CAN, WHY_NOT, Faulty
from tests.support.poison import FORMATS, session

NOBODY = 65534
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv") is not None
VERBS = (
    ("run",), ("harvest",), ("status",), ("report",), ("adopt",), ("undo",), ("mine",), ("brief",), ("audit",),
    ("queue", "add", "why?"), ("config", "mine.min_sessions", "3"), ("search", "limit"), ("drain",),
)  # fmt: skip
injected = pytest.mark.skipif(not CAN, reason=WHY_NOT)
as_root = pytest.mark.skipif(not ROOT, reason="to be another user one has to be root, with setpriv")


def one_line(done):
    """Check that a command that failed said so in one clear line with a next step, and no traceback."""
    err = done.stderr.decode()
    told = [line for line in err.splitlines() if line.startswith("nightschool:")]
    assert done.returncode in {0, 1}, err
    assert "Traceback" not in err
    assert "fault of ours" not in err
    if done.returncode:
        assert len(told) == 1, err
        assert len(told[0]) > 30
    return told


@pytest.fixture
def slept(world, tmp_path_factory):
    """Return a world with a night and one more session, as something that can be put back."""
    few(world, 4)
    world.run("run")
    world.session(("write a SQL query for the boats", "SELECT 1;"), ("no, always end the query with LIMIT 100", "ok"))
    made = Faulty(world.root, tmp_path_factory.mktemp("kept") / "world", world.environment(), world.project)
    made.keep()
    return made


@injected
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["readonly", "locks"])
def test_a_home_that_takes_nothing(world, slept, mode):
    """Read-only, or on a file system whose locks fail: nothing changes but indexes, and afterwards all goes on."""
    before, failed = world.bytes(), {}
    for words in VERBS:
        done, _ = slept.run([*NIGHTSCHOOL, *words], mode)
        if told := one_line(done):
            failed[words[0]] = told[0]
    assert "run" in failed
    assert mode != "locks" or "point NIGHTSCHOOL_HOME at" in failed["run"]
    after = world.bytes()
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == set() if mode == "readonly" else not any("proposal" in name for name in changed)
    world.run("run")
    assert world.json("report")["rules"]


@as_root
def test_another_user_reads_nothing(world):
    """On one machine a second user gets at no byte of a home, whatever way they ask."""
    few(world, 2)
    world.run("run")
    for folder in (world.root, *world.root.parents):  # let them as far as the home itself
        if folder != Path("/") and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    seen = subprocess.run([*other, "find", str(world.home)], capture_output=True, text=True, check=False)
    assert [line for line in seen.stdout.splitlines() if line != str(world.home)] == []
    files = [str(path) for path in world.home.rglob("*") if path.is_file()]
    read = subprocess.run([*other, "cat", *files], capture_output=True, check=False)
    assert read.stdout == b""
    env = world.environment() | {"PYTHONDONTWRITEBYTECODE": "1"}
    for verb in ("status", "report", "run"):
        done = subprocess.run([*other, *NIGHTSCHOOL, verb], cwd="/tmp", env=env, capture_output=True, check=False)
        if b"No module named" in done.stderr or b"Permission denied: '/root" in done.stderr:
            pytest.skip("another user cannot read this interpreter")
        assert done.returncode == 1, done.stdout
        assert len(one_line(done)) == 1


@as_root
def test_root_leaves_nothing_in_another_users_home():
    """After `sudo` with the HOME of a user, root refuses: the user could not read what it would leave there."""
    folder = Path(tempfile.mkdtemp(prefix="nightschool-user-"))
    try:
        world = World(folder)
        world.project.mkdir(parents=True)
        for path in (folder, world.user_home, world.project):
            os.chown(path, NOBODY, NOBODY)
        for home in (world.home, world.user_home / ".nightschool"):
            world.env = {"NIGHTSCHOOL_HOME": str(home)}
            for words in VERBS:
                _, err = world.run(*words, code=1)
                assert "you are root, and this is another user's home" in err
                assert err.count("\n") == 1
            assert not home.exists()
        assert "usage" in world.run("run", "--help")[0]
    finally:
        shutil.rmtree(folder)


CLOCK = """
import datetime, sys, time
AHEAD = {seconds}
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=AHEAD)
import nightschool.clock
nightschool.clock.datetime = Shifted
real = time.time
time.time = lambda: real() + AHEAD
from nightschool.cli import main
sys.exit(main())
"""


def at(world, days, *words):
    """Run the command with the machine's clock off by so many days."""
    program = CLOCK.format(seconds=days * 86400)
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=world.project,
        env=world.environment(),
        capture_output=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("days", [-366, 366])
def test_the_clock_jumps_by_a_year(world, days):
    """Forwards or backwards, and back again: every night runs, no session is lost or counted twice, adopt and undo hold."""
    few(world, 4)
    world.run("run")
    rules = {rule["edit"]["text"] for rule in world.json("report")["rules"]}
    world.session(("write a SQL query for the boats", "SELECT 1;"), ("no, always end the query with LIMIT 100", "ok"))
    for words in (("run",), ("status",), ("brief",), ("audit",), ("report",), ("doctor",)):
        done = at(world, days, *words)
        assert done.returncode == 0 or words == ("doctor",), done.stderr
        one_line(done)
    rule = world.json("report")["rules"][0]["edit"]
    assert at(world, days, "adopt", "--rule", rule["id"]).returncode == 0
    assert rule["text"] in (world.project / "CLAUDE.md").read_text()
    world.run("undo")
    assert not (world.project / "CLAUDE.md").exists()
    world.session(("write a SQL query for the trains", "SELECT 1;"), ("no, always end the query with LIMIT 100", "ok"))
    told = world.json("run")
    assert told["night"]["funnel"]["sessions"] == world.held
    assert rules & {rule["edit"]["text"] for rule in told["rules"]}


@pytest.mark.parametrize("platform", FORMATS)
def test_a_leap_second_and_a_changed_hour(world, platform):
    """A prompt at 23:59:60, and others in the hour that comes twice: all are heard, at their time and in their order."""
    prompts = [f"write a SQL query for table {number}" for number in range(6)]
    made = session(world.user_home, platform, world.project, [(prompt, []) for prompt in prompts])
    text = made.path.read_text()
    stamps = ["2026-10-25T02:30:00+02:00", "2026-10-25T02:10:00+01:00", "2026-10-25T02:50:00+01:00",
              "2026-12-31T23:59:59.900Z", "2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"]  # fmt: skip
    for number, stamp in enumerate(stamps):
        for second in (0, 1):
            old = datetime(2026, 9, 1, 8, number, second, tzinfo=UTC).isoformat()
            for form in (old, old.replace("+00:00", "Z")):
                text = text.replace(form, stamp)
    made.path.write_text(text)
    world.env["TZ"] = "Europe/Berlin"
    world.run("harvest")
    (kept,) = [json.loads(path.read_text()) for path in (world.home / "sessions").rglob("*.json")]
    assert [turn["prompt"] for turn in kept["turns"]] == prompts
    times = [datetime.fromisoformat(turn["at"]) for turn in kept["turns"]]
    assert times[4] - times[3] < timedelta(seconds=1)
    assert times[:3] == sorted(times[:3])
    assert times[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert not kept.get("skipped")


@pytest.mark.parametrize("words", [("status", "--json"), ("run",)])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_the_null_device(world, words, closed):
    """Started without stdin, stdout or stderr, as some schedulers do, a verb does its work, and nothing lands elsewhere."""
    few(world, 2)
    line = shlex.join([*NIGHTSCHOOL, *words])
    done = subprocess.run(
        ["sh", "-c", f"exec {line} {closed}"],
        cwd=world.project,
        env=world.environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (world.home / "crash").exists()
    assert bool(done.stdout) is (">&-" not in closed.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="nothing here is always full")
@pytest.mark.parametrize("words", [("status",), ("adopt",), ("--help",)])
def test_a_stdout_that_takes_nothing_is_told_once(world, words):
    """Full, it ends with one line and exit 1 where an answer was due; Python has nothing to add."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*NIGHTSCHOOL, *words],
            cwd=world.project,
            env=world.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert len(done.stderr.splitlines()) == done.returncode == (not {"--help"} & {*words}), done.stderr


@pytest.mark.parametrize("name", [b"caf\xe9", b"\xff\xfe"])
def test_a_path_that_is_no_text(world, name):
    """A transcript whose path is not UTF-8 is named and stops nobody else; such a project is refused in one line."""
    few(world, 3)
    (folder,) = (world.user_home / ".claude" / "projects").iterdir()
    odd = Path(os.fsdecode(os.fsencode(folder.parent) + b"/" + name))
    shutil.copytree(folder, odd)
    next(odd.iterdir()).rename(odd / "00000000-0000-4000-8000-00000000abcd.jsonl")
    told = world.json("run")["night"]["funnel"]
    assert (told["sessions"], len(told["broken"])) == (3, 1)
    assert "not UTF-8" in next(iter(told["broken"].values()))

    project = Path(os.fsdecode(os.fsencode(world.user_home) + b"/" + name))
    project.mkdir()
    for words in (("run",), ("harvest",), ("mine",), ("schedule", "--dry-run")):
        (told,) = one_line(
            subprocess.run(
                [*NIGHTSCHOOL, *words], cwd=project, env=world.environment(), capture_output=True, check=False
            )
        )
        assert "the project's path is not UTF-8" in told
    world.run("run")


@pytest.mark.parametrize("words", [("run",), ("status",), ("adopt",), ("brief",)])
def test_a_directory_that_is_gone_is_named_as_such(world, words):
    """In a project that was removed under the shell's feet a verb says so, and does nothing."""
    line = f"rmdir {shlex.quote(str(world.project))} && exec {shlex.join([*NIGHTSCHOOL, *words])}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=world.project, env=world.environment(), capture_output=True, check=False
    )
    assert "the directory you are in is gone" in one_line(done)[0]
    assert not world.home.exists()
