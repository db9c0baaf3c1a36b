"""The house rules of core/README.md, each held by a check that is seen to fail on a planted violation."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A room may import only rooms that stand before it.
ROOMS = (
    "errors", "clock", "paths", "files", "versions",  # floor 0
    "events", "records",  # floor 1
    "hookspecs", "platforms", "sections", "config",  # floor 2
    "bundle", "memory", "models", "audit", "day", "cases",  # floor 3
    "night",  # floor 4
    "schedule", "sync", "morning",  # floor 5
    "mcp", "cli",  # floor 6
)  # fmt: skip
WRITES_OUTSIDE = {"schedule"}  # an install: takes back what it wrote, byte for byte
PLATFORM_PACKAGES = ("nightschool_claude_code", "nightschool_codex", "nightschool_copilot")
SEEN_BY_PLATFORMS = {"errors", "events", "records", "hookspecs"}
TOP_LEVEL = {
    "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md",
    "core", "claude-code", "codex", "copilot", "hooks", "skills", "tests",
}  # fmt: skip


def modules(root):
    """Yield (path, room, tree) of every module below `root`, a folder that holds packages."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        room = parts[1].removesuffix(".py") if len(parts) > 1 else parts[0]
        yield path, room, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    """Yield every dotted name that a module imports, with the names taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upward_imports(core):
    """List imports of core that do not go down."""
    found = []
    for path, room, tree in modules(core):
        if room in {"__init__", "__main__"}:
            continue
        for name in imported(tree):
            parts = name.split(".")
            if parts[0] in PLATFORM_PACKAGES:
                found.append(f"{path.name} imports {name}")
            if parts[0] != "nightschool" or len(parts) < 2 or parts[1] in {room, "__version__"}:
                continue
            target = parts[1]
            if target not in ROOMS or ROOMS.index(target) >= ROOMS.index(room):
                found.append(f"{room}/{path.name} imports {name}")
    return found


def nosy_platforms(package):
    """List imports of a platform that see more of core than the contract."""
    return [
        f"{path.name} imports {name}"
        for path, _, tree in modules(package)
        for name in imported(tree)
        if name.startswith("nightschool.") and name.split(".")[1] not in SEEN_BY_PLATFORMS
    ]


def platform_names(core):
    """List lines of core that name a platform."""
    return [
        f"{path.name}:{number}"
        for path in sorted(core.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"claude|codex|copilot", line, re.IGNORECASE)
    ]


def printers(core):
    """List calls of print outside cli."""
    return [
        f"{path.name}:{node.lineno}"
        for path, room, tree in modules(core)
        for node in ast.walk(tree)
        if room != "cli" and isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]


def bare_printers(cli):
    """List modules of cli that print to stdout, and not by what takes from foreign words what moves a cursor."""
    return [
        f"{path.name}:{node.lineno}"
        for path in sorted(cli.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
        if not any(given.arg == "file" for given in node.keywords)
    ]


def network_users(core):
    """List imports outside models that could reach a model."""
    nets = {"urllib", "http", "socket", "ssl", "asyncio", "requests", "httpx", "aiohttp"}
    return [
        f"{path.name} imports {name}"
        for path, room, tree in modules(core)
        for name in imported(tree)
        if room != "models" and name.split(".")[0] in nets
    ]


def told_schedulers(core):
    """List calls outside schedule that name a program which keeps something outside the home."""
    programs = {"crontab", "systemctl", "launchctl", "schtasks"}
    return [
        f"{path.name}:{node.lineno}"
        for path, room, tree in modules(core)
        for node in ast.walk(tree)
        if room not in WRITES_OUTSIDE and isinstance(node, ast.Call | ast.List)
        for first in (node.args if isinstance(node, ast.Call) else node.elts)[:1]
        if isinstance(first, ast.Constant) and first.value in programs
    ]


def oversized(root):
    """List modules over 300 lines and functions over 50."""
    found = []
    for path, _, tree in modules(root):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > 300:
            found.append(f"{path.name}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > 50:
                    found.append(f"{path.name}:{node.name}: {length} lines")
    return found


def junk_rooms(root):
    """List modules with names that say nothing."""
    junk = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    return [str(path) for path in root.rglob("*.py") if path.stem in junk]


def plant(folder, name, text):
    """Write a module and return the folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


SOURCES = [ROOT / "core", ROOT / "claude-code", ROOT / "codex", ROOT / "copilot"]


def test_imports_go_down(tmp_path):
    """A room imports only rooms below it."""
    assert upward_imports(ROOT / "core") == []

    planted = plant(tmp_path, "nightschool/day/x.py", "from nightschool.morning.adopt import adopt\n")
    assert upward_imports(planted) == ["day/x.py imports nightschool.morning.adopt.adopt"]


def test_platforms_see_only_the_contract(tmp_path):
    """A platform imports errors, events, records and hook specifications, and nothing else of ours."""
    for name in ("claude-code", "codex", "copilot"):
        assert nosy_platforms(ROOT / name) == []

    planted = plant(tmp_path, "nightschool_codex/x.py", "from nightschool.day.redact import redact\n")
    assert nosy_platforms(planted) == ["x.py imports nightschool.day.redact.redact"]


def test_core_names_no_platform(tmp_path):
    """No platform, flag, key or environment variable of one is named in core."""
    assert platform_names(ROOT / "core") == []

    assert platform_names(plant(tmp_path, "x.py", "a = 1\nname = 'Claude'\n")) == ["x.py:2"]


def test_only_cli_prints(tmp_path):
    """Everything but cli returns values."""
    assert printers(ROOT / "core") == []

    assert printers(plant(tmp_path, "nightschool/day/x.py", "print(1)\n")) == ["x.py:1"]


def test_verbs_print_by_what_cleans(tmp_path):
    """What a verb quotes was written by anybody: only `options` prints, and the two lines before a verb is known."""
    names = [name.partition(":")[0] for name in bare_printers(ROOT / "core" / "nightschool" / "cli")]
    assert set(names) == {"options.py", "__init__.py"}
    assert names.count("__init__.py") == 2

    plant(tmp_path, "cli/x.py", "print(1)\n")
    assert bare_printers(tmp_path / "cli") == ["x.py:1"]


def test_only_models_reaches_out(tmp_path):
    """No room but models imports anything that can open a connection."""
    assert network_users(ROOT / "core") == []

    assert network_users(plant(tmp_path, "nightschool/night/x.py", "import urllib.request\n"))


def test_only_schedule_tells_schedulers(tmp_path):
    """Outside the home write `morning` (documents) and the installs: `schedule` alone speaks with schedulers."""
    assert told_schedulers(ROOT / "core") == []

    call = 'import subprocess\nsubprocess.run(["crontab", "-l"])\n'
    assert told_schedulers(plant(tmp_path, "nightschool/night/x.py", call)) == ["x.py:2"]


def test_sizes(tmp_path):
    """Modules hold at most 300 lines, functions at most 50."""
    assert [found for source in SOURCES for found in oversized(source)] == []

    body = "def f():\n" + "    a = 1\n" * 60
    assert oversized(plant(tmp_path, "nightschool/day/x.py", body)) == ["x.py:f: 61 lines"]


def test_names_say_something(tmp_path):
    """There is no utils, helpers, manager or base."""
    assert [found for source in SOURCES for found in junk_rooms(source)] == []

    assert junk_rooms(plant(tmp_path, "nightschool/utils.py", "")) != []


def test_top_level_is_the_card():
    """The repository's top level holds the card's names, LICENSE, CHANGELOG and dot-directories."""
    import subprocess

    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    names = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_no_module_lies_directly_in_a_source_root():
    """A .py beside a package would become a top-level import of everybody's."""
    assert [str(path) for source in SOURCES for path in source.glob("*.py")] == []


def test_every_hook_specification_is_documented_and_implemented():
    """Each of the four questions stands in core/README.md and is answered by the first platform."""
    from nightschool import hookspecs, platforms

    names = [name for name in dir(hookspecs) if name.startswith("on_")]
    assert sorted(names) == ["on_error_spike", "on_milestone_commit", "on_night", "on_session_end"]
    readme = (ROOT / "core" / "README.md").read_text(encoding="utf-8")
    loaded = platforms.installed()
    assert loaded.broken == {}
    for name in names:
        assert name in readme
        assert loaded.manager.get_plugin("claude-code") in [
            found.plugin for found in getattr(loaded.manager.hook, name).get_hookimpls()
        ]
