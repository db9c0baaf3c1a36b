"""Adopted rules are examined again on later tasks, with the roles swapped."""

from datetime import timedelta

import pytest
from tests.core.test_exam import AT, EDIT, PAPER, Scripted, examine, obeys, task

from nightschool.clock import FixedClock
from nightschool.config import Exam
from nightschool.models.door import Door
from nightschool.night import evidence
from nightschool.night.exam import Examiner, Paper
from nightschool.night.gating import lifetime
from nightschool.night.gating.reexam import drifted, due, offered, removal
from nightschool.night.reflect import candidates, reopened
from nightschool.records import Quote, Recurrence, Ruling, Target

TARGET = Target(key="d", platform="p", title="D", path="", kind="block", scope="project")
RULE = "- Say LIMIT."


def swapped(home, model, tasks, *, night="0009", examiner="", **rules):
    """Examine the rule's deletion and return its evidence."""
    gone = Paper(removal(EDIT, TARGET), RULE, "")
    with Door(home, model, clock=FixedClock(AT), redact=str, night=night, sleep=lambda _s: None) as door:
        room = Examiner(home, door, "", Exam(**rules), FixedClock(AT), night, lambda _line: None, examiner=examiner)
        return room.examine([gone], tasks)[0][0]


@pytest.fixture
def adopted(home):
    """Return a home whose rule was accepted on tasks 0 to 5 of night 1."""
    held, _ = examine(home, Scripted(obeys), [task(n) for n in range(6)])
    assert held["r1"].verdict.ruling is Ruling.ACCEPT
    return home


def due_now(home, tasks, *, night="0009", examiner="", rules=("Say LIMIT.",)):
    """Return what is due."""
    return due(evidence.everything(home), examiner, tasks, TARGET, rules, night=night, spacing=7)


def test_a_rule_is_due_on_later_tasks_and_spaced_out(adopted):
    """Not on the tasks it was accepted on, not too soon, and not when it is not in the document."""
    old, new = [task(n) for n in range(6)], [task(n) for n in range(20)]

    assert due_now(adopted, old) == []
    assert due_now(adopted, new, night="0005") == []
    assert due_now(adopted, new, rules=()) == []
    assert [edit.op for edit in due_now(adopted, new)] == ["delete"]


def test_a_rule_that_still_helps_stays(adopted):
    """Taking it out makes later tasks worse: nothing is proposed, and the night says that it was looked at."""
    found = swapped(adopted, Scripted(obeys), [task(n) for n in range(20)])

    assert found.verdict.ruling is Ruling.PROBATION
    assert not {pair.task for pair in found.pairs} & {f"own-{n}" for n in range(6)}
    shown, notes = offered([found.edit], [found])
    assert shown == []
    assert "stays" in notes[0]
    assert due_now(adopted, [task(n) for n in range(40)], night="0010") == [], "it rests"


def test_a_rule_that_has_stopped_helping_is_proposed_for_deletion(adopted):
    """The model does by itself what the rule asks for: over two examinations twelve later tasks show no gain."""
    able = Scripted(lambda _q: "… LIMIT")
    first = swapped(adopted, able, [task(n) for n in range(20)])
    assert first.verdict.ruling is Ruling.PROBATION, "seven tasks are too few"
    found = swapped(adopted, able, [task(n) for n in range(40)], night="0016")

    assert found.verdict.ruling is Ruling.PROBATION
    assert found.verdict.by_hand, "that nothing was seen proves nothing: the user decides"
    assert "help no more" in found.verdict.reason
    assert offered([found.edit], [found]) == ([found.edit], [])
    assert found.edit.replaces == "Say LIMIT."
    assert due_now(adopted, [], night="0017") == [found.edit], "offered until it is gone"
    again = Recurrence(
        id="own", kind="correction", text="Say LIMIT.", quotes=(), sessions=3, projects=(), first_seen=AT, last_seen=AT
    )
    assert candidates([again], [], evidence.everything(adopted), [TARGET], []) == [], "nor is it proposed again"


def test_with_the_gate_off_nothing_is_deleted(adopted):
    """What is refused is let through, but a rule that still helps is not thereby to go."""
    found = swapped(adopted, Scripted(obeys), [task(n) for n in range(20)], gate="off")

    assert found.verdict.ruling is Ruling.PROBATION


def test_a_rule_that_hurts_by_now_goes_on_proof(adopted):
    """Six later tasks that pass only without it prove it."""
    found = swapped(adopted, Scripted(lambda q: "…" if "Say" in q.system else "LIMIT"), [task(n) for n in range(20)])

    assert found.verdict.ruling is Ruling.ACCEPT
    assert found.verdict.e_value >= 20


def test_looking_again_spends_nothing_of_the_budget(adopted):
    """Deletions accept nothing new: no place is taken and none is earned."""
    before = lifetime.load(adopted)
    swapped(adopted, Scripted(lambda q: "…" if "Say" in q.system else "LIMIT"), [task(n) for n in range(20)])

    assert lifetime.load(adopted) == before


def test_another_model_makes_every_adopted_rule_due(adopted):
    """What one model showed says nothing of another: examined anew at once, on all tasks, and it is said."""
    tasks = [task(n) for n in range(6)]
    edits = due_now(adopted, tasks, night="0002", examiner="model two")

    assert [edit.replaces for edit in edits] == ["Say LIMIT."]
    assert "another model" in drifted(evidence.everything(adopted), "model two", edits)[0]
    assert PAPER.edit == EDIT


def said_again(sessions, at):
    """Return the correction as it was given in so many sessions at that time."""
    quotes = [
        Quote(text="Say LIMIT.", platform="p", session=f"n{n}", turn="t", at=at, project="/p") for n in range(sessions)
    ]
    return Recurrence(id="own", kind="correction", text="Say LIMIT.", quotes=tuple(quotes), sessions=9, projects=(),
                      first_seen=AT, last_seen=at, checks=task(1).checks)  # fmt: skip


def test_a_rejected_rule_comes_back_when_the_user_has_said_it_in_three_sessions_since(home):
    """Before that it stays away, near-duplicates too; then it starts anew on tasks it has not met, at a new place."""
    held, _ = examine(home, Scripted(lambda q: "…" if "Say" in q.system else "LIMIT"), [task(n) for n in range(8)])
    assert held["r1"].verdict.ruling is Ruling.REJECT
    (known,) = evidence.everything(home)
    assert known.ruled == AT

    later = AT + timedelta(days=1)
    for found in (said_again(3, AT), said_again(2, later)):
        assert candidates([found], [], [known], [TARGET], []) == []
    assert [edit.id for edit in candidates([said_again(3, later)], [], [known], [TARGET], [])] == ["r1"]

    evidence.save(home, reopened(known))
    held, _ = examine(home, Scripted(obeys), [task(n) for n in range(20)], night="0002")
    met = {pair.task for pair in held["r1"].pairs}
    assert met
    assert not met & {pair.task for pair in known.pairs}
    assert [place.edit for place in lifetime.load(home).places] == ["r1", "r1"]
