"""Tell that a night is over: the command the user has set, if any. By itself nothing is told to anybody."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from nightschool.records import Night, Proposal, Ruling

WAIT = 60  # seconds: a notification, not a job


def on_morning(command: str, night: Night, proposal: Proposal | None, page: Path, tell: Callable[[str], None]) -> None:
    """Run the user's command with facts in its environment; what goes wrong is told and stops nothing.

    NIGHTSCHOOL_NIGHT, _STATUS, _ACCEPTED and _PROPOSED (how many rules), and _PAGE (a path).
    No word of a session is among them: they are safe to put in a command.
    """
    if not command.strip():
        return
    rules = proposal.rules if proposal else ()
    accepted = sum(rule.verdict.ruling is Ruling.ACCEPT for rule in rules)
    told = {
        "NIGHTSCHOOL_NIGHT": night.id,
        "NIGHTSCHOOL_STATUS": night.status.value,
        "NIGHTSCHOOL_ACCEPTED": str(accepted),
        "NIGHTSCHOOL_PROPOSED": str(len(rules)),
        "NIGHTSCHOOL_PAGE": str(page),
    }
    try:
        running = subprocess.Popen(
            ["/bin/sh", "-c", command],
            env=os.environ | told,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        tell(f"the command of schedule.on_morning cannot be run: {error.strerror}")
        return
    try:
        code = running.wait(WAIT)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        tell(f"the command of schedule.on_morning was stopped after {WAIT} s")
        return
    if code != 0:
        tell(f"the command of schedule.on_morning ended with exit code {code}")
