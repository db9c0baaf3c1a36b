"""The official clients against our MCP server, in both eras of the protocol."""

import json
import platform
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from tests.support.clients import ROOT, npm

pytestmark = pytest.mark.smoke
SDK, INSPECTOR = "mcp==2.3.0", "@modelcontextprotocol/inspector@2.12.0"
SERVER = [sys.executable, "-m", "nightschool", "mcp"]
ERAS = ["legacy", "auto", "modern"]


@pytest.fixture(scope="session")
def sdk():
    """Return an interpreter that has the official SDK, kept in the checkout's cache; skip where it cannot be had."""
    folder = ROOT / ".ci-clients" / SDK.replace("==", "-")
    python = folder / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-c", "import mcp"], check=False, capture_output=True).returncode:
        venv.create(folder, with_pip=True, clear=True)
        words = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", SDK]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=500, check=False)
        if ran.returncode != 0:
            pytest.skip(f"pip cannot install {SDK}: {ran.stderr[-200:]}")
    return python


@pytest.fixture(scope="session")
def inspector():
    """Return the words that start the official Inspector; it needs a newer node than many machines have."""
    machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    system = sys.platform.replace("win32", "win")
    node = f"node-{system}-{machine}"
    folder = ROOT / ".ci-clients" / "mcp-inspector-2.12.0"
    modules = npm(INSPECTOR, folder / "inspector")
    binary = npm(f"{node}@24", folder / "node") / node / "bin" / "node"
    package = modules / "@modelcontextprotocol" / "inspector"
    return [str(binary), str(package / "clients" / "launcher" / "build" / "index.js"), "--cli"]


@pytest.fixture
def environment(tmp_path):
    """Return an environment with nothing of the runner's but where our packages are."""
    home = tmp_path / "user-home"
    home.mkdir(exist_ok=True)
    sources = ":".join(str(ROOT / name) for name in ("core", "claude-code", "codex", "copilot"))
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "NIGHTSCHOOL_HOME": str(tmp_path / "nightschool-home"),
        "PYTHONPATH": sources,
    }


@pytest.mark.parametrize("mode", ["legacy", "auto", "2026-07-28"])
def test_the_official_sdk(sdk, environment, tmp_path, mode):
    """Its client lists, calls, hears progress, answers for its roots, sees our errors as results, and closes at once."""
    project = tmp_path / "shop"
    project.mkdir()
    words = [
        str(sdk),
        "-W",
        "error",
        str(ROOT / "tests" / "support" / "mcp_sdk_client.py"),
        mode,
        str(project),
        *SERVER,
    ]
    ran = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    found = json.loads(ran.stdout)
    assert {"sleep_status", "sleep_run", "sleep_adopt"} <= set(found["tools"])
    assert found["plan"]["calls"] == 0
    assert found["night"] == [False, "done"]
    assert found["errors"][:2] == [True, True]
    assert "9999" in found["errors"][2]
    assert found["roots"] == ["roots"]
    assert [1, "harvesting sessions"] in found["progress"]
    assert found["faults"] == []


def inspect(inspector, environment, era, *words):
    """Run the Inspector on our server and return (exit code, stdout, stderr)."""
    told = [
        word for name in ("NIGHTSCHOOL_HOME", "PYTHONPATH", "HOME") for word in ("-e", f"{name}={environment[name]}")
    ]
    ran = subprocess.run(
        [*inspector, "--protocol-era", era, *told, *SERVER, *words],
        env=environment, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("era", ERAS)
def test_the_official_inspector_is_strict(inspector, environment, era):
    """`--strict` has nothing to say about any tool's schema, in any era."""
    code, out, err = inspect(inspector, environment, era, "--method", "tools/list", "--strict")
    assert (code, err) == (0, "")
    assert {"sleep_status", "sleep_run"} <= {tool["name"] for tool in json.loads(out)["tools"]}


@pytest.mark.parametrize("era", ERAS)
def test_the_official_inspector_calls(inspector, environment, era, tmp_path):
    """It calls tools with typed arguments; a failing engine is its exit code 5."""
    words = ["--tool-name", "sleep_harvest", "--tool-arg", f"project={tmp_path}", "--tool-arg", "max_sessions=3"]
    code, out, err = inspect(inspector, environment, era, "--method", "tools/call", *words)
    assert (code, err) == (0, "")
    assert json.loads(out)["structuredContent"]["read"] == 0
    code, out, _ = inspect(inspector, environment, era, "--method", "tools/call", "--tool-name", "sleep_report")
    assert code == 5
    assert "there has been no night yet" in out
