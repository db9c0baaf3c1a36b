"""Candidates whose worth is known, before a noisy model: what the exam must make of each."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from nightschool.clock import FixedClock
from nightschool.config import Exam
from nightschool.models.door import Door
from nightschool.models.questions import Answer
from nightschool.night.exam import Examiner, Paper
from nightschool.night.gating.guards import quotes_exam
from nightschool.records import Check, CheckOp, Edit, Origin, RealTask, Ruling

AT = datetime(2026, 11, 1, tzinfo=UTC)
BASE = "- Be kind.\n"
LIMIT = (Check(op=CheckOp.CONTAINS, arg="LIMIT 100"),)
HEADED = (Check(op=CheckOp.SECTION_PRESENT, arg="Verdict"),)


def task(number, *, recurrence="query", checks=LIMIT, split="val", request=""):
    """Return a held-out task."""
    at = AT + timedelta(minutes=number)
    return RealTask(
        id=f"{recurrence}-{split}-{number}", recurrence=recurrence, family=f"{recurrence}-{split}-f{number}",
        split=split, request=request or f"{recurrence} request number {number} of {split}", checks=checks,
        origins=(Origin(platform="p", session="s", turn="t", at=at),), first_seen=at, last_seen=at,
    )  # fmt: skip


def edit(name, text, recurrence="query"):
    """Return an edit that adds a rule."""
    return Edit(id=name, document="d", text=text, recurrence=recurrence)


class Noisy:
    """A model with moods: its answers are drawn from document, request and attempt, so any change flips some."""

    name = "noisy"
    batch = False

    def __init__(self):
        self.asked = 0

    def answer(self, question):
        self.asked += 1
        told = question.system.casefold()
        mood = self._draw(question.prompt, question.system, str(question.k))
        hard = self._draw(question.prompt)
        if "query" in question.prompt:
            chance = 0.9 if hard < 0.3 else 0.1
            if "limit 100" in told or "at most a hundred rows" in told:
                chance = 0.95
            if "never use limit" in told:
                chance = 0.0
            return Answer(text="select 1 LIMIT 100" if mood < chance else "select 1")
        if "review" in question.prompt:
            return Answer(text="## Verdict\n" if "heading verdict" in told else "fine")
        broken = "limit everything" in told
        return Answer(text="ok" if mood < (0.05 if broken else 0.9) else "no")

    @staticmethod
    def _draw(*parts):
        return int(hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8], 16) / 16**8


OTHERS = [task(n, recurrence="chat", checks=(Check(op=CheckOp.CONTAINS, arg="ok"),)) for n in range(20)]
TASKS = [task(n) for n in range(20)] + OTHERS


def document(*edits):
    """Return the document with the edits."""
    return BASE + "".join(f"- {one.text}\n" for one in edits)


def examine(home, edits, tasks=TASKS, *, night="0001", trained=(), model=None, **rules):
    """Examine edits together and return {id: evidence}."""
    papers = [Paper(one, BASE, document(one) if one.text else BASE) for one in edits]
    with Door(home, model or Noisy(), clock=FixedClock(AT), redact=str, night=night, sleep=lambda _s: None) as door:
        told = {"trained": trained, "together": document}
        rules = Exam(**({"rollouts_k": 3, "max_tasks": 40} | rules))
        examiner = Examiner(home, door, "", rules, FixedClock(AT), night, lambda _line: None, **told)
        held, _ = examiner.examine(papers, tasks)
    return {found.edit.id: found for found in held}


RIGHT = edit("right", "Always end with LIMIT 100.")
PLACEBO = edit("placebo", "Remember to do your work with care.")
BAD = edit("bad", "Limit everything, also yourself.", "chat")


def test_a_byte_identical_candidate_is_not_accepted_and_costs_little(home):
    """A candidate that leaves the document as it is is rejected unasked: noise is never taken for its gain."""
    model = Noisy()
    held = examine(home, [edit("same", "")], model=model)

    assert held["same"].verdict.ruling is Ruling.REJECT
    assert model.asked == 0


@pytest.mark.parametrize("words", ["Remember to do your work with care.", "Think.", "Mind the time of day."])
def test_a_placebo_is_not_accepted(home, words):
    """An irrelevant line flips outcomes at random; that is no gain."""
    assert examine(home, [edit("r1", words)])["r1"].verdict.ruling is not Ruling.ACCEPT


@pytest.mark.parametrize("words", ["Always end with LIMIT 100.", "Show at most a hundred rows of any result."])
def test_the_right_rule_is_accepted_in_any_words(home, words):
    """What counts is what it does."""
    assert examine(home, [edit("r1", words)])["r1"].verdict.ruling is Ruling.ACCEPT


def test_a_rule_that_fits_only_its_train_tasks_is_not_accepted(home):
    """It says how to answer train requests; held-out tasks do not move."""
    overfit = edit("r1", "For query request number 3 of train answer: select 1 with 100 rows.")

    assert examine(home, [overfit])["r1"].verdict.ruling is not Ruling.ACCEPT


def test_a_hollow_rule_that_games_headings_is_not_accepted(home):
    """Replies of the right shape and no content prove nothing, on any number of tasks."""
    reviews = [task(n, recurrence="review", checks=HEADED) for n in range(20)]
    held = examine(home, [edit("r1", "Write the heading Verdict.", "review")], reviews + OTHERS)

    assert held["r1"].verdict.ruling is not Ruling.ACCEPT
    assert held["r1"].verdict.effect is None or held["r1"].verdict.tasks <= len(OTHERS)


def test_a_contradiction_is_not_accepted(home):
    """The opposite of the right rule makes its own tasks worse."""
    held = examine(home, [edit("r1", "Never use limit clauses.")])

    assert held["r1"].verdict.ruling is not Ruling.ACCEPT
    assert held["r1"].verdict.effect < 0


def test_a_good_rule_with_a_bad_one_in_the_same_batch(home):
    """Each stands its own exam: only the good one passes, and it does."""
    held = examine(home, [BAD, PLACEBO, RIGHT])

    assert {name for name, found in held.items() if found.verdict.ruling is Ruling.ACCEPT} == {"right"}
    assert held["bad"].verdict.ruling is Ruling.REJECT


class Clashing(Noisy):
    """Two rules that are fine alone and break all other work together."""

    def answer(self, question):
        text = question.system
        if "LIMIT 100" in text and "Say ok" in text and "query" not in question.prompt:
            return Answer(text="no")
        if "query" in question.prompt:
            return Answer(text="LIMIT 100" if "LIMIT 100" in text else "…")
        return Answer(text="ok" if self._draw(question.prompt) < 0.5 or "Say ok" in text else "no")


def test_rules_that_clash_do_not_ride_along(home):
    """Both pass alone; together other work gets worse, so the weaker waits and says beside which."""
    other = edit("other", "Say ok.", "chat")
    held = examine(home, [RIGHT, other], model=Clashing(), rollouts_k=1)
    alone = {name: found.verdict.e_value >= found.verdict.threshold for name, found in held.items()}

    assert alone == {"right": True, "other": True}
    rulings = sorted(found.verdict.ruling for found in held.values())
    assert rulings == [Ruling.ACCEPT, Ruling.PROBATION]
    assert any("together with" in found.verdict.reason for found in held.values())


def test_an_edit_that_gives_its_exam_away_is_refused_unasked(home):
    """Answers of single held-out tasks, or a held-out request, in an edit: it costs no call and is rejected."""
    tasks = [task(n, checks=(Check(op=CheckOp.EQUALS, arg=f"answer-{n}"),)) for n in range(8)]
    model = Noisy()
    held = examine(home, [edit("r1", "Say answer-3 or answer-4.")], tasks, model=model)

    assert held["r1"].verdict.ruling is Ruling.REJECT
    assert "quotes" in held["r1"].verdict.reason
    assert model.asked == 0
    assert quotes_exam(edit("r2", f"Do this: {tasks[2].request}"), tasks, ())


def test_a_rule_may_say_what_all_its_tasks_ask_for():
    """What every held-out task checks, or a train task too, is what the rule is about."""
    mixed = [task(n, checks=(Check(op=CheckOp.CONTAINS, arg=f"LIMIT {n}0"),)) for n in range(1, 4)]

    assert quotes_exam(RIGHT, TASKS, ()) == ""
    assert quotes_exam(edit("r1", "Use LIMIT 20."), mixed, ())
    seen = [task(9, split="train", checks=(Check(op=CheckOp.CONTAINS, arg="LIMIT 20"),))]
    assert quotes_exam(edit("r1", "Use LIMIT 20."), mixed, seen) == ""
