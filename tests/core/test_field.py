"""The field exam: what its capital is worth, which session counts for what, and what it may decide."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest

from nightschool.day import arms
from nightschool.files import append_line
from nightschool.memory.store import SessionStore
from nightschool.night import field, trials
from nightschool.night.gating.field import MOST, Shown, e_harm, e_value, rule, told
from nightschool.night.gating.simulate_field import tried
from nightschool.paths import Home
from nightschool.records import (
    Check,
    CheckOp,
    Edit,
    FieldArm,
    FieldTrial,
    Origin,
    RealTask,
    Ruling,
    Session,
    Source,
    Turn,
)

AT = datetime(2026, 11, 1, tzinfo=UTC)
NOW = AT + timedelta(days=9)
NAME = "f0123456789"
EDIT = Edit(id="r1", document="d", text="Say LIMIT.", recurrence="own")
GOOD, BAD = "SELECT 1 LIMIT 5", "SELECT 1"


def task(number, request):
    """Return a task of the bank."""
    return RealTask(
        id=f"t{number}", recurrence="own", family=f"f{number}", split="val", request=request,
        checks=(Check(op=CheckOp.CONTAINS, arg="LIMIT"),), first_seen=AT, last_seen=AT,
        origins=(Origin(platform="p", session="old", turn="t", at=AT),),
    )  # fmt: skip


TASKS = [task(1, "write a SQL query for late orders"), task(2, "write a SQL query for active customers")]
TRIAL = FieldTrial(id=NAME, edit=EDIT, project="/p", checks=TASKS[0].checks, about=("t1", "t2"), started=AT)


def draw(home, session, given, *, at=AT, trial=NAME):
    """Put down what a session drew, as the drain does."""
    drawn = FieldArm(trial=trial, platform="p", session=session, given=given, at=at)
    append_line(home.field / arms.FILE, drawn.model_dump_json())


def hold(home, name, *turns, at=AT, turn=None, **more):
    """Keep a session of (prompt, reply) turns."""
    said = tuple(
        Turn(id=turn or f"{name}-{n}", at=at + timedelta(minutes=n + 1), prompt=prompt, reply=reply)
        for n, (prompt, reply) in enumerate(turns)
    )
    kept = {"platform": "p", "id": name, "source": Source(path="x"), "turns": said, "project": "/p"}
    SessionStore(home).save(Session(**kept | {"ended": at + timedelta(hours=1)} | more))


def judge(home, trial=TRIAL, now=NOW):
    """Return what the sessions so far come to, as (session, given, passed)."""
    return [(one.session, one.given, one.passed) for one in field.judged(home, trial, TASKS, "0002", now).outcomes]


ASK = "write a SQL query for late deliveries"


def test_each_step_is_fair_when_the_coin_is(home):
    """Over both faces of every coin of every sequence the capital is 1 on the mean, whatever the outcomes are."""
    for passed in itertools.product((True, False), repeat=5):
        capital = [
            e_value(Shown(given, one) for given, one in zip(coins, passed, strict=True))
            for coins in itertools.product((True, False), repeat=5)
        ]
        assert sum(capital) / len(capital) == pytest.approx(1.0)


def test_what_helps_wins_and_what_harms_loses():
    """Perfect separation is proof within nine sessions; the other way round it is proof of harm; nothing is nothing."""
    helped = [Shown(n % 2 == 0, n % 2 == 0) for n in range(9)]

    assert e_value([]) == pytest.approx(1.0)
    assert e_value(helped) >= 20
    assert e_harm(Shown(not one.given, one.passed) for one in helped) == pytest.approx(e_value(helped))
    assert rule(told(helped))[0] is Ruling.ACCEPT
    assert rule(told([Shown(not one.given, one.passed) for one in helped]))[0] is Ruling.REJECT
    assert rule(told([]))[0] is Ruling.PROBATION
    assert rule(told(helped, level=0.0001))[0] is Ruling.PROBATION, "the lifetime's budget asks for more"


def test_an_exam_without_proof_ends():
    """After 60 sessions without any gain, and after 120 with a little."""
    even = [Shown(n % 2 == 0, n % 4 < 2) for n in range(60)]
    assert rule(told(even[:59]))[0] is Ruling.PROBATION
    assert rule(told(even))[0] is Ruling.REJECT
    assert "120" in rule(told([*even, *even[:59], Shown(True, True)]))[1]


def test_the_first_reply_to_the_rules_kind_of_request_counts(home):
    """Other requests do not, later ones do not, and what the user then said does not."""
    draw(home, "s1", True)
    hold(home, "s1", ("what day is it today?", GOOD), (ASK, BAD), ("no, always end with LIMIT", GOOD), (ASK, GOOD))
    draw(home, "s2", False)
    hold(home, "s2", ("rename the button on the start page", GOOD), ("thanks", GOOD))

    assert judge(home) == [("s1", True, False)]


def test_a_session_keeps_its_first_arm(home):
    """Resumed, it draws again and counts for what it drew first; a line torn by a crash is none."""
    draw(home, "s1", False)
    with (home.field / arms.FILE).open("ab") as log:
        log.write(b'{"trial": "f01')
    draw(home, "s1", True)
    hold(home, "s1", (ASK, GOOD), ("next", "."))

    assert judge(home) == [("s1", False, True)]


def test_sessions_that_tell_nothing_are_left_out(home):
    """No arm, another trial's, our own, asked before the coin, no reply, interrupted, or perhaps not over: not judged."""
    hold(home, "no-arm", (ASK, GOOD), ("next", "."))
    draw(home, "other", True, trial="fffffffffff")
    hold(home, "other", (ASK, GOOD), ("next", "."))
    for name, more in {
        "own": {"own": True},
        "silent": {},
        "before": {"at": AT - timedelta(days=1)},
        "gone": {},
    }.items():
        draw(home, name, True)
        if name != "gone":
            hold(home, name, (ASK, "" if name == "silent" else GOOD), ("next", "."), **more)
    draw(home, "now", True)
    hold(home, "now", (ASK, GOOD), at=NOW, ended=NOW)

    assert judge(home) == []
    assert judge(home, now=NOW + timedelta(hours=2)) == [("now", True, True)]


def test_a_session_is_judged_once_and_a_forks_copy_not_at_all(home):
    """What was judged stays, whatever the session becomes; a turn that a fork has copied counts where it was first."""
    draw(home, "s1", True)
    hold(home, "s1", (ASK, GOOD), turn="same")
    before = field.judged(home, TRIAL, TASKS, "0002", NOW)
    hold(home, "s1", (ASK, BAD), turn="same")
    draw(home, "s2", False)
    hold(home, "s2", (ASK, GOOD), turn="same")

    assert field.judged(home, before, TASKS, "0003", NOW) == before
    assert len(before.outcomes) == 1


def test_trials_are_found_again(home):
    """What was saved is read, the oldest first; what was rejected keeps its edit from being a candidate."""
    trials.save(home, TRIAL)
    assert trials.trials(home) == [TRIAL]
    assert trials.running(home, "/p") == TRIAL
    assert trials.running(home, None) is None
    assert trials.failed(home, [EDIT]) == [EDIT]
    trials.save(home, TRIAL.model_copy(update={"state": "rejected"}))
    assert trials.failed(home, [EDIT]) == []


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.05, 0.35, 0.9])
def test_a_useless_rule_is_rarely_accepted(rate):
    """In at most 5 % of 1,000 exams, looked at after every session."""
    assert tried(rate, rate, repetitions=1000).accepted <= 0.05


@pytest.mark.slow
def test_generated_sessions_are_judged_alike(tmp_path):
    """Through files, reading and judging: a true rule is found within 60 sessions, a useless one in 5 % of 1,000 runs."""
    source, found = random.Random(5), {"true": 0, "useless": 0}
    runs = {"true": 40, "useless": 1000}
    for kind, count in runs.items():
        for number in range(count):
            home = Home(tmp_path / f"{kind}{number}")
            for n in range(60):
                given = source.random() < 0.5
                passes = source.random() < (0.35 if kind == "useless" else 0.85 if given else 0.15)
                draw(home, f"s{n}", given, at=AT + timedelta(hours=n))
                hold(home, f"s{n}", (ASK, GOOD if passes else BAD), at=AT + timedelta(hours=n))
            seen = [Shown(o.given, o.passed) for o in field.judged(home, TRIAL, TASKS, "0002", NOW).outcomes]
            assert len(seen) == 60 <= MOST
            found[kind] += any(rule(told(seen[:at]))[0] is Ruling.ACCEPT for at in range(1, 61))

    assert found["true"] >= 36
    assert found["useless"] <= 50
