"""What is known of a long journal without reading it."""

import os
import time
from collections import Counter
from datetime import timedelta

import pytest
from tests.core.test_journal import AT, event

from nightschool.day import journal, tally
from nightschool.events import Moment

MANY = 36_000  # events: a journal of more than 4 MB


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Return the lines of a long journal: each third event of a session of its own, one line torn."""
    told = [
        event(f"e{n:06d}", AT + timedelta(seconds=n)).model_copy(update={"session_id": f"s{n // 3}"})
        for n in range(MANY)
    ]
    lines = [one.model_dump_json() for one in told]
    lines[100] += "torn"
    return lines


@pytest.fixture
def written(home, long):
    """Return a home with that journal."""
    home.journal.parent.mkdir(parents=True, exist_ok=True)
    home.journal.write_text("\n".join(long) + "\n")
    assert home.journal.stat().st_size > tally.LONG
    return home


def told(home):
    """Return what is known of some events and sessions, and the counts."""
    known = journal.Known(home)
    names = ["e000000", "e000100", "e012345", f"e{MANY - 1:06d}", "new", "none"]
    sessions = ["s0", "s33", "s7999", "other", "none"]
    payload = journal.event_id("toy", "turn_end", b"x", AT)
    journal_says = [name in known for name in names], [known.ordinal("toy", name) for name in sessions]
    return (*journal_says, payload in known, journal.counted(home))


def short(home, monkeypatch):
    """Return the same of a home whose journal is read whole."""
    with monkeypatch.context() as patch:
        patch.setattr(tally, "LONG", 2**40)
        return told(home)


def test_a_long_journal_is_known_as_if_it_were_read(written, monkeypatch):
    """With a tally everything is answered as without one, before and after more is journaled, and it is private."""
    first = told(written)
    assert written.tally.stat().st_mode & 0o777 == 0o600
    assert first == short(written, monkeypatch)
    assert first[3] == Counter({("toy", "turn_end"): MANY - 1})

    new = event("new", AT).model_copy(update={"session_id": "other", "moment": Moment.SESSION_END})
    journal.append(written, new)
    before = written.tally.read_bytes()
    assert told(written) == short(written, monkeypatch) != first
    assert written.tally.read_bytes() == before  # a little more is read, not written down


def test_what_was_added_since_is_caught_up(written, long, monkeypatch):
    """A tally far behind goes on where it was."""
    told(written)
    with written.journal.open("a") as stream:
        stream.writelines(line.replace('"e0', '"f0').replace('"s', '"u', 1) + "\n" for line in long)
    here = tally.found(written)
    assert told(written) == short(written, monkeypatch)
    assert tally.found(written).offset > here.offset


@pytest.mark.parametrize("how", ["gone", "empty", "rubbish", "torn", "page", "other journal", "shorter journal"])
def test_a_tally_that_tells_nothing_is_made_again(written, long, how, monkeypatch):
    """Lost, damaged or of another journal: everything is answered as the journal tells it."""
    told(written)
    data = written.tally.read_bytes()
    if how == "gone":
        written.tally.unlink()
    elif how in {"empty", "rubbish", "torn"}:
        written.tally.write_bytes({"empty": b"", "rubbish": b"x" * 9_000, "torn": data[: len(data) // 2]}[how])
    elif how == "page":
        written.tally.write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
    else:
        lines = [line.replace('"e0', '"f0') for line in long][: 34_000 if how == "shorter journal" else MANY]
        written.journal.unlink()
        written.journal.write_text("\n".join(lines) + "\n")
    assert told(written) == short(written, monkeypatch)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_home_that_cannot_be_written_is_read(written, monkeypatch):
    """Where no tally can be made the journal is read."""
    written.root.chmod(0o500)
    try:
        assert told(written) == short(written, monkeypatch)
    finally:
        written.root.chmod(0o700)


def test_a_short_journal_has_none(home):
    """Nothing is put beside a journal that is read in no time."""
    journal.append(home, event("e1"))
    assert "e1" in journal.Known(home)
    assert not home.tally.exists()


def test_a_second_look_does_not_read_the_journal(written):
    """With the tally up to date the answer costs far less than reading: the rule is in the processor's time."""
    begin = time.process_time()
    journal.Known(written)
    first, begin = time.process_time() - begin, time.process_time()
    journal.Known(written)
    assert time.process_time() - begin < first / 3
