"""The gate's arithmetic by hand, and its error rate by simulation."""

import random
from datetime import UTC, datetime

import pytest

from nightschool.night import replay
from nightschool.night.gate import decide, e_value, hopeless, interval
from nightschool.night.replay import Trial
from nightschool.records import Check, Edit, Origin, Pair, RealTask, Rollout, Ruling


def pair(difference, *, night="0001", recurrence="r", task=None, shape_only=False):
    """One held-out task whose reward moved by `difference`."""
    without = 0.0 if difference >= 0 else -difference
    name = task or f"t{random.random()}"
    return Pair(
        task=name, family=name, recurrence=recurrence, night=night, without=without, with_=without + difference, rollouts=2,
        shape_only=shape_only,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wins", "losses", "expected"),
    [(0, 0, 1.0), (5, 0, 19.529), (6, 0, 35.805), (9, 0, 224.453), (7, 1, 10.27), (0, 1, 0.205)],
)
def test_e_value_of_clear_wins_and_losses(wins, losses, expected):
    """The mixture gives the values worked out by hand: 5-0 is not enough at 20, 6-0 is."""
    assert e_value([1.0] * wins + [-1.0] * losses) == pytest.approx(expected, abs=0.01)


def test_evidence_without_end_is_a_number():
    """However many tasks speak for an edit, its e-value can be written and read."""
    assert decide([pair(1.0, task=f"t{n}") for n in range(2000)]).e_value < float("inf")


def test_a_task_that_does_not_move_is_no_evidence():
    """Ties neither help nor hurt an edit."""
    assert e_value([0.0] * 50) == pytest.approx(1.0)


def test_the_order_of_tasks_does_not_matter():
    """Evidence is a product: any order of the same tasks gives the same value."""
    differences = [1.0, -0.5, 0.25, 0.0, 1.0]

    assert e_value(differences) == pytest.approx(e_value(sorted(differences)))


def test_nothing_measured_is_unexamined():
    """Without a pair there is no verdict and no number."""
    verdict = decide([])

    assert verdict.ruling is Ruling.UNEXAMINED
    assert verdict.effect is None
    assert verdict.interval is None


def test_six_clear_wins_are_accepted_and_five_wait():
    """Fewer than six held-out tasks cannot certify anything at 5 %."""
    assert decide([pair(1.0) for _ in range(6)]).ruling is Ruling.ACCEPT
    assert decide([pair(1.0) for _ in range(5)]).ruling is Ruling.PROBATION


def test_evidence_carries_over_nights():
    """Three tasks on each of two nights prove what six on one night prove."""
    pairs = [pair(1.0, night="0001") for _ in range(3)] + [pair(1.0, night="0002") for _ in range(3)]
    verdict = decide(pairs)

    assert verdict.ruling is Ruling.ACCEPT
    assert verdict.nights == 2


def test_the_best_of_several_wordings_must_show_more():
    """With two wordings tried the threshold doubles."""
    pairs = [pair(1.0) for _ in range(6)]

    assert decide(pairs, wordings=2).ruling is Ruling.PROBATION
    assert decide(pairs, wordings=2).threshold == pytest.approx(40)


def test_shape_alone_cannot_justify_but_can_harm():
    """Twenty wins on checks of shape prove nothing; six losses on them reject."""
    assert decide([pair(1.0, shape_only=True) for _ in range(20)]).ruling is Ruling.PROBATION
    assert decide([pair(-1.0, shape_only=True) for _ in range(6)]).ruling is Ruling.REJECT


def test_shape_alone_that_costs_other_work_is_rejected():
    """A rule that nothing can ever prove is dropped as soon as other work seems to suffer; else it waits."""
    own = [pair(1.0, shape_only=True) for _ in range(3)]
    lost = [pair(-1.0, recurrence="other").model_copy(update={"own": False}) for _ in range(3)]

    assert decide(own).ruling is Ruling.PROBATION
    assert decide(own + lost).ruling is Ruling.REJECT
    assert decide(own + lost[:1]).ruling is Ruling.PROBATION


def test_a_kind_of_task_that_gets_worse_vetoes():
    """Many wins on its own tasks do not buy a rule the right to break other work."""
    wins = [pair(1.0, recurrence="own") for _ in range(30)]
    losses = [pair(-1.0, recurrence="other") for _ in range(8)]

    assert decide(wins).ruling is Ruling.ACCEPT
    assert decide(wins + losses).ruling is Ruling.REJECT


def test_one_lost_task_is_no_veto():
    """Noise flips single tasks: a veto needs significance."""
    verdict = decide([pair(1.0, recurrence="own") for _ in range(12)] + [pair(-1.0, recurrence="other")])

    assert verdict.ruling is Ruling.ACCEPT


def test_probation_ends():
    """An edit that shows no gain over two nights, or no proof over six, is dropped."""
    assert decide([pair(0.0, night="0001"), pair(0.0, night="0002")]).ruling is Ruling.REJECT
    slow = [pair(0.1, night=f"000{n}") for n in range(1, 7)]
    assert decide(slow[:5]).ruling is Ruling.PROBATION
    assert decide(slow).ruling is Ruling.REJECT


def test_hopeless_only_when_the_sign_is_wrong_and_the_rest_cannot_mend_it():
    """A night stops early on an edit that lost so far and could not pass even if it won the rest."""
    assert hopeless([pair(-1.0), pair(-0.5)], 3, threshold=20)
    assert not hopeless([pair(-1.0)] * 3, 3, threshold=20), "it may be about to be shown harmful"
    assert not hopeless([pair(1.0)], 1, threshold=20)
    assert not hopeless([pair(-1.0)], 30, threshold=20)


def test_a_night_stops_early_without_gain():
    """After a first round two signs of three suffice: no gain, the stake halved, half of the night met."""
    flat, lost = [pair(0.0) for _ in range(5)], [pair(d) for d in (1.0, -1.0, -1.0, 0.0, 0.0)]
    won = [pair(d) for d in (1.0, 1.0, -1.0, 0.0, 0.0)]

    assert hopeless(lost, 15, threshold=20)
    assert not hopeless(flat, 15, threshold=20), "nothing moved yet, and most tasks are still to come"
    assert hopeless(flat, 5, threshold=20)
    assert not hopeless(won, 15, threshold=20)
    assert not hopeless(lost, 15, threshold=20, tonight=0), "a new night brings new tasks"


def test_what_was_tried_before_raises_the_bar():
    """The stricter of the edit's own level and its share of the lifetime's budget holds, and the reason says so."""
    pairs = [pair(1.0) for _ in range(6)]

    assert decide(pairs, level=0.05).ruling is Ruling.ACCEPT
    waits = decide(pairs, level=0.01)
    assert (waits.ruling, waits.threshold) == (Ruling.PROBATION, 100)
    assert "e = 100" in waits.reason


@pytest.mark.parametrize("score", [8.0, -3.0, float("nan"), float("inf")])
def test_a_number_that_is_no_score_changes_no_verdict(score):
    """Neither in a pair that is on record nor in one rollout of many: it is missing, not 0 and not 1."""
    good = [pair(1.0) for _ in range(6)]
    odd = pair(1.0).model_copy(update={"with_": score})
    assert decide([*good, odd]) == decide(good)
    assert decide([odd]).ruling is Ruling.UNEXAMINED

    at = datetime(2026, 11, 1, tzinfo=UTC)
    told = RealTask(
        id="t", recurrence="r", family="f", split="val", request="do", checks=(Check(op="contains", arg="LIMIT"),),
        origins=(Origin(platform="p", session="s", turn="t", at=at),), first_seen=at, last_seen=at,
    )  # fmt: skip
    trial = Trial(told, Edit(id="e", document="d", text="x", recurrence="r"), "", 2)
    sides = [[Rollout(task="t", edit=None, k=k, reward=float(k)) for k in range(2)] for _ in range(2)]
    sides[1][0] = Rollout(task="t", edit="e", k=0, reward=None).model_copy(update={"reward": score})
    met = replay.pair(trial, "0001", *sides)
    assert (met.difference, met.rollouts) == (0.0, 2)


def test_interval_is_everything_when_nothing_is_known_and_agrees_with_the_gate():
    """The lower bound passes 0 only with more evidence than acceptance at 5 % needs (it is two-sided)."""
    assert interval([]) == (-1.0, 1.0)
    low, high = interval([1.0] * 8)
    assert 0 < low < high == 1.0
    low, high = interval([0.5, -0.5, 0.0, 0.25])
    assert low < 0.0625 < high


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("churn", [0.0, 0.3])
def test_a_useless_edit_passes_in_at_most_one_of_twenty_lives(k, churn):
    """Over six nights of ten tasks, looked at after every night, a useless edit is accepted in at most 5 % of lives."""
    source = random.Random(11)
    accepted = 0
    lives = 600
    for _ in range(lives):
        pairs = []
        for night in range(6):
            for _ in range(10):
                base = source.betavariate(0.35, 0.65)
                moved = min(1.0, max(0.0, base + source.choice([-churn, churn])))
                kept = min(1.0, max(0.0, base + source.choice([-churn, churn])))
                without = sum(source.random() < kept for _ in range(k)) / k
                with_ = sum(source.random() < moved for _ in range(k)) / k
                pairs.append(
                    Pair(
                        task="t", family="t", recurrence="r", night=f"{night}", without=without, with_=with_, rollouts=2
                    )
                )
            ruling = decide(pairs).ruling
            if ruling is not Ruling.PROBATION:
                accepted += ruling is Ruling.ACCEPT
                break

    assert accepted / lives <= 0.05


def test_the_usual_rule_would_have_passed_it():
    """The same useless edits pass "the mean rises" far more often: the guard above is seen to bite."""
    source = random.Random(11)
    risen = 0
    for _ in range(400):
        difference = 0
        for _ in range(10):
            base = source.betavariate(0.35, 0.65)
            difference += (source.random() < base) - (source.random() < base)
        risen += difference > 0

    assert risen / 400 > 0.2
