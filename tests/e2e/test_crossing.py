"""A rule learned in one client and proposed for another says so, and by whom it was examined."""

import pytest
from tests.e2e.conftest import World
from tests.support.subjects import SUBJECTS, WORDS


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--target", "claude-code:project"], None),
        (["--target", "codex:project"], "Learned in claude-code, proposed for codex, not examined yet."),
        (
            ["--target", "copilot:project", "--backend", "mock"],
            "Learned in claude-code, proposed for copilot, examined by mock",
        ),
    ],
)
def test_where_a_rule_comes_from_and_who_examined_it(tmp_path, words, told):
    """Only where it crosses; with the examiner when there was one."""
    world = World(tmp_path)
    world.project.mkdir(parents=True)
    for number, subject in enumerate(SUBJECTS):
        world.session(
            (f"write a SQL query for {subject}", "SELECT * FROM t;"), (WORDS[number % len(WORDS)], "LIMIT 100;")
        )
    world.run("run", *words)
    report = world.run("report")[0]
    assert "Goes to the project's" in report
    assert (told in report) if told else ("Learned in" not in report)
