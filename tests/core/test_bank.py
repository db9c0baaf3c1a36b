"""The bank: splits are decided once, near-duplicates never straddle, and nothing is lost or written twice."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.support.mined import PROJECT, START, plant, talk

from nightschool.night import bank
from nightschool.night.mining.mine import Draft, mine
from nightschool.paths import Home
from nightschool.records import Check, CheckOp, DreamTask, Origin

CHECKS = (Check(op=CheckOp.CONTAINS, arg="LIMIT 5"),)
APART = (
    "list active customers by region", "daily revenue of the last quarter", "orders that were never shipped",
    "the ten best selling products", "stock that runs out this week", "refunds per payment provider",
    "coupons used more than once", "suppliers with late deliveries", "the slowest warehouse routes", "gift cards about to expire",
)  # fmt: skip


def draft(request, *, recurrence="c-1", hours=0, name=None):
    """Return a draft of a request."""
    at = START + timedelta(hours=hours)
    name = name or "t-" + "".join(c if c.isalnum() else "-" for c in request)[:90]
    origin = Origin(platform="harness", session=f"s{hours}", turn=f"u{hours}", at=at)
    return Draft(
        id=name, recurrence=recurrence, request=request, checks=CHECKS, origins=(origin,), first_seen=at, last_seen=at
    )


def drafts(*requests, **options):
    """Return drafts of several requests."""
    return [draft(request, hours=number, **options) for number, request in enumerate(requests)]


def splits(home):
    """Return {task id: split}."""
    return {task.id: task.split for task in bank.tasks(home)}


def files(home):
    """Return every file of the bank with its bytes and its time."""
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(home.bank.iterdir())}


def test_three_families_give_all_three_splits(home):
    """With three families train, val and test all exist; one alone trains; two train and examine."""
    for count, expected in ((1, {"train"}), (2, {"train", "val"}), (3, {"train", "val", "test"})):
        place = Home(home.root / str(count))
        bank.deposit(place, drafts(*APART[:count]))
        assert set(splits(place).values()) == expected


def test_three_families_arriving_one_a_night_give_all_three_splits(home):
    """The quotas hold over nights as well, within a recurrence and over the whole bank."""
    for request in APART[:3]:
        bank.deposit(home, [draft(request)])
    assert set(splits(home).values()) == {"train", "val", "test"}

    other = Home(home.root / "other")
    for number, request in enumerate(APART[:3]):
        bank.deposit(other, [draft(request, recurrence=f"c-{number}")])
    assert set(splits(other).values()) == {"train", "val", "test"}


def test_shares_come_near_40_40_20(home):
    """Of ten families four train, four examine, two test."""
    report = bank.deposit(home, drafts(*APART))

    assert report.totals == {"train": 4, "val": 4, "test": 2}
    assert report.new == 10


def test_near_duplicates_share_family_and_split(home):
    """Requests that differ in a number or a name are one family, on one night or on many."""
    bank.deposit(home, drafts(*APART[:4]))
    bank.deposit(home, drafts("what is 4 choose 3?", "what is 26 choose 3?"))
    bank.deposit(home, drafts("what is 11 choose 9?", "what is 5 choose 2?"))
    chosen = [task for task in bank.tasks(home) if "choose" in task.request]

    assert len(chosen) == 4
    assert len({(task.family, task.split) for task in chosen}) == 1


def test_depositing_again_changes_no_byte(home):
    """The same drafts, in any order, write nothing."""
    made = drafts(*APART)
    bank.deposit(home, made)
    before = files(home)
    report = bank.deposit(home, reversed(made))

    assert report.new == 0
    assert files(home) == before


def test_a_known_task_gains_origins_and_keeps_its_label(home):
    """Seeing a request again adds where it came from; family and split stay."""
    bank.deposit(home, drafts(*APART[:3]))
    before = splits(home)
    report = bank.deposit(home, [draft(APART[0], hours=50)])
    task = next(t for t in bank.tasks(home) if t.request == APART[0])

    assert report.new == 0
    assert splits(home) == before
    assert [o.session for o in task.origins] == ["s0", "s50"]
    assert task.last_seen - task.first_seen == timedelta(hours=50)


WORDS = ("query", "orders", "region", "month", "list", "refund", "plot", "invoice", "basket")
NIGHTS = st.lists(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=2, max_size=5).map(" ".join), max_size=8, unique=True),
    max_size=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NIGHTS, st.randoms())
def test_labels_never_move_and_nothing_straddles(tmp_path_factory, nights, rng):
    """Whatever enters, in whatever order over the nights, no label moves and no near-duplicates are on two sides."""
    home = Home(tmp_path_factory.mktemp("bank"))
    labels = {}
    for requests in nights:
        made = drafts(*requests)
        rng.shuffle(made)
        bank.deposit(home, made)
        now = splits(home)
        assert now.items() >= labels.items()
        labels = now
        assert bank.straddles(bank.read(home).real) == []


@settings(max_examples=20, deadline=None)
@given(st.permutations(APART))
def test_the_order_of_drafts_plays_no_part(tmp_path_factory, requests):
    """One night's drafts get the same labels in any order."""
    home = Home(tmp_path_factory.mktemp("bank"))
    made = {d.request: d for d in drafts(*APART)}
    bank.deposit(home, [made[r] for r in requests])

    other = Home(tmp_path_factory.mktemp("bank"))
    bank.deposit(other, made.values())
    assert splits(home) == splits(other)


def test_a_bridge_between_splits_is_left_out(home):
    """A new request near families on both sides stays out, is counted and said, and the bank stays clean."""
    left, right = (
        "query orders region month list refund plot invoice",
        "query orders region month voucher parcel basket coupon",
    )
    bridge = "query orders region month list refund basket coupon"
    bank.deposit(home, drafts(left, right))
    assert len(set(splits(home).values())) == 2

    report = bank.deposit(home, [draft(bridge, hours=9)])
    assert (report.new, report.left_out) == (0, 1)
    assert "both sides" in " ".join(report.notes)
    assert bank.straddles(bank.read(home).real) == []


def test_straddling_is_seen(home):
    """`straddles` names near-duplicates on two sides when somebody edits a file so."""
    bank.deposit(home, drafts("what is 4 choose 3?", "what is 26 choose 3?"))
    one, other = bank.read(home).real
    moved = other.model_copy(update={"split": "test"})

    assert bank.straddles([one, moved]) == [(one.id, other.id)]


def test_one_family_alone_makes_no_exam_and_that_is_said(home):
    """Where all requests of a recurrence are near-duplicates the report says that no exam is possible."""
    report = bank.deposit(home, drafts("what is 4 choose 3?", "what is 26 choose 3?"))

    assert any("No exam is possible" in note and "choose 3" in note for note in report.notes)
    assert bank.deposit(home, drafts(*APART[:2], recurrence="c-1")).notes == ()


def test_a_broken_file_is_told_and_left_alone(home):
    """A task that cannot be read is a note with its path; it is not overwritten, and the others are read."""
    made = drafts(*APART[:3])
    bank.deposit(home, made)
    path = home.bank / f"{made[0].id}.json"
    path.write_bytes(b'{"origin": "real", ')
    report = bank.deposit(home, made)

    assert path.read_bytes() == b'{"origin": "real", '
    assert any(str(path) in note for note in report.notes)
    assert len(bank.tasks(home)) == 2
    assert set(bank.read(home).broken) == {made[0].id}


def test_a_file_under_another_name_is_told(home):
    """A copy of a task under another name is not a second task."""
    bank.deposit(home, drafts(APART[0]))
    path = next(home.bank.iterdir())
    (home.bank / "t-copy.json").write_bytes(path.read_bytes())

    assert len(bank.tasks(home)) == 1
    assert set(bank.read(home).broken) == {"t-copy"}


def test_tasks_are_filtered(home):
    """By split, by recurrence, or both."""
    bank.deposit(home, [*drafts(*APART[:5]), *drafts(*APART[5:], recurrence="c-2")])

    assert {t.split for t in bank.tasks(home, split="val")} == {"val"}
    assert {t.recurrence for t in bank.tasks(home, recurrence="c-2")} == {"c-2"}
    assert bank.tasks(home, split="val", recurrence="c-2") != []
    assert bank.tasks(Home(home.root / "none")) == []


def dream(request, source, **told):
    """Return a dream of a task."""
    return DreamTask(
        id="d-1",
        recurrence=source.recurrence,
        family=source.family,
        request=request,
        checks=CHECKS,
        derived_from=source.id,
        **told,
    )


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_dream_cannot_be_held_out(home, split):
    """The type has no room for a dream in val or test: not by hand, and not in a file."""
    bank.deposit(home, drafts(*APART[:3]))
    source = bank.tasks(home, split="train")[0]
    with pytest.raises(ValidationError):
        dream("list sleepy customers", source, split=split)

    text = dream("list sleepy customers", source).model_dump_json().replace('"train"', f'"{split}"')
    (home.bank / "d-1.json").write_text(text)
    assert set(bank.read(home).broken) == {"d-1"}


def test_dreams_come_from_train_tasks_and_stay_away_from_exams(home):
    """A dream of a held-out task, or near one, is refused; one of a train task is kept once."""
    bank.deposit(home, drafts(*APART[:3]))
    train, val = bank.tasks(home, split="train")[0], bank.tasks(home, split="val")[0]

    assert bank.deposit_dreams(home, [dream("something about sleepy turtles", val)]) == 0
    assert bank.deposit_dreams(home, [dream(val.request.upper(), train)]) == 0
    assert bank.deposit_dreams(home, [dream("something about sleepy turtles", train)]) == 1
    assert bank.deposit_dreams(home, [dream("something about sleepy turtles", train)]) == 0


def test_mined_sessions_make_an_exam(home):
    """Twelve sessions that ask different queries and get the same correction: some train, some examine, none straddle."""
    rule = "no, always end with LIMIT 5"
    sessions = [talk(f"q{n}", f"write a SQL query for {subject}", rule, hours=n) for n, subject in enumerate(APART)]
    found = mine(sessions, project=PROJECT, scope="invoked", min_sessions=2)
    report = bank.deposit(home, found.tasks)

    assert report.totals == {"train": 4, "val": 4, "test": 2}
    assert len({t.recurrence for t in bank.tasks(home)}) == 1
    assert report.notes == ()


def test_growing_history_moves_no_label(home):
    """Night after night over a growing history every label stays and nothing straddles."""
    sessions = plant(240).sessions
    labels = {}
    for end in (60, 120, 180, len(sessions)):
        bank.deposit(home, mine(sessions[:end], project=PROJECT, scope="invoked", min_sessions=2).tasks)
        now = splits(home)
        assert now.items() >= labels.items()
        labels = now
    assert len(labels) > 50
    assert bank.straddles(bank.read(home).real) == []
