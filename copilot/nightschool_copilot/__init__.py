"""Copilot: answers to the four questions, from its own sessions and payloads, and from the chats of editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nightschool.events import Event
    from nightschool.records import GuardPlan, GuardWanted, HeadlessRunner, Kept, NightRequest, PlatformNight, Session

_SHELLS = frozenset({"bash", "powershell", "shell", "run_in_terminal", "runInTerminal", "copilot_runInTerminal"})


class Copilot:
    """The platform. Its rooms are imported when they are asked: loading it costs next to nothing."""

    name = "copilot"
    title = "Copilot"
    install_hint = "copilot plugin marketplace add {root}, then copilot plugin install nightschool@nightschool"
    uninstall_hint = (
        "nightschool uninstall takes it out of the client's settings; where the client had copied it, also "
        "copilot plugin uninstall nightschool@nightschool, then nightschool uninstall again"
    )

    def read_payload(self, moment: str, data: bytes) -> dict[str, str] | None:
        """Return what a hook's payload points to; None for a sub-agent's. Raises ValueError when it is no payload."""
        from nightschool_copilot.payloads import read

        return read(moment, data)

    def client(self) -> tuple[str, str] | None:
        """Return where the client is and its version; None when it is not on PATH."""
        from nightschool_copilot.runner import find

        return find()

    def backends(self) -> dict[str, Callable[[], HeadlessRunner]]:
        """Return the backend `copilot`: the client itself, headless."""
        from nightschool_copilot.headless import Headless

        return {"copilot": Headless}

    def unwire(self, request: NightRequest, *, dry_run: bool) -> list[dict[str, object]]:
        """Take our plugin's name out of the client's settings, or say what that would do."""
        from nightschool_copilot.settings import take_back

        return take_back(request, dry_run=dry_run)

    def memories(self, kept: Sequence[Kept]) -> tuple[str, dict[str, str]]:
        """Return adopted rules as `copilot memories import` takes them, and why some are left out, by id."""
        from nightschool_copilot.memories import export

        return export(kept)

    def guard(self, request: NightRequest, wanted: GuardWanted) -> GuardPlan:
        """Return how the client takes a guard of the user's. Raises NightschoolError when it cannot."""
        from nightschool_copilot.guards import plan

        return plan(request, wanted)

    @hookimpl
    def on_session_end(self, event: Event, known: Session | None) -> Session | None:
        """Read the session's transcript on."""
        if event.platform != self.name or event.session_id is None:
            return None
        from nightschool_copilot.transcripts import own_path, read

        return read(event.session_id, event.transcript or own_path(event.session_id), known)

    @hookimpl
    def on_error_spike(self, event: Event, session: Session) -> list[int] | None:
        """Name the turns in which tools failed and the user had not stopped them."""
        if event.platform != self.name:
            return None
        failed = ((n, any(call.failed for call in turn.calls)) for n, turn in enumerate(session.turns))
        return [n for n, spiked in failed if spiked and not session.turns[n].interrupted]

    @hookimpl
    def on_milestone_commit(self, event: Event, session: Session) -> list[str] | None:
        """Return the shell commands that speak of a commit or a merge."""
        if event.platform != self.name:
            return None
        said = [call.input for turn in session.turns for call in turn.calls if call.name in _SHELLS]
        return [words for words in said if "git" in words and ("commit" in words or "merge" in words)]

    @hookimpl
    def on_night(self, request: NightRequest) -> PlatformNight | None:
        """List every transcript there is, and the documents rules could go to."""
        from nightschool.records import PlatformNight
        from nightschool_copilot.rules import targets
        from nightschool_copilot.transcripts import transcripts

        return PlatformNight(
            platform=self.name, transcripts=tuple(transcripts(request)), targets=tuple(targets(request))
        )


platform = Copilot()
