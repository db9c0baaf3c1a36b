"""Claude Code: answers to the four questions, from its own transcripts and payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightschool.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nightschool.events import Event
    from nightschool.records import (
        EvalSuite,
        GuardPlan,
        GuardWanted,
        HeadlessRunner,
        NightRequest,
        PlatformNight,
        RealTask,
        Session,
    )


class ClaudeCode:
    """The platform. Its rooms are imported when they are asked: loading it costs next to nothing."""

    name = "claude-code"
    title = "Claude Code"
    install_hint = "claude plugin marketplace add {root}, then claude plugin install nightschool@nightschool"
    uninstall_hint = (
        "claude plugin uninstall nightschool@nightschool, then claude plugin marketplace remove nightschool"
    )

    def read_payload(self, moment: str, data: bytes) -> dict[str, str]:
        """Return what a hook's payload points to: `session_id`, `transcript`, `project`. Raises ValueError."""
        from nightschool_claude_code.payloads import read

        return read(moment, data)

    def client(self) -> tuple[str, str] | None:
        """Return where the client is and its version; None when it is not on PATH."""
        from nightschool_claude_code.runner import find

        return find()

    def backends(self) -> dict[str, Callable[[], HeadlessRunner]]:
        """Return the backend `claude`: the client itself, headless."""
        from nightschool_claude_code.headless import Headless

        return {"claude": Headless}

    def eval_suite(self, tasks: Sequence[RealTask], rules: Sequence[str]) -> EvalSuite:
        """Return held-out tasks and the rules as a plugin that `claude plugin eval` can judge."""
        from nightschool_claude_code.evals import suite

        return suite(tasks, rules)

    def guard(self, request: NightRequest, wanted: GuardWanted) -> GuardPlan:
        """Return how the client takes a guard of the user's. Raises NightschoolError when it cannot."""
        from nightschool_claude_code.guards import plan

        return plan(request, wanted)

    @hookimpl
    def on_session_end(self, event: Event, known: Session | None) -> Session | None:
        """Read the session's transcript on."""
        if event.platform != self.name or event.session_id is None or event.transcript is None:
            return None
        from nightschool_claude_code.transcripts import read

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
        said = [call.input for turn in session.turns for call in turn.calls if call.name in {"Bash", "PowerShell"}]
        return [words for words in said if "git" in words and ("commit" in words or "merge" in words)]

    @hookimpl
    def on_night(self, request: NightRequest) -> PlatformNight | None:
        """List every transcript there is, and the documents rules could go to."""
        from nightschool.records import PlatformNight
        from nightschool_claude_code.rules import targets
        from nightschool_claude_code.transcripts import transcripts

        return PlatformNight(
            platform=self.name, transcripts=tuple(transcripts(request)), targets=tuple(targets(request))
        )


platform = ClaudeCode()
