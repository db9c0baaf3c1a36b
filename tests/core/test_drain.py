"""Spool to journal to sessions."""

import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from tests.core.conftest import AT, TOY

from nightschool import files, hookimpl
from nightschool.clock import FixedClock
from nightschool.config import Audit
from nightschool.day import arms, journal, spool
from nightschool.day import drain as room
from nightschool.day.find import Finder
from nightschool.errors import NightschoolError
from nightschool.events import Event, Moment


def transcript(tmp_path, *turns, sid="s1"):
    """Write a transcript of the toy."""
    (tmp_path / f"{sid}.jsonl").write_text("\n".join(json.dumps(turn) for turn in turns) + "\n")


def calls(outcomes):
    """Make a turn from a string: `x` a failed call, anything else a good one."""
    return {"prompt": "go", "calls": [{"failed": one == "x", "input": f"step {n}"} for n, one in enumerate(outcomes)]}


def rejected(home):
    """Read what is told of payloads that were thrown away."""
    return [json.loads(line) for line in files.read_lines(home.root / "rejected.jsonl")]


def test_each_payload_becomes_an_event_oldest_first(home, drain, tell, tmp_path):
    """The spool is empty afterwards, and the journal tells the events in the order they happened."""
    tell("session_end", at=AT + timedelta(seconds=2))
    tell("session_start", at=AT)
    tell("turn_end", at=AT + timedelta(seconds=1))

    done = drain()

    events = list(journal.read_events(home))
    assert [event.moment for event in events] == ["session_start", "turn_end", "session_end"]
    assert [event.at for event in events] == [AT + timedelta(seconds=n) for n in range(3)]
    assert (events[0].platform, events[0].session_id) == ("toy", "s1")
    assert (events[0].transcript, events[0].project) == (str(tmp_path / "s1.jsonl"), str(tmp_path))
    assert done.events == events
    assert list(home.spool.iterdir()) == []


def test_an_empty_or_missing_spool_is_no_work(home, drain):
    """Nothing is spooled: nothing is journaled and nothing fails, also the second time."""
    assert drain() == drain() == room.Drained()
    assert not home.journal.exists()


def test_a_payload_that_is_fired_twice_is_one_event(home, drain, tell):
    """Identical payloads within a minute are one event, in one drain or in two; an hour later they are another."""
    tell()
    tell(at=AT + timedelta(seconds=3))
    assert (len(drain().events), drain().again) == (1, 0)
    tell(at=AT + timedelta(seconds=50))
    assert drain().again == 1
    tell(at=AT + timedelta(hours=1))

    assert len(drain().events) == 1
    assert len(list(journal.read_events(home))) == 2


def test_a_crash_between_journal_and_deletion_doubles_nothing(home, drain, tell, monkeypatch):
    """A payload whose file outlived its journal line is the same event when it is drained again."""
    tell()
    with monkeypatch.context() as crash:

        def dies(*_, **__):
            raise KeyboardInterrupt

        crash.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            drain()
    assert len(list(home.spool.iterdir())) == 1

    done = drain()

    assert (done.again, done.events) == (1, [])
    assert len(list(journal.read_events(home))) == 1
    assert list(home.spool.iterdir()) == []


def test_each_session_is_read_on_once_a_drain(drain, tell, toy, tmp_path):
    """Many hints at one session cost one reading; a start is no hint; two sessions are two."""
    transcript(tmp_path, calls("."))
    transcript(tmp_path, calls("."), sid="s2")
    for n, moment in enumerate(["session_start", "turn_end", "tool_failure", "compaction", "session_end"]):
        tell(moment, at=AT + timedelta(seconds=n))
    tell("turn_end", "s2")
    tell("session_start", "s3")
    platform = toy.Toy()

    done = drain(platform)

    assert Counter(platform.reads) == {"s1": 1, "s2": 1}
    assert (done.sessions, done.failed) == (2, {})


def test_the_latest_hint_says_where_the_transcript_is(drain, tell, toy, tmp_path):
    """A client that moves a transcript tells the new place last; that one is read."""
    (tmp_path / "new.jsonl").write_text(json.dumps(calls(".")) + "\n")
    tell("turn_end", at=AT, file=str(tmp_path / "old.jsonl"))
    tell("session_end", at=AT + timedelta(seconds=1), file=str(tmp_path / "new.jsonl"))

    assert drain().sessions == 1


@pytest.mark.parametrize(
    "bad",
    [
        ("toy.turn_end.1.json", b"", "JSONDecodeError"),
        ("toy.turn_end.1.json", b"{", "JSONDecodeError"),
        ("toy.turn_end.1.json", b"\xff\xfe\0", "UnicodeDecodeError"),
        ("toy.turn_end.1.json", b"[" * 200_000, "RecursionError"),
        ("toy.turn_end.1.json", b"[]", "TypeError"),
        ("toy.turn_end.1.json", b'{"sid": "../../evil"}', "ValidationError"),
        ("toy.turn_end.1.json", b'{"sid": 7}', "ValidationError"),
        ("toy.turn_end.1.json", b'{"no": "sid"}', "KeyError"),
        ("toy.dance.1.json", b'{"sid": "s1"}', "no moment"),
        ("toy.error_spike.1.json", b'{"sid": "s1"}', "no moment"),
        ("toy.night.1.json", b'{"sid": "s1"}', "no moment"),
        ("notes.json", b"secret", "not a name"),
        ("toy.turn_end.1.json", b" " * (spool.MAX_PAYLOAD + 1), "over 16777216 bytes"),
    ],
)
def test_what_cannot_be_read_is_thrown_away_and_named(home, drain, tell, bad):
    """A bad payload is deleted, only its name and the reason are kept, and its neighbours are drained."""
    name, data, reason = bad
    home.spool.mkdir(parents=True)
    (home.spool / name).write_bytes(data)
    tell(sid="good")

    done = drain()

    assert done.rejected == 1
    assert [event.session_id for event in journal.read_events(home)] == ["good"]
    assert list(home.spool.iterdir()) == []
    (line,) = rejected(home)
    assert line["name"] == name
    assert reason in line["reason"]
    assert stat.S_IMODE((home.root / "rejected.jsonl").stat().st_mode) == 0o600


def test_nothing_of_a_rejected_payload_is_kept(home, drain, tell):
    """Secrets in a payload that cannot be read are on no disk afterwards."""
    tell(data=b'{"sid": "a/b", "token": "sk-ant-canary"}')
    tell(data=b'{"token": "sk-ant-canary"')

    assert drain().rejected == 2

    kept = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    assert b"canary" not in kept


def test_payloads_wait_for_a_platform_that_is_not_installed(home, drain, tell, toy):
    """They stay as they are until their platform can read them."""
    path = tell(platform="later")
    before = path.read_bytes()
    done = drain()
    assert (done.held, done.events, path.read_bytes()) == (1, [], before)

    later = toy.Toy()
    later.name = "later"
    done = drain(later)

    assert ([event.platform for event in done.events], done.held) == (["later"], 0)
    assert list(home.spool.iterdir()) == []


def test_a_platform_without_payloads_lets_them_wait(drain, tell):
    """A platform that cannot read payloads at all does not lose those that bear its name."""

    class Mute:
        name, title = "toy", "Mute"

    tell()

    assert drain(Mute()).held == 1


def test_waiting_payloads_are_bounded(home, drain, tell, monkeypatch):
    """Of those that wait the oldest go when there are too many, so that they never fill the spool."""
    monkeypatch.setattr(room, "HELD", 3)
    paths = [tell(platform="later", at=AT + timedelta(seconds=n)) for n in range(5)]

    done = drain()

    assert (done.held, done.rejected) == (3, 2)
    assert sorted(home.spool.iterdir()) == paths[2:]


def test_a_platform_that_fails_stops_nobody_else(home, drain, tell, toy, tmp_path):
    """A transcript that makes its platform raise is named with a redacted reason; the next session is read."""

    class Bad(toy.Toy):
        name = "bad"

        @toy.hookimpl
        def on_session_end(self):
            raise ValueError("near hunter2\nin line 3")

    transcript(tmp_path, calls("."))
    tell(platform="bad", sid="b1")
    tell(at=AT + timedelta(seconds=1))

    done = drain(Bad(), toy.Toy(), redact=lambda text: text.replace("hunter2", "[REDACTED]"))

    assert done.sessions == 1
    assert done.failed == {"bad/b1": "ValueError: near [REDACTED] in line 3"}


@pytest.mark.parametrize("at_payload", [True, False])
def test_a_platform_that_would_end_the_process_stops_nobody_else(drain, tell, toy, tmp_path, at_payload):
    """SystemExit over a payload or a transcript is its own fault: the payload goes, and the next session is read."""

    class Ends(toy.Toy):
        name = "ends"

        def read_payload(self, moment, data):
            return sys.exit(3) if at_payload else super().read_payload(moment, data)

        @toy.hookimpl
        def on_session_end(self):
            sys.exit(3)

    transcript(tmp_path, calls("."))
    tell(platform="ends", sid="e1")
    tell(at=AT + timedelta(seconds=1))

    done = drain(Ends(), toy.Toy())

    assert (done.sessions, done.rejected, list(done.failed)) == (1, int(at_payload), [] if at_payload else ["ends/e1"])


def test_a_spike_is_told_once_an_episode(home, drain, tell, tmp_path):
    """An error spike becomes one event with the turns behind it; reading the session again finds the same one."""
    transcript(tmp_path, calls("x"), calls(".."), calls("xx"))
    tell("tool_failure")
    done = drain()
    ((event, turns),) = done.spikes
    assert (event.moment, event.session_id, turns) == (Moment.ERROR_SPIKE, "s1", [0, 2])

    transcript(tmp_path, calls("x"), calls(".."), calls("xx"), calls("x"))
    tell("turn_end", at=AT + timedelta(minutes=5))
    assert drain().spikes == []

    transcript(tmp_path, calls("x"), calls(".."), calls("xx"), calls("x" + "." * 20), calls("xxx"))
    tell("turn_end", at=AT + timedelta(minutes=10))
    assert len(drain().spikes) == 1
    spikes = [one for one in journal.read_events(home) if one.moment == Moment.ERROR_SPIKE]
    assert len({one.id for one in spikes}) == 2


def test_a_result_that_comes_late_does_not_tell_a_spike_twice(drain, tell, tmp_path):
    """When an early call turns out to have failed, the episode begins earlier; it is still the same episode."""
    transcript(tmp_path, calls(".xx.x"))
    tell()
    assert len(drain().spikes) == 1
    transcript(tmp_path, calls("xxx.x"))
    tell(at=AT + timedelta(minutes=5))

    assert drain().spikes == []


def test_failures_of_two_sessions_are_no_spike(drain, tell, tmp_path):
    """Two failures in one session and one in another do not add up."""
    transcript(tmp_path, calls("xx"))
    transcript(tmp_path, calls("x"), sid="s2")
    tell()
    tell(sid="s2")

    done = drain()

    assert (done.sessions, done.spikes) == (2, [])


def test_our_own_sessions_show_nothing(drain, tell, toy, tmp_path):
    """A session that Nightschool started itself makes no spike."""

    class Own(toy.Toy):
        @toy.hookimpl
        def on_session_end(self, event):
            return toy.Toy.on_session_end(self, event).model_copy(update={"own": True})

    transcript(tmp_path, calls("xxx"))
    tell()

    assert drain(Own()).spikes == []


def test_milestones_are_what_git_has_of_a_session(home, drain, tell, tmp_path, monkeypatch):
    """A commit made in a turn that ran git becomes one event, named by its SHA, however often it is drained."""
    project = tmp_path / "project"
    project.mkdir()

    def git(*argv, minute=0):
        when = (AT + timedelta(minutes=minute)).isoformat()
        who = {f"GIT_{role}_{part}": "t@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        env = os.environ | who | {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        subprocess.run(["git", *argv], cwd=project, env=env, check=True, capture_output=True)

    def turn(minute, command):
        at = (AT + timedelta(minutes=minute)).isoformat()
        return {"prompt": "go", "at": at, "calls": [{"input": command, "failed": False}]}

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "feat: before the session", minute=-9)
    git("commit", "-q", "--allow-empty", "-m", "feat: wanted", minute=-4)
    git("commit", "-q", "--allow-empty", "-m", "feat: by hand in between", minute=-2)
    transcript(tmp_path, turn(-5, "git commit -F message"), turn(-3, "ls"), turn(-1, "git log --grep 'feat: other'"))
    tell(dir=str(project))

    ((event, commit),) = drain().milestones

    assert (event.moment, event.id, event.at) == (Moment.MILESTONE_COMMIT, f"commit-{commit.sha}", commit.at)
    assert (commit.subject, event.project) == ("feat: wanted", str(project))
    tell(dir=str(project), at=AT + timedelta(minutes=5))
    assert drain().milestones == []
    assert [one.moment for one in journal.read_events(home)].count(Moment.MILESTONE_COMMIT) == 1


def test_a_session_without_a_repository_has_no_milestone(drain, tell, tmp_path):
    """A project that is gone, relative or no repository is no failure."""
    for n, project in enumerate([str(tmp_path / "gone"), ".", "", str(tmp_path)]):
        transcript(tmp_path, {"prompt": "go", "calls": [{"input": "git commit", "failed": False}]}, sid=f"s{n}")
        tell(sid=f"s{n}", dir=project)

    done = drain()

    assert (done.sessions, done.milestones, done.failed) == (4, [], {})


def test_the_mark_is_gone_before_the_last_look(home, drain, tell, toy, tmp_path):
    """A payload that arrives while a drain works is drained by it; the mark of the hooks is removed."""
    transcript(tmp_path, calls("."))
    tell()
    mark = home.spool / ".draining"
    mark.mkdir()

    class Busy(toy.Toy):
        def read_payload(self, moment, data):
            if not self.reads:
                self.reads.append("late")
                assert mark.exists()
                tell(sid="late")
            return toy.Toy.read_payload(self, moment, data)

    done = drain(Busy())

    assert [event.session_id for event in done.events] == ["s1", "late"]
    assert list(home.spool.iterdir()) == []


def test_one_drain_at_a_time(home, drain, tell):
    """While one drain is at work another ends at once with a clear line and touches nothing."""
    path = tell()
    with files.single_flight(home.drain_lock, "draining the spool"), pytest.raises(NightschoolError, match="at work"):
        drain()
    assert path.exists()
    assert not home.journal.exists()

    assert len(drain().events) == 1


def test_a_journal_that_cannot_be_read_loses_no_payload(home, drain, tell):
    """Without a journal to look into nothing is drained, and the reason is told."""
    path = tell()
    home.journal.mkdir(parents=True)

    with pytest.raises(NightschoolError, match="cannot read the journal"):
        drain()

    assert path.exists()


def child(home, *lines):
    """Start a process that drains `home` with the toy after running `lines`."""
    code = "\n".join(
        [
            "import os, sys, time, signal",
            "from pathlib import Path",
            "import nightschool_toy as toy",
            "from nightschool.clock import SystemClock",
            "from nightschool.day import drain, journal",
            "from nightschool.errors import NightschoolError",
            "from nightschool.paths import Home",
            f"home = Home(Path({str(home.root)!r}))",
            *lines,
            "try:",
            "    done = drain.drain(home, toy.platforms(), clock=SystemClock(), redact=str)",
            "    print(len(done.events))",
            "except NightschoolError:",
            "    print('stopped')",
        ]
    )
    path = os.pathsep.join([str(TOY), *filter(None, sys.path)])
    env = os.environ | {"PYTHONPATH": path}
    return subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True)


def test_a_disk_that_fills_up_loses_no_payload(home, drain, tell):
    """A journal line that the disk took only half leaves its payload in the spool; the next drain journals it whole."""
    path = tell()
    process = child(home, "import resource", "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))")
    assert process.communicate()[0] == "stopped\n"
    assert len(home.journal.read_bytes()) == 100
    assert path.exists()

    assert len(drain().events) == 1
    skipped = Counter()
    assert len(list(journal.read_events(home, skipped))) == 1
    assert skipped == {"journal": 1}


@pytest.mark.parametrize(("kills", "together"), [((3, 1, 5), 1), ((1, 1, 1), 1), ((1, 2, 1), 5), ((1, 2, 2), 2)])
def test_killed_drains_lose_and_double_nothing(home, drain, tell, tmp_path, kills, together):
    """Drains killed by SIGKILL right after lines came into the journal leave a spool from which the next finishes the work."""
    transcript(tmp_path, calls("."))
    for n in range(12):
        tell(at=AT + timedelta(minutes=2 * n))
    for after in kills:
        process = child(
            home,
            f"drain.TOGETHER = {together}",
            "append, count = journal.append, [0]",
            "def dies(*what):",
            "    append(*what)",
            "    count[0] += 1",
            f"    count[0] < {after} or os.kill(os.getpid(), signal.SIGKILL)",
            "journal.append = dies",
        )
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    done = drain()

    ids = [event.id for event in journal.read_events(home)]
    assert (len(ids), len(set(ids))) == (12, 12)
    assert done.again == together
    assert list(home.spool.iterdir()) == []


def test_a_terminated_drain_leaves_the_rest_for_the_next(home, drain, tell):
    """SIGTERM ends a drain at once; nothing is lost and its lock is free."""
    for n in range(5):
        tell(at=AT + timedelta(minutes=2 * n))
    process = child(
        home,
        "append = journal.append",
        "def slow(*what):",
        "    append(*what)",
        "    print('one', flush=True)",
        "    time.sleep(60)",
        "journal.append = slow",
    )
    assert process.stdout.readline() == "one\n"
    process.terminate()
    process.communicate()

    drain()

    assert len({event.id for event in journal.read_events(home)}) == len(list(journal.read_events(home))) == 5
    assert list(home.spool.iterdir()) == []


def test_two_drains_at_once_do_the_work_once(home, tell):
    """Of drains that start together each event is journaled by exactly one, and none is left."""
    for n in range(40):
        tell(at=AT + timedelta(minutes=2 * n))
    processes = [child(home, f"time.sleep(max(0, {time.time() + 0.8} - time.time()))") for _ in range(3)]
    told = [process.communicate()[0].strip() for process in processes]

    assert sum(int(one) for one in told if one != "stopped") == 40
    ids = [event.id for event in journal.read_events(home)]
    assert (len(ids), len(set(ids))) == (40, 40)


def test_what_a_session_drew_is_put_down_when_its_start_is_filed(home, drain, tell):
    """Once or again, also when the event was journaled by a drain that died right after; only a start draws."""
    for moment, arm in (("session_start", "a1"), ("session_start", "a0"), ("turn_end", "a1")):
        path = tell(moment, sid="s1")
        path.rename(path.with_name(path.name.removesuffix(".json") + f"-f0123456789-{arm}.json"))
    tell("session_start", sid="s2", at=AT + timedelta(hours=1))
    drain()

    (arm,) = arms.drawn(home, "f0123456789")
    assert (arm.platform, arm.session, arm.given, arm.at) == ("toy", "s1", True, AT)
    assert list(home.spool.iterdir()) == []
    (home.field / arms.FILE).unlink()
    path = tell("session_start", sid="s1")
    path.rename(path.with_name(path.name.removesuffix(".json") + "-f0123456789-a0.json"))
    assert drain().again == 1
    assert [one.given for one in arms.drawn(home, "f0123456789")] == [False]


def test_a_drain_that_lingers_takes_what_comes(home, drain, tell):
    """What comes while a drain lingers is journaled by it; then it ends, and its mark is gone."""
    tell()
    home.spool.joinpath(".draining").mkdir()
    late = threading.Timer(0.4, tell, kwargs={"at": AT + timedelta(minutes=5)})
    late.start()
    done = drain(linger=1.5)
    late.join()
    assert len(done.events) == 2
    assert not home.spool.joinpath(".draining").exists()


def test_a_drain_lets_others_have_their_turn(home, drain, tell, monkeypatch):
    """Where there is always more it ends all the same, without its mark: the next hook starts another."""
    monkeypatch.setattr("nightschool.day.drain.LIFE", 0.5)
    stop, count = threading.Event(), itertools.count(1)

    def busy():
        while not stop.wait(0.05):
            tell(at=AT + timedelta(minutes=2 * next(count)))

    agents = threading.Thread(target=busy)
    agents.start()
    tell()
    done = drain(linger=1)
    stop.set()
    agents.join()
    assert done.events
    assert not home.spool.joinpath(".draining").exists()


def test_a_drain_whose_time_ends_within_a_batch_leaves_no_mark(home, drain, tell, toy, monkeypatch):
    """Its time is over while it works on what it has taken: the mark goes all the same, or nobody drains for minutes."""
    monkeypatch.setattr("nightschool.day.drain.LIFE", 0.3)

    class Slow(toy.Toy):
        def read_payload(self, moment, data):
            time.sleep(0.5)
            return super().read_payload(moment, data)

    tell()
    home.spool.joinpath(".draining").mkdir()
    done = drain(Slow(), linger=1)
    assert len(done.events) == 1
    assert not home.spool.joinpath(".draining").exists()


def test_what_a_client_writes_after_its_hook_ran_is_read(home, drain, tell, toy, tmp_path):
    """A transcript that grows, or comes to be, while the drain lingers is read on before it ends: the spike is found."""
    transcript(tmp_path, calls("x"))
    tell("session_end")
    tell("session_end", "s2")
    platform = toy.Toy()

    def write():
        transcript(tmp_path, calls("xxx"))
        transcript(tmp_path, calls("xxx"), sid="s2")

    late = threading.Timer(0.4, write)
    late.start()
    done = drain(platform, linger=1.0)
    late.join()
    assert sorted(event.session_id for event, _ in done.spikes) == ["s1", "s2"]
    assert Counter(platform.reads) == {"s1": 2, "s2": 1}
    assert (done.sessions, done.failed) == (2, {})


def test_events_are_journaled_while_a_harvest_reads_sessions(home, drain, tell, toy, tmp_path):
    """Whoever reads sessions, for however long, holds up no event; the session is read when it may be."""
    transcript(tmp_path, calls("xxx"))
    tell("session_end")
    journaled = []

    def harvests():
        with files.single_flight(home.sessions_lock, "harvesting"):
            held.set()
            end = time.monotonic() + 30
            while len(journaled) < 3 and time.monotonic() < end:
                time.sleep(0.05)
                journaled[:] = journal.read_events(home)
                if len(journaled) == 1:
                    tell("turn_end", at=AT + timedelta(minutes=5))
                    tell("turn_end", "s2", at=AT + timedelta(minutes=6))

    held = threading.Event()
    harvest = threading.Thread(target=harvests)
    harvest.start()
    held.wait(30)
    done = drain(wait=60.0)
    harvest.join()
    assert [event.session_id for event in journaled] == ["s1", "s1", "s2"]
    assert (done.sessions, len(done.spikes), done.failed) == (1, 1, {})


def test_a_night_that_waits_is_next(home, drain, tell, toy, tmp_path):
    """Drains take the sessions again and again: one that looks steps back as soon as somebody waits for them."""
    order, got = [], threading.Event()

    def night():
        with files.single_flight(home.sessions_lock, "harvesting", wait=30.0, sign=home.sessions_wanted):
            order.append("night")
        got.set()

    class Slow(toy.Toy):
        @hookimpl
        def on_session_end(self, event):
            order.append(event.session_id)
            if event.session_id == "s2":
                threading.Thread(target=night).start()
                end = time.monotonic() + 30
                while not files.wanted(home.sessions_wanted) and time.monotonic() < end:
                    time.sleep(0.01)
            return super().on_session_end(event)

    for number in range(1, 6):
        transcript(tmp_path, calls("."), sid=f"s{number}")
        tell("session_end", f"s{number}", at=AT + timedelta(seconds=number))
    done = drain(Slow(), wait=60.0)
    assert got.wait(30)
    assert order == ["s1", "s2", "night", "s3", "s4", "s5"]
    assert (done.sessions, done.failed) == (5, {})
    assert not files.wanted(home.sessions_wanted)


def test_events_are_journaled_between_two_looks(home, drain, tell, toy, tmp_path, monkeypatch):
    """However much there is to look at, the spool is emptied every SPELL: it keeps a thousand payloads and no more."""
    monkeypatch.setattr("nightschool.day.looks.SPELL", 0.0)
    journaled = []

    class Looked(toy.Toy):
        @hookimpl
        def on_session_end(self, event):
            journaled.append(len(list(journal.read_events(home))))
            tell("session_start", f"s{10 + len(journaled)}")
            return super().on_session_end(event)

    for number in range(1, 4):
        transcript(tmp_path, calls("."), sid=f"s{number}")
        tell("session_end", f"s{number}", at=AT + timedelta(seconds=number))
    drain(Looked())
    assert journaled == [3, 4, 5]


def test_the_mark_of_the_next_drain_is_left_alone(home, drain, tell, tmp_path, monkeypatch):
    """A drain that stays, its time over, because another reads sessions, takes one mark away: one more is started, not many."""
    monkeypatch.setattr("nightschool.day.drain.LIFE", 0.3)
    transcript(tmp_path, calls("."))
    tell("session_end")
    mark, gone, stop = home.spool / ".draining", [], threading.Event()
    mark.mkdir()

    def hooks():
        for minute in itertools.count(2, 2):
            tell("turn_end", at=AT + timedelta(minutes=minute))
            if not mark.exists():
                gone.append(minute)
                mark.mkdir()
            if stop.wait(0.05):
                break

    started = threading.Thread(target=hooks)
    started.start()
    with files.single_flight(home.sessions_lock, "harvesting"):
        drain(linger=0.1, wait=2.0)
    time.sleep(0.1)
    stop.set()
    started.join()
    assert len(gone) == 1


def test_a_session_that_another_reads_for_too_long_is_left_to_the_night(home, drain, tell, tmp_path):
    """A drain's patience ends: its events are journaled, and what it could not read is named."""
    transcript(tmp_path, calls("xxx"))
    tell("session_end")
    with files.single_flight(home.sessions_lock, "harvesting"):
        done = drain()
    assert len(list(journal.read_events(home))) == 1
    assert (done.sessions, done.spikes) == (0, [])
    assert done.failed == {"toy/s1": "another process reads sessions; the next night reads this one"}


def test_what_a_harvest_found_meanwhile_is_not_found_again(home, drain, tell, toy, tmp_path):
    """A drain that waited for a harvest knows what that has journaled: a spike is one spike."""
    transcript(tmp_path, calls("xxx"))
    tell("session_end")
    found = []

    class Waits(toy.Toy):
        def read_payload(self, moment, data):
            if not found:
                found.append(True)
                elsewhere = drain_elsewhere()
                assert len(elsewhere.spikes) == 1
            return super().read_payload(moment, data)

    def drain_elsewhere():
        finder = Finder(home, toy.platforms(), journal.Known(home), FixedClock(AT), Audit())
        event = Event.model_validate(
            {"id": "backfill", "platform": "toy", "moment": "session_end", "at": AT, "session_id": "s1",
             "transcript": str(tmp_path / "s1.jsonl"), "project": str(tmp_path)}
        )  # fmt: skip
        finder.look(event, toy.Toy().on_session_end(event))
        return finder

    done = drain(Waits())
    assert done.spikes == []
    assert [event.moment for event in journal.read_events(home)].count(Moment.ERROR_SPIKE) == 1


def test_the_mark_of_a_drain_at_work_is_dated_ahead(home, drain, tell, toy):
    """While a drain works the hooks see in the mark's date that it does; without a mark none is made."""
    seen = []

    class Busy(toy.Toy):
        def read_payload(self, moment, data):
            mark = home.spool / ".draining"
            seen.append(mark.stat().st_mtime - AT.timestamp() if mark.exists() else None)
            return super().read_payload(moment, data)

    tell()
    home.spool.joinpath(".draining").mkdir()
    drain(Busy())
    tell("session_end")
    drain(Busy())
    assert seen == [room.AHEAD.total_seconds(), None]
