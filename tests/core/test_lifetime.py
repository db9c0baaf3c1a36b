"""The lifetime's budget: what it spends, that nothing is spent twice, and that little useless comes of it."""

from datetime import UTC, datetime, timedelta

import pytest

from nightschool.errors import NightschoolError
from nightschool.night.gating import lifetime
from nightschool.night.gating.simulate import lifetime as live
from nightschool.paths import Home
from nightschool.records import Edit, Evidence, Pair, Ruling, Verdict

AT = datetime(2026, 11, 1, tzinfo=UTC)


def found(edit, *, pairs=0, examiner="model m", accepted=False, path="/a/CLAUDE.md"):
    """Return an edit's evidence with so many pairs."""
    met = tuple(
        Pair(task=f"t{n}", family=f"f{n}", recurrence="r", night="0001", without=0, with_=1, rollouts=2)
        for n in range(pairs)
    )
    verdict = Verdict(ruling=Ruling.ACCEPT, reason="") if accepted else None
    edit = Edit(id=edit, document="d", path=path, text="Say it.", recurrence="r")
    return Evidence(edit=edit, examiner=examiner, pairs=met, first_seen=AT + timedelta(minutes=pairs), verdict=verdict)


def test_shares_add_up_to_at_most_one():
    """However many edits come, no more than the budget is spent; the first has half of it."""
    assert lifetime.share(1) == 0.5
    assert 0.9 < sum(lifetime.share(place) for place in range(1, 20_000)) < 1.0
    assert 1 / lifetime.level(lifetime.share(1), 0) == pytest.approx(20)


def test_an_acceptance_earns_for_the_next():
    """Every accepted rule makes room: the next edit is asked for less."""
    assert lifetime.level(0.01, 3) == pytest.approx(4 * lifetime.level(0.01, 0))


def taken(home, known, wanted):
    """Take places and return {edit: newest place}."""
    lifetime.taken(home, known, wanted)
    places = {(p.edit, p.examiner): p.place for p in lifetime.load(home).places}
    return {one.edit.id: places[one.edit.id, one.examiner] for one in wanted}


def test_edits_of_one_night_share_evenly(home):
    """Nobody of a night is asked for more than the others; together they spend what their places may."""
    shares = lifetime.taken(home, [], [found("r1"), found("r2"), found("r3")])

    assert len(set(shares.values())) == 1
    assert sum(shares.values()) == pytest.approx(sum(lifetime.share(place) for place in (1, 2, 3)))
    assert lifetime.taken(home, [], [found("r4")]) == {"r4": lifetime.share(4)}


def test_the_same_edit_keeps_its_place(home):
    """On a later night, or resumed after a crash before any answer, an edit spends nothing anew."""
    assert taken(home, [], [found("r1"), found("r2")]) == {"r1": 1, "r2": 2}
    before = home.lifetime.read_bytes()

    assert taken(home, [], [found("r2"), found("r1")]) == {"r1": 1, "r2": 2}
    assert home.lifetime.read_bytes() == before
    assert taken(home, [], [found("r3")]) == {"r3": 3}


def test_evidence_that_was_taken_away_costs_a_new_place(home):
    """What an edit once showed is known: a fresh start is a new try, and is paid for."""
    taken(home, [], [found("r1")])
    lifetime.keep(home, [found("r1", pairs=4)])

    assert taken(home, [], [found("r1", pairs=4)]) == {"r1": 1}
    assert taken(home, [], [found("r1")]) == {"r1": 2}
    assert taken(home, [], [found("r1")]) == {"r1": 2}, "once"


def test_two_projects_spend_from_one_budget_and_rehearsals_from_their_own(home):
    """Another project's edit takes the next place; a scripted model's costs a real one nothing."""
    taken(home, [], [found("r1"), found("r2", path="/b/CLAUDE.md")])

    assert taken(home, [], [found("r9", examiner="mock-1234")]) == {"r9": 1}
    assert taken(home, [], [found("r3", examiner="other x")]) == {"r3": 3}
    lifetime.keep(home, [found("r9", examiner="mock-1234", pairs=6, accepted=True)])
    assert lifetime.accepted(lifetime.load(home), "model m") == 0


def test_what_was_accepted_is_counted_once_and_for_ever(home):
    """An acceptance counts once, also when it is noted again or later taken back."""
    taken(home, [], [found("r1")])
    lifetime.keep(home, [found("r1", pairs=6, accepted=True)])
    lifetime.keep(home, [found("r1", pairs=6, accepted=True)])
    lifetime.keep(home, [found("r1", pairs=6)])

    told = lifetime.left(lifetime.load(home))
    assert (told["edits"], told["accepted"], told["left"]) == (1, 1, 0.5)


def test_what_others_say_was_accepted_earns_nothing(home):
    """An acceptance that another machine tells of lowers no threshold here: whoever may write there could say it."""
    theirs = [found(f"t{n}", pairs=6, accepted=True).model_copy(update={"elsewhere": True}) for n in range(20)]
    taken(home, theirs, [found("mine", pairs=1)])
    lifetime.keep(home, theirs)
    assert lifetime.accepted(lifetime.load(home), "model m") == 0


def test_evidence_from_before_there_were_places_is_counted_first(home):
    """A home that examined rules before it kept a budget has spent for them."""
    old = [found("r7", pairs=3), found("r8", pairs=2)]

    assert taken(home, old, [found("r1")]) == {"r1": 3}


def met(home, *machines):
    """Make a home know these other machines, as an exchange with them does."""
    for name in machines:
        path = home.sync / "machines" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"id": "{name}"}}')


@pytest.mark.parametrize("nights", [1, 40])
def test_machines_offline_never_spend_more_than_the_budget_together(tmp_path, nights):
    """Three machines that know of each other and then hear nothing: all they spend, each alone, is not above 1."""
    total = 0.0
    for name in ("a", "b", "c"):
        home = Home(tmp_path / name)
        met(home, *{"aaaaaaaa", "bbbbbbbb", "cccccccc"} - {name * 8})
        for night in range(nights):
            total += sum(lifetime.taken(home, [], [found(f"{name}{night}-{n}") for n in range(night % 4 + 1)]).values())
    assert total <= 1
    assert total > 0.4


def test_a_machine_that_joins_spends_of_what_is_left(tmp_path):
    """What one machine spent alone is gone; of the rest both take half, and neither a place that the other had."""
    first, second = Home(tmp_path / "first"), Home(tmp_path / "second")
    alone = sum(lifetime.taken(first, [], [found("r1"), found("r2")]).values())
    assert alone == pytest.approx(lifetime.share(1) + lifetime.share(2))
    known = [found("r1", pairs=3), found("r2", pairs=3)]
    met(first, "bbbbbbbb")
    met(second, "aaaaaaaa")
    here = lifetime.taken(first, known, [found("r3")])["r3"]
    there = lifetime.taken(second, known, [found("r4")])["r4"]
    assert here == there == pytest.approx(lifetime.share(3) / 2)
    rest = 0.0
    for home in (first, second):
        rest += sum(lifetime.taken(home, [], [found(f"{home.root.name}{n}") for n in range(500)]).values())
    assert alone + here + there + rest <= 1


def test_what_the_next_edit_is_asked_for_is_told_for_all_machines(home):
    """With two machines the next edit is asked for twice as much, and the status says so."""
    lifetime.taken(home, [], [found("r1")])
    spent = lifetime.load(home)
    told = [lifetime.left(spent, "model m", parts=parts)["next_e"] for parts in (1, 2)]
    assert told[1] == pytest.approx(2 * told[0])
    assert lifetime.machines(home) == 1
    met(home, "aaaaaaaa")
    assert lifetime.machines(home) == 2


def test_a_damaged_budget_is_said_and_never_started_over(home):
    """What is spent cannot be guessed: one clear line, and nothing is written."""
    home.root.mkdir(parents=True)
    home.lifetime.write_text("{half", encoding="utf-8")

    with pytest.raises(NightschoolError, match="budget"):
        taken(home, [], [found("r1")])
    assert home.lifetime.read_text(encoding="utf-8") == "{half"


@pytest.mark.parametrize("world", ["shift", "churn"])
def test_few_accepted_rules_are_useless(world):
    """Sixty nights of three edits, four of five useless: at most a tenth of the accepted, and most useful ones in."""
    lived = live(world, runs=4, tasks=10)

    assert lived.useless_share <= 0.10
    assert lived.found >= 0.80
    assert lived.naive_share > 0.5, "the usual rule fills up with useless ones: the bound is seen to bite"
