"""Codex: its payloads and its rule files. Reading its sessions is not done yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.hookspecs import hookimpl

if TYPE_CHECKING:
    from nightschool.records import NightRequest, PlatformNight


class Codex:
    """The platform. Its rooms are imported when they are asked."""

    name = "codex"
    title = "Codex"

    def read_payload(self, moment: str, data: bytes) -> dict[str, str]:
        """Return what a hook's payload points to. Raises ValueError when it is no such payload."""
        from nightschool_codex.payloads import read

        return read(moment, data)

    def client(self) -> tuple[str, str] | None:
        """Return where the client is and its version; None when it is not on PATH."""
        from nightschool_codex.runner import find

        return find()

    def unread(self, request: NightRequest) -> int:
        """Return how many sessions lie there that Nightschool cannot read yet."""
        from nightschool_codex.rules import home
        from nightschool_codex.transcripts import count

        return count(home(request))

    @hookimpl
    def on_night(self, request: NightRequest) -> PlatformNight | None:
        """List the documents rules could go to. Its transcripts are not read yet, so none are listed."""
        from nightschool.records import PlatformNight
        from nightschool_codex.rules import targets

        return PlatformNight(platform=self.name, targets=tuple(targets(request)))


platform = Codex()
