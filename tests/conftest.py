"""What every test stands on: a home of its own, and no way to the real one."""

import os
import pathlib
import shutil
from pathlib import Path

import pytest

from nightschool.paths import Home

REAL_HOME = Path("~").expanduser()
SH = os.path.realpath(shutil.which("sh"))
SHELLS = [
    shell
    for shell in (["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"], ["mksh"])
    if shutil.which(shell[0]) and (shell == ["sh"] or os.path.realpath(shutil.which(shell[0])) != SH)
]


class TouchedTheRealHomeError(AssertionError):
    """A test looked for the home directory of whoever runs it."""


@pytest.fixture(autouse=True)
def no_real_home(tmp_path, monkeypatch):
    """Every test has its own HOME and NIGHTSCHOOL_HOME; looking the real one up in the password file raises."""
    user_home = tmp_path / "user-home"
    user_home.mkdir()
    monkeypatch.setenv("HOME", str(user_home))
    monkeypatch.setenv("NIGHTSCHOOL_HOME", str(tmp_path / "nightschool-home"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "COPILOT_HOME"):
        monkeypatch.delenv(name, raising=False)
    real = pathlib.Path.home

    def guarded(cls):
        found = real()
        if found == REAL_HOME:
            raise TouchedTheRealHomeError(found)
        return found

    monkeypatch.setattr(pathlib.Path, "home", classmethod(guarded))
    return user_home


@pytest.fixture
def home(tmp_path) -> Home:
    """A Nightschool home of the test's own, not made yet."""
    return Home(tmp_path / "nightschool-home")


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request):
    """Name each shell of this machine in turn."""
    return request.param


@pytest.fixture
def env(home):
    """Give the little that a hook may count on, without an engine on PATH."""
    return {"PATH": "/usr/bin:/bin", "NIGHTSCHOOL_HOME": str(home.root)}
