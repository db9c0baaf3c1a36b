"""From a night to the next session's start: the hook prints what the night prepared, and nothing that was decided."""

import subprocess
from pathlib import Path

HARVEST = Path(__file__).parents[2] / "hooks" / "harvest"


def start(world, where=None):
    """Start a session as a client would, and return what it is told."""
    ran = subprocess.run(
        [HARVEST, "claude-code", "session_start"],
        input=b"{}",
        cwd=where or world.project,
        env={"PATH": "/usr/bin:/bin", "NIGHTSCHOOL_HOME": str(world.home)},
        capture_output=True,
        check=True,
    )
    assert ran.stderr == b""
    return ran.stdout.decode()


def test_a_session_hears_of_the_night_until_all_is_decided(queries):
    """Nothing before the first night; then counts, in the project alone; nothing once the rules are adopted; undo tells again."""
    assert start(queries) == ""
    rules = queries.json("run")["rules"]

    said = start(queries)
    assert f"{len(rules)} unexamined" in said
    assert "LIMIT 100" not in said
    assert start(queries, queries.user_home) == ""
    below = queries.project / "src" / "sql"
    below.mkdir(parents=True)
    assert start(queries, below) == said

    for rule in rules:
        queries.run("adopt", "--rule", rule["edit"]["id"])
    assert start(queries) == ""
    queries.run("undo")
    assert "1 unexamined" in start(queries)


def test_a_night_that_waits_says_so(queries):
    """While questions wait for answers, every session of the project is told; with 0 tokens none is."""
    queries.run("run", "--backend", "handoff", code=3)
    assert "waits for answers" in start(queries)

    queries.run("config", "brief.tokens", "0")
    queries.run("run", "--backend", "handoff", code=3)
    assert start(queries) == ""


def test_a_night_over_all_projects_is_told_everywhere(queries):
    """What was learned from everybody's sessions waits for the user wherever a session starts."""
    queries.run("run", "--scope", "all")

    assert "unexamined" in start(queries, queries.user_home)
    assert start(queries) == start(queries, "/")


def test_what_a_brief_may_cost_starts_no_night(queries):
    """A night over the same sessions has nothing new to find when only the brief's bound was changed."""
    first = queries.json("run")["night"]["id"]
    queries.run("config", "brief.tokens", "100")

    again = queries.json("run")
    assert not again["new"]
    assert again["night"]["id"] == first


def test_a_brief_in_a_prompt_is_not_learned(world):
    """A brief that a user pastes into prompts, in session after session, becomes no rule."""
    told = "<nightschool-brief>\n- no, always end the query with LIMIT 100\n</nightschool-brief>"
    for number in range(4):
        world.session((f"write query {number}", "SELECT 1;"), (f"{told}\nthanks", "ok"))

    assert world.json("run")["rules"] == []
