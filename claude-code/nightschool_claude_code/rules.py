"""Where Claude Code reads rules from, and so where adopted ones can go."""

from collections.abc import Iterator
from pathlib import Path

from nightschool.records import NightRequest, Target
from nightschool_claude_code.imports import imported

LEARNED = "nightschool-learned"
MOST_SKILLS = 200  # of one directory; a user with more names one by its path


def config_dir(request: NightRequest) -> Path:
    """Return the client's configuration directory."""
    told = request.environ.get("CLAUDE_CONFIG_DIR")
    return Path(told) if told else Path(request.user_home) / ".claude"


def targets(request: NightRequest) -> Iterator[Target]:
    """Yield the project's rules, the user's, a skill of our own for each, and every skill there is or was named."""
    config = config_dir(request)
    if request.project is not None:
        yield _project_rules(Path(request.project))
    yield _block("user", config / "CLAUDE.md", config, "your own CLAUDE.md")
    yield _skill("skill", "user", config / "skills" / LEARNED / "SKILL.md", f"the skill {LEARNED}")
    yield from _skills("skill", "user", config / "skills", "your skill")
    if request.project is not None:
        skills = Path(request.project) / ".claude" / "skills"
        yield _skill("project-skill", "project", skills / LEARNED / "SKILL.md", f"the project's skill {LEARNED}")
        yield from _skills("project-skill", "project", skills, "the project's skill")
    for number, path in enumerate(request.skills, 1):
        yield _skill(f"skill-{number}", "user", Path(path), f"the skill {Path(path).parent.name}")


def _project_rules(project: Path) -> Target:
    """Return the project's rules: CLAUDE.md, or the AGENTS.md beside it where that is what CLAUDE.md brings in.

    Such projects keep their rules in AGENTS.md for every agent; a second copy in CLAUDE.md would be read twice.
    """
    own, shared = project / "CLAUDE.md", project / "AGENTS.md"
    if own.resolve() != shared.resolve() and shared.resolve() in imported(own, project):
        along = [path for path in imported(own, project) if path != shared.resolve()]
        title = "the project's AGENTS.md, which CLAUDE.md imports"
        return _target("project", "block", "project", shared, title, (own, *along))
    return _block("project", own, project, "the project's CLAUDE.md")


def _block(scope: str, path: Path, inside: Path, title: str) -> Target:
    return _target(scope, "block", scope, path, title, tuple(imported(path, inside)))


def _skill(what: str, scope: str, path: Path, title: str) -> Target:
    return _target(what, "skill", scope, path, title)


def _skills(what: str, scope: str, folder: Path, title: str) -> Iterator[Target]:
    """Yield the skills that are there, by name."""
    found = sorted(path for path in folder.glob("*/SKILL.md") if path.parent.name != LEARNED)
    for path in found[:MOST_SKILLS]:
        yield _skill(f"{what}/{path.parent.name}", scope, path, f"{title} {path.parent.name}")


def _target(what: str, kind: str, scope: str, path: Path, title: str, along: tuple[Path, ...] = ()) -> Target:
    told = {"key": f"claude-code:{what}", "platform": "claude-code", "kind": kind, "scope": scope, "title": title}
    return Target.model_validate(told | {"path": str(path), "along": tuple(str(other) for other in along)})
