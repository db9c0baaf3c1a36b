"""The self-audit prompt: what a session's agent is told with the user's next words, once, and how it is delivered.

It is a file named like the session, in the form its client takes context in; `hooks/harvest` prints and removes it.
It names what the agent did and how often that failed, and nothing that a tool printed: those may be anybody's words.
"""

import contextlib
from collections.abc import Sequence
from datetime import datetime

from nightschool.files import write_whole
from nightschool.paths import Home, safe_name
from nightschool.records import BRIEF_TAG, Failure

STALE = 7 * 86_400.0  # seconds
CHOICES = "codify it as a rule, dig deeper, log it, postpone it"  # at most four, as hosts allow


def text(failures: Sequence[Failure], window: int) -> str:
    """Return the prompt, in the tag that keeps it out of every harvest."""
    count = sum(failure.count for failure in failures)
    lines = [f"- {failure.count} x {failure.call} ({failure.kind.value.replace('_', ' ')})" for failure in failures]
    told = f"From Nightschool, for information: {count} of the last {window} tool calls of this session failed."
    skill = f"The self-audit skill goes through it with the user: {CHOICES}. `nightschool audit` has the evidence."
    alone = "Where nobody can be asked, it is in the backlog and nothing has to be done."
    return "\n".join([f"<{BRIEF_TAG}>", told, *lines, f"{skill} {alone}", f"</{BRIEF_TAG}>", ""])


def leave(home: Home, platform: str, session: str, told: str) -> None:
    """Leave a prompt for a session's next user prompt; a later one replaces it. Raises NightschoolError."""
    write_whole(home.prompts / safe_name(platform) / safe_name(session), told.encode(), durable=False)


def sweep(home: Home, now: datetime) -> None:
    """Take back prompts that nobody was told in a week: their sessions are over."""
    for path in home.prompts.glob("*/*"):
        with contextlib.suppress(OSError):  # told, and so gone, meanwhile
            if now.timestamp() - path.stat().st_mtime > STALE:
                path.unlink()
