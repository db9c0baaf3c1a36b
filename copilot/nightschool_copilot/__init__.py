"""Copilot: its payloads and its rule files. Reading its sessions is not done yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.hookspecs import hookimpl

if TYPE_CHECKING:
    from nightschool.records import NightRequest, PlatformNight


class Copilot:
    """The platform. Its rooms are imported when they are asked."""

    name = "copilot"
    title = "Copilot"

    def read_payload(self, moment: str, data: bytes) -> dict[str, str]:
        """Return what a hook's payload points to. Raises ValueError when it is no such payload."""
        from nightschool_copilot.payloads import read

        return read(moment, data)

    def client(self) -> tuple[str, str] | None:
        """Return where the client is and its version; None when it is not on PATH."""
        from nightschool_copilot.runner import find

        return find()

    def unread(self, request: NightRequest) -> int:
        """Return how many sessions lie there that Nightschool cannot read yet."""
        from pathlib import Path

        from nightschool_copilot.transcripts import count

        return count(Path(request.user_home) / ".copilot")

    @hookimpl
    def on_night(self, request: NightRequest) -> PlatformNight | None:
        """List the documents rules could go to. Its transcripts are not read yet, so none are listed."""
        from nightschool.records import PlatformNight
        from nightschool_copilot.rules import targets

        return PlatformNight(platform=self.name, targets=tuple(targets(request)))


platform = Copilot()
