"""Secrets in prompts, commands and outputs reach neither a file of ours nor an outgoing prompt."""

import json

from tests.support.secret_corpus import cases

CASES = cases()


def tool(number, line, text, context):
    """Return a call of a tool and its failed result; the text stands in the command or in the output."""
    command, output = (text, "failed") if context == "shell" else ("make", text)
    call = {"type": "tool_use", "id": f"tool-{number}", "name": "Bash", "input": {"command": command}}
    result = {"type": "tool_result", "tool_use_id": f"tool-{number}", "content": output, "is_error": True}
    told = line["message"] | {"id": f"m{number}", "content": [call]}
    user = {key: value for key, value in line.items() if key != "message"}
    return [
        line | {"uuid": f"c{number}", "message": told},
        user | {"type": "user", "uuid": f"r{number}", "message": {"role": "user", "content": [result]}},
    ]


def test_no_planted_secret_is_kept_or_sent(world):
    """89 kinds in prose, commands and outputs: 0 bytes of them in any file of ours, outgoing questions included."""
    assert len({case.kind for case in CASES}) >= 40
    for number, case in enumerate(CASES):
        spoken = case.text if case.context == "prose" else "see the output"
        path = world.session(
            (f"write a SQL query about subject {number}. {spoken}", spoken),
            (f"no, always end the query with LIMIT 100. {spoken}", "SELECT 1 LIMIT 100;"),
        )
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        if case.context != "prose":
            lines += tool(number, lines[1], case.text, case.context)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    world.run("run", "--backend", "handoff", code=3)
    world.run("run", "--backend", "mock")

    kept = {path: path.read_bytes() for path in world.home.rglob("*") if path.is_file()}
    written = {line for case in CASES for line in case.secret.splitlines() if len(line) >= 8}
    forms = {form.encode() for line in written for form in (line, json.dumps(line)[1:-1])}
    leaks = sorted((str(path), form) for path, data in kept.items() for form in forms if form in data)
    assert leaks == []
    assert any("handoff" in str(path) for path in kept)
    assert any(b"[redacted:" in data for data in kept.values())
