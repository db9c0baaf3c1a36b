"""Which held-out tasks an edit meets, and what stays sealed."""

from tests.core.test_exam import AT, EDIT, PAPER, Scripted, obeys, task

from nightschool.clock import FixedClock
from nightschool.config import Exam
from nightschool.models.door import Door
from nightschool.night import evidence
from nightschool.night.exam import Examiner
from nightschool.night.gating.choice import in_rotation, tonight, unmoved
from nightschool.records import Evidence, Pair, Ruling


def met(edit, *pairs, night="0001"):
    """Return an edit's evidence from (family, without, with, own) on a night."""
    told = tuple(
        Pair(task=f, family=f, recurrence="own", night=night, without=a, with_=b, rollouts=2, own=own)
        for f, a, b, own in pairs
    )
    return Evidence(edit=EDIT.model_copy(update={"id": edit}), pairs=told, first_seen=AT)


def test_the_oldest_tasks_rotate_out_under_the_cap_kind_by_kind():
    """Each kind keeps its newest families; what leaves is only left out, its label does not move."""
    tasks = [task(n) for n in range(10)] + [task(n, "other") for n in range(3)]
    kept = in_rotation(tasks, 4)

    assert {t.id for t in kept} == {"own-6", "own-7", "own-8", "own-9", "other-0", "other-1", "other-2"}
    assert {t.split for t in tasks} == {"val"}


def test_tasks_that_tell_nothing_come_last():
    """Always passed, or never passed under two edits that meant them: met only when there is room."""
    known = [
        met("r2", ("own-f0", 1.0, 1.0, True), ("own-f1", 0.0, 0.0, True), ("own-f2", 0.0, 0.0, False)),
        met("r3", ("own-f0", 1.0, 1.0, False), ("own-f1", 0.0, 0.0, True), ("own-f2", 0.0, 0.0, False)),
    ]
    last = unmoved(known, "r1", "0002")

    assert last == {"own-f0", "own-f1"}, "a task nobody meant may be just what the next rule is for"
    new = Evidence(edit=EDIT, first_seen=AT)
    tasks = [task(n) for n in range(4)]
    chosen = [t.family for t in tonight(new, tasks, "0002", places=4, cap=60, last=last)]
    assert chosen == ["own-f2", "own-f3", "own-f0", "own-f1"]
    assert len(tonight(new, tasks, "0002", places=2, cap=60, last=last)) == 2


def test_what_an_edit_showed_itself_never_chooses_its_tasks():
    """Neither its own outcomes nor tonight's count: the bet is laid before the outcome is known."""
    pairs = (("own-f0", 1.0, 1.0, True),)

    assert unmoved([met("r1", *pairs), met("r2", *pairs)], "r1", "0002") == set()
    assert unmoved([met("r2", *pairs), met("r3", *pairs)], "r1", "0001") == set()


def sit(home, model, *, sealed):
    """Examine the paper with sealed tasks and return its evidence."""
    with Door(home, model, clock=FixedClock(AT), redact=str, night="0001", sleep=lambda _s: None) as door:
        examiner = Examiner(home, door, "", Exam(), FixedClock(AT), "0001", lambda _line: None, sealed=sealed)
        return examiner.examine([PAPER], [task(n) for n in range(10)])[0][0]


def test_sealed_tasks_are_told_for_what_is_accepted_and_decide_nothing(home):
    """An accepted rule's test tasks are replayed once, with their baseline; they are no evidence."""
    sealed = [task(n).model_copy(update={"split": "test"}) for n in range(50, 53)]

    def fails_the_sealed(question):
        return "…" if question.prompt[-2:] in {"50", "51", "52"} else obeys(question)

    found = sit(home, Scripted(fails_the_sealed), sealed=sealed)
    assert found.verdict.ruling is Ruling.ACCEPT
    assert (found.verdict.sealed.tasks, found.verdict.sealed.without, found.verdict.sealed.with_) == (3, 0.0, 0.0)
    assert found.verdict.tasks == 6
    again = Scripted(obeys)
    assert sit(home, again, sealed=sealed).verdict.sealed == found.verdict.sealed
    assert again.asked == []
    assert evidence.everything(home)[0].verdict.sealed == found.verdict.sealed


def test_sealed_tasks_of_what_is_not_accepted_stay_sealed(home):
    """A rule that shows nothing never sees them."""
    model = Scripted(lambda _q: "…")
    sealed = [task(50).model_copy(update={"split": "test"})]

    assert sit(home, model, sealed=sealed).verdict.sealed is None
    assert not any(q.prompt.endswith("50") for q in model.asked)
