"""Codex: answers to the four questions, from its own rollouts and payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightschool.events import Event
    from nightschool.records import GuardPlan, GuardWanted, HeadlessRunner, NightRequest, PlatformNight, Session


class Codex:
    """The platform. Its rooms are imported when they are asked: loading it costs next to nothing."""

    name = "codex"
    title = "Codex"
    install_hint = "sh {root}/codex/install.sh, then trust its hooks: start codex and open /hooks"
    uninstall_hint = "codex plugin remove nightschool@nightschool, then codex plugin marketplace remove nightschool"

    def read_payload(self, moment: str, data: bytes) -> dict[str, str]:
        """Return what a hook's payload points to. Raises ValueError when it is no such payload."""
        from nightschool_codex.payloads import read

        return read(moment, data)

    def client(self) -> tuple[str, str] | None:
        """Return where the client is and its version; None when it is not on PATH."""
        from nightschool_codex.runner import find

        return find()

    def backends(self) -> dict[str, Callable[[], HeadlessRunner]]:
        """Return the backend `codex`: the client itself, headless."""
        from nightschool_codex.headless import Headless

        return {"codex": Headless}

    def unread(self, request: NightRequest) -> int:
        """Return how many compressed sessions lie there that nothing on this machine can unpack."""
        from nightschool_codex.transcripts import unreadable

        return unreadable(request)

    def unwire(self, request: NightRequest, *, dry_run: bool) -> list[dict[str, object]]:
        """Take back what `install.sh` has put into the client's files, or say what that would do."""
        from nightschool_codex.wiring import take_back, uninstall_plan

        changes = uninstall_plan(request) if dry_run else take_back(request)
        return [
            {"path": str(one.path), "action": one.action, "notes": (one.note,) if one.note else ()} for one in changes
        ]

    def guard(self, request: NightRequest, wanted: GuardWanted) -> GuardPlan:
        """Return how the client takes a guard of the user's. Raises NightschoolError when it cannot."""
        from nightschool_codex.guards import plan

        return plan(request, wanted)

    @hookimpl
    def on_session_end(self, event: Event, known: Session | None) -> Session | None:
        """Read the session's rollout on."""
        if event.platform != self.name or event.session_id is None or event.transcript is None:
            return None
        from nightschool_codex.transcripts import read

        return read(event.session_id, event.transcript, known)

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
        from nightschool_codex.calls import SHELLS

        said = [call.input for turn in session.turns for call in turn.calls if call.name in SHELLS]
        return [words for words in said if "git" in words and ("commit" in words or "merge" in words)]

    @hookimpl
    def on_night(self, request: NightRequest) -> PlatformNight | None:
        """List every rollout there is, and the documents rules could go to."""
        from nightschool.records import PlatformNight
        from nightschool_codex.rules import targets
        from nightschool_codex.transcripts import transcripts

        return PlatformNight(
            platform=self.name, transcripts=tuple(transcripts(request)), targets=tuple(targets(request))
        )


platform = Codex()
