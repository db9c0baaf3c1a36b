"""`nightschool mine` as a user calls it: files of tasks, checks that a model writes, and preferences."""

import json

import pytest
from tests.support.subjects import SUBJECTS

from nightschool.models.backends.mock import Mock
from nightschool.night import bank
from nightschool.night.reviewed import cleared
from nightschool.paths import Home

RULE = "no, always answer in the pirate style"
CHECKED = {
    "intent": "Answers in the style of a pirate.",
    "checks": [{"op": "regex", "arg": "(?i)\\barr+\\b"}],
    "good": "Arr, the parser be fine.",
    "bad": "The parser is fine.",
    "confidence": 0.8,
}


def pirates(world):
    """Let a user ask and correct in several sessions, in words that imply no check."""
    for subject in ("the parser", "the billing export", "the login page", "the nightly sync"):
        world.session((f"explain {subject} to me in detail", "It parses."), (RULE, "Arr."))


def scripted(world, reply):
    """Make the optimizer a rehearsal model that gives this reply, and let it write checks."""
    world.rehearse(f"[[behaviour]]\nwhen = 'keeps correcting it'\nreply = '''{json.dumps(reply)}'''\n")
    world.run("config", "mine.checks_by_model", "true")


def test_counts_recency_confidence_and_origins_are_listed(queries):
    """Both forms tell how often, how recently, how surely, and where it stands."""
    [rule] = [found for found in queries.json("mine") if found["kind"] == "correction"]
    page, _ = queries.run("mine")

    assert rule["count"] == rule["sessions"] == len(rule["origins"]) > 1
    assert rule["first_seen"] < rule["last_seen"]
    assert 0 < rule["confidence"] < 1
    assert f"said {rule['count']}x, confidence {rule['confidence']:.2f}" in page


def test_an_exported_file_comes_back_the_same(queries):
    """Tasks written to a file and taken in again are the tasks a night would mine: nothing is new afterwards."""
    file = queries.root / "tasks.json"
    told = queries.json("mine", "--export", str(file))
    written = json.loads(file.read_text())

    assert written["reviewed"] is False
    assert len(written["tasks"]) == told["tasks"] > 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert queries.json("mine", "--import", str(file)) | {"bank": {}} == {
        "tasks": told["tasks"], "new": told["tasks"], "reviewed": False, "bank": {},
    }  # fmt: skip
    assert queries.json("mine", "--import", str(file))["new"] == 0
    assert "there is such a file" in queries.run("mine", "--export", str(file), code=1)[1]


def test_what_has_no_check_is_exported_for_somebody_to_write_one(world):
    """Corrections whose words imply no check are in the file too, without one; they come in once they have one."""
    for number in range(3):
        world.session((f"explain the {SUBJECTS[number]}", "Long."), ("no, always answer in plain words", "Short."))
    file = world.root / "tasks.json"
    told = world.json("mine", "--export", str(file))
    written = json.loads(file.read_text())

    assert (told["tasks"], told["unchecked"]) == (0, 3)
    assert {(task["rule"], *task["checks"]) for task in written["tasks"]} == {("always answer in plain words",)}
    assert world.json("mine", "--import", str(file))["tasks"] == 0
    written["tasks"][0]["checks"] = [{"op": "not_contains", "arg": "moreover"}]
    file.write_text(json.dumps(written))
    assert world.json("mine", "--import", str(file))["tasks"] == 1


def test_a_paid_backend_is_not_asked_what_nobody_reviewed(queries):
    """Tasks of an unreviewed file are for free backends; once the file says it was reviewed they are for all."""
    file = queries.root / "tasks.json"
    task = {"request": "write a haiku about queues", "checks": [{"op": "max_chars", "arg": "80"}]}
    file.write_text(json.dumps({"tasks": [task]}))
    queries.run("mine", "--import", str(file))
    home, paid = Home(queries.home), Mock()
    paid.paid = True
    banked = bank.deposit(home, [])

    assert [t.request for t in cleared(banked, Mock()).tasks] == [task["request"]]
    assert cleared(banked, paid).tasks == ()
    assert "1 imported task(s) were not asked" in cleared(banked, paid).notes[-1]

    file.write_text(json.dumps({"reviewed": True, "tasks": [task]}))
    queries.run("mine", "--import", str(file))
    assert [t.request for t in cleared(bank.deposit(home, []), paid).tasks] == [task["request"]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "has to be an object"),
        ('{"tasks": [{"request": "x"}]}', "tasks.0.checks"),
        ('{"tasks": [], "more": 1}', "more"),
        ('{"reviewed": "yes", "tasks": []}', "reviewed"),
        ('{"version": 9, "tasks": []}', "version"),
        ('{"tasks": [{"request": "x", "checks": [{"op": "shout", "arg": "x"}]}]}', "task 1"),
        ('{"tasks": [{"request": "x", "checks": [{"op": "regex", "arg": "("}]}]}', "task 1"),
        ('{"tasks": [{"request": "x", "checks": [{"op": "command", "arg": "true"}]}]}', "task 1"),
        ('{"tasks": [{"request": "  ", "checks": [{"op": "contains", "arg": "x"}]}]}', "no request"),
    ],
)
def test_a_bad_file_is_one_clear_line(world, text, said):
    """What cannot be used is told in one line that names the place, and nothing is taken in."""
    file = world.root / "tasks.json"
    file.write_text(text)
    out, error = world.run("mine", "--import", str(file), code=1)

    assert out == ""
    assert said in error
    assert str(file) in error
    assert len(error.strip().splitlines()) <= 2
    assert not list(Home(world.home).bank.glob("*"))


def test_a_file_that_is_not_there(world):
    """A name without a file is an expected failure."""
    assert "cannot read the tasks" in world.run("mine", "--import", "nothing.json", code=1)[1]


def test_a_model_writes_the_checks_that_words_do_not_imply(world):
    """With the setting on, checks come from the optimizer, once; its tasks are the user's own requests."""
    pirates(world)
    scripted(world, CHECKED)
    world.run("run")
    [rule] = [found for found in world.json("mine") if found["kind"] == "correction"]

    assert rule["intent"] == CHECKED["intent"]
    assert [(c["op"], c["arg"]) for c in rule["checks"]] == [("regex", "(?i)\\barr+\\b")]
    assert len({task.request for task in bank.tasks(Home(world.home))}) == 4


def test_no_model_writes_anything_unless_asked_to(world):
    """Without the setting the same night asks nobody for checks."""
    pirates(world)
    scripted(world, CHECKED)
    world.run("config", "mine.checks_by_model", "false")
    world.run("run")

    assert not bank.tasks(Home(world.home))


@pytest.mark.parametrize(
    "change",
    [
        {"checks": [{"op": "command", "arg": "touch /tmp/x"}]},
        {"checks": [{"op": "regex", "arg": "("}]},
        {"checks": [{"op": "tool_called", "arg": "Bash"}]},
        {"bad": "Arr, fine."},
        {"good": "Fine."},
        {"checks": [], "intent": ""},
    ],
)
def test_checks_of_a_model_must_be_harmless_and_tell_good_from_bad(world, change):
    """An operator that acts, a pattern that does not compile, or a check that its own examples refute is not used."""
    pirates(world)
    scripted(world, CHECKED | change)
    world.run("run")
    [rule] = [found for found in world.json("mine") if found["kind"] == "correction"]

    assert rule["checks"] == []
    assert not bank.tasks(Home(world.home))


def test_preferences_choose_among_the_users_own_wordings(world):
    """Of two wordings of one rule the preferred one is proposed; told by a flag or by a file."""
    words = ("no, always put LIMIT 100 at the end, terse", "no, always put LIMIT 100 at the end, with a semicolon")
    subjects = ("orders by week", "late refunds", "unpaid bills", "top stores")
    for number, subject in enumerate(subject for subject in subjects for _ in words):
        world.session((f"write a SQL query for {subject}", "SELECT 1;"), (words[number % 2], "SELECT 1 LIMIT 100;"))

    def proposed(*flags):
        return [rule["edit"]["text"] for rule in world.json("run", *flags)["rules"]]

    assert proposed("--preferences", "I like a semicolon") == ["always put LIMIT 100 at the end, with a semicolon"]
    (world.home / "likes.txt").write_text("Be terse, in all things.\n")
    world.run("config", "mine.preferences_file", "likes.txt")
    assert proposed() == ["always put LIMIT 100 at the end, terse"]
    world.run("config", "mine.preferences_file", "gone.txt")
    assert "preferences cannot be read" in world.run("run", code=1)[1]


def test_a_model_brings_together_what_shares_no_word(world):
    """Paraphrases without a common word are one rule once the model says so, and a number it made up changes nothing."""
    for number, rule in enumerate(("no, always answer in the pirate style", "never talk without a buccaneer's tongue")):
        for subject in ("the parser", "the login page"):
            world.session((f"explain {subject} to me, part {number}", "It parses."), (rule, "Arr."))
    apart = [found for found in world.json("mine") if found["kind"] == "correction"]
    reply = {"groups": [{"numbers": [1, 2], "name": "Talk like a pirate."}, {"numbers": [1, 99], "name": "Made up."}]}
    good = {"groups": reply["groups"][:1]}
    world.rehearse(
        f"[[behaviour]]\nwhen = 'the very same thing'\nreply = '''{json.dumps(good)}'''\n"
        f"[[behaviour]]\nwhen = 'keeps correcting it'\nreply = '''{json.dumps(CHECKED)}'''\n"
    )
    world.run("config", "mine.checks_by_model", "true")
    world.run("run", "--backend", "mock")
    [rule] = [found for found in world.json("mine") if found["kind"] == "correction"]

    assert len(apart) == 2
    assert rule["sessions"] == 4
    assert rule["checks"]
