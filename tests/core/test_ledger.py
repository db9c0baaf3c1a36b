"""The ledger is money: durable, private, content-addressed, never replaced, and safe with several processes."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.errors import NightschoolError
from nightschool.files import single_flight
from nightschool.models.ledger import Ledger
from nightschool.models.questions import Answer, CallError, Question, key

AT = datetime(2025, 1, 2, 3, 4, tzinfo=UTC)
ASKED = Question(kind="rollout", model="m", system="doc", prompt="do it", k=1)
ANSWER = Answer(
    text="done", tool_calls=(("Bash", "ls"),), model="m-1", tokens_in=5, tokens_out=7, cost_usd=0.5, seconds=2
)


@pytest.fixture
def ledger(home):
    """A ledger that is let go of."""
    opened = Ledger(home)
    yield opened
    opened.close()


def put(ledger, address="a" * 64, answer=ANSWER, night="0001"):
    """Record an answer."""
    ledger.put(address, ASKED, answer, backend="b", night=night, at=AT)


def test_an_address_is_the_same_in_every_process():
    """The key depends on the question alone: not on the process, nor on the order of its fields."""
    code = (
        "from nightschool.models.questions import Question, key\n"
        "print(key(Question(k=1, prompt='do it', system='doc', model='m', kind='rollout'), 'b'))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == key(ASKED, "b")


def test_an_address_holds_over_versions():
    """Answers paid for today are found tomorrow: this address must never change."""
    assert key(ASKED, "b") == "40fa04c9600bb7bdc883bc3ce1cca5acb17f317e3e5cb6e6022aa88549dfd375"


@pytest.mark.parametrize(
    "change", [{"kind": "judge"}, {"model": "n"}, {"system": ""}, {"prompt": "do it "}, {"k": 2}, {"max_tokens": 5}]
)
def test_every_field_counts(change):
    """Questions that differ anywhere have different addresses, and so have different backends."""
    assert key(ASKED.model_copy(update=change), "b") != key(ASKED, "b")
    assert key(ASKED, "c") != key(ASKED, "b")


@given(st.text(), st.text(), st.text(), st.text())
def test_texts_cannot_run_into_each_other(system, prompt, other_system, other_prompt):
    """No way of moving text between document and request gives the address of another question."""
    one = Question(kind="rollout", system=system, prompt=prompt)
    other = Question(kind="rollout", system=other_system, prompt=other_prompt)

    assert (key(one, "b") == key(other, "b")) == (one == other)


def test_what_is_put_is_found_again(home, ledger):
    """An answer comes back whole, marked as cached, also for another process's connection."""
    assert ledger.get("a" * 64) is None
    put(ledger)
    other = Ledger(home)

    assert other.get("a" * 64) == ANSWER.model_copy(update={"cached": True})
    other.close()


def test_the_first_answer_stays(ledger):
    """An answer is never overwritten: evidence that rests on it would change under it."""
    put(ledger)
    put(ledger, answer=Answer(text="other"))

    assert ledger.get("a" * 64).text == "done"


def test_it_can_be_read_with_any_sqlite(home, ledger):
    """The rows are plain: question and answer as JSON, the numbers in columns."""
    put(ledger)
    ledger.record_error("b" * 64, ASKED, CallError("timeout", "60 s", seconds=60), backend="b", night="0001", at=AT)
    with sqlite3.connect(home.ledger) as db:
        call = db.execute(
            "SELECT question, answer, tokens_in, tokens_out, cost, seconds, at, night FROM calls"
        ).fetchone()
        error = db.execute("SELECT outcome, why, seconds FROM errors").fetchone()
    db.close()

    assert json.loads(call[0])["prompt"] == "do it"
    assert json.loads(call[1])["text"] == "done"
    assert call[2:] == (5, 7, 0.5, 2.0, "2025-01-02T03:04:00+00:00", "0001")
    assert error == ("timeout", "60 s", 60.0)


def test_errors_are_counted_and_never_served(ledger):
    """A failure is a fact for the report, not an answer."""
    ledger.record_error("a" * 64, ASKED, CallError("empty"), backend="b", night="0001", at=AT)

    assert ledger.get("a" * 64) is None
    assert ledger.spent("0001").failed == 1
    assert ledger.errors("0001") == {"empty": 1}


def test_what_a_night_spent(ledger):
    """Sums are by night; a cost that some call did not tell makes the sum unknown, not smaller."""
    put(ledger, "a" * 64)
    put(ledger, "b" * 64)
    put(ledger, "c" * 64, Answer(text="x", tokens_out=1), night="0002")
    one, both, none = ledger.spent("0001"), ledger.spent(), ledger.spent("0009")

    assert (one.calls, one.tokens, one.cost, one.failed, one.seconds) == (2, 24, 1.0, 0, 4.0)
    assert (both.calls, both.tokens, both.cost) == (3, 25, None)
    assert (none.calls, none.tokens, none.cost, none.seconds) == (0, 0, 0.0, 0.0)


def test_only_its_owner_can_read_it(home, ledger):
    """The ledger, its log and its locks are 0600, their directories 0700, under a loose umask too."""
    put(ledger)
    with ledger.claim(["a" * 64]):
        files = [home.ledger, *home.root.glob("ledger.db-*"), *(home.root / "ledger.locks").iterdir()]
        assert len(files) > 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        folders = (home.root, home.root / "ledger.locks")
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"not a database at all" * 100),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096)),
        lambda path: (path.unlink(), sqlite3.connect(path).execute("CREATE TABLE other (x)").connection.close()),
    ],
    ids=["text", "emptied", "cut", "overwritten", "somebody else's"],
)
def test_a_damaged_ledger_is_told_and_left_alone(home, damage):
    """It is money: one clear error, and not a byte of what is left changes."""
    ledger = Ledger(home)
    for n in range(50):
        put(ledger, f"{n:064}")
    ledger.close()
    damage(home.ledger)
    before = home.ledger.read_bytes()

    for _ in range(2):
        with pytest.raises(NightschoolError, match="damaged") as caught:
            Ledger(home)
        assert "backup" in caught.value.fix
    assert home.ledger.read_bytes() == before


def test_a_ledger_that_vanished_from_its_log_is_told(home, tmp_path):
    """When the file is gone but its log is not, a new ledger would swallow or lose the log."""
    Ledger(home).close()
    home.ledger.unlink()
    (home.root / "ledger.db-wal").write_bytes(b"paid calls")

    with pytest.raises(NightschoolError, match="log"):
        Ledger(home)
    assert (home.root / "ledger.db-wal").read_bytes() == b"paid calls"


def test_an_answer_that_cannot_be_read_is_told(home, ledger):
    """A row that was tampered with is neither served nor paid for again behind the user's back."""
    put(ledger)
    with sqlite3.connect(home.ledger) as db:
        db.execute("UPDATE calls SET answer = '{}'")
    db.close()

    with pytest.raises(NightschoolError, match="damaged"):
        ledger.get("a" * 64)


def test_a_newer_ledger_is_not_touched(home):
    """A ledger from a later version is left to that version."""
    Ledger(home).close()
    with sqlite3.connect(home.ledger) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(NightschoolError, match="newer"):
        Ledger(home)


def test_a_place_that_cannot_be_opened_is_told(home):
    """A directory in the ledger's place is one clear error."""
    home.ledger.mkdir(parents=True)

    with pytest.raises(NightschoolError, match="ledger"):
        Ledger(home)


def test_many_processes_make_and_write_one_ledger(home):
    """Six processes start at once without a ledger: every row of every process is there."""
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from nightschool.models.ledger import Ledger; from nightschool.paths import Home\n"
        "from nightschool.models.questions import Answer, Question\n"
        "ledger = Ledger(Home(Path(sys.argv[1])))\n"
        "for n in range(10):\n"
        "    ledger.put(f'{sys.argv[2]}-{n}', Question(kind='mine', prompt='x'), Answer(text='y'), backend='b',"
        " night='0001', at=datetime.now(UTC))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(home.root), str(n)], env=environment) for n in range(6)
    ]

    assert [process.wait(60) for process in running] == [0] * 6
    ledger = Ledger(home)
    assert ledger.spent("0001").calls == 60
    ledger.close()


def test_threads_share_one_ledger(ledger):
    """One connection serves several threads."""
    threads = [threading.Thread(target=put, args=(ledger, f"{n:064}")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ledger.spent().calls == 20


def test_a_claim_keeps_others_out_and_says_who_holds_it(home, ledger):
    """While one asks a question, another waits, and is told by whom when it has waited long enough."""
    other = Ledger(home)
    refused = []

    def try_it():
        try:
            with other.claim(["a" * 64], wait=0.1):
                pass
        except NightschoolError as error:
            refused.append(str(error))

    with ledger.claim(["a" * 64, "b" * 64]):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    try_it()
    other.close()

    assert len(refused) == 1
    assert f"process {os.getpid()}" in refused[0]


def test_two_that_find_no_ledger_make_one(home):
    """Both saw that there is none and wait to make it: the second finds the first one's and does not replace it."""

    def make_and_put(address):
        ledger = Ledger(home)
        put(ledger, address)
        ledger.close()

    threads = [threading.Thread(target=make_and_put, args=(letter * 64,)) for letter in "ab"]
    with single_flight(home.root / "ledger.locks" / "make.lock", "the test"):
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        assert not home.ledger.exists()
    for thread in threads:
        thread.join()
    ledger = Ledger(home)

    assert ledger.spent().calls == 2
    ledger.close()
