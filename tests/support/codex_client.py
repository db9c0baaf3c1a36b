"""The real Codex, from npm, with a home of its own, a dummy key and a server on loopback."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.clients import ROOT, npm

CODEX = "0.169.0"
CONFIG = """\
# hand-written: keep me
model = "fake-model"  # mine
model_provider = "fake"

[model_providers.fake]
name = "fake"
base_url = "{url}/v1"
env_key = "FAKE_KEY"  # dummy
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false  # else each run waits for what cannot be sent
"""


@pytest.fixture(scope="session")
def codex_binary():
    """Return the real Codex, fetched once into the checkout's cache."""
    modules = npm(f"@openai/codex@{CODEX}", ROOT / ".ci-clients" / f"codex-{CODEX}")
    found = sorted((modules / "@openai").glob("codex-*/vendor/*/bin/codex"))
    if not found:
        pytest.skip("the client has no binary for this machine")
    return found[0]


@dataclass
class Codex:
    """The client in a home of its own."""

    binary: Path
    root: Path

    @property
    def home(self):
        return self.root / "user-home"

    @property
    def codex_home(self):
        return self.home / ".codex"

    @property
    def project(self):
        return self.home / "shop"

    @property
    def ours(self):
        return self.root / "nightschool-home"

    def serve(self, url):
        """Point the client's settings to a server."""
        self.codex_home.mkdir(exist_ok=True)
        (self.codex_home / "config.toml").write_text(CONFIG.format(url=url))

    def environment(self):
        """Return its whole environment: nothing of the runner's."""
        kept = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
        return kept | {
            "PATH": f"{self.binary.parent}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "NIGHTSCHOOL_HOME": str(self.ours),
            "NIGHTSCHOOL_PYTHON": sys.executable,
            "FAKE_KEY": "dummy",
            "LANG": "C.UTF-8",
        }

    def run(self, *words, code=0):
        """Run the client to its end and return the process."""
        ran = self._ran([str(self.binary), *words])
        assert code is None or ran.returncode == code, ran.stdout + ran.stderr
        return ran

    def exec(self, prompt, *words):
        """Hold a session, without the sandbox that a test runner may not allow, and return its thread's id."""
        shown = ["--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        ran = self.run("exec", *words, *shown, prompt)
        told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
        return next(one["thread_id"] for one in told if one["type"] == "thread.started")

    def nightschool(self, *words, code=0):
        """Run our command in the same world and return what it printed as JSON."""
        ran = self._ran([sys.executable, "-m", "nightschool", *words, "--json"])
        assert code is None or ran.returncode == code, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    def install(self, *words):
        """Run our installer and return what it said."""
        ran = self._ran(["sh", str(ROOT / "codex" / "install.sh"), *words])
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def _ran(self, words):
        return subprocess.run(
            words, cwd=self.project, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=180, check=False,
        )  # fmt: skip


@pytest.fixture
def codex(codex_binary, tmp_path):
    """Return the client with an empty home and a project that is a git repository."""
    made = Codex(codex_binary, tmp_path)
    made.project.mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    env = os.environ | {"HOME": str(made.home)}
    for words in (["init", "-q"], ["config", "user.email", "sam@example.invalid"], ["config", "user.name", "Sam"]):
        subprocess.run(["git", *words], cwd=made.project, env=env, check=True)
    return made
