"""The exam: what is asked, what counts, and when it stops."""

from datetime import UTC, datetime, timedelta

import pytest

from nightschool.clock import FixedClock
from nightschool.config import Exam
from nightschool.models.door import Door
from nightschool.models.questions import Answer, CallError
from nightschool.night import evidence
from nightschool.night.exam import Examiner, Paper
from nightschool.night.spending import most_calls
from nightschool.records import Check, CheckOp, Edit, Origin, RealTask, Ruling

AT = datetime(2026, 11, 1, tzinfo=UTC)


class Scripted:
    """A model in a test: says what `reply(question)` returns, and keeps what it was asked."""

    name = "scripted"
    batch = False

    def __init__(self, reply):
        self.reply = reply
        self.asked = []

    def answer(self, question):
        self.asked.append(question)
        said = self.reply(question)
        if isinstance(said, Exception):
            raise said
        return Answer(text=said)


def task(number, recurrence="own", family=None):
    """Return a held-out task that wants the word LIMIT."""
    at = AT + timedelta(minutes=number)
    return RealTask(
        id=f"{recurrence}-{number}", recurrence=recurrence, family=family or f"{recurrence}-f{number}", split="val",
        request=f"{recurrence} request {number}", checks=(Check(op=CheckOp.CONTAINS, arg="LIMIT"),),
        origins=(Origin(platform="p", session="s", turn="t", at=at),), first_seen=at, last_seen=at,
    )  # fmt: skip


EDIT = Edit(id="r1", document="d", text="Say LIMIT.", recurrence="own")
PAPER = Paper(EDIT, "", "- Say LIMIT.")


def examine(home, model, tasks, *, night="0001", papers=(PAPER,), **rules):
    """Examine the papers on the tasks and return ({edit: evidence}, pairs left)."""
    with Door(home, model, clock=FixedClock(AT), redact=str, night=night, sleep=lambda _s: None) as door:
        examiner = Examiner(home, door, "", Exam(**rules), FixedClock(AT), night, lambda _line: None)
        held, left = examiner.examine(papers, tasks)
    return {found.edit.id: found for found in held}, left


def obeys(question):
    """Do what the rule says when it is there."""
    return "… LIMIT" if "Say LIMIT" in question.system else "…"


def test_a_rule_that_helps_is_accepted_and_the_exam_stops(home):
    """Six wins suffice; the other tasks of the second round are no evidence, and the rest is never asked."""
    model = Scripted(obeys)
    held, left = examine(home, model, [task(n) for n in range(20)])

    assert held["r1"].verdict.ruling is Ruling.ACCEPT
    assert held["r1"].verdict.tasks == 6
    assert len(model.asked) == 16
    assert left == 0


def test_a_family_counts_once(home):
    """Twelve near-duplicates are one piece of evidence, not twelve."""
    held, _ = examine(home, Scripted(obeys), [task(n, family="same") for n in range(12)])

    assert held["r1"].verdict.tasks == 1
    assert held["r1"].verdict.ruling is Ruling.PROBATION


def test_questions_are_paired(home):
    """Both sides ask the same request with the same attempt numbers; only the document differs, and no check shows."""
    model = Scripted(obeys)
    examine(home, model, [task(1)], rollouts_k=3)

    without = [q for q in model.asked if "Say LIMIT" not in q.system]
    with_ = [q for q in model.asked if "Say LIMIT" in q.system]
    assert sorted((q.prompt, q.k) for q in without) == sorted((q.prompt, q.k) for q in with_)
    assert len(without) == 3
    assert not any("contains" in q.system + q.prompt for q in model.asked)


def test_a_rule_that_hurts_other_work_is_rejected(home):
    """Winning its own tasks does not help a rule that breaks the others."""

    def model(question):
        own = question.prompt.startswith("own")
        ruled = "Say LIMIT" in question.system
        return "… LIMIT" if own == ruled else "…"

    tasks = [task(n) for n in range(12)] + [task(n, "other") for n in range(12)]
    held, _ = examine(home, Scripted(model), tasks)

    assert held["r1"].verdict.ruling is Ruling.REJECT
    assert "other work" in held["r1"].verdict.reason


def test_errors_are_no_scores(home):
    """A call that fails leaves its pair out on both sides; it counts as left, never as 0 or 1."""

    def model(question):
        if question.prompt.endswith("3") and "Say LIMIT" in question.system:
            return CallError("backend", "down")
        return obeys(question)

    held, left = examine(home, Scripted(model), [task(n) for n in range(5)])

    assert held["r1"].verdict.tasks == 4
    assert {pair.task for pair in held["r1"].pairs} == {"own-0", "own-1", "own-2", "own-4"}
    assert left == 1


def test_one_empty_reply_changes_no_verdict(home):
    """A transient empty reply is asked again."""
    emptied = []

    def model(question):
        if not emptied and "Say LIMIT" not in question.system:
            emptied.append(question)
            return ""
        return "…"

    held, _ = examine(home, Scripted(model), [task(n) for n in range(5)])

    assert [pair.difference for pair in held["r1"].pairs] == [0.0] * 5


def test_a_resumed_night_asks_nothing_twice_and_ends_alike(home, tmp_path):
    """Interrupted after a round, the same night goes on where it was and reaches the same evidence."""
    tasks = [task(n) for n in range(8)] + [task(n, "other") for n in range(4)]
    whole, _ = examine(type(home)(tmp_path / "whole"), Scripted(obeys), tasks)

    calls, stopped = [], []

    def interrupted(question):
        calls.append(question)
        if len(calls) == 14:
            stopped.append(question)
            raise KeyboardInterrupt
        return obeys(question)

    with pytest.raises(KeyboardInterrupt):
        examine(home, Scripted(interrupted), tasks)
    model = Scripted(obeys)
    resumed, _ = examine(home, model, tasks)

    assert [p.task for p in resumed["r1"].pairs] == [p.task for p in whole["r1"].pairs]
    assert resumed["r1"].verdict == whole["r1"].verdict
    first = {(q.system, q.prompt, q.k) for q in calls if q not in stopped}
    assert not first & {(q.system, q.prompt, q.k) for q in model.asked}


def test_evidence_of_earlier_nights_counts(home):
    """A second night brings its own tasks only, and the verdict rests on both."""
    first, _ = examine(home, Scripted(obeys), [task(n) for n in range(4)], night="0001")
    model = Scripted(obeys)
    second, _ = examine(home, model, [task(n) for n in range(8)], night="0002")

    assert first["r1"].verdict.ruling is Ruling.PROBATION
    assert second["r1"].verdict.ruling is Ruling.ACCEPT
    assert second["r1"].verdict.nights == 2
    assert len({q.prompt for q in model.asked}) == 4


def test_what_was_ruled_stays_ruled(home):
    """An accepted or rejected edit is not examined again by the same tasks' successors."""
    examine(home, Scripted(obeys), [task(n) for n in range(10)], night="0001")
    model = Scripted(lambda _q: "…")
    held, _ = examine(home, model, [task(n) for n in range(20)], night="0002")

    assert held["r1"].verdict.ruling is Ruling.ACCEPT
    assert model.asked == []


def test_the_gate_off_measures_and_says_so(home):
    """With the gate off a useless rule is let through, and its verdict says what the gate would have said."""
    held, _ = examine(home, Scripted(lambda _q: "…"), [task(n) for n in range(4)], gate="off")

    assert held["r1"].verdict.ruling is Ruling.ACCEPT
    assert "gate is off" in held["r1"].verdict.reason
    assert held["r1"].verdict.e_value < held["r1"].verdict.threshold


def test_candidates_share_their_baseline(home):
    """Two candidates of one document cost one baseline."""
    other = Paper(EDIT.model_copy(update={"id": "r2", "text": "Never mind."}), "", "- Never mind.")
    model = Scripted(obeys)
    examine(home, model, [task(n) for n in range(5)], papers=[PAPER, other])

    assert len(model.asked) == 15
    assert {found.edit.id for found in evidence.everything(home)} == {"r1", "r2"}


def test_two_wordings_of_one_correction_raise_the_threshold(home):
    """The best of two texts must show twice the evidence."""
    other = Paper(EDIT.model_copy(update={"id": "r2", "text": "Say LIMIT!"}), "", "- Say LIMIT!")
    held, _ = examine(home, Scripted(obeys), [task(n) for n in range(6)], papers=[PAPER, other])

    assert held["r1"].verdict.threshold == pytest.approx(40)
    assert held["r1"].verdict.ruling is Ruling.PROBATION


def test_no_exam_asks_more_than_the_plan_says(home):
    """The bound counts what accepted rules are asked beside their exam: sealed test tasks, and all of them together."""
    two = EDIT.model_copy(update={"id": "r2", "text": "Say LIMIT again."})
    papers = [PAPER, Paper(two, "", "- Say LIMIT again.")]
    tasks, model = [task(n) for n in range(14)], Scripted(obeys)
    sealed = [task(100 + n).model_copy(update={"split": "test"}) for n in range(5)]
    together = lambda *edits: "\n".join(f"- {edit.text}" for edit in edits)  # noqa: E731
    with Door(home, model, clock=FixedClock(AT), redact=str, night="0001", sleep=lambda _s: None) as door:
        rules = Exam(lifetime=0.5, rollouts_k=2)
        room = Examiner(home, door, "", rules, FixedClock(AT), "0001", lambda _line: None, sealed=sealed,
                        together=together)  # fmt: skip
        held, _ = room.examine(papers, tasks)

    assert [found.verdict.ruling for found in held] == [Ruling.ACCEPT] * 2
    assert {found.verdict.sealed.tasks for found in held} == {5}
    most = most_calls([EDIT, two], tasks, rules, sealed=sealed)
    assert len(model.asked) <= most
    assert most_calls([EDIT, two], tasks, rules, sealed=sealed, batch=True) < most
    assert most_calls([EDIT], tasks, rules) == 2 * 14 * 2
