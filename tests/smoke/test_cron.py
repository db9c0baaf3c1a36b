"""A real cron runs a real night within two minutes, from a home whose path has a space, a quote and a percent sign."""

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

pytestmark = [pytest.mark.smoke, pytest.mark.slow]


def crontab(*words):
    """Call the real `crontab`."""
    return subprocess.run(
        ["crontab", *words], capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"}
    )


@pytest.fixture
def cron():
    """Start Debian's cron when none runs. The tester's own crontab must be empty: it is never put at risk."""
    if not shutil.which("crontab") or not shutil.which("cron") or os.geteuid() != 0:
        pytest.skip("needs Debian's cron and root")
    if "no crontab for" not in crontab("-l").stderr:
        pytest.skip("this user has a crontab of their own")
    daemon = subprocess.Popen(["cron", "-f"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    daemon.terminate()
    daemon.wait()
    if "nightschool" in crontab("-l").stdout:
        crontab("-r")


def test_cron_runs_a_night(cron, tmp_path):
    """Scheduled for the next minute; its log shows the night; unscheduling leaves no crontab, as there was none."""
    home, project = tmp_path / "it's 100% mine" / "home", tmp_path / '50% "off"'
    project.mkdir()
    kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH", "LANG") if key in os.environ}
    environ = kept | {"HOME": str(tmp_path / "user-home"), "NIGHTSCHOOL_HOME": str(home)}

    def nightschool(*words):
        ran = subprocess.run(
            [sys.executable, "-m", "nightschool", *words],
            cwd=project,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    at = datetime.now(UTC).astimezone() + timedelta(seconds=65)
    nightschool("schedule", "--with", "cron", "--hour", str(at.hour), "--minute", str(at.minute))
    try:
        assert crontab("-l").stdout.count("\\%") >= 2
        deadline = time.monotonic() + 150
        while not (logs := list(home.glob("schedules/*/last.json"))) or b'"code": null' in logs[0].read_bytes():
            assert time.monotonic() < deadline, crontab("-l").stdout
            time.sleep(1)
        log = next(home.glob("schedules/*/logs/*.log")).read_text()
        assert "Night 0001" in log
        assert "exit code 0" in nightschool("status")
    finally:
        nightschool("unschedule", "--all")
    assert "no crontab for" in crontab("-l").stderr
    assert not (home / "schedules").exists()
