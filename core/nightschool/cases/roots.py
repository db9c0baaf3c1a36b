"""Where a project keeps its source, as its own build says: the directories its modules are imported from.

An interpreter may have the project installed from the user's checkout. A tree's own directories come first, or tests
of the state before would import what came after.
"""

import configparser
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from nightschool.files import read_plain

_SETUP_PY = re.compile(r"""package_dir\s*=\s*\{\s*(['"])\1\s*:\s*(['"])([^'"]+)\2""")
_ALWAYS = ("src", ".")


def source_roots(tree: Path, more: Iterable[str] = ()) -> list[str]:
    """Return directories relative to a tree that hold importable source, and are there; the tree itself comes last.

    Read are pyproject.toml (hatch, setuptools, poetry, pdm, flit, uv, and pytest's `pythonpath`), setup.cfg and
    setup.py. `more` comes first.
    """
    told = [*more, *_pyproject(tree), *_setup_cfg(tree), *_setup_py(tree)]
    found = [root for root in dict.fromkeys(map(_plain, told)) if root not in {"", *_ALWAYS}]
    return [root for root in [*found, *_ALWAYS] if _inside(root) and (tree / root).is_dir()]


def _pyproject(tree: Path) -> list[str]:
    try:
        told = tomllib.loads(read_plain(tree / "pyproject.toml").decode())
    except (OSError, ValueError, RecursionError):
        return []
    tool = _table(told.get("tool"))
    return [*_hatch(_table(tool.get("hatch"))), *_setuptools(_table(tool.get("setuptools"))), *_others(tool)]


def _hatch(hatch: dict[str, Any]) -> list[str]:
    """A package's root is the directory that holds it; `sources` are roots themselves."""
    build = _table(hatch.get("build"))
    wheel = _table(_table(build.get("targets")).get("wheel"))
    found: list[str] = []
    for table in (wheel, build):
        found += [str(PurePosixPath(package).parent) for package in _texts(table.get("packages"))]
        found += _texts(table.get("sources")) + _texts(table.get("dev-mode-dirs"))
    return found


def _setuptools(setuptools: dict[str, Any]) -> list[str]:
    packages = setuptools.get("packages")
    where = _texts(_table(_table(packages).get("find")).get("where"))
    named = _table(setuptools.get("package-dir"))
    own = [str(PurePosixPath(path).parent) for name, path in named.items() if name and isinstance(path, str)]
    return [*where, *_texts([named.get("")]), *own]


def _others(tool: dict[str, Any]) -> list[str]:
    poetry = _table(tool.get("poetry")).get("packages")
    found = [_table(package).get("from") for package in poetry] if isinstance(poetry, list) else []
    found += [_table(_table(tool.get("pdm")).get("build")).get("package-dir")]
    uv = _table(_table(tool.get("uv")).get("build-backend"))
    found += [uv.get("module-root")]
    pytest = _table(_table(tool.get("pytest")).get("ini_options")).get("pythonpath")
    return [*_texts(found), *(pytest.split() if isinstance(pytest, str) else _texts(pytest))]


def _setup_cfg(tree: Path) -> list[str]:
    told = configparser.ConfigParser(interpolation=None)
    try:
        told.read_string(read_plain(tree / "setup.cfg").decode())
    except (OSError, ValueError, configparser.Error):
        return []
    where = told.get("options.packages.find", "where", fallback="").split()
    lines = told.get("options", "package_dir", fallback="").splitlines()
    return [*where, *(line.partition("=")[2].strip() for line in lines if line.strip().startswith("="))]


def _setup_py(tree: Path) -> list[str]:
    try:
        return [told[2] for told in _SETUP_PY.findall(read_plain(tree / "setup.py").decode())]
    except (OSError, ValueError):
        return []


def _table(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _texts(told: Any) -> list[str]:
    return [one for one in told if isinstance(one, str)] if isinstance(told, list) else []


def _plain(root: str) -> str:
    return str(PurePosixPath(root)) if root.strip() else ""


def _inside(root: str) -> bool:
    told = PurePosixPath(root)
    return not told.is_absolute() and ".." not in told.parts
