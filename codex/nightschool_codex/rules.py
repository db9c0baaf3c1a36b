"""Where Codex reads rules from, and so where adopted ones can go."""

from collections.abc import Iterator
from pathlib import Path

from nightschool.records import NightRequest, Target


def home(request: NightRequest) -> Path:
    """Return the client's own directory."""
    told = request.environ.get("CODEX_HOME")
    return Path(told) if told else Path(request.user_home) / ".codex"


def targets(request: NightRequest) -> Iterator[Target]:
    """Yield the project's AGENTS.md and the user's."""
    if request.project is not None:
        path = Path(request.project) / "AGENTS.md"
        yield Target(
            key="codex:project",
            platform="codex",
            kind="block",
            scope="project",
            path=str(path),
            title="the project's AGENTS.md",
        )
    yield Target(
        key="codex:user",
        platform="codex",
        kind="block",
        scope="user",
        path=str(home(request) / "AGENTS.md"),
        title="your own AGENTS.md",
    )
