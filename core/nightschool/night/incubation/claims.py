"""Claims: who works on a task. A claim holds for its lease, or until its process has died on this machine."""

import os
import platform
from datetime import timedelta

from nightschool.clock import Clock
from nightschool.config import Queue
from nightschool.night.incubation.shelf import Queued, Shelf
from nightschool.records import Claim, QueueStatus


class Claims:
    """Takes, renews and gives back claims in the name of this process."""

    def __init__(self, shelf: Shelf, rules: Queue, clock: Clock) -> None:
        self.shelf, self.rules, self.clock = shelf, rules, clock

    def take(self, task: str) -> Queued | None:
        """Claim a task and count the attempt; None when it has ended, or somebody else is at it.

        A task that has had all its attempts fails here, with the reason.
        """
        with self.shelf.changing():
            found = self.shelf.find(task)
            if not found.entry.task.status.open or self._held(found.progress.claim):
                return None
            attempts = found.progress.attempts
            if attempts >= self.rules.max_attempts:
                last = found.progress.reason or "the night ended in the middle of it"
                reason = f"{attempts} attempt(s), and none came to an end; the last: {last}"
                self.shelf.move(found, QueueStatus.FAILED, claim=None, ended=self.clock.now(), reason=reason)
                return None
            return self.shelf.move(found, QueueStatus.RUNNING, attempts=attempts + 1, claim=self._mine())

    def renew(self, task: str, used_seconds: float) -> bool:
        """Give a sign of life. False: the task has ended meanwhile, by the user's hand."""
        with self.shelf.changing():
            found = self.shelf.find(task)
            if not found.entry.task.status.open:
                return False
            self.shelf.move(found, QueueStatus.RUNNING, claim=self._mine(), used_seconds=used_seconds)
            return True

    def give_back(self, task: str, *, reason: str, counts: bool) -> QueueStatus:
        """Let go of a task that did not come to its end; it has failed when this was its last attempt."""
        with self.shelf.changing():
            found = self.shelf.find(task)
            if not found.entry.task.status.open:
                return found.entry.task.status
            attempts = found.progress.attempts - (not counts)
            if counts and attempts >= self.rules.max_attempts:
                told = f"{attempts} attempt(s); the last: {reason}"
                self.shelf.move(found, QueueStatus.FAILED, claim=None, ended=self.clock.now(), reason=told)
                return QueueStatus.FAILED
            self.shelf.move(found, QueueStatus.PENDING, claim=None, attempts=attempts, reason=reason)
            return QueueStatus.PENDING

    def finish(self, task: str, *, time_boxed: bool, used_seconds: float) -> None:
        """Mark a task as done, unless the user has ended it meanwhile."""
        with self.shelf.changing():
            found = self.shelf.find(task)
            if found.entry.task.status.open:
                told = {"claim": None, "ended": self.clock.now(), "time_boxed": time_boxed, "reason": ""}
                self.shelf.move(found, QueueStatus.DONE, used_seconds=used_seconds, **told)

    def _mine(self) -> Claim:
        until = self.clock.now() + timedelta(minutes=self.rules.lease_minutes)
        return Claim(pid=os.getpid(), host=platform.node(), until=until)

    def _held(self, claim: Claim | None) -> bool:
        if claim is None or claim.until <= self.clock.now():
            return False
        if claim.host != platform.node():
            return True
        return claim.pid != os.getpid() and _alive(claim.pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's, but it is there
    return True
