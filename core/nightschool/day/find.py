"""What a session that was read on shows: error spikes, milestones, how it went. Each is journaled and noted once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.audit import backlog, prompt, retrospect
from nightschool.audit.classify import failures
from nightschool.clock import Clock
from nightschool.config import Audit
from nightschool.day import detect, journal
from nightschool.day.places import places
from nightschool.events import Event, Moment
from nightschool.memory.store import Key, Outline, SessionStore
from nightschool.paths import Home
from nightschool.records import AuditEntry, Failure, Session

if TYPE_CHECKING:
    from nightschool.platforms import Platforms

Corrects = Callable[[str], bool]
BACKFILL = "backfill"  # the id of what no hook has told
FRESH = 3600.0  # seconds: an agent is not told of a spike that lies further back
AFTER = timedelta(seconds=5)  # a commit may end after the last thing that was written of its session


def never(_prompt: str) -> bool:
    """Take no prompt for a correction."""
    return False


class Finder:
    """Looks at sessions, under the drain's lock. What it found is in `events`, `spikes` and `milestones`."""

    def __init__(
        self,
        home: Home,
        platforms: Platforms,
        known: journal.Known,
        clock: Clock,
        rules: Audit,
        corrects: Corrects = never,
    ) -> None:
        self.home, self.platforms, self.known, self.clock = home, platforms, known, clock
        self.rules, self.corrects = rules, corrects
        self.events: list[Event] = []
        self.spikes: list[tuple[Event, list[int]]] = []
        self.milestones: list[tuple[Event, detect.Commit]] = []

    def look(self, event: Event, session: Session) -> None:
        """Note what a session shows by now. `event` is what hinted at it. Own sessions show nothing."""
        if session.own or not session.turns:
            return
        if event.id != BACKFILL or self.known.met(session.platform, session.id):  # or its drain died
            self._failures(event, session)
        self._spikes(event, session)
        self._milestones(event, session)
        if event.moment is Moment.SESSION_END:
            self._ended(event, session)

    def _failures(self, event: Event, session: Session) -> None:
        """Journal each call that failed, once: no hook runs at a tool call, the transcript tells at the turn's end.

        A fork holds the same turns under the same ids, and tells nothing anew.
        """
        for turn in session.turns:
            prefix = f"fail-{journal.short_hash(session.platform, turn.id)}-"
            for number, call in enumerate(turn.calls):
                if call.failed is True and f"{prefix}{number}" not in self.known:
                    found = _found(event, session, f"{prefix}{number}", Moment.TOOL_FAILURE, turn.at)
                    self._journal(found, durable=event.id != BACKFILL)

    def _spikes(self, event: Event, session: Session) -> None:
        names = _names(session)
        for episode in detect.episodes(session, window=self.rules.window, spike=self.rules.failures):
            # A late result can move the call that tipped an episode; any call of it that was journaled stands for it.
            if any(name in self.known for name in names[episode.tipped : episode.last + 1]):
                continue
            spike = _found(event, session, names[episode.tipped], Moment.ERROR_SPIKE, event.at)
            entry = self._entry(spike, session, kind="error_spike", failures=self._failed(session, episode))
            backlog.add(self.home, entry, durable=event.id != BACKFILL)
            self._journal(spike, durable=event.id != BACKFILL)
            self.spikes.append((spike, self.platforms.on_error_spike(spike, session)))
            self._tell(event, session, entry)

    def _failed(self, session: Session, episode: detect.Episode) -> tuple[Failure, ...]:
        calls = list(chain.from_iterable(turn.calls for turn in session.turns))
        return failures(calls[max(0, episode.tipped + 1 - self.rules.window) : episode.last + 1])

    def _tell(self, event: Event, session: Session, entry: AuditEntry) -> None:
        """Leave the agent a prompt: not in the first sessions, and not long afterwards."""
        late = (self.clock.now() - event.at).total_seconds() > FRESH
        silent = self.known.ordinal(session.platform, session.id) <= self.rules.silent_sessions
        if late or silent or not self.rules.prompts:
            return
        prompt.leave(self.home, session.platform, session.id, prompt.text(entry.failures, self.rules.window))

    def _milestones(self, event: Event, session: Session) -> None:
        project = Path(session.project or event.project or "")
        asked = _found(event, session, event.id, Moment.MILESTONE_COMMIT, event.at)
        commands = set(self.platforms.on_milestone_commit(asked, session))
        if not commands or not session.turns or not project.is_absolute():
            return
        spans = _spans(session, commands, self.clock.now())
        asked_of = [call.input for turn in session.turns for call in turn.calls if _may_go(call.input)]
        for place in places(project, asked_of):
            for commit in detect.milestones(place, spans[0][0], spans[-1][1]):
                within = any(start.replace(microsecond=0) <= commit.at <= end for start, end in spans)
                names = [f"commit-{sha}" for sha in (commit.sha, *commit.amends)]
                if within and not any(name in self.known for name in names):
                    milestone = _found(event, session, names[0], Moment.MILESTONE_COMMIT, commit.at)
                    backlog.add(self.home, self._committed(milestone, session, commit))
                    self._journal(milestone)
                    self.milestones.append((milestone, commit))

    def _committed(self, event: Event, session: Session, commit: detect.Commit) -> AuditEntry:
        from nightschool.day.redact import redact  # git's words, which no harvest has seen

        return self._entry(
            event,
            session,
            kind="milestone",
            subject=redact(commit.subject)[:200],
            base=commit.base,
            head=commit.sha,
            asked=retrospect.asked_before(session, commit.at),
            passed=retrospect.passed_before(session, commit.at),
        )

    def _ended(self, event: Event, session: Session) -> None:
        """Note how a session went; one that is resumed and ends again replaces its note."""
        name = f"session-{journal.short_hash(session.platform, session.id)}"
        told = event.model_copy(update={"id": name})
        summed = retrospect.retrospect(session, self.corrects)
        noted = self._entry(told, session, kind="session", retrospect=summed, offset=session.source.offset)
        backlog.add(self.home, noted, durable=event.id != BACKFILL)  # a night finds a lost note again

    def _entry(self, event: Event, session: Session, **told: object) -> AuditEntry:
        where = {"platform": session.platform, "session": session.id, "project": session.project}
        return AuditEntry.model_validate({"id": event.id, "at": event.at} | where | told)

    def _journal(self, event: Event, *, durable: bool = True) -> None:
        journal.append(self.home, event, durable=durable)
        self.known.add(event)
        self.events.append(event)


def catch_up(finder: Finder, store: SessionStore, outlines: Mapping[Key, Outline]) -> None:
    """Look at those sessions that no event has told the end of; no other is read.

    Hooks get lost, and a client may not run them at all: what a night reads is looked at just as well.
    """
    noted = backlog.offsets(finder.home)
    for key, outline in outlines.items():
        if not outline.dated or noted.get(f"session-{journal.short_hash(*key)}") == outline.offset:
            continue
        session = store.load(*key)
        ended = session and (session.ended or session.started)
        if session is not None and ended is not None:
            told = {"platform": session.platform, "session_id": session.id, "project": session.project or None}
            at = {"id": BACKFILL, "moment": Moment.SESSION_END, "at": ended, "transcript": session.source.path}
            finder.look(Event.model_validate(told | at), session)


def _names(session: Session) -> list[str]:
    """Return how an episode that each call tipped would be named; a fork of the session has the same names."""
    turns = ((journal.short_hash(session.platform, turn.id), turn.calls) for turn in session.turns)
    return [f"spike-{turn}-{number}" for turn, calls in turns for number, _ in enumerate(calls)]


def _may_go(command: str) -> bool:
    return "cd" in command or "pushd" in command or "git" in command


def _spans(session: Session, commands: set[str], now: datetime) -> list[tuple[datetime, datetime]]:
    """Return from when to when the turns ran that hold one of `commands`; the whole session when none is found.

    The last turn ran until something was written last: what the user commits hours later is not the session's.
    """
    over = min(now, max(session.ended, session.turns[-1].at) + AFTER) if session.ended else now
    ends = [turn.at for turn in session.turns[1:]] + [over]
    turns = zip(session.turns, ends, strict=True)
    found = [(turn.at, end) for turn, end in turns if any(call.input in commands for call in turn.calls)]
    return found or [(session.turns[0].at, over)]


def _found(event: Event, session: Session, name: str, moment: Moment, at: datetime) -> Event:
    told = {"id": name, "moment": moment, "at": at, "session_id": session.id}
    return event.model_copy(update=told | {"project": session.project or event.project})
