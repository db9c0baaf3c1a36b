"""The log of events."""

import json
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from nightschool.day import journal
from nightschool.events import Event, Moment

AT = datetime(2026, 11, 21, 3, 0, 59, tzinfo=UTC)


def event(name="e1", at=AT):
    """Make an event."""
    return Event(id=name, platform="toy", moment=Moment.TURN_END, at=at, session_id="s1", transcript="/t", project="/p")


def test_what_is_appended_is_read_in_order(home):
    """Events come back as they were written, oldest line first, from a file only its owner can read."""
    told = [event("e1"), event("e2", AT - timedelta(days=1))]
    for one in told:
        journal.append(home, one)

    assert list(journal.read_events(home)) == told
    assert stat.S_IMODE(home.journal.stat().st_mode) == 0o600


def test_no_journal_has_no_events(home):
    """Reading before anything happened yields nothing and makes no file."""
    assert list(journal.read_events(home)) == []
    assert not home.root.exists()


@pytest.mark.parametrize(
    "line",
    [b"7", b"[]", b'"x"', b"{}", b"\xff\xfe", b"{", b"\0\0\0", b'{"id":"../x","platform":"toy"}', b"[" * 100_000],
)
def test_foreign_lines_are_skipped_and_counted(home, line):
    """A line that is not an event costs itself alone."""
    journal.append(home, event("e1"))
    with home.journal.open("ab") as stream:
        stream.write(line + b"\n")
    journal.append(home, event("e2"))
    skipped = Counter()

    assert [one.id for one in journal.read_events(home, skipped)] == ["e1", "e2"]
    assert skipped == {"journal": 1}


def test_a_torn_line_costs_only_itself(home):
    """A crash in the middle of a line loses that event; the next one stands on a line of its own."""
    journal.append(home, event("e1"))
    whole = home.journal.read_bytes()
    home.journal.write_bytes(whole + whole[:40])
    assert [one.id for one in journal.read_events(home)] == ["e1"]

    journal.append(home, event("e2"))
    skipped = Counter()

    assert [one.id for one in journal.read_events(home, skipped)] == ["e1", "e2"]
    assert skipped == {"journal": 1}


@pytest.mark.parametrize(
    ("seconds", "same"), [(0, True), (1, True), (59, True), (60, True), (61, False), (3600, False), (-60, True)]
)
def test_the_same_payload_is_one_event_for_a_minute(home, seconds, same):
    """Fired again within 60 s, also across a full minute, a payload is the same event; later it is a new one."""
    name = journal.event_id("toy", "turn_end", b"{}", AT)
    journal.append(home, event(name))

    found = journal.Known(home).same_payload("toy", "turn_end", b"{}", AT + timedelta(seconds=seconds))

    assert found == (name if same else None)
    assert same or journal.event_id("toy", "turn_end", b"{}", AT + timedelta(seconds=seconds)) != name


@pytest.mark.parametrize(
    "other", [("toy2", "turn_end", b"{}"), ("toy", "session_end", b"{}"), ("toy", "turn_end", b"{ }")]
)
def test_another_platform_moment_or_content_is_another_event(home, other):
    """Each of the three makes an event of its own."""
    journal.append(home, event(journal.event_id("toy", "turn_end", b"{}", AT)))

    assert journal.Known(home).same_payload(*other, AT) is None


def test_the_log_of_rejected_payloads_is_bounded(home):
    """At 1 MB the log starts anew; one older log is kept."""
    home.root.mkdir(mode=0o700)
    log = home.root / "rejected.jsonl"
    log.write_bytes(b"x" * (2**20 + 1))

    journal.log_rejected(home, "toy.turn_end.1.json", "over", AT)

    assert [json.loads(line) for line in log.read_text().splitlines()] == [
        {"at": AT.isoformat(), "name": "toy.turn_end.1.json", "reason": "over"}
    ]
    assert log.with_name("rejected.old.jsonl").stat().st_size == 2**20 + 1
