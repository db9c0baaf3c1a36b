"""Whose turn it is: which question is asked next, and how long one that failed waits before it is asked again."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from nightschool.models.questions import CallError

PAUSES = (1.0, 4.0)  # seconds before the second and the third attempt; there is no fourth
JITTER = 0.25  # share by which a pause may be longer, so that many callers do not come back at once
PATIENCE = 120.0  # seconds; a provider that asks for more is not waited for


@dataclass(frozen=True, order=True)
class Turn:
    """A question that is to be asked, and how many attempts it has had."""

    key: str
    tried: int = 0


@dataclass
class Turns:
    """The questions of one batch that are still to be asked. Times are seconds of a monotonic clock."""

    ready: deque[Turn]
    later: list[tuple[float, Turn]] = field(default_factory=list)
    hold: float = 0.0  # nothing is asked before: the provider wants us to slow down

    @classmethod
    def of(cls, keys: Iterable[str]) -> Turns:
        """Queue questions in their order."""
        return cls(deque(Turn(key) for key in keys))

    def next(self, now: float) -> Turn | None:
        """Take the next question that may be asked now."""
        if now < self.hold:
            return None
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[1]
        return self.ready.popleft() if self.ready else None

    def pause(self, now: float) -> float | None:
        """Return how many seconds it is until a question may be asked; None when there is none left."""
        if not self.ready and not self.later:
            return None
        due = now if self.ready else self.later[0][0]
        return max(0.0, due - now, self.hold - now)

    def wake(self) -> None:
        """Let the next question be asked at once: its pause was slept through."""
        self.hold = 0.0
        if not self.ready and self.later:
            self.ready.append(heapq.heappop(self.later)[1])

    def give_back(self, turn: Turn) -> None:
        """Put a question that was not asked in front again."""
        self.ready.appendleft(turn)

    def again(self, turn: Turn, fault: CallError, now: float) -> bool:
        """Queue another attempt when the failure may pass; say whether there will be one."""
        if not fault.transient or turn.tried >= len(PAUSES):
            return False
        pause = PAUSES[turn.tried] * (1 + random.uniform(0, JITTER))  # noqa: S311  no secret is made of it
        if fault.retry_after is not None:
            if fault.retry_after > PATIENCE:
                return False
            pause = max(pause, fault.retry_after + random.uniform(0, 1))  # noqa: S311
        if fault.kind == "rate-limit":
            self.hold = max(self.hold, now + pause)
        heapq.heappush(self.later, (now + pause, Turn(turn.key, turn.tried + 1)))
        return True

    def left(self) -> list[str]:
        """Return the questions that were not asked, in their order."""
        return [turn.key for turn in self.ready] + [turn.key for _, turn in sorted(self.later)]
