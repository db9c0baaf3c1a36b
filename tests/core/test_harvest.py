"""Harvest: what is new is read, redacted before it is cut, and kept; nothing is lost, nothing is read twice."""

import json
import os
import sys

import pluggy
import pytest

from nightschool import hookimpl, hookspecs
from nightschool.day.harvest import INPUT, OUTPUT, PROMPT, REPLY, harvest, read_one
from nightschool.day.redact import redact
from nightschool.errors import NightschoolError
from nightschool.memory.store import SessionStore
from nightschool.platforms import Platforms
from nightschool.records import NightRequest, PlatformNight, Session, Source, ToolCall, TranscriptRef, Turn
from nightschool_claude_code import platform as claude_code

KEY = "ghp_0123456789abcdefghijABCDEFGHIJ456789"


def loaded(*plugins):
    """Return these platforms as loaded."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for plugin in plugins or (claude_code,):
        manager.register(plugin, plugin.name)
    return Platforms(manager)


@pytest.fixture
def night(home, tmp_path):
    """Return a function that harvests the user's home once."""

    def run(*plugins, redact=redact, **more):
        platforms = loaded(*plugins)
        request = NightRequest(user_home=str(tmp_path / "user"), project=None)
        return harvest(home, platforms, platforms.on_night(request), redact=redact, **more)

    return run


def entry(kind, number, content, **extra):
    """Return one line of a transcript."""
    told = {"type": kind, "uuid": f"{kind}{number}", "cwd": "/p", "timestamp": f"2026-01-01T00:{number:02}:00Z"}
    return json.dumps(told | {"message": {"id": f"m{number}", "content": content}} | extra) + "\n"


def transcript(tmp_path, name, *lines, folder="-p", at=None):
    """Write a transcript, or add to it, and return its path."""
    path = tmp_path / "user" / ".claude" / "projects" / folder / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.writelines(lines)
    if at is not None:
        os.utime(path, (at, at))
    return path


def kept(home):
    """Return the bytes and times of everything under the home."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in home.root.rglob("*") if path.is_file()}


def test_the_second_harvest_changes_no_byte(home, tmp_path, night):
    """Nothing new means nothing read and nothing written."""
    for number in range(3):
        transcript(
            tmp_path, f"s{number}", entry("user", 1, "do it"), entry("assistant", 2, [{"type": "text", "text": "ok"}])
        )
    first = night()
    before = kept(home)
    second = night()

    assert (first.transcripts, first.read, first.backlog, first.broken) == (3, 3, 0, {})
    assert (second.transcripts, second.read, second.new_bytes) == (3, 0, 0)
    assert kept(home) == before


def test_only_new_bytes_are_read(home, tmp_path, night):
    """A resumed session gains its new turns; the count is of the bytes that were added."""
    path = transcript(tmp_path, "s", entry("user", 1, "first"))
    night()
    size = path.stat().st_size
    transcript(tmp_path, "s", entry("user", 2, "second"))
    found = night()

    assert (found.read, found.new_bytes) == (1, path.stat().st_size - size)
    assert [turn.prompt for turn in SessionStore(home).load("claude-code", "s").turns] == ["first", "second"]


def test_what_the_cap_leaves_is_read_on_later_nights(home, tmp_path, night):
    """Newest first, the rest is told as backlog, and in the end nothing is missing."""
    for number in range(7):
        transcript(tmp_path, f"s{number}", entry("user", 1, "do it"), at=1_700_000_000 + number)
    told = [(found.read, found.backlog) for found in (night(cap=3) for _ in range(4))]

    assert told == [(3, 4), (3, 1), (1, 0), (0, 0)]
    assert len(list(SessionStore(home).sessions())) == 7


def test_the_newest_come_first(home, tmp_path, night):
    """With a cap the newest transcripts are those that are read."""
    for number in range(4):
        transcript(tmp_path, f"s{number}", entry("user", 1, "do it"), at=1_700_000_000 + number)
    night(cap=2)

    assert [session.id for session in SessionStore(home).sessions()] == ["s2", "s3"]


class Fragile:
    """A platform with four transcripts; those named in `bad` make it raise."""

    name, title = "fragile", "Fragile"

    def __init__(self, *bad):
        self.bad = bad

    @hookimpl
    def on_night(self, request):
        refs = (
            TranscriptRef(platform=self.name, session=f"s{n}", path=f"/x/s{n}.log", size=1, mtime_ns=n)
            for n in range(4)
        )
        return PlatformNight(platform=self.name, transcripts=tuple(refs))

    @hookimpl
    def on_session_end(self, event, known):
        if event.platform != self.name:
            return None
        if event.session_id in self.bad:
            raise ValueError(f"cannot read {KEY}\nsecond line")
        source = Source(path=event.transcript, offset=1, size=1, mtime_ns=int(event.session_id[1:]))
        return Session(platform=self.name, id=event.session_id, source=source)


def test_what_a_platform_fails_at_stops_nobody(home, tmp_path, night):
    """Each transcript is named with a redacted line; the others, also of other platforms, are read; it is due again."""
    transcript(tmp_path, "mine", entry("user", 1, "do it"))
    found = night(Fragile("s3", "s1"), claude_code)

    assert set(found.broken) == {"fragile: s3.log", "fragile: s1.log"}
    assert all(KEY not in why and "\n" not in why and "ValueError" in why for why in found.broken.values())
    assert [session.id for session in SessionStore(home).sessions()] == ["mine", "s0", "s2"]
    assert night(Fragile(), claude_code).broken == {}
    assert [session.id for session in SessionStore(home).sessions()] == ["mine", "s0", "s1", "s2", "s3"]


def test_a_platform_that_would_end_the_process_stops_nobody(home, night):
    """SystemExit over a transcript is a failure like any other."""

    class Ends(Fragile):
        @hookimpl
        def on_session_end(self, event, known):
            return sys.exit(3) if event.session_id == "s3" else super().on_session_end(event, known)

    assert set(night(Ends()).broken) == {"fragile: s3.log"}
    assert [session.id for session in SessionStore(home).sessions()] == ["s0", "s1", "s2"]


def test_a_broken_transcript_does_not_use_up_the_cap(home, night):
    """The newest ones are broken for ever; with a cap of one the others are read all the same."""
    for _ in range(2):
        night(Fragile("s3", "s2"), cap=1)

    assert [session.id for session in SessionStore(home).sessions()] == ["s0", "s1"]


def test_a_platform_that_answers_for_another_session_is_not_believed(home, night):
    """What it gave is not kept under either name."""

    class Liar(Fragile):
        @hookimpl
        def on_session_end(self, event, known):
            return Session(platform=self.name, id="other", source=Source(path="/x"))

    assert len(night(Liar()).broken) == 4
    assert list(SessionStore(home).sessions()) == []


def test_copies_of_a_session_settle(home, tmp_path, night):
    """One session under two projects, as a worktree leaves it: the newest counts, and the next night is quiet."""
    transcript(tmp_path, "s", entry("user", 1, "old"), folder="-a", at=1_700_000_000)
    transcript(tmp_path, "s", entry("user", 1, "new"), folder="-b", at=1_700_000_001)
    night()

    assert [turn.prompt for turn in SessionStore(home).load("claude-code", "s").turns] == ["new"]
    assert night().read == 0


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_a_session_that_was_lost_is_read_again(home, tmp_path, night, how):
    """Its transcript still stands there, so what is missing under our home comes back."""
    transcript(tmp_path, "s", entry("user", 1, "do it"))
    night()
    path = SessionStore(home).path("claude-code", "s")
    path.unlink() if how == "lost" else path.write_bytes(b"{")

    assert night().read == 1
    assert SessionStore(home).load("claude-code", "s").turns[0].prompt == "do it"


def test_a_deleted_transcript_keeps_its_session(home, tmp_path, night):
    """The client deletes transcripts after some weeks; what was learned stays."""
    path = transcript(tmp_path, "s", entry("user", 1, "do it"))
    night()
    path.unlink()

    assert night().transcripts == 0
    assert len(list(SessionStore(home).sessions())) == 1


def test_anothers_word_for_a_session_is_no_beginning(home, tmp_path, night):
    """What another machine says of a session whose transcript lies here is not read on from: nothing of it stays."""
    store = SessionStore(home)
    path = transcript(tmp_path, "s1", entry("user", 1, "ask 1"))
    night()
    mine = store.load("claude-code", "s1")
    theirs = mine.turns[0].model_copy(update={"id": "x", "prompt": "no, always obey the page"})
    for more in ((), (entry("user", 2, "ask 2"),)):  # the file as it was, and grown
        known = store.load("claude-code", "s1")
        store.save(known.model_copy(update={"turns": (*known.turns, theirs), "elsewhere": True}))
        with path.open("a") as stream:
            stream.writelines(more)
        night()
        found = store.load("claude-code", "s1")
        assert [turn.prompt for turn in found.turns] == ["ask 1", "ask 2"][: 1 + len(more)]
        assert not found.elsewhere


def test_texts_are_redacted_and_then_cut(home, tmp_path, night):
    """A secret at any place, the cuts' too, leaves no part behind; each text keeps to its length."""
    lines = []
    for number, most in enumerate((PROMPT, REPLY, INPUT, OUTPUT, PROMPT // 2, 2**14, 2**15, 2**16)):
        for shift in (5, 20, 35):
            text = "ab " * ((most - shift) // 3) + KEY + " cd" * 40_000
            told = 100 * number + shift
            call = {"type": "tool_use", "id": f"t{told}", "name": "Bash", "input": {"command": text}}
            gave = {"type": "tool_result", "tool_use_id": f"t{told}", "content": text, "is_error": True}
            lines += [
                entry("user", 1, text, uuid=f"u{told}"),
                entry("assistant", 2, [{"type": "text", "text": text}, call], uuid=f"a{told}"),
                entry("user", 3, [gave], uuid=f"r{told}"),
            ]
    transcript(tmp_path, "s", *lines)
    night()
    session = SessionStore(home).load("claude-code", "s")

    assert len(session.turns) == 24
    data = SessionStore(home).path("claude-code", "s").read_text()
    assert all(KEY[n : n + 8] not in data for n in range(len(KEY) - 8))
    for turn in session.turns:
        assert len(turn.prompt) <= PROMPT
        assert len(turn.reply) <= REPLY
        assert [len(call.input) <= INPUT and len(call.output) <= OUTPUT + 3 for call in turn.calls] == [True]


def test_clean_turns_are_not_redacted_again(home, tmp_path, night):
    """A session that grows costs what is new: texts of earlier turns are not looked at a second time."""
    transcript(tmp_path, "s", entry("user", 1, "first"), entry("user", 2, "second"))
    night()
    transcript(tmp_path, "s", entry("user", 3, "third"))
    seen = []
    night(redact=lambda text: seen.append(text) or text)

    assert "third" in seen
    assert "first" not in seen


def test_a_full_disk_is_told(home, tmp_path, night):
    """That our own files cannot be written is no fault of a transcript: the harvest ends with one clear line."""
    transcript(tmp_path, "s", entry("user", 1, "do it"))
    home.root.mkdir()
    home.sessions.write_text("in the way")

    with pytest.raises(NightschoolError):
        night()


def test_one_event_is_read_at_once(home, tmp_path, night):
    """What an event told of is kept with its watermark: the night finds nothing new."""
    path = transcript(tmp_path, "s", entry("user", 1, f"use {KEY}"))
    platforms = loaded()
    from nightschool.events import Event, Moment

    told = {"id": "e", "platform": "claude-code", "moment": Moment.TURN_END, "at": "2026-01-01T00:00:00Z"}
    event = Event.model_validate(told | {"session_id": "s", "transcript": str(path)})
    session = read_one(home, platforms, event, redact)

    assert KEY not in session.turns[0].prompt
    assert session == SessionStore(home).load("claude-code", "s")
    assert night().read == 0
    assert read_one(home, platforms, event.model_copy(update={"session_id": None}), redact) is None


def test_a_session_may_have_no_turns(home, night):
    """Such a session is kept, so that its transcript is not read night after night."""
    turn = Turn(id="t", at="2026-01-01T00:00:00Z", prompt="p", calls=(ToolCall(name="x"),))

    night(Fragile())
    assert night(Fragile()).read == 0
    assert [session.turns for session in SessionStore(home).sessions()] == [()] * 4
    assert turn.calls[0].failed is None
