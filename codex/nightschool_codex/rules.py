"""Where Codex reads rules from, and so where adopted ones can go. The order is the client's own, file by file.

In its home and in each directory from the repository's root down to the session's it reads one file:
`AGENTS.override.md`, else `AGENTS.md`, else (in projects) the first of `project_doc_fallback_filenames`. In a project
an empty override still hides the others; in its home it does not.
"""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from nightschool.records import NightRequest, Target

OVERRIDE, DOCUMENT = "AGENTS.override.md", "AGENTS.md"
_MARKERS = (".git",)  # what the client takes for a project's root unless it is told otherwise
_LEVELS = 64


def home(request: NightRequest) -> Path:
    """Return the client's own directory."""
    told = request.environ.get("CODEX_HOME")
    return Path(told) if told else Path(request.user_home) / ".codex"


def targets(request: NightRequest) -> Iterator[Target]:
    """Yield the project's rules, those of a repository above it, the user's, a skill of our own, and those named."""
    settings = read_settings(home(request))
    if request.project is not None:
        project = Path(request.project)
        chain = _chain(project, settings)
        paths = [_in_project(folder, settings) for folder in chain]
        yield _target("project", "block", "project", paths[-1], f"the project's {paths[-1].name}", paths)
        if len(chain) > 1:
            yield _target("repository", "block", "project", paths[0], f"the repository's {paths[0].name}", paths)
    path = _in_home(home(request))
    yield _target("user", "block", "user", path, f"your own {path.name}")
    learned = Path(request.user_home) / ".agents" / "skills" / "nightschool-learned" / "SKILL.md"
    yield _target("skill", "skill", "user", learned, "the skill nightschool-learned")
    for number, named in enumerate(request.skills, 1):
        yield _target(f"skill-{number}", "skill", "user", Path(named), f"the skill {Path(named).parent.name}")


def read_settings(folder: Path) -> dict[str, object]:
    """Return the user's `config.toml`; empty when there is none or it does not parse: the client tells that itself."""
    try:
        return tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _in_project(folder: Path, settings: dict[str, object]) -> Path:
    names = (OVERRIDE, DOCUMENT, *_names(settings, "project_doc_fallback_filenames"))
    return next((folder / name for name in names if (folder / name).is_file()), folder / DOCUMENT)


def _in_home(folder: Path) -> Path:
    override = folder / OVERRIDE
    try:
        return override if override.read_bytes().strip() else folder / DOCUMENT
    except OSError:
        return folder / DOCUMENT


def _chain(project: Path, settings: dict[str, object]) -> list[Path]:
    """Return the directories whose documents are read, from the project's root down; the project's own comes last."""
    markers = _names(settings, "project_root_markers") or _MARKERS
    above = [project, *project.parents][:_LEVELS]
    for place, folder in enumerate(above):
        if any((folder / marker).exists() for marker in markers):
            return above[place::-1]
    return [project]


def _names(settings: dict[str, object], key: str) -> tuple[str, ...]:
    told = settings.get(key)
    return tuple(name for name in told if isinstance(name, str) and name) if isinstance(told, list) else ()


def _target(what: str, kind: str, scope: str, path: Path, title: str, read: Sequence[Path] = ()) -> Target:
    along = tuple(str(other) for other in read if other != path and other.is_file())
    told = {"key": f"codex:{what}", "platform": "codex", "kind": kind, "scope": scope, "along": along}
    return Target.model_validate(told | {"path": str(path), "title": title})
