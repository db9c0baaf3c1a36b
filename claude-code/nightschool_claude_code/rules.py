"""Where Claude Code reads rules from, and so where adopted ones can go."""

from collections.abc import Iterator
from pathlib import Path

from nightschool.records import NightRequest, Target


def config_dir(request: NightRequest) -> Path:
    """Return the client's configuration directory."""
    told = request.environ.get("CLAUDE_CONFIG_DIR")
    return Path(told) if told else Path(request.user_home) / ".claude"


def targets(request: NightRequest) -> Iterator[Target]:
    """Yield the project's rules, the user's, a skill of our own, and every skill the user has named."""
    config = config_dir(request)
    if request.project is not None:
        yield _target("project", "block", "project", Path(request.project) / "CLAUDE.md", "the project's CLAUDE.md")
    yield _target("user", "block", "user", config / "CLAUDE.md", "your own CLAUDE.md")
    learned = config / "skills" / "nightschool-learned" / "SKILL.md"
    yield _target("skill", "skill", "user", learned, "the skill nightschool-learned")
    for number, path in enumerate(request.skills, 1):
        yield _target(f"skill-{number}", "skill", "user", Path(path), f"the skill {Path(path).parent.name}")


def _target(what: str, kind: str, scope: str, path: Path, title: str) -> Target:
    told = {"key": f"claude-code:{what}", "platform": "claude-code", "kind": kind, "scope": scope}
    return Target.model_validate(told | {"path": str(path), "title": title})
