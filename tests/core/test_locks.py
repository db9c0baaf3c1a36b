"""One process at a time, and no lock outlives its process."""

import os
import signal
import subprocess
import sys

import pytest

from nightschool.errors import NightschoolError
from nightschool.files import append_line, read_lines, single_flight, write_whole
from nightschool.paths import Home, safe_name

HOLD = """
import sys, time
from pathlib import Path
from nightschool.files import single_flight
with single_flight(Path(sys.argv[1]), "sleeping"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(home):
    """Return a process that holds the home's lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(home.lock)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_who_cannot_say_its_name_works_all_the_same(home):
    """A holder's note that cannot be written, as on a full disk, keeps nobody from emptying it: the lock holds."""
    home.lock.with_suffix(".holder").mkdir(parents=True)
    with single_flight(home.lock, "purging"):
        told = subprocess.run([sys.executable, "-c", HOLD, str(home.lock)], capture_output=True, text=True, check=False)
        assert "at work" in told.stderr
    with single_flight(home.lock, "again"):
        pass


def test_the_second_is_told_who_holds_it(home, holder):
    """A taken lock names the process and what it does."""
    with pytest.raises(NightschoolError, match=rf"process {holder.pid} \(sleeping\)"), single_flight(home.lock, "x"):
        pass


def test_a_dead_holder_stops_nobody(home, holder):
    """After kill -9 of its holder the lock is free, though both its files are still there."""
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert home.lock.with_suffix(".holder").exists()

    with single_flight(home.lock, "x"):
        pass


def test_nothing_is_left_half_written(tmp_path):
    """A write that fails leaves the old bytes and no sibling."""
    path = tmp_path / "d" / "f"
    write_whole(path, b"old")

    with pytest.raises(TypeError):
        write_whole(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_a_torn_line_is_ended_first(tmp_path):
    """A line that a crash has cut is not glued to the next one."""
    path = tmp_path / "log"
    path.write_bytes(b'{"a":1}\n{"b":')
    append_line(path, '{"c":3}')

    assert list(read_lines(path)) == [b'{"a":1}\n', b'{"b":\n', b'{"c":3}\n']


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", ".hidden", "a\0b", "a\nb", "x" * 129, "-x", "ä"])
def test_a_name_that_is_no_path_component_is_refused(name):
    """Names from outside never become paths."""
    with pytest.raises(NightschoolError):
        safe_name(name)


@pytest.mark.parametrize("told", [".ns", "a/b", ".", "C:x"])
def test_a_relative_home_is_refused(monkeypatch, no_real_home, told):
    """It would be another in each directory, and a repository could bring one with programs in it."""
    monkeypatch.setenv("NIGHTSCHOOL_HOME", told)
    with pytest.raises(NightschoolError, match="no absolute path"):
        Home.from_env()


def test_the_home_does_not_follow_xdg(monkeypatch, no_real_home):
    """Hooks, cron and the command agree on the home whatever else is in their environment."""
    monkeypatch.delenv("NIGHTSCHOOL_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/elsewhere")

    assert Home.from_env().root == no_real_home / ".nightschool"
