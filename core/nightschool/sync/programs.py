"""How git is run: in a group of its own that ends in time, with nothing of the user's that could ask a question."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from nightschool.errors import NightschoolError

# What a caller inside another repository has set: a hook, say. And whatever would open a window to ask.
_FORGOTTEN = ("SSH_ASKPASS", "GIT_ASKPASS", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_PROXY_COMMAND")
_KEPT = ("GIT_SSH_COMMAND", "GIT_SSH", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
_SETTINGS = {
    "core.hooksPath": os.devnull, "gc.auto": "0", "maintenance.auto": "false", "protocol.ext.allow": "never",
    "core.fsmonitor": "false", "commit.gpgSign": "false", "push.gpgSign": "false", "advice.detachedHead": "false",
}  # fmt: skip


class GitFailed(Exception):  # noqa: N818  it is looked at, and told as what it means
    """Git ended with an error; `said` is what it printed on stderr."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.said, self.code = said, code


def environment(ssh: str = "") -> dict[str, str]:
    """Return what git is told: the user's own, without what belongs to another repository, and never a question."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _FORGOTTEN and (not name.startswith("GIT_") or name in _KEPT)
    }
    told = {
        "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:http:https:ssh", "SSH_ASKPASS_REQUIRE": "never",
        "LC_ALL": "C", "GIT_HTTP_LOW_SPEED_LIMIT": "100", "GIT_HTTP_LOW_SPEED_TIME": "20",
    }  # fmt: skip
    return kept | told | ({"GIT_SSH_COMMAND": ssh} if ssh else {})


def git(folder: Path | None, *words: str, env: Mapping[str, str], timeout: float, data: bytes | None = None) -> bytes:
    """Run git and return what it printed. Raises GitFailed; NightschoolError when there is no git.

    After `timeout` seconds it is ended with all it has started, and GitFailed tells so.
    """
    settings = [word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")]
    where = [f"--git-dir={folder}"] if folder else []
    return run(["git", *settings, *where, *words], env=env, timeout=timeout, data=data)


def run(argv: Sequence[str], *, env: Mapping[str, str], timeout: float, data: bytes | None = None) -> bytes:
    """Run a program with no terminal. Raises as `git` does."""
    try:
        running = subprocess.Popen(
            argv,
            env=dict(env),
            stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # no terminal to ask on, and one group to end
        )
    except OSError as error:
        fix = f"Install {argv[0]}, or put it on PATH."
        raise NightschoolError(f"{argv[0]} cannot be run", why=error.strerror, fix=fix) from error
    try:
        out, err = running.communicate(data, timeout)
    except subprocess.TimeoutExpired:
        _end(running)
        raise GitFailed(f"no answer within {timeout:g} s", -1) from None
    except BaseException:
        _end(running)
        raise
    if running.returncode != 0:
        raise GitFailed(err.decode(errors="replace").strip(), running.returncode)
    return out


def _end(running: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
