"""How far long work is: a live line on a terminal, one line a phase in a log, one JSON event a phase with --json.

What is spent comes from the ledger, which has every answer before it is used; so it is true also when answers come
from several processes.
"""

import json
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nightschool.cli.options import printed, tell
from nightschool.night.steps import Phase

if TYPE_CHECKING:
    from rich.progress import TaskID

    from nightschool.paths import Home

EVERY = 1.0  # seconds between two looks at the ledger


class Progress:
    """Takes the lines of a night. Use it in a `with` block, as the night's `say`."""

    def __init__(self, home: "Home", *, events: bool) -> None:
        self.home, self.events = home, events
        self.begun = self.phase_begun = time.monotonic()
        self.before = self.phase_before = (0, 0, 0)
        self.line: str | None = None
        self.total = 0
        self._over = threading.Event()
        self._live: _Live | None = None

    def __enter__(self) -> Self:
        self.before = self.phase_before = self._ledger()
        if not self.events and sys.stderr.isatty():
            self._live = _Live()
            threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._live is not None:
            self._live.stop()
        if self.events:
            self._event("done" if kind is None else "stopped", "")

    def __call__(self, line: str) -> None:
        """Begin a phase."""
        self.line, self.total = line, line.total if isinstance(line, Phase) else 0
        self.phase_begun, self.phase_before = time.monotonic(), self._ledger()
        if self.events:
            self._event("phase", line)
        elif self._live is not None:
            self._live.begin(line, self.total)
        else:
            tell(f"{line}{self.spent()}")

    def spent(self) -> str:
        """Say what was spent so far; "" before the first call."""
        calls, tokens, failed = self._since(self.before)
        told = f" ({calls} call(s), {tokens:,} tokens" if calls or failed else ""
        return f"{told}, {failed} failed)" if failed else told and f"{told})"

    def _event(self, event: str, line: str) -> None:
        calls, tokens, failed = self._since(self.before)
        told = {
            "event": event, "phase": line, "total": self.total if event == "phase" else 0, "calls": calls,
            "tokens": tokens, "failed": failed, "seconds": round(time.monotonic() - self.begun, 3),
        }  # fmt: skip
        print(json.dumps(told, ensure_ascii=False), file=sys.stderr, flush=True)

    def _since(self, before: tuple[int, int, int]) -> tuple[int, int, int]:
        calls, tokens, failed = (now - then for now, then in zip(self._ledger(), before, strict=True))
        return calls, tokens, failed

    def _ledger(self) -> tuple[int, int, int]:
        from nightschool.errors import NightschoolError
        from nightschool.models.ledger import Ledger

        if not self.home.ledger.exists():
            return (0, 0, 0)
        try:
            ledger = Ledger(self.home, check=False)
            spent = ledger.spent()
            ledger.close()
        except NightschoolError:
            return self.before  # the night itself says what is wrong with it
        return spent.calls, spent.tokens, spent.failed

    def _look(self) -> None:
        """Follow the phase on the terminal until the work is over."""
        while not self._over.wait(EVERY):
            if self._live is not None and self.line is not None:
                self._live.show(self._since(self.phase_before)[0], self.spent())


class _Live:
    """The line on the terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self.bars = Bars(
            SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
            MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
            TextColumn("{task.fields[spent]}", markup=False), console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self.task: TaskID | None = None
        self.bars.start()

    def begin(self, line: str, total: int) -> None:
        """Show a phase; the one before it stays as a line."""
        if self.task is not None:
            self.bars.remove_task(self.task)
        self.bars.console.print(f"· {printed(line)}", markup=False, highlight=False)
        self.task = self.bars.add_task(printed(line), total=total or None, spent="")

    def show(self, done: int, spent: str) -> None:
        """Show how far the phase is."""
        if self.task is not None:
            self.bars.update(self.task, completed=done, spent=spent)

    def stop(self) -> None:
        """Take the line away."""
        self.bars.stop()
