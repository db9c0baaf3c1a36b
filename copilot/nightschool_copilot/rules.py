"""Where Copilot reads rules from, and so where adopted ones can go."""

from collections.abc import Iterator
from pathlib import Path

from nightschool.records import NightRequest, Target


def targets(request: NightRequest) -> Iterator[Target]:
    """Yield the project's instructions; the client has no rules of the user's own that we write to."""
    if request.project is not None:
        path = Path(request.project) / ".github" / "copilot-instructions.md"
        yield Target(
            key="copilot:project",
            platform="copilot",
            kind="block",
            scope="project",
            path=str(path),
            title="the project's copilot-instructions.md",
        )
