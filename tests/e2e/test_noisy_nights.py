"""Whole nights before a noisy model: what the gate promises holds through `run`, not only in its arithmetic."""

import pytest
from tests.e2e.conftest import World
from tests.support.subjects import SUBJECTS, WORDS

NIGHTS = 12
NOISY = """
seed = {seed}
[[behaviour]]
when = "(?i)query"
rule = "LIMIT 100"
chance = {with_}
reply = "SELECT 1 LIMIT 100;"
[[behaviour]]
when = "(?i)query"
without = "LIMIT 100"
chance = {without}
reply = "SELECT 1 LIMIT 100;"
[default]
reply = "SELECT 1;"
"""


def verdicts(tmp_path, *, with_, without):
    """Sleep one night for each of several seeds, each in a home of its own, and return the rule's verdicts."""
    found = []
    for seed in range(NIGHTS):
        world = World(tmp_path / str(seed))
        world.project.mkdir(parents=True)
        for number, subject in enumerate(SUBJECTS):
            asked = (f"write a SQL query for {subject}", "SELECT * FROM t;")
            world.session(asked, (WORDS[number % len(WORDS)], "SELECT * FROM t LIMIT 100;"))
        world.rehearse(NOISY.format(seed=seed, with_=with_, without=without))
        found += [rule["verdict"] for rule in world.json("run", "--rollouts-k", "3")["rules"]]
    assert len(found) == NIGHTS
    return found


@pytest.mark.slow
def test_a_useless_rule_does_not_pass_a_noisy_night(tmp_path):
    """Luck that is dealt anew on both sides: the mean rises on many nights, and the rule is accepted on none."""
    told = verdicts(tmp_path, with_=0.4, without=0.4)

    assert sum(verdict["effect"] > 0 for verdict in told) >= 3, "the usual rule would have passed these"
    assert sum(verdict["ruling"] == "accept" for verdict in told) == 0
    assert sum(verdict["rollouts"] for verdict in told) / NIGHTS < 60


@pytest.mark.slow
def test_a_useful_rule_passes_most_noisy_nights(tmp_path):
    """From one pass in ten to nine in ten, on some seven tasks: accepted at once on most nights, never rejected."""
    told = verdicts(tmp_path, with_=0.9, without=0.1)

    assert sum(verdict["ruling"] == "accept" for verdict in told) >= 9
    assert all(verdict["ruling"] != "reject" for verdict in told)
