"""What the client's hooks receive, as captured from the real one."""

import json

import pytest

from nightschool_claude_code import platform

STOP = {"session_id": "5f1e", "transcript_path": "/home/u/.claude/projects/-p/5f1e.jsonl", "cwd": "/home/u/p"}


def test_a_payload_points_to_its_session():
    """Of a payload only what points somewhere is read; unknown fields are tolerated."""
    data = json.dumps(STOP | {"hook_event_name": "Stop", "last_assistant_message": "secret", "brand_new": [1]}).encode()

    assert platform.read_payload("turn_end", data) == {
        "session_id": "5f1e",
        "transcript": STOP["transcript_path"],
        "project": "/home/u/p",
    }


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {"session_id": "../../evil"},
        {"session_id": "a/b"},
        {"session_id": 5},
        {"transcript_path": "relative/path"},
        {"transcript_path": "/a\0b"},
        {"transcript_path": None},
    ],
)
def test_a_payload_that_is_none_is_refused(told):
    """A wrong or hostile payload is a ValueError, never a path."""
    data = json.dumps(STOP | told if told and isinstance(told, dict) else told).encode()

    with pytest.raises(ValueError, match="Payload"):
        platform.read_payload("turn_end", data)


def test_what_a_later_client_adds_is_ignored():
    """Fields that are not known yet, of any shape, change nothing of what a payload points to."""
    told = {"session_id": "s1", "transcript_path": "/t/s1.jsonl", "cwd": "/p"}
    new = told | {
        "hook_event_name": "Hibernate",
        "dream": {"deep": [1, None, {"x": "y"}]},
        "levels": [[[]]],
        "n": 1e400,
    }
    for moment in ("session_start", "turn_end", "compaction", "session_end"):
        assert platform.read_payload(moment, json.dumps(new).encode()) == platform.read_payload(
            moment, json.dumps(told).encode()
        )
