"""The four questions a platform is asked.

A platform is an object with the attributes `name` (the hyphenated platform name, equal to its entry point) and
`title` (how a person calls it), and with any of these methods marked `@hookimpl`. It answers None to events that
are not its own. What it raises is reported under its name and stops nobody else.

It may also bring backends: a method `backends()` returns factories by name, each giving a `HeadlessRunner`
(`records/headless.py`), which `--backend NAME` then chooses. They are taken for paid ones. It may have
`install_hint` and `uninstall_hint`: the commands that install and remove the plugin, each in one line; `{root}` stands
for the folder of the bundle. `unwire(request, dry_run=)` takes back what installing us has put into the client's files,
and tells each file's `path`, `action` and `notes`. And `eval_suite(tasks, rules)`: an `EvalSuite` for the client's own
harness (`records/platforms.py`), should it have one.
`guard(request, wanted)` answers with a `GuardPlan` (`records/guards.py`): how its client takes a hook of the user's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from nightschool.events import Event
    from nightschool.records import NightRequest, PlatformNight, Session

PROJECT = "nightschool"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def on_session_end(event: Event, known: Session | None) -> Session | None:
    """Read what a session has written since it was last read.

    Called for each event that hints at new bytes, and at night for each transcript with new bytes; `event.transcript`
    is the file. `known` is the session as read so far, None the first time; its `source` is the watermark. Return
    the session with the new turns added and the watermark moved past every byte that was consumed, or None when the
    file is not a session or is gone. Texts are raw: the caller redacts them before anything is written.
    """


@hookspec
def on_error_spike(event: Event, session: Session) -> list[int] | None:
    """Say which turns of `session` (by index) hold the failures behind a spike, as this platform counts them."""


@hookspec
def on_milestone_commit(event: Event, session: Session) -> list[str] | None:
    """Return the commands in `session` that may have made a commit, newest last; git then tells whether they did."""


@hookspec
def on_night(request: NightRequest) -> PlatformNight | None:
    """List the transcripts this platform has, announced or not, and the documents rules could be adopted into."""
