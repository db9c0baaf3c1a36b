"""Missing answers: what is left of an exam is compared only where answers go missing alike on both sides."""

import random
from datetime import UTC, datetime

import pytest
from tests.core.test_exam import Scripted, examine, task

from nightschool.models.questions import CallError
from nightschool.night import evidence
from nightschool.night.gate import decide
from nightschool.night.gating import missing
from nightschool.records import Edit, Evidence, Pair, Ruling
from nightschool.sync.merge import merged

AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lost", "kept", "chance"),
    [(0, 0, 1.0), (4, 0, 1 / 16), (5, 0, 1 / 32), (5, 1, 7 / 64), (3, 3, 42 / 64), (0, 5, 1.0)],
)
def test_the_sign_test_is_exact(lost, kept, chance):
    """The upper tail of fair coins."""
    assert missing.sign_test(lost, kept) == pytest.approx(chance)


def test_the_sign_test_of_many():
    """Of more than a thousand the normal distribution tells as much, and any count is told at once."""
    assert missing.sign_test(550, 451) == pytest.approx(missing.sign_test(549, 450), abs=3e-4)
    assert missing.sign_test(10**9, 10**9) == pytest.approx(0.5, abs=1e-3)
    assert missing.sign_test(10**9, 0) == 0.0


def night(rng, *, with_rule, blank, errors=0.0, tasks=14, attempts=3):
    """Draw an exam: half of the answers are right without the rule, a share of the wrong ones with it is missing."""
    pairs, one_sided = [], {}
    for number in range(tasks):
        both, sides = [], [0, 0]
        for _ in range(attempts):
            a, b = rng.random() < 0.5, rng.random() < with_rule
            gone = rng.random() < errors, (not b and rng.random() < blank) or rng.random() < errors
            both += [] if any(gone) else [(a, b)]
            sides[0] += gone == (False, True)
            sides[1] += gone == (True, False)
        one_sided[f"t{number}"] = sides[0], sides[1]
        if both:
            without, with_ = (sum(one[side] for one in both) / len(both) for side in (0, 1))
            told = {"task": f"t{number}", "family": f"f{number}", "recurrence": "r", "night": "0001"}
            pairs.append(Pair.model_validate(told | {"without": without, "with_": with_, "rollouts": 2 * len(both)}))
    told = decide(pairs)
    return told, missing.held(told, one_sided, last=False)


@pytest.mark.parametrize("blank", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_a_rule_that_hides_failures_is_not_accepted(blank):
    """However many of its wrong answers it turns into none, a useless rule passes as seldom as any."""
    rng = random.Random(f"blank {blank}")
    nights = [night(rng, with_rule=0.5, blank=blank) for _ in range(300)]
    bare, held = (sum(told[which].ruling is Ruling.ACCEPT for told in nights) for which in (0, 1))
    assert held <= 15
    assert bare >= (270 if blank == 1 else held)  # what the test is for


def test_answers_that_go_missing_alike_cost_a_good_rule_little():
    """With a tenth of all answers lost on either side nearly as many good rules pass as without the test."""
    rng = random.Random("alike")
    nights = [night(rng, with_rule=0.95, blank=0.0, errors=0.1)[1] for _ in range(200)]
    passed = sum(told.ruling is Ruling.ACCEPT for told in nights)
    assert passed >= 180


def test_an_exam_tells_it(home):
    """The attempts are counted, kept with the evidence, and told in the verdict; on its last night the rule is rejected."""
    tasks = [task(number) for number in range(16)]
    mixed = {"rollouts_k": 2, "max_tasks": 20}

    def model(question):
        """Be right in every second attempt without the rule."""
        if "Say LIMIT" in question.system:
            return "… LIMIT" if question.k == 0 else CallError("empty", "")
        return "… LIMIT" if int(question.prompt.split()[-1]) % 3 == 0 else "…"

    held, _ = examine(home, Scripted(model), tasks, **mixed)
    assert held["r1"].verdict.ruling is Ruling.PROBATION
    assert "Answers go missing with it, 16 against 0" in held["r1"].verdict.reason
    [kept] = evidence.everything(home)
    assert kept.one_sided == {one.id: (1, 0) for one in tasks}
    more = [task(number) for number in range(16, 20)]
    held, _ = examine(home, Scripted(model), [*tasks, *more], night="0002", max_nights=2, **mixed)
    assert held["r1"].verdict.ruling is Ruling.REJECT


def test_what_another_machine_saw_is_added():
    """Of a task that both know this machine's own count stays."""
    edit = Edit(id="e", document="d", text="x", recurrence="r")
    mine, theirs = (
        Evidence(edit=edit, first_seen=AT, one_sided=told) for told in ({"a": (1, 0)}, {"a": (9, 9), "b": (0, 2)})
    )
    assert merged(mine, theirs).one_sided == {"a": (1, 0), "b": (0, 2)}
    anew = Evidence(edit=edit, first_seen=AT, set_aside=("f",), one_sided={"c": (1, 0)})
    assert merged(anew, theirs).one_sided == merged(theirs, anew).one_sided == {"c": (1, 0)}
