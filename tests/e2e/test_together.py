"""How the parts of a night fit together, as a user meets them."""

import json
from pathlib import Path

OBEDIENT = """
seed = 3
[[behaviour]]
when = "(?i)sql query"
rule = "LIMIT 100"
reply = "SELECT * FROM t LIMIT 100;"
[[behaviour]]
when = "(?i)sql query"
reply = "SELECT * FROM t;"
[default]
reply = "Done."
"""


def test_no_secret_of_a_question_and_no_escape_leaves_its_file(queries):
    """Neither a question nor its title, wherever they are shown or kept, holds a secret or moves a cursor."""
    queries.rehearse(OBEDIENT)
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    queries.run("queue", "add", f"\x1b[2J\u202eWhy is {token} refused?", "--priority", "quick")
    out, err = queries.run("run")
    listed, _ = queries.run("queue", "list", "--all")
    queries.run("report")

    told = [out, err, listed, json.dumps(queries.json("queue", "list", "--all"), ensure_ascii=False)]
    kept = {path: path.read_bytes() for path in queries.home.rglob("*") if path.is_file()}
    assert [path for path, data in kept.items() if token.encode() in data] == []
    for text in told:
        assert token not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    page = next(data.decode() for path, data in kept.items() if path.name == "report.html")
    assert "Slept on" in page
    assert 'href="../../results/' in page


def test_a_stopped_night_is_not_told_as_a_quiet_one(queries):
    """The HTML page of a night that stopped at its budget says so, and what it left unasked."""
    queries.rehearse(OBEDIENT)
    queries.run("run", "--budget-tokens", "600", code=4)
    path, _ = queries.run("report", "--html")
    page = Path(path.strip()).read_text()

    assert "Stopped at its budget" in page
    assert "would have cost at most" in page
    assert "quiet" not in page


def test_what_was_turned_down_is_not_offered_by_status(queries):
    """`status` names what waits for a decision: a rule that was turned down does not."""
    queries.rehearse(OBEDIENT)
    queries.run("run")
    assert "next        nightschool adopt" in queries.run("status")[0]
    queries.run("review", "--reject", "1", "--reason", "no")
    assert "accepted    none" in queries.run("status")[0]
    assert "turned down" in queries.run("adopt")[0]


def test_purge_takes_all_that_a_home_in_use_holds(queries):
    """A home in which everything was used once goes as a whole: each room's files are known to be Nightschool's."""
    queries.rehearse(OBEDIENT)
    queries.run("queue", "add", "why?", "--priority", "quick")
    queries.run("run")
    queries.run("review", "--reject", "1", "--reason", "no")
    queries.run("report", "--html")
    queries.run("search", "limit")
    queries.run("forget", "--query", "limit", "--yes")
    queries.run("audit")
    (queries.home / "queue.holder").write_text("{}")  # as a killed `queue add` leaves it

    assert queries.json("uninstall", "--purge", "--yes")["kept"] == []
    assert not queries.home.exists()


def test_a_rule_whose_words_were_forgotten_is_not_adopted_by_itself(queries):
    """After `forget --hard` what is left of an accepted rule is held back: no document gets a gap for a rule."""
    queries.rehearse(OBEDIENT)
    queries.run("run")
    queries.run("forget", "--hard", "--query", "LIMIT 100", "--yes")
    out, err = queries.run("adopt")
    assert "quarantined" in err
    assert "nothing to adopt" in out
    assert not (queries.project / "CLAUDE.md").exists()


def test_a_marathon_is_told_as_what_it_was(queries):
    """The brief and the page of a night that a marathon had for itself say so: it was not cut short."""
    queries.rehearse(OBEDIENT)
    queries.run("queue", "add", "why?", "--priority", "marathon")
    queries.run("run")
    brief, _ = queries.run("brief")
    page = Path(queries.run("report", "--html")[0].strip()).read_text()

    assert "queued task" in brief
    assert "cut short" not in brief + page
    assert "A marathon had this night" in page
    assert "Nothing came back" not in page
