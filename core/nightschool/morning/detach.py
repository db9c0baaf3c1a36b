"""Detach: take our name out of the clients' own settings, where a client's own commands leave it behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.errors import NightschoolError
from nightschool.morning.place import look
from nightschool.morning.uninstall import Touched

if TYPE_CHECKING:
    from nightschool.platforms import Platforms
    from nightschool.records import NightRequest


def detach(platforms: Platforms, request: NightRequest, *, write: bool) -> tuple[Touched, ...]:
    """Ask each platform for its `traces` and exchange those files; return what became of each.

    Without `write` they are only named. A file that cannot be changed is `failed` and stops none of the others.
    """
    touched = []
    for name in platforms.names():
        ask = getattr(platforms.manager.get_plugin(name), "traces", None)
        try:
            found = dict(ask(request)) if ask else {}
        except Exception as error:  # noqa: BLE001  whatever a plugin raises is its own
            platforms.broken[name] = f"traces: {type(error).__name__}: {error}"
            continue
        touched += [_exchanged(path, data, platforms.title(name), write=write) for path, data in found.items()]
    return tuple(touched)


def _exchanged(path: str, data: bytes | None, client: str, *, write: bool) -> Touched:
    try:
        place = look(path)
        if write:
            place.put(data)
    except NightschoolError as error:
        return Touched(path=path, action="failed", notes=(str(error),))
    note = f"{client}'s settings no longer name our plugin"
    return Touched(path=path, action="removed" if data is None else "cleaned", notes=(note,))
