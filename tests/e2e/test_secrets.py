"""Secrets in prompts, commands and outputs reach neither a file of ours nor an outgoing prompt."""

import json

from tests.support.secrets import SECRETS


def test_no_planted_secret_is_kept_or_sent(world):
    """At least 40 shapes, each in a prompt, a correction, a command and an output: 0 bytes of them anywhere."""
    assert len(SECRETS) >= 40
    for number, (kind, secret) in enumerate(sorted(SECRETS.items())):
        path = world.session(
            (f"write a SQL query about subject {number} with {secret}", f"used {secret}"),
            (f"no, always end the query with LIMIT 100 (the key is {secret})", "SELECT 1 LIMIT 100;"),
        )
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        call = {
            "type": "tool_use",
            "id": f"tool-{number}",
            "name": "Bash",
            "input": {"command": f"run --with {secret}"},
        }
        result = {"type": "tool_result", "tool_use_id": f"tool-{number}", "content": f"got {secret}", "is_error": True}
        lines += [
            lines[1] | {"uuid": f"c{kind}", "message": lines[1]["message"] | {"id": f"m{kind}", "content": [call]}},
            lines[0] | {"uuid": f"r{kind}", "message": {"role": "user", "content": [result]}},
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    world.run("run", "--backend", "handoff", code=3)
    world.run("run")

    kept = {path: path.read_bytes() for path in world.home.rglob("*") if path.is_file()}
    leaks = [
        (kind, path.name) for path, data in kept.items() for kind, secret in SECRETS.items() if secret.encode() in data
    ]
    assert leaks == []
    assert any("handoff" in str(path) for path in kept)
    assert any(b"[redacted:" in data for data in kept.values())
