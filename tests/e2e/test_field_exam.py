"""The field exam from consent to verdict: the real hook throws the coin, real-format sessions are judged, no model."""

import json
import os
import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.conftest import START
from tests.support.subjects import SUBJECTS

HARVEST = Path(__file__).parents[2] / "hooks" / "harvest"


def start(world, name=""):
    """Start a session as a client would; return what it is told, and put the payload's time where the session is."""
    told = {
        "session_id": name,
        "transcript_path": f"/{name}.jsonl",
        "cwd": str(world.project),
        "source": "startup",
        "hook_event_name": "SessionStart",
    }
    env = {"PATH": "/usr/bin:/bin", "NIGHTSCHOOL_HOME": str(world.home)}
    ran = subprocess.run([HARVEST, "claude-code", "session_start"], input=json.dumps(told).encode(), cwd=world.project,
                         env=env, capture_output=True, check=True)  # fmt: skip
    assert ran.stderr == b""
    at = (START + timedelta(hours=world.held + 1) - timedelta(minutes=1)).timestamp()
    for path in (world.home / "spool").glob("*.json"):
        if name and name in path.read_text():
            os.utime(path, (at, at))
    return ran.stdout.decode()


def live(world, sessions, obeys):
    """Hold real sessions: `obeys(given)` says whether the reply keeps the rule. Return which arm each was told."""
    arms = []
    for number in range(sessions):
        name = str(uuid.UUID(int=10_000 + world.held, version=4))
        given = "LIMIT 100" in start(world, name)
        reply = "SELECT * FROM t LIMIT 100;" if obeys(given) else "SELECT * FROM t;"
        subject = SUBJECTS[number % len(SUBJECTS)]
        world.session((f"write a SQL query for {subject} again", reply), ("what day is it?", "Monday."), name=name)
        arms.append(given)
    world.run("drain")
    return arms


@pytest.fixture
def tried(queries):
    """Return a world whose user consents, after the night that begins a trial."""
    queries.run("config", "exam.field", "on")
    document = queries.json("run")
    assert document["rules"][0]["verdict"]["field"]["with_"] == 0
    return queries


def test_without_consent_no_session_is_told(queries):
    """By default nothing is tried, no coin is thrown and nothing of it is in the report."""
    document = queries.json("run")

    assert [rule["verdict"]["field"] for rule in document["rules"]] == [None] * len(document["rules"])
    assert "LIMIT 100" not in start(queries)
    assert not (queries.home / "field").exists()
    assert queries.json("status")["field"] == []


def test_a_rule_that_works_is_accepted_by_daily_use(tried):
    """Half of the sessions are told the rule and keep it, the others do not: no model is asked, and it is accepted."""
    arms = live(tried, 44, lambda given: given)
    document = tried.json("run")

    (rule,) = document["rules"]
    told = rule["verdict"]["field"]
    assert (told["with_"], told["without"]) == (sum(arms), len(arms) - sum(arms))
    assert (told["passed_with"], told["passed_without"]) == (sum(arms), 0)
    assert rule["verdict"]["ruling"] == "accept"
    assert document["night"]["calls"] == 0
    page = tried.run("report")[0]
    assert f"{sum(arms)} real session(s) with it, {len(arms) - sum(arms)} without" in page
    assert "at most 5 % chance" in page
    assert tried.json("status")["lifetime"]["accepted"] == 1
    tried.run("adopt")
    assert "LIMIT 100" in (tried.project / "CLAUDE.md").read_text()
    assert "LIMIT 100" not in start(tried), "it stands in the document now"


def test_a_rule_that_makes_no_difference_goes_on_being_tried(tried):
    """Every session passes, told or not: little evidence, as the arms fall, and status says how far it is."""
    live(tried, 12, lambda _given: True)
    document = tried.json("run")

    assert document["rules"][0]["verdict"]["ruling"] == "unexamined"
    assert document["rules"][0]["verdict"]["field"]["e_value"] < 10
    (status,) = tried.json("status")["field"]
    assert status["with_"] + status["without"] == 12
    assert "field       " in tried.run("status")[0]
    assert tried.json("run")["rules"][0]["verdict"]["field"] == document["rules"][0]["verdict"]["field"]


def test_consent_taken_back_ends_at_once(tried):
    """The very next session is told nothing, and no arm is drawn for it."""
    tried.run("config", "exam.field", "off")
    spool = tried.home / "spool"

    assert all("LIMIT 100" not in start(tried, f"s{n}") for n in range(12))
    assert [path.name for path in spool.glob("*-a[01].json")] == []


def test_both_arms_are_told_the_same_but_for_the_rule(tried):
    """The two briefs differ in one line, within the tokens a brief may cost."""
    folder = next(tried.home.glob("brief/**/nightschool-field-*.md")).parent
    plain = (folder / "nightschool-brief.md").read_text().splitlines()
    with_rule = next(folder.glob("nightschool-field-*.md")).read_text()

    assert [line for line in with_rule.splitlines() if line not in plain] == [with_rule.splitlines()[2]]
    assert len(with_rule.encode()) <= 1800


@pytest.fixture
def adopted(tried):
    """Return a world whose rule daily use has accepted and the user adopted; its clock has reached the adoption."""
    live(tried, 44, lambda given: given)
    tried.run("run")
    tried.run("adopt")
    tried.held = int((datetime.now(UTC) - START) / timedelta(hours=1)) + 2
    return tried


def hold(world, sessions, passes):
    """Hold sessions under the adopted rule; `passes(number)` says whether the reply keeps it."""
    for number in range(sessions):
        reply = "SELECT * FROM t LIMIT 100;" if passes(number) else "SELECT * FROM t;"
        world.session(
            (f"write a SQL query for {SUBJECTS[number % len(SUBJECTS)]} anew", reply), ("what day?", "Monday.")
        )


def test_an_adopted_rule_goes_on_being_examined(adopted):
    """Kept in every session since: the report and status say so, nothing is proposed, and nothing is counted twice."""
    hold(adopted, 26, lambda _: True)
    document = adopted.json("run")

    assert [rule for rule in document["rules"] if rule["edit"]["op"] == "delete"] == []
    (use,) = adopted.json("status")["in_use"]
    assert (use["since"], use["passed_since"], use["passed_before"]) == (26, 26, 0)
    assert use["before"] >= 18, "sessions that no trial had given it"
    assert "26 of 26 session(s) since it was adopted" in adopted.run("status")[0]
    assert "26 of 26 real session(s) since it was adopted" in adopted.run("report")[0]
    hold(adopted, 1, lambda _: True)
    adopted.run("run")
    assert adopted.json("status")["in_use"][0]["since"] == 27
    assert document["night"]["calls"] == 0


def test_an_adopted_rule_that_does_nothing_is_offered_for_deletion(adopted):
    """Kept no more often than before it was adopted: its deletion is proposed, by hand only, and takes it out."""
    hold(adopted, 23, lambda _: False)
    assert [rule["edit"]["op"] for rule in adopted.json("run")["rules"]].count("delete") == 0
    hold(adopted, 1, lambda _: False)
    (gone,) = (rule for rule in adopted.json("run")["rules"] if rule["edit"]["op"] == "delete")

    assert gone["verdict"]["by_hand"]
    assert gone["verdict"]["ruling"] == "probation"
    assert "0 of 24 real session(s)" in adopted.run("report")[0]
    adopted.run("adopt")
    assert "LIMIT 100" in (adopted.project / "CLAUDE.md").read_text(), "not without its name"
    adopted.run("adopt", "--rule", gone["edit"]["id"])
    assert "LIMIT 100" not in (adopted.project / "CLAUDE.md").read_text()
    assert adopted.json("status")["in_use"] == []
    hold(adopted, 1, lambda _: False)
    again = [rule["edit"]["text"] for rule in adopted.json("run")["rules"]]
    assert again == [], "what did nothing in daily use is not proposed again"


def test_without_consent_daily_use_is_not_judged(adopted):
    """Consent taken back: sessions are judged no more, and what was seen stays."""
    adopted.run("config", "exam.field", "off")
    hold(adopted, 30, lambda _: False)

    assert [rule["edit"]["op"] for rule in adopted.json("run")["rules"]].count("delete") == 0
    assert adopted.json("status")["in_use"] == []
