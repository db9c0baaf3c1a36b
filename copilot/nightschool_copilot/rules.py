"""Where Copilot reads rules from, and so where adopted ones can go."""

from collections.abc import Iterator
from pathlib import Path

from nightschool.records import NightRequest, Target
from nightschool_copilot.place import config_dir

_SUFFIX = ".instructions.md"
_OWN = f"nightschool{_SUFFIX}"
_EVERYWHERE = '---\ndescription: Rules that you have adopted with Nightschool.\napplyTo: "**"\n---\n\n'


def targets(request: NightRequest) -> Iterator[Target]:
    """Yield the project's instructions, those for its paths, the user's, and a skill of our own in either place.

    Instructions for paths are files that are there already, with what they apply to in their front matter, and one of
    our own that applies everywhere and can be narrowed by hand.
    """
    if request.project is not None:
        github = Path(request.project) / ".github"
        path = github / "copilot-instructions.md"
        yield _target("project", "block", "project", path, "the project's copilot-instructions.md")
        yield from _scoped(github / "instructions")
        skill = github / "skills" / "nightschool-learned" / "SKILL.md"
        yield _target("project-skill", "skill", "project", skill, "the project's skill nightschool-learned")
    config = config_dir(request)
    yield _target("user", "block", "user", config / "copilot-instructions.md", "your own copilot-instructions.md")
    learned = config / "skills" / "nightschool-learned" / "SKILL.md"
    yield _target("skill", "skill", "user", learned, "the skill nightschool-learned")


def _scoped(folder: Path) -> Iterator[Target]:
    own = folder / _OWN
    yield _target("instructions", "block", "project", own, f"the project's {_OWN}", _EVERYWHERE)
    try:
        paths = sorted(path for path in folder.rglob(f"*{_SUFFIX}") if path.is_file() and path != own)
    except OSError:
        return
    for path in paths:
        name = path.relative_to(folder).as_posix()
        yield _target(f"instructions/{name.removesuffix(_SUFFIX)}", "block", "project", path, f"the project's {name}")


def _target(what: str, kind: str, scope: str, path: Path, title: str, opening: str = "") -> Target:
    told = {"key": f"copilot:{what}", "platform": "copilot", "kind": kind, "scope": scope, "opening": opening}
    return Target.model_validate(told | {"path": str(path), "title": title})
