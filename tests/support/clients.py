"""The real clients, from npm, each with a home of its own, a dummy key and a server on loopback."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
CLAUDE = "2.1.329"


def npm(package, folder):
    """Install one package without running its scripts and return its folder; skip where npm cannot be reached."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):  # several workers want the same one
        if not (folder / "node_modules").is_dir():
            fresh = folder.with_name(f"{folder.name}.part")
            for left in (fresh, folder):
                shutil.rmtree(left, ignore_errors=True)
            fresh.mkdir()
            words = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(fresh), package]
            ran = subprocess.run(words, capture_output=True, text=True, timeout=500, check=False)
            if ran.returncode != 0:
                pytest.skip(f"npm cannot install {package}: {ran.stderr[-200:]}")
            fresh.rename(folder)
    return folder / "node_modules"


@functools.cache
def marketplace():
    """Return a copy of the checkout as a user's clone has it: clients copy all that lies in a folder they install from."""
    folder = Path(tempfile.mkdtemp(prefix="nightschool-checkout-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made_here = shutil.ignore_patterns(".git", ".venv", ".ci-*", ".*_cache", ".hypothesis", "__pycache__", "raw")
    shutil.copytree(ROOT, folder / "nightschool", ignore=made_here, symlinks=True)
    return str(folder / "nightschool")


@pytest.fixture(scope="session")
def claude_binary():
    """Return the real Claude Code, fetched once into the checkout's cache."""
    modules = npm(f"@anthropic-ai/claude-code@{CLAUDE}", ROOT / ".ci-clients" / f"claude-code-{CLAUDE}")
    found = sorted((modules / "@anthropic-ai").glob("claude-code-*/claude"))
    if not found:
        pytest.skip("the client has no binary for this machine")
    return found[0]


@dataclass
class Claude:
    """The client in a home of its own."""

    binary: Path
    root: Path

    @property
    def home(self):
        return self.root / "user-home"

    @property
    def project(self):
        return self.home / "shop"

    def environment(self, url="http://127.0.0.1:9"):
        """Return its whole environment: nothing of the runner's but where our modules are."""
        modules = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
        return modules | {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "NIGHTSCHOOL_HOME": str(self.root / "nightschool-home"),
            "ANTHROPIC_API_KEY": "dummy",
            "ANTHROPIC_BASE_URL": url,
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }

    def run(self, *words, url="http://127.0.0.1:9"):
        """Run the client to its end and return the process."""
        return subprocess.run(
            [str(self.binary), *words],
            cwd=self.project,
            env=self.environment(url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def nightschool(self, *words):
        """Run our command in the same world and return what it printed as JSON."""
        ran = subprocess.run(
            [sys.executable, "-m", "nightschool", *words, "--json"],
            cwd=self.project,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)


@pytest.fixture
def claude(claude_binary, tmp_path):
    """Return the client with an empty home and a project that is a git repository."""
    made = Claude(claude_binary, tmp_path)
    made.project.mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    env = os.environ | {"HOME": str(made.home)}
    for words in (["init", "-q"], ["config", "user.email", "sam@example.invalid"], ["config", "user.name", "Sam"]):
        subprocess.run(["git", *words], cwd=made.project, env=env, check=True)
    return made
