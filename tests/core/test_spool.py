"""What the hooks dropped, as the engine reads it."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from nightschool.day import spool

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def drop(home, name, data=b"{}", at=NOW):
    """Put a file into the spool."""
    home.spool.mkdir(parents=True, exist_ok=True)
    path = home.spool / name
    path.write_bytes(data)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_oldest_comes_first(home):
    """Payloads are read in the order of their times, not of their names; the name decides between equals."""
    drop(home, "toy.turn_end.9-1-1.json", at=NOW - timedelta(seconds=9))
    drop(home, "toy.turn_end.1-1-1.json", at=NOW)
    drop(home, "toy.session_end.5-1-1.json", at=NOW)

    found = spool.waiting(home.spool)

    assert [d.path.name.split(".")[1:3] for d in found] == [
        ["turn_end", "9-1-1"],
        ["session_end", "5-1-1"],
        ["turn_end", "1-1-1"],
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("claude-code.turn_end.12-7-1.json", ("claude-code", "turn_end")),
        ("a_b.tool_failure.4711-0f3A.json", ("a_b", "tool_failure")),
        ("toy.turn_end.json", ("", "")),
        ("toy.turn.end.1.json", ("", "")),
        ("Toy.turn_end.1.json", ("", "")),
        ("toy..1.json", ("", "")),
        (".json", ("", "")),
    ],
)
def test_the_name_tells_platform_and_moment(home, name, told):
    """The name of a file is `<platform>.<moment>.<unique>.json`; any other tells nothing."""
    drop(home, name)

    (found,) = spool.waiting(home.spool)

    assert (found.platform, found.moment) == told


def test_only_plain_json_files_are_payloads(home, tmp_path):
    """Half-written files, the mark, links, pipes and directories are not taken for payloads."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    drop(home, "toy.turn_end.1-1-1.json.part")
    (home.spool / ".draining").mkdir()
    (home.spool / "toy.turn_end.2-1-1.json").symlink_to(secret)
    (home.spool / "toy.turn_end.3-1-1.json").mkdir()
    os.mkfifo(home.spool / "toy.turn_end.4-1-1.json")

    assert spool.waiting(home.spool) == []


def test_no_spool_is_an_empty_spool(home):
    """Before the first hook there is nothing, and that is no error; neither is a file in the spool's place."""
    assert spool.waiting(home.spool) == []
    home.root.mkdir()
    home.spool.write_text("")
    assert spool.waiting(home.spool) == []


def test_the_time_is_the_files_to_the_microsecond(home):
    """`at` is the file's own time in UTC, without the rounding of floats."""
    path = drop(home, "toy.turn_end.1-1-1.json")
    os.utime(path, ns=(0, 1_795_236_988_123_456_789))

    (found,) = spool.waiting(home.spool)

    assert found.at == datetime.fromtimestamp(1_795_236_988, UTC).replace(microsecond=123456)


def test_a_payload_has_a_size_limit(home):
    """A payload of the limit is read whole; one byte more is refused without its content."""
    drop(home, "toy.turn_end.1-1-1.json", b"a" * spool.MAX_PAYLOAD)
    (fits,) = spool.waiting(home.spool)
    assert len(spool.read(fits)) == spool.MAX_PAYLOAD
    drop(home, "toy.turn_end.1-1-1.json", b"a" * (spool.MAX_PAYLOAD + 1))

    with pytest.raises(spool.Unreadable, match="over 16777216 bytes"):
        spool.read(fits)


def test_a_link_put_in_a_payloads_place_is_not_followed(home, tmp_path):
    """Between listing and reading, a payload replaced by a link is refused."""
    path = drop(home, "toy.turn_end.1-1-1.json")
    (found,) = spool.waiting(home.spool)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(spool.Unreadable):
        spool.read(found)


def test_only_old_half_written_files_are_swept(home):
    """What a killed hook left is removed after an hour; what one may still be writing is not."""
    drop(home, "toy.turn_end.1-1-1.json.part", at=NOW - timedelta(minutes=61))
    young = drop(home, "toy.turn_end.2-1-1.json.part", at=NOW - timedelta(minutes=59))
    whole = drop(home, "toy.turn_end.3-1-1.json", at=NOW - timedelta(days=9))

    assert spool.sweep(home.spool, NOW) == 1
    assert sorted(home.spool.iterdir()) == [young, whole]
