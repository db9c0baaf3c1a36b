"""Memory from the command line: a night makes blocks, and search, show, blame, forget, import and brief use them."""

import time
from datetime import UTC, datetime

from nightschool.day import journal
from nightschool.events import Event, Moment
from nightschool.files import single_flight, wanted
from nightschool.paths import Home


def test_from_a_session_to_the_line_and_to_nothing(world):
    """A decision is found, shown, traced to its line, told in the brief, forgotten, taken back, and erased with proof."""
    path = world.session(("We decided to use pnpm for the web client.", "fine"))
    world.session(("hello there friend", "hi"), ("We decided the cache lives in Redis.", "fine"))
    world.run("run")

    (found,) = world.json("search", "which package manager")["results"] or world.json("search", "web client")["results"]
    assert found["title"] == "We decided to use pnpm for the web client."
    shown = world.json("show", found["id"], "--evidence")
    assert (shown["evidence"][0]["source"], shown["evidence"][0]["line"]) == (str(path), 1)
    (place,) = world.json("blame", found["id"])["places"]
    assert place["line"] == 1
    assert "pnpm" in world.json("brief")["text"]
    assert world.json("brief")["tokens_at_most"] <= 600
    world.run("show", found["id"], "--as-of", "2020-01-01", code=1)
    world.run("show", found["id"], "--as-of", "soon", code=2)
    world.run("show", "no-such-block", code=1)

    world.run("forget", found["id"])
    assert world.json("search", "pnpm")["results"] == []
    assert "pnpm" not in world.json("brief")["text"]
    world.run("forget", "--undo")
    assert world.json("search", "pnpm")["results"][0]["id"] == found["id"]
    assert world.json("forget", "--query", "cache redis")["would_forget"]
    erased = world.json("forget", "--hard", "--yes", found["id"])
    assert erased["remaining"] == []
    assert not [p for p in world.home.rglob("*") if p.is_file() and b"We decided to use pnpm" in p.read_bytes()]
    world.run("run")
    assert world.json("search", "pnpm")["results"] == []
    assert len(world.json("search", "cache")["results"]) == 1


def test_what_is_journaled_while_erasing_waits_is_kept(world):
    """Erasing rewrites what drains and harvests append to: it waits for them, and the events they journaled stay."""
    world.session(("We decided to use pnpm for the web client.", "fine"))
    world.run("run")
    home, at = Home(world.home), datetime(2026, 11, 21, tzinfo=UTC)
    told = {"platform": "claude-code", "moment": Moment.TURN_END, "at": at, "session_id": "s1"}
    journal.append(home, Event.model_validate(told | {"id": "before", "project": "/srv/pnpm-client"}))
    with single_flight(home.sessions_lock, "harvesting"):
        erasing = world.start("forget", "--hard", "--yes", "--query", "pnpm-client")
        end = time.monotonic() + 60
        while not wanted(home.sessions_wanted) and time.monotonic() < end and erasing.poll() is None:
            time.sleep(0.02)
        assert erasing.poll() is None
        journal.append(home, Event.model_validate(told | {"id": "meanwhile"}))
    out, err = erasing.communicate(timeout=60)
    assert (erasing.returncode, err) == (0, ""), out
    kept = {event.id: event.project for event in journal.read_events(home)}
    assert kept == {"before": "/srv/[forgotten]", "meanwhile": None}


def test_an_import_is_previewed_first(world):
    """Without --yes nothing is taken in; with it the blocks are found, and no brief tells of them."""
    notes = world.root / "NOTES.md"
    notes.write_text("# Deploy\n- always restart the queue worker\n")
    assert len(world.json("import", str(notes))["found"]) == 1
    assert world.json("search", "queue worker")["results"] == []
    assert world.json("import", str(notes), "--yes")["taken"] == 1

    (hit,) = world.json("search", "queue worker")["results"]
    assert hit["voice"] == "imported"
    assert hit["from"].endswith("NOTES.md#2")
    world.run("brief", "--renew")
    assert world.json("brief")["text"] == ""
