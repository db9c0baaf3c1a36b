"""The guard's script: it speaks up only when its pattern is found in what a tool is given, and in doubt it lets it pass."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

GUARD = Path(__file__).parents[1] / "hooks" / "guard"


@pytest.fixture
def folder(tmp_path):
    """Return a guard's folder that blocks `push --force`."""
    made = tmp_path / "a guard's folder"
    made.mkdir()
    shutil.copy(GUARD, made / "guard")
    (made / "pattern").write_text("push --force\n")
    (made / "kind").write_text("fixed\n")
    (made / "err").write_text("Ask first.\n")
    return made


def ran(folder, shell, told="git push --force", *, data=None, **more):
    """Run the script as a client does; return (exit code, stdout, stderr)."""
    what = {"session_id": "s", "cwd": "/push --force", "tool_name": "Bash", "tool_input": {"command": told}} | more
    payload = json.dumps(what).encode() if data is None else data
    env = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*shell, folder / "guard"], input=payload, env=env, capture_output=True, timeout=60, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


SILENT = (0, "", "")


def test_it_is_plain_sh(shell):
    """Every shell of this machine can read it, and it is executable and short."""
    assert subprocess.run([*shell, "-n", GUARD], check=False).returncode == 0
    assert os.access(GUARD, os.X_OK)
    assert len(GUARD.read_text().splitlines()) < 30


def test_it_blocks_and_reminds(folder, shell):
    """Exit 2 with the message on stderr; or what it prints, with exit 0."""
    assert ran(folder, shell) == (2, "", "Ask first.\n")
    (folder / "err").unlink()
    (folder / "out").write_text('{"said": 1}\n')
    assert ran(folder, shell) == (0, '{"said": 1}\n', "")


def test_only_what_the_tool_is_given_counts(folder, shell):
    """Neither the directory nor the user's path is looked at, and other input passes."""
    assert ran(folder, shell, "ls") == SILENT
    assert ran(folder, shell, 'echo "tool_input": push --force')[0] == 2
    (folder / "kind").write_text("regex\n")
    (folder / "pattern").write_text("push +(-f|--force)\n")
    assert ran(folder, shell, "git push   -f")[0] == 2
    assert ran(folder, shell, "git push -n") == SILENT


@pytest.mark.parametrize("missing", ["pattern", "kind", "err"])
def test_in_doubt_it_lets_it_pass(folder, shell, missing):
    """A part that is gone, empty or nonsense, and a payload that is none: exit 0, silent."""
    (folder / missing).rename(folder / "away")
    assert ran(folder, shell) == SILENT
    if missing != "err":
        (folder / missing).write_text("")
        assert ran(folder, shell) == SILENT
    (folder / missing).unlink(missing_ok=True)
    (folder / "away").rename(folder / missing)
    for data in (b"", b"\xff\0" * 9, b"push --force", b'{"tool_input"'):
        assert ran(folder, shell, data=data) == SILENT
    (folder / "kind").write_text("perl\n")
    assert ran(folder, shell) == SILENT
    (folder / "kind").write_text("regex\n")
    (folder / "pattern").write_text("(unclosed\n")
    assert ran(folder, shell) == SILENT


def test_megabytes_end_soon(folder, shell):
    """A large file that is written through the tool is looked at whole."""
    assert ran(folder, shell, "x" * 3_000_000) == SILENT
    assert ran(folder, shell, "x" * 3_000_000 + " push --force")[0] == 2
