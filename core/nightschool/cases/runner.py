"""The project's own test command: which it is, how it is told the files, and how each test ended."""

import json
import re
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nightschool.cases.split import is_runnable
from nightschool.files import read_plain

Results = dict[str, str]
PASSED, FAILED, SKIPPED, MISSING = "passed", "failed", "skipped", "missing"

_NODE_RUNNERS = re.compile(r"\b(jest|vitest|mocha|ava|tap|node\s+--test)\b")
_MAKE = re.compile(r"^(test|check)\s*:(?!=)", re.MULTILINE)
_CARGO = re.compile(r"^test (.+?) \.\.\. (ok|FAILED|ignored)", re.MULTILINE)
_TAP = re.compile(r"^([^\S\n]*+)(not ok|ok) \d+ - (.+?)(?: # (SKIP|TODO).*)?$", re.MULTILINE)
_NOT_RUN = frozenset({126, 127})
_LARGEST_REPORT = 64 << 20


@dataclass(frozen=True)
class Runner:
    """How a project's tests are run."""

    name: str
    told: tuple[str, ...] = ()  # the configured command

    def words(self, folder: Path, files: Sequence[str], python: str, report: Path) -> list[str]:
        """Return the command. It runs in `folder`; pytest writes its report to `report`."""
        if self.name == "pytest":
            return [python, "-m", "pytest", *_reported(folder, report), *files]
        if self.name == "npm":
            script = _script(folder)
            return ["npm", "test", "--silent", *(["--", *files] if _NODE_RUNNERS.search(script) else [])]
        if self.name == "go":
            packages = sorted({f"./{PurePosixPath(path).parent}" for path in files if path.endswith(".go")})
            return ["go", "test", "-json", "-count=1", *(packages or ["./..."])]
        if self.name == "cargo":
            return ["cargo", "test", "--offline", "--no-fail-fast"]
        if self.name == "make":
            return ["make", _target(folder)]
        words = [word for told in self.told for word in (files if told == "{tests}" else [told])]
        return [*words, *_reported(folder, report)] if self._is_pytest else words

    @property
    def _is_pytest(self) -> bool:
        return self.name == "pytest" or any(PurePosixPath(word).name in {"pytest", "py.test"} for word in self.told)

    def read(self, code: int, log: str, report: Path) -> Results | None:
        """Return how each test ended; None when the command did not get so far as to run any."""
        if self._is_pytest:
            return _junit(report)
        if self.name == "go":
            found = _go(log)
        elif self.name == "cargo":
            found = _cargo(log)
        else:
            found = _tap(log) if self.name == "npm" else {}
        if found:
            return found
        if code < 0 or code in _NOT_RUN:
            return None
        if self.name in {"go", "cargo"}:  # it did not compile, or there is no test
            return {}
        return {f"{self.name} test" if self.name == "npm" else self.name: PASSED if code == 0 else FAILED}


def detect(folder: Path, files: Sequence[str], command: str = "") -> Runner | None:
    """Find out how the tests among `files` are run; None when nothing fits."""
    if command.strip():
        return Runner("command", tuple(shlex.split(command)))
    suffixes = {PurePosixPath(path).suffix for path in files if is_runnable(path)}
    if ".py" in suffixes:
        return Runner("pytest")
    if ".go" in suffixes and (folder / "go.mod").is_file():
        return Runner("go")
    if ".rs" in suffixes and (folder / "Cargo.toml").is_file():
        return Runner("cargo")
    if suffixes & {".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".mts", ".cts"} and _script(folder):
        return Runner("npm")
    return Runner("make") if _target(folder) else None


def _reported(folder: Path, report: Path) -> list[str]:
    return [
        # the plugin of the cache stays: a project's own options may be of it
        "-q", "-o", f"cache_dir={report.with_name('cache')}", f"--rootdir={folder}", "--continue-on-collection-errors",
        "-o", "junit_family=xunit1", f"--junitxml={report}",
    ]  # fmt: skip


def _script(folder: Path) -> str:
    try:
        told = json.loads(read_plain(folder / "package.json"))
        script = told["scripts"]["test"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return script if isinstance(script, str) and "no test specified" not in script else ""


def _target(folder: Path) -> str:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        try:
            found = _MAKE.findall(read_plain(folder / name).decode(errors="replace"))
        except OSError:
            continue
        return "test" if "test" in found else (found[0] if found else "")
    return ""


def _junit(report: Path) -> Results | None:
    """Read pytest's report. A test that failed in any phase failed."""
    try:
        # tests can put anything in its place
        if b"<!ENTITY" in (data := read_plain(report, _LARGEST_REPORT)):
            return None
        root = ET.fromstring(data)  # noqa: S314  no entities: checked above; a parser that refuses them is not needed
    except (OSError, ET.ParseError):
        return None
    found: Results = {}
    for case in root.iter("testcase"):
        name = _node(case.get("file", ""), case.get("classname", ""), case.get("name", ""))
        kinds = {child.tag for child in case}
        ended = FAILED if kinds & {"failure", "error"} else SKIPPED if "skipped" in kinds else PASSED
        found[name] = FAILED if FAILED in {ended, found.get(name)} else ended
    return found


def _node(file: str, classes: str, name: str) -> str:
    """Return a test's id as pytest itself writes it."""
    module = file.removesuffix(".py").replace("/", ".").replace("\\", ".")
    inner = [part for part in classes.removeprefix(module).split(".") if part] if file else [classes]
    return "::".join([*([file] if file else []), *inner, name])


def _go(log: str) -> Results:
    ends = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED}
    found: Results = {}
    for line in log.splitlines():
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict) and told.get("Test") and told.get("Action") in ends:
            found[f"{told.get('Package')}/{told['Test']}"] = ends[told["Action"]]
    return found


def _cargo(log: str) -> Results:
    found: Results = {}
    for name, ended in _CARGO.findall(log):
        told = {"ok": PASSED, "ignored": SKIPPED}.get(ended, FAILED)
        found[name] = FAILED if FAILED in {told, found.get(name)} else told
    return found


def _tap(log: str) -> Results:
    """Read the Test Anything Protocol; a subtest is named after those around it by its depth alone."""
    found: Results = {}
    for indent, ended, name, skipped in _TAP.findall(log):
        told = SKIPPED if skipped else PASSED if ended == "ok" else FAILED
        key = f"{'  ' * (len(indent) // 4)}{name}".strip() if not indent else f"{name} (inner)"
        found[key] = FAILED if FAILED in {told, found.get(key)} else told
    return found
