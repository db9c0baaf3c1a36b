"""What installing us has put into clients' own files, taken back by those who know these files."""

from nightschool.morning.uninstall import Touched
from nightschool.platforms import Platforms
from nightschool.records import NightRequest


def unwire(platforms: Platforms, request: NightRequest, *, dry_run: bool) -> tuple[Touched, ...]:
    """Ask every platform to take its installation back, or only to say what it would do.

    A platform that fails, or answers something else, is one `failed` file under its name and stops no other.
    """
    found: list[Touched] = []
    for name in platforms.names():
        ask = getattr(platforms.manager.get_plugin(name), "unwire", None)
        if ask is None:
            continue
        try:
            found += [Touched.model_validate(dict(file)) for file in ask(request, dry_run=dry_run)]
        except Exception as error:  # noqa: BLE001  whatever a plugin raises is its own
            found.append(Touched(path=name, action="failed", notes=(f"{type(error).__name__}: {error}"[:300],)))
    return tuple(found)
