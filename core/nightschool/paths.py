"""Where things lie. One function per place; nothing here reads or writes."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from nightschool.errors import NightschoolError

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def safe_name(name: str) -> str:
    """Return `name` when it can be one path component, and nothing else.

    Raises NightschoolError for anything with a separator, a leading dot, or over 128 characters: names come from
    transcripts, payloads and models.
    """
    if not is_safe(name):
        raise NightschoolError("not a name that can become a file", where=repr(name[:80]))
    return name


def is_safe(name: str) -> bool:
    """Say whether `safe_name` takes a name."""
    return _SAFE.fullmatch(name) is not None


@dataclass(frozen=True)
class Home:
    """Everything Nightschool keeps, under one root (`NIGHTSCHOOL_HOME`, else `~/.nightschool`).

    The root does not follow XDG: the hooks, the night under cron and the command must agree on it, and they
    do not share an environment.
    """

    root: Path

    @classmethod
    def from_env(cls) -> "Home":
        """Find the root. Raises NightschoolError when none is known, or when it is relative: no hook would follow."""
        told = os.environ.get("NIGHTSCHOOL_HOME", "")
        try:
            root = Path(told).expanduser() if told else Path.home() / ".nightschool"
        except RuntimeError as error:
            fix = "Set NIGHTSCHOOL_HOME to a directory of your own."
            raise NightschoolError("no home directory is known", why=error, fix=fix) from error
        if not root.is_absolute():
            why = "each directory would have one of its own, with programs that lie there"
            raise NightschoolError(
                "the home is no absolute path", where=root, why=why, fix="Set NIGHTSCHOOL_HOME anew."
            )
        return cls(root)

    @property
    def config(self) -> Path:
        """What the user chose."""
        return self.root / "config.toml"

    @property
    def spool(self) -> Path:
        """Raw payloads the hooks dropped, not yet drained."""
        return self.root / "spool"

    @property
    def journal(self) -> Path:
        """The append-only log of events."""
        return self.root / "journal.jsonl"

    @property
    def tally(self) -> Path:
        """What a long journal holds; can be deleted and is then made again."""
        return self.root / "journal.db"

    @property
    def calls(self) -> Path:
        """Calls made here for a night on another machine; gone once their replies have arrived."""
        return self.root / "calls"

    @property
    def sessions(self) -> Path:
        """Neutral sessions, one file each: `<platform>/<session>.json`. Each carries its own watermark."""
        return self.root / "sessions"

    @property
    def index(self) -> Path:
        """SQLite index over the files; can be deleted and is then rebuilt."""
        return self.root / "index.db"

    @property
    def memory(self) -> Path:
        """What is remembered: observations, blocks, what was put away, and the index over the blocks."""
        return self.root / "memory"

    @property
    def bank(self) -> Path:
        """Tasks of all nights, one file each."""
        return self.root / "bank"

    @property
    def recurrences(self) -> Path:
        """Which recurrences are known by which id."""
        return self.root / "recurrences.json"

    @property
    def evidence(self) -> Path:
        """What the exams showed of each edit, one file each, over all nights."""
        return self.root / "evidence"

    @property
    def lifetime(self) -> Path:
        """What the exams of all nights have spent of the lifetime's budget."""
        return self.root / "lifetime.json"

    @property
    def field(self) -> Path:
        """Rules on trial in real sessions, one file each, and `arms.jsonl`: which session drew what."""
        return self.root / "field"

    @property
    def ledger(self) -> Path:
        """SQLite ledger of every model call."""
        return self.root / "ledger.db"

    @property
    def nights(self) -> Path:
        """One directory a night: its steps, its proposal, its report."""
        return self.root / "nights"

    @property
    def handoff(self) -> Path:
        """Questions that wait for the user's own agent, and its answers."""
        return self.root / "handoff"

    @property
    def queue(self) -> Path:
        """What the user asked the night to sleep on: `<id>.md`, and `<id>.json` beside it."""
        return self.root / "queue"

    @property
    def queue_lock(self) -> Path:
        """Held while the queue is changed; never for long."""
        return self.root / "queue.lock"

    @property
    def results(self) -> Path:
        """What came of it: `<id>.md`, and `<id>.partial.md` until then."""
        return self.root / "results"

    @property
    def deep_sleep(self) -> Path:
        """When deep sleep began to count, and when it was last."""
        return self.root / "deep-sleep.json"

    @property
    def cases(self) -> Path:
        """The user's commits as exams: cases, copies of repositories, what agents did, and scratch trees."""
        return self.root / "cases"

    @property
    def receipts(self) -> Path:
        """One directory an adoption: what was changed, and the bytes before."""
        return self.root / "receipts"

    @property
    def decisions(self) -> Path:
        """What the user decided about proposed rules, one decision a line; the newest of an edit counts."""
        return self.root / "decisions.jsonl"

    @property
    def history(self) -> Path:
        """The page over all nights."""
        return self.root / "history.html"

    @property
    def schedules(self) -> Path:
        """One directory a scheduled night: what it is told, its script, its last run and its logs."""
        return self.root / "schedules"

    @property
    def installs(self) -> Path:
        """What the platforms' installers have changed in their clients' files, with the bytes before."""
        return self.root / "installs"

    @property
    def brief(self) -> Path:
        """What a session is told at its start, a file a project, each where its project lies below `/`."""
        return self.root / "brief"

    @property
    def prompts(self) -> Path:
        """What sessions are told with their user's next words: `<platform>/<session>`, gone once told."""
        return self.root / "prompts"

    @property
    def audit(self) -> Path:
        """The audit backlog, and what was decided about it: append-only logs."""
        return self.root / "audit"

    @property
    def guards(self) -> Path:
        """The user's own hooks: a folder a guard, and the files of clients as they were before the first."""
        return self.root / "guards"

    @property
    def sync(self) -> Path:
        """The way to the shared repository: its key, what was exchanged, and a bare clone that can be made anew."""
        return self.root / "sync"

    @property
    def machine(self) -> Path:
        """This machine's own id in what is shared."""
        return self.root / "machine.json"

    @property
    def lock(self) -> Path:
        """Held by the night, adopt and undo: one at a time."""
        return self.root / "night.lock"

    @property
    def drain_lock(self) -> Path:
        """Held while the spool is drained."""
        return self.root / "drain.lock"

    @property
    def sessions_lock(self) -> Path:
        """Held by a drain or a harvest while it reads sessions on: the journal takes events meanwhile."""
        return self.root / "sessions.lock"

    @property
    def sessions_wanted(self) -> Path:
        """Held by a night that waits for the sessions: drains, which take them again and again, step back."""
        return self.root / "sessions.wanted"
