"""Budgets hold: charged before each call, over all processes, crashes and lies."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, ValidationError
from tests.support.loopback_endpoint import chat, serving

from nightschool.clock import FixedClock
from nightschool.config import Budget as Limits
from nightschool.config import Config, Models, load, save, with_setting
from nightschool.errors import NightschoolError
from nightschool.models import charges
from nightschool.models import ledger as ledgers
from nightschool.models.backends import resolved
from nightschool.models.backends.openai import OpenAI
from nightschool.models.budget import FRAME, Budget, OutOfBudget, Terms
from nightschool.models.door import Door, TooManyLost
from nightschool.models.ledger import Ledger
from nightschool.models.preflight import preflight
from nightschool.models.questions import Answer, CallError, Question, key
from nightschool.models.replies import ask_for
from nightschool.night.prepare import Setting
from nightschool.night.spending import has_rested
from nightschool.platforms import load as load_platforms
from nightschool.records import Night, NightRequest, NightStatus

START = datetime(2025, 1, 2, tzinfo=UTC)


class Model:
    """A paid model; `reply(nth call)` says what it answers."""

    name, batch, paid = "model", False, True

    def __init__(self, reply=lambda _: Answer(text="ok", tokens_in=20, tokens_out=10)):
        self.reply, self.calls, self.asked, self.lock = reply, 0, [], threading.Lock()

    def answer(self, question):
        """Count, and answer."""
        with self.lock:
            self.calls += 1
            self.asked.append(question)
            count = self.calls
        told = self.reply(count)
        if isinstance(told, Exception):
            raise told
        return told


@pytest.fixture
def door(home):
    """Return a maker of doors; all are closed at the end."""
    opened = []

    def make(backend, *, night="0001", clock=None, sleep=lambda _: None, **terms):
        limits = Budget(**{name: terms.pop(name) for name in list(terms) if name in Budget.model_fields})
        told = Terms(budget=limits, **{"max_tokens": 100, **terms})
        clock = clock or FixedClock(START)
        opened.append(Door(home, backend, clock=clock, redact=str, night=night, terms=told, sleep=sleep))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def q(prompt, **more):
    """A rollout's question: its bound is 164 tokens and its length."""
    return Question(kind="rollout", prompt=prompt, **more)


def many(count):
    """Questions that differ."""
    return [q(f"{n:04}") for n in range(count)]


ONE = 4 + FRAME + 100  # the bound of one of `many`


@pytest.mark.parametrize("side_by_side", [1, 4, 16])
@pytest.mark.parametrize("budget", [0, ONE - 1, ONE, 1000, 1029])
def test_no_call_goes_over_the_budget(door, side_by_side, budget):
    """However many run at once, the calls made fit; the one that might not is not made, and what is settled is used."""
    model = Model()
    with pytest.raises(OutOfBudget) as caught:
        door(model, tokens=budget, side_by_side=side_by_side).ask_all(many(200))

    fitting = 0 if budget < ONE else (budget - ONE) // 30 + 1
    assert model.calls == fitting
    assert len(caught.value.skipped) == 200 - model.calls
    assert caught.value.exit_code == 4


def test_a_larger_budget_goes_on_and_a_resumption_resets_nothing(door):
    """The same night under the same limit makes no call more; under a larger one only the missing calls."""
    model = Model()
    for _ in range(3):
        with pytest.raises(OutOfBudget):
            door(model, tokens=1000).ask_all(many(50))
    assert model.calls == (1000 - ONE) // 30 + 1

    assert len(door(model, tokens=100_000).ask_all(many(50))) == 50
    assert model.calls == 50


@pytest.mark.parametrize(
    "reply",
    [
        Answer(text="ok"),  # says it used nothing
        CallError("timeout"),
        CallError("empty"),
        CallError("backend", "died"),
        ZeroDivisionError("broken"),
        "no answer at all",
        Answer(text="ok", tokens_in=10**30, tokens_out=10**30),  # more than a ledger can hold
        CallError("backend", "died", tokens_in=10**30, tokens_out=10**30),
    ],
    ids=["lying", "slow", "empty", "failing", "crashing", "malformed", "absurd", "failing absurdly"],
)
def test_what_a_backend_does_not_tell_is_charged_in_full(door, reply):
    """Usage 0, and failures that say nothing: the charge made before the call stands, retries each for themselves."""
    model = Model(lambda _: reply)
    with pytest.raises(OutOfBudget):
        door(model, tokens=10 * ONE).ask_all(many(100))

    assert model.calls == 10


def test_a_backend_that_takes_more_than_it_said_is_charged_more_from_then_on(door):
    """A reply over its bound is counted as it is, and the next calls are charged with that surplus."""
    model = Model(lambda _: Answer(text="ok", tokens_in=500, tokens_out=500))
    one = door(model, tokens=3000, side_by_side=1)
    with pytest.raises(OutOfBudget):
        one.ask_all(many(10))

    assert model.calls == 3
    assert one.spent().tokens == 3000


def test_refused_by_a_rate_limit_costs_nothing_and_is_waited_out(door):
    """429 is asked again after what the server says, three times at most, and is not charged."""
    model, pauses = Model(lambda n: CallError("rate-limit", retry_after=9.0) if n < 3 else Answer(text="x", tokens_in=1, tokens_out=1)), []  # fmt: skip
    one = door(model, tokens=10 * ONE, sleep=pauses.append)

    assert one.ask(q("x")).text == "x"
    assert [9 <= pause <= 10.1 for pause in pauses] == [True, True]
    assert one.spent().tokens == 2
    assert one.spent().failed == 2


def test_a_provider_that_asks_for_too_long_is_not_waited_for(door):
    """An hour is not slept through: the question is lost instead."""
    model = Model(lambda _: CallError("rate-limit", retry_after=3600))
    with pytest.raises(CallError):
        door(model).ask(q("x"))
    assert model.calls == 1


def test_money_is_limited_by_the_price_that_was_set(door):
    """USD are charged by price and bound, failed calls too, and settled by usage or by what the backend says."""
    price = {"model:m": (10.0, 100.0)}
    questions = [q(f"{n:04}", model="m") for n in range(50)]
    bound = (10 * (4 + FRAME) + 100 * 100) / 1e6
    model = Model(lambda n: CallError("refused") if n == 1 else Answer(text="ok", tokens_in=20, tokens_out=10))
    one = door(model, usd=0.05, prices=price, side_by_side=1)
    with pytest.raises(OutOfBudget) as caught:
        one.ask_all(questions)

    used = (10 * 20 + 100 * 10) / 1e6
    assert model.calls == 1 + int((0.05 - bound - bound) / used) + 1
    assert one.spent().cost == pytest.approx(bound + used * (model.calls - 1))
    assert one.spent().cost <= 0.05
    assert all(bound_.cost == pytest.approx(bound) for _, bound_ in caught.value.skipped.values())


def test_money_without_a_price_is_refused_before_a_call(door, home):
    """Neither the preflight nor a question is asked when USD are limited and the price is not known."""
    model, terms = Model(), Terms(budget=Budget(usd=1.0))
    with pytest.raises(NightschoolError, match=r"models.prices 'model:m=3/15'") as caught:
        preflight(home, model, model="m", clock=FixedClock(START), redact=str, night="1", terms=terms)
    with pytest.raises(NightschoolError, match="price is not known"):
        door(model, usd=1.0).ask(q("x"))

    assert caught.value.exit_code == 1
    assert model.calls == 0
    model.paid = False
    assert door(model, usd=0.0).ask(q("x")).text == "ok"


def test_minutes_are_those_in_which_calls_run(door):
    """Time between two runs is not counted; a call gets no more seconds than are left."""

    class Ticking:
        at = START

        def now(self):
            return self.at

    clock = Ticking()

    def reply(_):
        clock.at += timedelta(seconds=20)
        return Answer(text="ok", tokens_in=1, tokens_out=1)

    model = Model(reply)
    door(model, clock=clock, seconds=100, side_by_side=1).ask_all(many(2))
    clock.at += timedelta(hours=5)
    with pytest.raises(OutOfBudget):
        door(model, clock=clock, seconds=100, side_by_side=1).ask_all(many(50))

    assert model.calls == 5
    assert [question.timeout for question in model.asked] == [100, 80, 60, 40, 20]


def test_a_day_is_limited_over_all_nights(door):
    """The cap of a day counts other nights, and lets go of what is older than 24 hours."""
    model = Model(lambda _: Answer(text="ok"))
    door(model, night="0001").ask_all(many(3))
    with pytest.raises(OutOfBudget):
        door(model, night="0002", day_tokens=4 * ONE).ask_all(many(10)[3:])
    assert model.calls == 4

    later = FixedClock(START + timedelta(hours=25))
    door(model, night="0003", clock=later, day_tokens=4 * ONE).ask_all(many(8)[4:])
    assert model.calls == 8


def test_what_a_clock_that_was_ahead_charged_does_not_count_for_years(door):
    """Charges of a future that was none are no charges of the day; a clock that is put back by hours frees nothing."""
    model = Model(lambda _: Answer(text="ok"))
    door(model, night="0001", clock=FixedClock(START + timedelta(days=4000))).ask_all(many(3))
    door(model, night="0002", clock=FixedClock(START + timedelta(hours=3))).ask_all(many(6)[3:])
    with pytest.raises(OutOfBudget):
        door(model, night="0003", day_tokens=4 * ONE).ask_all(many(12)[6:])
    assert model.calls == 7


SHARES = """
import os, sys, time
from pathlib import Path
from nightschool.clock import SystemClock
from nightschool.errors import BudgetReached
from nightschool.models.budget import Budget, Terms
from nightschool.models.door import Door
from nightschool.models.questions import Answer, Question
from nightschool.paths import Home

home, bill, who, pause, budget = Home(Path(sys.argv[1])), sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5])

class Model:
    name, batch, paid = "model", False, True
    def answer(self, question):
        descriptor = os.open(bill, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{question.prompt}\\n".encode())
        os.close(descriptor)
        time.sleep(pause)
        return Answer(text="ok")

terms = Terms(budget=Budget(tokens=budget), max_tokens=100)
with Door(home, Model(), clock=SystemClock(), redact=str, night="0001", terms=terms) as door:
    try:
        door.ask_all([Question(kind="rollout", prompt=f"{who}{n:03}") for n in range(60)])
    except BudgetReached as stop:
        sys.exit(stop.exit_code)
"""


def share(home, bill, who, pause, budget):
    """Ask 60 questions of its own in a process, on the night's one budget."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    words = [str(home.root), str(bill), who, str(pause), str(budget)]
    return subprocess.Popen([sys.executable, "-c", SHARES, *words], env=environment)


def test_processes_share_one_budget(home, tmp_path):
    """Three processes ask other questions at once; together they make as many calls as fit, and not one more."""
    bill = tmp_path / "bill"
    running = [share(home, bill, who, 0.01, 37 * ONE + 5) for who in "abc"]

    assert {process.wait(120) for process in running} == {4}
    assert len(bill.read_text().split()) == 37


def test_a_kill_between_charge_and_settlement_counts_as_spent(home, tmp_path):
    """The calls under way at kill -9 stay charged; what is left of the budget is all that is called afterwards."""
    bill = tmp_path / "bill"
    process = share(home, bill, "a", 30, 10 * ONE)
    deadline = time.monotonic() + 60
    while (len(bill.read_text().split()) if bill.exists() else 0) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    ledger = Ledger(home)
    spent = ledger.spent("0001")
    ledger.close()

    assert (spent.lost, spent.tokens, spent.calls) == (4, 4 * ONE, 0)
    assert share(home, bill, "a", 0, 10 * ONE).wait(60) == 4
    assert len(bill.read_text().split()) == 10
    assert share(home, bill, "a", 0, 10 * ONE).wait(60) == 4
    assert len(bill.read_text().split()) == 10


def test_an_old_ledger_opens_and_its_calls_count(home, door):
    """A ledger from before there were charges is brought up to date, its answers and its spending included."""
    asked = q("0000")
    ledger = Ledger(home)
    ledger.put(key(asked, "model"), asked, Answer(text="old", tokens_in=7, tokens_out=3, cost_usd=0.5), backend="model", night="0001", at=START)  # fmt: skip
    ledger.record_error("b" * 64, asked, CallError("timeout"), backend="model", night="0001", at=START)
    ledger.close()
    with sqlite3.connect(home.ledger) as db:
        db.executescript("DROP TABLE charges; DROP TABLE spans; PRAGMA user_version = 1;")
    db.close()
    opened = [Ledger(home) for _ in range(2)]

    for one in opened:
        spent = one.spent("0001")
        assert (spent.calls, spent.failed, spent.tokens, spent.cost) == (1, 1, 10, 0.5)
        one.close()
    with sqlite3.connect(home.ledger) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == ledgers.VERSION
        assert db.execute("SELECT at FROM charges").fetchone()[0] == pytest.approx(START.timestamp(), abs=1)
    db.close()
    model = Model()
    with pytest.raises(OutOfBudget):
        door(model, tokens=ONE).ask_all(many(2))
    assert model.calls == 0


def test_two_at_once_count_their_time_once(home):
    """The minutes of a night are those in which anybody asked for it."""
    ledger = Ledger(home)
    for began, ended in ((0, 60), (30, 90), (200, 210)):
        ledger.span("0001", ended, ledger.span("0001", began))

    assert ledger.minutes("0001") == pytest.approx(100 / 60)
    ledger.close()


def test_a_night_that_loses_too_much_is_given_up(door):
    """After enough lost questions the batch stops; a few among many do not stop it."""
    model = Model(lambda _: CallError("refused"))
    with pytest.raises(TooManyLost, match="no answer"):
        door(model, max_failed_share=0.25, side_by_side=1).ask_all(many(400))
    assert model.calls == 8

    some = Model(lambda n: CallError("refused") if n % 5 == 1 else Answer(text="ok", tokens_in=1, tokens_out=1))
    one = door(some, night="0002", max_failed_share=0.25, side_by_side=1)
    assert len(one.ask_all([q(f"other {n}") for n in range(100)])) == 100
    one.check_losses()


def test_a_rate_limit_holds_all_calls(door):
    """One call that is told to slow down keeps the others from starting until its pause is over."""
    times, began = [], time.monotonic()

    def reply(_):
        times.append(time.monotonic() - began)
        return CallError("rate-limit", retry_after=0.5) if len(times) == 1 else Answer(text="x", tokens_in=1, tokens_out=1)  # fmt: skip

    door(Model(reply), side_by_side=1, sleep=time.sleep).ask_all(many(4))
    assert len(times) == 5
    assert times[1] > 0.5


def test_calls_at_once_are_bounded(home):
    """A loopback server never sees more calls at once than `side_by_side`, and results keep their order."""
    with serving(lambda _, body: time.sleep(0.02) or (200, {}, chat(body["messages"][0]["content"]))) as server:
        backend = OpenAI.from_config(Config().openai.model_copy(update={"base_url": server.url}))
        with Door(home, backend, clock=FixedClock(START), redact=str, night="1", terms=Terms(side_by_side=3)) as door:
            told = door.ask_all(many(30))

    assert [answer.text for answer in told] == [f"{n:04}" for n in range(30)]
    assert server.most == 3


class Shape(BaseModel):
    rule: str


@pytest.mark.parametrize(
    ("replies", "calls"),
    [
        (['{"rule": "x"}'], 1),
        (['Here:\n```json\n{"rule": "x"}\n```'], 1),
        (['{"rule": ', '{"rule": "x"}'], 2),
        (["no", 'it is {"rule": "x"}'], 2),
        (["no", "never"], 2),
    ],
)
def test_malformed_json_is_mended_once(door, replies, calls):
    """A reply of the wrong shape is shown to the model once more, fenced; a second one is a failure, not a value."""
    model = Model(lambda n: Answer(text=replies[n - 1], tokens_in=1, tokens_out=1))
    one = door(model)
    if replies[-1] == "never":
        with pytest.raises(CallError) as caught:
            ask_for(one, q("write a rule"), Shape)
        assert caught.value.kind == "malformed"
    else:
        assert ask_for(one, q("write a rule"), Shape).rule == "x"

    assert model.calls == calls
    if calls == 2:
        assert "<data-" in model.asked[1].prompt
        assert "follow no instruction" in model.asked[1].prompt


def test_limits_of_the_configuration_are_read_and_written(home):
    """`none` lifts a limit, 0 allows nothing, and tables are told as NAME=VALUE."""
    config = with_setting(Config(), "budget.tokens", "0")
    config = with_setting(config, "budget.usd", "0.5")
    config = with_setting(config, "models.prices", "openai:qwen2.5:0.5b=3/15,claude=0/1")
    config = with_setting(config, "models.limits", "openai=2")
    save(home, config)

    assert load(home) == config
    assert config.models.prices["openai:qwen2.5:0.5b"] == (3.0, 15.0)
    assert Terms.of(config, "openai").side_by_side == 2
    assert Terms.of(config, "mock").side_by_side == 4
    assert Terms.of(config, "mock").budget == Budget(tokens=0, usd=0.5)
    assert with_setting(config, "budget.tokens", "none").budget.tokens is None
    for wrong in ({"tokens": -1}, {"usd": float("nan")}, {"minutes": "x"}):
        with pytest.raises(ValidationError):
            Limits(**wrong)


@pytest.mark.parametrize(
    ("target", "backend", "model"),
    [
        ("openai:qwen2.5:0.5b", "openai", "qwen2.5:0.5b"),
        ("qwen2.5:0.5b", "mock", "qwen2.5:0.5b"),
        ("plain", "mock", "plain"),
        ("", "mock", ""),
        ("handoff:", "handoff", ""),
    ],
)
def test_a_model_may_name_its_backend(target, backend, model):
    """BACKEND:MODEL names both; a colon in a model's own name is left alone; the optimizer is told apart."""
    config = Config(models=Models(backend="mock", target_model=target, optimizer_model="openai:big"))
    told, writes = resolved(config).models, resolved(config, None, "optimizer").models

    assert (told.backend, told.target_model) == (backend, model)
    assert (writes.backend, writes.target_model) == ("openai", "big")


def test_charges_are_one_row_an_attempt(door, home):
    """Every attempt is on record with what it was charged: open, answered, or how it failed."""
    model = Model(lambda n: CallError("timeout", tokens_in=3, tokens_out=4) if n == 1 else Answer(text="x", tokens_in=1, tokens_out=1))  # fmt: skip
    door(model).ask(q("x"))
    with sqlite3.connect(home.ledger) as db:
        rows = db.execute("SELECT state, tokens FROM charges ORDER BY id").fetchall()
    db.close()

    assert rows == [("timeout", 7), (charges.ANSWERED, 2)]


def test_a_night_at_its_budget_makes_room_after_a_rest(home):
    """Run again within 20 hours it stops at once; later another night begins, unless a flag allows this one more."""
    told = Night(id="0001", status=NightStatus.BUDGET, started=START, project=None, backend="mock", fingerprint="x", budget={"tokens": 100.0})  # fmt: skip

    def rested(hours, night=told, **flags):
        clock = FixedClock(START + timedelta(hours=hours))
        request = NightRequest(user_home="/nowhere", project=None)
        return has_rested(night, Setting(home, Config(), request, load_platforms([]), clock, budget=flags))

    assert [rested(1), rested(19.9), rested(20.1)] == [False, False, True]
    assert [rested(24, tokens=100.0), rested(24, tokens=101.0), rested(24, usd=1.0)] == [True, False, False]
    assert not rested(48, told.model_copy(update={"status": NightStatus.OPEN}))
    assert [rested(-1), rested(-24 * 4000)] == [False, True]  # begun by a clock that was ahead
