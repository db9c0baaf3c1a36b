"""What waits for a session is told with its user's next words, once, and to nobody else."""

import json
import os
import stat
import subprocess
from pathlib import Path

from nightschool.audit import prompt

PROMPT = Path(__file__).parents[1] / "hooks" / "prompt"
TOLD = "<nightschool-brief>\n3 of the last 20 calls failed\n</nightschool-brief>\n"


def said(env, *argv, sid="s1", shell=(), data=None):
    """Run the hook as a client does; return what it printed."""
    payload = json.dumps({"session_id": sid, "prompt": 'it\'s "here" \\ $HOME `id`'}).encode() if data is None else data
    done = subprocess.run([*shell, PROMPT, *argv], input=payload, env=env, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def test_it_is_plain_sh(shell):
    """Every shell of this machine can read it, and it is executable and short."""
    assert subprocess.run([*shell, "-n", PROMPT], check=False).returncode == 0
    assert os.access(PROMPT, os.X_OK)
    assert len(PROMPT.read_text().splitlines()) < 30


def test_a_prompt_is_told_once_to_its_session(env, home, shell):
    """Byte for byte to the session it is for, and gone; another session, or another client's, hears nothing."""
    prompt.leave(home, "claude-code", "s1", TOLD)
    assert said(env, "claude-code", sid="s2", shell=shell) == ""
    assert said(env, "claude-code", sid="s11", shell=shell) == ""
    assert said(env, "codex", sid="s1", shell=shell) == ""
    assert said(env, "claude-code", sid="s1", shell=shell) == TOLD
    assert said(env, "claude-code", sid="s1", shell=shell) == ""
    assert list((home.prompts / "claude-code").iterdir()) == []


def test_nothing_is_kept_of_what_the_user_typed(env, home, shell):
    """Neither when nothing waits nor when something does."""
    said(env, "claude-code", shell=shell)
    assert not home.root.exists()
    prompt.leave(home, "claude-code", "s1", TOLD)
    said(env, "claude-code", sid="other", shell=shell)
    files = [path for path in home.root.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["s1"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_anything_on_stdin_is_read_to_its_end(env, home, shell):
    """Megabytes, nothing, bytes that are no text: exit 0, silent, and the caller meets no broken pipe."""
    for _ in range(2):
        for data in (b"", b"\xff\xfe\0" * 10, b'{"session_id": "x", "prompt": "' + b"a" * 5_000_000 + b'"}'):
            assert said(env, "claude-code", data=data, shell=shell) == ""
        prompt.leave(home, "claude-code", "s1", TOLD)


def test_odd_arguments_do_nothing(env, home):
    """No platform, a path for a platform, no home at all."""
    prompt.leave(home, "claude-code", "s1", TOLD)
    assert said(env) == said(env, "../prompts/claude-code") == said(env, "") == ""
    assert said({"PATH": "/usr/bin:/bin"}, "claude-code") == ""
    assert (home.prompts / "claude-code" / "s1").exists()


def test_of_many_hooks_at_once_one_tells_it(env, home):
    """A client that fires the hook twice shows the prompt once."""
    for _ in range(5):
        prompt.leave(home, "claude-code", "s1", TOLD)
        payload = json.dumps({"session_id": "s1"})
        running = [
            subprocess.Popen([PROMPT, "claude-code"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(8)
        ]
        heard = [process.communicate(payload)[0] for process in running]
        assert sorted(filter(None, heard)) == [TOLD]
