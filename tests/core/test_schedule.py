"""Scheduled nights: when they are due, what a scheduler is told, and that a crontab is never lost."""

import os
import plistlib
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import fake_crontab

from nightschool.clock import FixedClock
from nightschool.errors import NightschoolError
from nightschool.morning import brief
from nightschool.paths import Home
from nightschool.schedule import crontab, install, jobs, script, start, units, when, workflow
from nightschool.schedule.jobs import Job, LastRun

AT = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
USERS = b"MAILTO=me\n# mine\n0 5 * * *\techo 50\\% \xff\n@daily true\n"


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Put the recorded `crontab` on PATH and return its folder."""
    folder = tmp_path / "fake"
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "crontab"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I {fake_crontab.__file__} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_CRONTAB", str(folder))
    return folder


def job(home, *, project="/p", kind="cron", **told):
    """Return a job that runs a command of the test's own instead of a night."""
    fields = {
        "id": install.job_id(project, "invoked"), "kind": kind, "hour": 3, "minute": 17, "project": project,
        "flags": ("--project", project), "command": ("/bin/echo",), "cwd": "/",
        "environ": {"NIGHTSCHOOL_HOME": str(home.root)}, "since": AT,
    }  # fmt: skip
    return Job(**(fields | told))


# --- when ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "minute_of_day", "due"),
    [
        ("2026-03-29T00:59:00+00:00", (2, 30), "2026-03-28T01:30:00+00:00"),  # 01:59 CET: not yet
        ("2026-03-29T01:30:00+00:00", (2, 30), "2026-03-29T01:30:00+00:00"),  # 03:30 CEST: there was no 02:30
        ("2026-10-25T00:30:00+00:00", (2, 30), "2026-10-25T00:30:00+00:00"),  # the first 02:30
        ("2026-10-25T01:45:00+00:00", (2, 30), "2026-10-25T00:30:00+00:00"),  # the second 02:45: the same night
        ("2026-06-01T10:00:00+00:00", (3, 17), "2026-06-01T01:17:00+00:00"),
    ],
)
def test_a_night_is_due_once_a_local_date(now, minute_of_day, due):
    """Where the clock jumps over the minute it is due behind the jump; where it comes twice, the first counts."""
    assert when.last_due(datetime.fromisoformat(now), *minute_of_day, BERLIN) == datetime.fromisoformat(due)


@given(st.integers(0, 3 * 365 * 24 * 60), st.integers(0, 23), st.integers(0, 59))
def test_due_nights_follow_each_other(now, hour, minute):
    """The last one is not after now, the next one is, and they are a day apart, give or take the hour of a jump."""
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=now)
    before, after = when.last_due(now, hour, minute, BERLIN), when.next_due(now, hour, minute, BERLIN)
    assert before <= now < after
    assert timedelta(hours=23) <= after - before <= timedelta(hours=25)


# --- the crontab -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, b"", USERS, b"* * * * * true"])
def test_a_crontab_comes_back_byte_for_byte(home, table, before):
    """Whatever stood in it, scheduling two projects and taking them back in any order leaves these bytes."""
    if before is not None:
        (table / "table").write_bytes(before)
    one, two = (install.add(home, job(home, project=p), print) for p in ("/one", "/two"))
    now = (table / "table").read_bytes()
    assert now.startswith(before or b"")
    assert now.count(b"17 3 * * * ") == 2

    install.remove(home, [one], print)
    assert install.installed(home, two) is True
    install.remove(home, [two], print)
    if before is None:
        assert not (table / "table").exists()
    else:
        assert (table / "table").read_bytes() in {before, before + b"\n"[: not before.endswith(b"\n") and bool(before)]}
    assert not home.schedules.joinpath(one.id).exists()


@pytest.mark.parametrize("fails", ["list", "write", "lie", "torn"])
@pytest.mark.parametrize("doing", ["add", "remove"])
def test_a_crontab_is_never_lost(home, table, fails, doing):
    """Any failure but "no crontab" refuses, and the user's bytes stand there afterwards."""
    (table / "table").write_bytes(USERS)
    known = install.add(home, job(home), print) if doing == "remove" else None
    before = (table / "table").read_bytes()
    (table / "fail").write_text(fails)

    with pytest.raises(NightschoolError):
        install.remove(home, [known], print) if known else install.add(home, job(home), print)

    assert (table / "table").read_bytes() == before
    assert [found.id for found in jobs.all_jobs(home)] == ([known.id] if known else [])
    (table / "fail").unlink(missing_ok=True)
    if known:
        install.remove(home, [known], print)
        assert (table / "table").read_bytes() == USERS


def test_scheduling_again_replaces(home, table):
    """The same project has one job: its newest time and flags, in the place of the old lines."""
    (table / "table").write_bytes(USERS)
    install.add(home, job(home), print)
    install.add(home, job(home, hour=0, minute=5, flags=("--project", "/p", "--backend=mock")), print)

    lines = (table / "table").read_text(errors="replace").splitlines()
    assert [line.split(" /")[0] for line in lines if str(home.root) in line] == ["5 0 * * *", "5 1-23 * * *"]
    assert any("--backend=mock" in line for line in lines)
    install.remove(home, jobs.all_jobs(home), print)
    assert (table / "table").read_bytes() == USERS


def test_what_the_user_did_to_our_lines_is_respected(home, table):
    """Lines of the user's between ours stay; a line of ours that was moved or commented out goes with the job."""
    known = install.add(home, job(home), print)
    text = (table / "table").read_text()
    text = text.replace("\n17 3 ", "\n# my own\n#17 3 ", 1) + "5 5 * * * mine\n"
    (table / "table").write_text(text)
    assert install.installed(home, known) is False

    install.remove(home, [known], print)
    assert (table / "table").read_text() == "# my own\n5 5 * * * mine\n"


@pytest.mark.parametrize("name", ["plain", "100% mine", 'it\'s "quoted"', "a b\tc"[:3], "$HOME `id` \\n", "Ünï😀"])
def test_a_path_reaches_the_program_as_it_is(tmp_path, table, name):
    """`%`, quotes, spaces and dollars in home and project: what cron would run is the script, and it gets every flag."""
    home, project = Home(tmp_path / name / "home"), str(tmp_path / name)
    shown = tmp_path / "shown"
    echo = tmp_path / "show.sh"
    echo.write_text(f'#!/bin/sh\nprintf "%s\\n" "$NIGHTSCHOOL_HOME" "$PWD" "$@" > {shown}\n')
    echo.chmod(0o755)
    Path(project).mkdir()
    install.add(home, job(home, project=project, command=(str(echo),), cwd=project), print)

    line = next(x for x in (table / "table").read_text().splitlines() if x.startswith("17 3"))
    run = line.split(" ", 5)[5].replace("\\%", "%")  # what cron does to a command
    assert "%" not in line.split(" ", 5)[5].replace("\\%", "")
    subprocess.run(["/bin/sh", "-c", run], env={"HOME": str(tmp_path)}, check=True)
    told = shown.read_text().splitlines()
    assert told == [str(home.root), project, "scheduled", install.job_id(project, "invoked")]


def test_a_path_that_no_scheduler_can_hold_is_refused(home, table):
    """A line break in a path, and a command too long for cron, are refused before anything is written."""
    with pytest.raises(NightschoolError, match="line break"):
        install.add(home, job(home, flags=("--project", "/a\nb")), print)
    far = Home(home.root.joinpath(*["d" * 200] * 5))
    with pytest.raises(NightschoolError, match="too long"):
        install.add(far, job(far), print)
    assert not (table / "table").exists()
    assert jobs.all_jobs(far) == []


# --- units -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Put programs on PATH that log their words, and return the folder; a file `refuse` in it makes them fail."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("systemctl", "launchctl", "schtasks"):
        text = (
            f'#!/bin/sh\necho {name} "$@" >> {folder}/said\ntest ! -e {folder}/refuse || {{ echo no >&2; exit 1; }}\n'
        )
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.mark.parametrize("kind", ["systemd", "launchd", "windows"])
def test_units_are_written_and_taken_back(home, programs, no_real_home, kind):
    """Files and folders we made go, the program is told, and nothing else of the user's home is touched."""
    known = install.add(home, job(home, kind=kind), print)
    assert install.installed(home, known) is True
    assert known.files
    assert all(Path(path).is_file() for path in known.files)

    install.remove(home, [known], print)
    assert list(no_real_home.iterdir()) == []
    assert not any(Path(path).exists() for path in known.files)
    assert len((programs / "said").read_text().splitlines()) >= 3


@pytest.mark.parametrize("kind", ["systemd", "launchd"])
def test_a_scheduler_that_refuses_leaves_nothing(home, programs, no_real_home, kind):
    """No unit, no folder and no job stay behind."""
    (programs / "refuse").touch()
    with pytest.raises(NightschoolError, match="refuses"):
        install.add(home, job(home, kind=kind), print)
    assert list(no_real_home.iterdir()) == []
    assert jobs.all_jobs(home) == []


def test_a_unit_that_is_not_ours_is_left_alone(home, programs, no_real_home):
    """A file of the same name refuses; one of ours that was edited is kept when the job goes, and told of."""
    known = install.add(home, job(home, kind="systemd"), print)
    path = next(Path(path) for path in known.files if path.endswith(".timer"))
    path.write_text("mine now")
    told = []
    install.remove(home, [known], told.append)
    assert path.read_text() == "mine now"
    assert str(path) in told[0]
    with pytest.raises(NightschoolError, match="not ours"):
        install.add(home, job(home, kind="systemd"), print)
    assert path.read_text() == "mine now"


def test_units_catch_up_and_quote(tmp_path, programs):
    """systemd: Persistent, with `%` and `$` doubled; launchd: a plist; Windows: StartWhenAvailable, battery as asked."""
    home = Home(tmp_path / "50% $x")
    one = job(home, kind="systemd", on_battery="skip")
    texts = {path.suffix: data.decode() for path, data in units.SYSTEMD.files(home, one).items()}
    assert "Persistent=true" in texts[".timer"]
    assert "OnCalendar=*-*-* 03:17:00" in texts[".timer"]
    assert "50%% $$x" in texts[".service"]
    plist = plistlib.loads(next(iter(units.LAUNCHD.files(home, one).values())))
    assert plist["StartCalendarInterval"] == {"Hour": 3, "Minute": 17}
    assert plist["ProgramArguments"] == ["/bin/sh", str(jobs.script(home, one.id))]
    task = next(iter(units.WINDOWS.files(home, one).values())).decode("utf-16")
    assert "<StartWhenAvailable>true<" in task
    assert "<DisallowStartIfOnBatteries>true<" in task
    assert "T03:17:00" in task


# --- a start ---------------------------------------------------------------------------------------------------------


def scheduled(home, code="", **told):
    """Return a saved job whose night is a short sh script."""
    told = {"command": ("/bin/sh", "-c", code or "echo slept", "sh")} | told
    made = job(home, **told)
    jobs.save(home, made)
    return made


def test_a_missed_night_is_caught_up_once(home, monkeypatch):
    """Asked every hour: nothing before its time, one night after it, nothing more until the next day."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        one = scheduled(home)
        clock = FixedClock(AT)
        ran = []
        for hour in range(72):
            clock.at = AT + timedelta(hours=hour, minutes=30)
            ran += [clock.at] if start.start(home, one, clock, if_missed=True) else []
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [at.hour for at in ran] == [1, 1, 1]  # 01:30 UTC is 03:30 in Berlin, the first look after 03:17


def test_a_second_start_of_the_same_hour_is_no_second_night(home):
    """A scheduler that fires twice when the clock is put back has one night; the next day has another."""
    one = scheduled(home)
    assert start.start(home, one, FixedClock(AT)) is not None
    assert start.start(home, one, FixedClock(AT + timedelta(hours=1))) is None
    assert start.start(home, one, FixedClock(AT + timedelta(hours=23))) is not None


@pytest.mark.parametrize("if_missed", [False, True])
def test_a_clock_that_was_ahead_puts_no_night_off(home, if_missed):
    """A start, and the schedule itself, dated in a future that was none: the next night comes as it would have."""
    ahead = FixedClock(AT + timedelta(days=4000))
    one = scheduled(home).model_copy(update={"since": ahead.now()})
    assert start.start(home, one, ahead) is not None
    assert start.start(home, one, FixedClock(AT), if_missed=if_missed) is not None
    assert start.start(home, one, FixedClock(AT + timedelta(minutes=5)), if_missed=if_missed) is None


@pytest.mark.parametrize(("code", "failed"), [(0, False), (1, True), (2, True), (3, False), (4, False), (137, True)])
def test_a_night_that_failed_is_told(home, code, failed):
    """Its last line reaches the next session's brief; waiting and a kept budget are no failure; success silences it."""
    one = scheduled(home, f"echo 'nightschool: the disk is full' >&2; exit {code}")
    ran = start.start(home, one, FixedClock(AT))
    assert ran.code == code
    assert "the disk is full" in Path(ran.log).read_text()

    brief.renew(home, print)
    text = brief.prepare(home, one.project, 600)
    assert ("failed: the disk is full" in text) is failed
    assert brief.prepare(home, "/elsewhere", 600) == ""

    start.start(home, scheduled(home), FixedClock(AT + timedelta(days=1)))
    assert brief.prepare(home, one.project, 600) == ""


def test_a_night_whose_process_died_was_cut_short(home):
    """A start on record without an end, whose process is gone, is a failure."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    assert LastRun(started=AT, pid=dead.pid).fault == "it was cut short"
    assert LastRun(started=AT, pid=os.getpid()).fault == ""


def test_a_secret_in_a_log_is_not_told(home):
    """What is told elsewhere than in the log is redacted."""
    one = scheduled(home, "echo 'bad key sk-ant-api03-" + "A1b2" * 20 + "' >&2; exit 1")
    ran = start.start(home, one, FixedClock(AT))
    assert "A1b2A1b2" not in ran.told


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ({}, False),
        ({"BAT0": {"type": "Battery", "status": "Discharging"}}, True),
        ({"BAT0": {"type": "Battery", "status": "Charging"}}, False),
        ({"BAT0": {"type": "Battery", "status": "Discharging"}, "AC": {"type": "Mains", "online": "1"}}, False),
        ({"BAT0": {"type": "Battery", "status": "Discharging"}, "AC": {"type": "Mains", "online": "0"}}, True),
        ({"hid": {"type": "Battery", "scope": "Device", "status": "Discharging"}}, False),
    ],
)
def test_what_counts_as_battery(tmp_path, supplies, expected):
    """The machine's own battery at work without the mains; a mouse's battery, or none, does not count."""
    for name, words in supplies.items():
        (tmp_path / name).mkdir()
        for key, value in words.items():
            (tmp_path / name / key).write_text(f"{value}\n")
    assert start.on_battery(tmp_path) is expected


def test_on_battery_it_waits_for_power(home, monkeypatch, tmp_path):
    """Skipped when asked so; and the hourly look catches the night up once there is power."""
    battery = tmp_path / "supplies" / "BAT0"
    battery.mkdir(parents=True)
    (battery / "type").write_text("Battery")
    (battery / "status").write_text("Discharging")
    real = start.on_battery
    monkeypatch.setattr(start, "on_battery", lambda: real(battery.parent))  # where this machine's supplies lie
    one = scheduled(home, on_battery="skip")
    clock = FixedClock(AT + timedelta(days=1))
    assert start.start(home, one, clock).skipped == "on battery"
    assert not (jobs.folder(home, one.id) / "logs").exists()
    (battery / "status").write_text("Charging")
    assert start.start(home, one, clock, if_missed=True).code == 0


def test_logs_do_not_pile_up(home):
    """The newest thirty are kept."""
    one = scheduled(home)
    for day in range(jobs.LOGS + 3):
        start.start(home, one, FixedClock(AT + timedelta(days=day)))
    logs = sorted((jobs.folder(home, one.id) / "logs").iterdir())
    assert len(logs) == jobs.LOGS
    assert logs[0].name.startswith(f"{AT + timedelta(days=3):%Y-%m-%d}")


# --- environment and CI ----------------------------------------------------------------------------------------------


def test_keys_are_kept_only_when_named(home):
    """PATH and where programs keep their settings go along; a key does only by name; a missing one is refused."""
    told = {"PATH": "/b", "TOOL_HOME": "/t", "X_CONFIG_DIR": "/c", "SOME_API_KEY": "k", "TZ": "UTC", "OTHER": "o"}
    kept = install.environment(told, home)
    assert kept == {"PATH": "/b", "TOOL_HOME": "/t", "X_CONFIG_DIR": "/c", "NIGHTSCHOOL_HOME": str(home.root)}
    assert install.left_keys(told, kept) == ["SOME_API_KEY"]
    assert install.environment(told, home, ("SOME_API_KEY",))["SOME_API_KEY"] == "k"
    with pytest.raises(NightschoolError, match="no such variable"):
        install.environment(told, home, ("GONE",))


def test_a_job_is_private(home, table):
    """What may hold a key is readable by its owner alone."""
    one = install.add(home, job(home), print)
    for path in jobs.folder(home, one.id).iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_workflow_is_what_a_ci_reads():
    """The schedule, the flags and the secrets stand where a runner looks; no tab, no template's brace is left."""
    text = workflow.text(["--scope=all", "--backend=x y"], 3, 17, ["SOME_API_KEY"])
    assert '- cron: "17 3 * * *"' in text
    assert "nightschool run --scope=all '--backend=x y' || code=$?" in text
    assert "SOME_API_KEY: ${{ secrets.SOME_API_KEY }}" in text
    assert "\t" not in text
    assert "env:" not in workflow.text(["--scope=all"], 3, 17, [])
    for step in text.split("        run: |\n")[1:]:
        assert subprocess.run(["sh", "-n"], input=step.split("      - name")[0], text=True, check=False).returncode == 0


def test_one_line_shows_no_control_character(home):
    """What stands in a comment of the crontab is one printable line."""
    assert "\n" not in script.one_line(job(home, flags=("--x", "a\nb\x1b[0m")))
    assert crontab.lines(home, job(home))[0].startswith("# >>> nightschool p-")
