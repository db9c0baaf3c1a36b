"""Claude Code as a model: `claude -p`, alone. No project, no rules, no hooks, no tools, no session in the history.

Flags and fields are those of client 2.1.329. What is asked stands in files of a private directory, never in argv.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.records import HeadlessCall, HeadlessFailure, HeadlessReply
from nightschool_claude_code.result import reply_of
from nightschool_claude_code.runner import ask_version, run

PASSED = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR",
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_MODEL",
    "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR",
})  # fmt: skip
"""What the client gets of the environment: where it is, who the user is there, and the way to the model."""

_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
_SET = {
    "NIGHTSCHOOL_NO_DRAIN": "1",  # should a hook run all the same, it starts nothing of ours
    "CLAUDE_CODE_MAX_RETRIES": "0",  # the door retries, and counts
    "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",  # `@/a/file` in a request is text: nothing is read for it
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
}
_ALONE = (
    "--tools", "",
    "--strict-mcp-config",
    "--settings", '{"disableAllHooks":true,"permissions":{"deny":["Read"]}}',
    "--no-session-persistence",
    "--max-turns", "1",
    "--output-format", "json",
)  # fmt: skip


class Headless:
    """Runs the client once a question. `environ` is the environment to take from; this process's own when None."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    def ready(self) -> str:
        """Return the client's version line. Raises NightschoolError when it is not there or does not answer."""
        path = self._client()
        found = ask_version(path)
        if found is None:
            fix = "Run `claude --version` yourself, and reinstall it if it does not answer."
            raise NightschoolError("Claude Code does not tell its version", where=path, fix=fix)
        return found[1]

    def ask(self, call: HeadlessCall) -> HeadlessReply | HeadlessFailure:
        """Ask once. Raises NightschoolError for what concerns every question: no client, no login, no such model."""
        client = self._client()
        with tempfile.TemporaryDirectory(prefix="nightschool-", ignore_cleanup_errors=True) as private:
            folder = Path(private)
            system, prompt, empty = folder / "system.md", folder / "prompt.txt", folder / "empty"
            empty.mkdir()
            system.write_bytes(call.system.encode(errors="replace"))
            prompt.write_bytes(_as_text(call.prompt).encode(errors="replace"))
            env = self._environment(call)
            words = [client, "-p", _mode(env), "--system-prompt-file", str(system), *_ALONE]
            words += [f"--model={call.model}"] if call.model else []
            try:
                ran = run(words, stdin=prompt, env=env, cwd=empty, timeout=call.timeout)
            except OSError as error:
                raise NightschoolError("Claude Code cannot be started", where=client, why=error.strerror) from error
        return reply_of(ran)

    def _client(self) -> str:
        found = shutil.which("claude", path=self._environ.get("PATH"))
        if found is None:
            fix = "Install Claude Code so that `claude` runs in a shell, or choose another backend."
            raise NightschoolError("Claude Code is not on PATH", fix=fix)
        return found

    def _environment(self, call: HeadlessCall) -> dict[str, str]:
        kept = {name: value for name, value in self._environ.items() if name in PASSED}
        limit = {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(call.max_tokens)} if call.max_tokens else {}
        return {"HOME": str(Path.home())} | kept | _SET | limit


def _mode(env: Mapping[str, str]) -> str:
    """Choose the barest mode that can log in: `--bare` reads a key from the environment and no stored login."""
    return "--bare" if any(env.get(name) for name in _KEYS) else "--safe-mode"


def _as_text(prompt: str) -> str:
    """Return the prompt as the client will not take for a command of its own: `/cost` on its first line is one."""
    return f"\n{prompt}" if prompt.startswith("/") else prompt
