"""The store: sessions as files are the truth, the index may be lost, damaged, behind or ahead."""

import contextlib
import multiprocessing
import os
import sqlite3
from datetime import UTC, datetime

import pytest

from nightschool.errors import NightschoolError
from nightschool.memory.store import Outline, SessionStore
from nightschool.records import Session, Source, ToolCall, Turn

AT = datetime(2026, 3, 1, tzinfo=UTC)


def session(name, *, platform="toy", offset=10):
    """Return a session with a turn in it."""
    turn = Turn(id="t", at=AT, prompt="päste", calls=(ToolCall(name="sh", failed=True),), span=(0, 9))
    source = Source(path=f"/x/{name}", offset=offset, size=offset, mtime_ns=7, head="h")
    return Session(platform=platform, id=name, source=source, turns=(turn,), pending={"c": (0, 0)}, skipped={"x": 1})


def kept(home):
    """Return every file under the home with its bytes."""
    return {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}


@pytest.fixture
def store(home):
    """Return a store with three indexed sessions."""
    made = SessionStore(home)
    for name in ("b", "a", "c"):
        made.save(session(name))
    made.index()
    return made


MARKS = {("toy", name): (f"/x/{name}", 10, 7) for name in "abc"}


def test_a_session_comes_back_as_it_was(store):
    """What is loaded equals what was saved, and files are the owner's alone."""
    assert store.load("toy", "a") == session("a")
    assert store.load("toy", "none") is None
    assert store.path("toy", "a").stat().st_mode & 0o777 == 0o600
    assert store.home.index.stat().st_mode & 0o777 == 0o600


def test_sessions_come_in_order(home, store):
    """Ordered by platform, then id, whatever order they were saved in."""
    store.save(session("z", platform="other"))

    assert [(one.platform, one.id) for one in SessionStore(home).sessions()] == [
        ("other", "z"), ("toy", "a"), ("toy", "b"), ("toy", "c"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "x" * 200, "a\0b"])
def test_names_cannot_leave_the_directory(home, name):
    """A name that is no file name is refused before anything is touched."""
    with pytest.raises(NightschoolError):
        SessionStore(home).load("toy", name)
    with pytest.raises(NightschoolError):
        SessionStore(home).load(name, "a")


def spoil(home, how):
    """Do to the index what may befall it."""
    index = home.index
    if how == "missing":
        index.unlink()
    elif how == "empty":
        index.write_bytes(b"")
    elif how == "garbage":
        index.write_bytes(b"not a database at all, but long enough to be taken for one" * 99)
    elif how == "torn":
        index.write_bytes(index.read_bytes()[:4500])
    elif how == "another schema":
        index.unlink()
        with sqlite3.connect(index) as db:
            db.execute("CREATE TABLE sources (platform, session, path)")
        db.close()
    elif how == "behind":
        with sqlite3.connect(index) as db:
            db.execute("DELETE FROM sources WHERE session = 'a'")
        db.close()
    elif how == "ahead":
        with sqlite3.connect(index) as db:
            db.execute("INSERT INTO sources SELECT platform, 'ghost', file, path, size, mtime_ns FROM sources LIMIT 1")
        db.close()


@pytest.mark.parametrize("how", ["missing", "empty", "garbage", "torn", "another schema", "behind", "ahead"])
def test_the_index_is_made_good_from_the_files(home, store, how):
    """Whatever befell it, the watermarks are those of the files; from then on it is only read."""
    spoil(home, how)

    assert SessionStore(home).marks() == MARKS
    before = kept(home)
    assert SessionStore(home).marks() == MARKS
    assert kept(home) == before


def test_a_lost_or_damaged_session_has_no_watermark(home, store):
    """The index does not outlive a session's file: its transcript is due again."""
    store.path("toy", "a").unlink()
    store.path("toy", "b").write_bytes(b'{"platform": "toy"')
    os.truncate(store.path("toy", "c"), 0)

    assert SessionStore(home).marks() == {}
    assert list(SessionStore(home).sessions()) == []
    assert SessionStore(home).load("toy", "b") is None


def test_a_file_of_another_session_counts_for_none(home, store):
    """A file that was copied under another name is not that session."""
    copy = store.path("toy", "d")
    copy.write_bytes(store.path("toy", "a").read_bytes())

    assert SessionStore(home).load("toy", "d") is None
    assert SessionStore(home).marks() == MARKS


def test_a_session_saved_without_the_index_is_found(home, store):
    """A process that died between the file and the index leaves the file's watermark."""
    SessionStore(home).save(session("a", offset=99))

    assert SessionStore(home).marks()["toy", "a"] == ("/x/a", 99, 7)


def test_a_home_without_sessions_is_not_made(home):
    """Asking for watermarks writes nothing."""
    assert SessionStore(home).marks() == {}
    assert not home.root.exists()


def test_an_index_that_cannot_be_written_costs_only_time(home, store):
    """A directory in its place: watermarks are read from the files each time."""
    home.index.unlink()
    home.index.mkdir()

    assert SessionStore(home).marks() == MARKS
    store.save(session("a", offset=11))
    store.index()
    assert SessionStore(home).marks()["toy", "a"] == ("/x/a", 11, 7)


def _save_many(home, first):
    store = SessionStore(home)
    for number in range(first, first + 30):
        store.save(session(f"s{number}"))
        store.index()
        store.marks()


def test_processes_share_a_store(home):
    """Four writers at once lose no session and no watermark."""
    spawn = multiprocessing.get_context("spawn")
    running = [spawn.Process(target=_save_many, args=(home, 100 * n)) for n in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join(60)

    assert [process.exitcode for process in running] == [0] * 4
    assert len(SessionStore(home).marks()) == 120


def test_outlines_tell_what_the_files_tell(home, store):
    """Every session's outline is as its file, from the index, from the files alone, and after one was read on."""
    told = {("toy", name): Outline("", own=False, dated=False, offset=10, turns=1, skipped={"x": 1}) for name in "abc"}
    assert store.outlines() == SessionStore(home).outlines() == told

    store.save(session("b", offset=20).model_copy(update={"started": AT, "project": "/p", "own": True, "skipped": {}}))
    told["toy", "b"] = Outline("/p", own=True, dated=True, offset=20, turns=1, skipped={})
    assert store.outlines() == SessionStore(home).outlines() == told

    home.index.unlink()
    store.path("toy", "a").unlink()
    del told["toy", "a"]
    assert store.outlines() == SessionStore(home).outlines() == told
    assert list(told) == list(SessionStore(home).outlines())


def test_an_index_of_before_the_outlines_is_gone_on_with(home, store):
    """An index that holds watermarks only is filled up from the files, and still tells these to an older engine."""
    with contextlib.closing(sqlite3.connect(home.index)) as index, index:
        index.execute("DROP TABLE outlines")

    assert SessionStore(home).marks() == MARKS
    with contextlib.closing(sqlite3.connect(home.index)) as index:
        assert index.execute("SELECT count(*) FROM sources").fetchone() == (3,)
        assert index.execute("SELECT count(*) FROM outlines").fetchone() == (3,)
        assert index.execute("PRAGMA user_version").fetchone() == (1,)


def test_what_is_not_new_is_not_opened(home, store):
    """Outlines of sessions that have not changed come without reading their files: these may even be unreadable."""
    was = store.path("toy", "a").stat()
    store.path("toy", "a").write_bytes(b"x" * was.st_size)
    os.utime(store.path("toy", "a"), ns=(was.st_atime_ns, was.st_mtime_ns))

    assert list(SessionStore(home).outlines()) == [("toy", name) for name in "abc"]
