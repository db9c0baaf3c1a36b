"""What a session shows: error spikes, and commits that close something. Nothing here writes."""

import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from nightschool.records import Session

WINDOW, SPIKE = 20, 3
"""An error spike is SPIKE failed calls among the last WINDOW of one session, unless the user says otherwise."""

_MILESTONE = re.compile(r"(?:feat|refactor)(?:\([^()]+\))?!?:\s*\S", re.IGNORECASE)
_GIT_SECONDS = 10
_MAX_MOVES = 1000  # of HEAD that are looked at


class Episode(NamedTuple):
    """A stretch of a session in which errors were frequent: the call that tipped it, and the last call in it."""

    tipped: int
    last: int


class Commit(NamedTuple):
    """One commit. `base` is its first parent's id, empty for the first commit of a repository.

    `amends` are the commits it was amended from, the newest last.
    """

    sha: str
    base: str
    subject: str
    at: datetime
    amends: tuple[str, ...] = ()


def episodes(session: Session, *, window: int = WINDOW, spike: int = SPIKE) -> list[Episode]:
    """Return the error spikes of `session`, in order; indices count its calls from the first turn on.

    A call failed when the platform's own signal says so; words in its output count for nothing. A spike lasts until
    fewer than `spike` of the last `window` calls failed, and only then can there be another.
    """
    failed = [call.failed is True for turn in session.turns for call in turn.calls]
    found: list[Episode] = []
    open_ = False
    for index in range(len(failed)):
        spiking = sum(failed[max(0, index + 1 - window) : index + 1]) >= spike
        if spiking:
            found.append(Episode(found.pop().tipped if open_ else index, index))
        open_ = spiking
    return found


def is_milestone_subject(subject: str) -> bool:
    """Tell whether a commit's subject line is a Conventional Commits `feat` or `refactor`; scope and `!` may stand."""
    return _MILESTONE.match(subject) is not None


def milestones(repo: Path, since: datetime, until: datetime) -> list[Commit]:
    """Return the milestones that were committed in `repo` itself between the two times, oldest first.

    Git tells, not the text of a command: what HEAD's own log of moves calls a commit or a merge and what a branch
    still holds. So a failed, amended or undone commit is none, and neither is one that was fetched or fast-forwarded
    to. A merge counts when it has two parents or more. Empty when `repo` is gone, is no repository, or git fails.
    """
    since = since.replace(microsecond=0)  # git keeps whole seconds
    commits: dict[str, Commit] = {}
    for move, parents, commit in _amended(_moves(repo)):
        made = move.startswith("commit") or (move.startswith("merge") and "Fast-forward" not in move)
        if made and since <= commit.at <= until and (parents > 1 or is_milestone_subject(commit.subject)):
            commits[commit.sha] = commit
    if not commits:
        return []
    lost = _git(repo, "rev-list", *commits, "--not", "--branches", "HEAD")
    if lost is None:
        return []
    return sorted((commit for sha, commit in commits.items() if sha not in lost.split()), key=lambda commit: commit.at)


def _amended(moves: Iterator[tuple[str, int, Commit]]) -> Iterator[tuple[str, int, Commit]]:
    """Go through the moves from the oldest on, and tell of each commit what it was amended from."""
    before: Commit | None = None
    for move, parents, told in reversed(list(moves)):
        again = before is not None and move.startswith("commit (amend)")
        commit = told._replace(amends=(*before.amends, before.sha)) if before is not None and again else told
        yield move, parents, commit
        before = commit


def _moves(repo: Path) -> Iterator[tuple[str, int, Commit]]:
    form = "--format=%H%x00%P%x00%gd%x00%gs%x00%s"
    told = _git(repo, "log", "-g", f"--max-count={_MAX_MOVES}", "--no-show-signature", "--date=unix", form, "HEAD")
    for line in (told or "").split("\n")[:-1]:
        sha, parents, when, move, subject = line.split("\0")
        at = datetime.fromtimestamp(int(when.partition("{")[2].rstrip("}")), UTC)  # "HEAD@{1700000000}"
        yield move, len(parents.split()), Commit(sha, parents.partition(" ")[0], subject, at)


def _git(repo: Path, *argv: str) -> str | None:
    """Run git so that it only reads, and reads only `repo`; return what it printed, None when it failed."""
    # A repository named by a transcript is foreign: what its configuration could start is switched off.
    safe = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "i18n.logOutputEncoding=UTF-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    for _attempt in range(2):  # one that was killed has told nothing, and nobody asks for this session again
        try:
            done = subprocess.run(
                ["git", "--no-pager", *safe, *argv],
                cwd=repo,
                env=clean | quiet,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_GIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        if done.returncode >= 0:
            break
    return None if done.returncode else done.stdout.decode(errors="replace")
