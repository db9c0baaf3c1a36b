"""The real Copilot, from npm, in a home of its own, without a login, with a server on loopback as its model."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.clients import ROOT, npm

COPILOT = "1.0.102"


@pytest.fixture(scope="session")
def copilot_binary():
    """Return the real client, fetched once into the checkout's cache."""
    modules = npm(f"@github/copilot@{COPILOT}", ROOT / ".ci-clients" / f"copilot-{COPILOT}")
    found = sorted((modules / "@github").glob("copilot-*/copilot"))
    if not found:
        pytest.skip("the client has no binary for this machine")
    return found[0]


@dataclass
class Copilot:
    """The client in a home of its own. What it unpacks of itself is shared by all homes of one run of the tests."""

    binary: Path
    root: Path
    cache: Path

    @property
    def home(self):
        return self.root / "user-home"

    @property
    def project(self):
        return self.home / "shop"

    @property
    def config(self):
        return self.home / ".copilot"

    def environment(self, url="http://127.0.0.1:9"):
        """Return its whole environment: nothing of the runner's but where our modules are."""
        modules = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
        return modules | {
            "PATH": f"{self.binary.parent}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "NIGHTSCHOOL_HOME": str(self.root / "nightschool-home"),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "COPILOT_OFFLINE": "true",
            "COPILOT_AUTO_UPDATE": "false",
            "COPILOT_CACHE_HOME": str(self.cache),
            "COPILOT_MODEL": "fake-1",
            "COPILOT_PROVIDER_TYPE": "anthropic",
            "COPILOT_PROVIDER_BASE_URL": url,
            "COPILOT_PROVIDER_API_KEY": "dummy",
        }

    def start(self, *words, url="http://127.0.0.1:9", **options):
        """Start the client and return its process."""
        return subprocess.Popen(
            [str(self.binary), *words],
            cwd=self.project,
            env=self.environment(url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *words, url="http://127.0.0.1:9"):
        """Run the client to its end and return the process."""
        process = self.start(*words, url=url)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def nightschool(self, *words, url="http://127.0.0.1:9"):
        """Run our command in the same world and return what it printed as JSON."""
        ran = subprocess.run(
            [sys.executable, "-m", "nightschool", *words, "--json"],
            cwd=self.project,
            env=self.environment(url),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)


@pytest.fixture(scope="session")
def copilot_cache():
    """Return where the client unpacks itself: once for all homes, and gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="copilot-cache-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def copilot(copilot_binary, copilot_cache, tmp_path):
    """Return the client with an empty home and a project that is a git repository."""
    made = Copilot(copilot_binary, tmp_path, copilot_cache)
    made.project.mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    env = os.environ | {"HOME": str(made.home)}
    for words in (["init", "-q"], ["config", "user.email", "sam@example.invalid"], ["config", "user.name", "Sam"]):
        subprocess.run(["git", *words], cwd=made.project, env=env, check=True)
    return made
