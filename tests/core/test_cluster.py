"""Near-duplicates and recurrences: exact relations, independent of order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.night.mining.cluster import alike, dice, families, near
from nightschool.night.mining.signals import content, normalise

WORDS = ("query", "orders", "region", "month", "list", "test", "parser", "refund", "plot", "invoice")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=14)


def grouped(texts, groups):
    """Return the groups as a set of sets of texts."""
    return {frozenset(texts[at] for at in group) for group in groups}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("what is 4 choose 3?", "what is 26 choose 3?"),
        ("add tests for the parser module", "add tests for the billing module"),
        ("which papers support memory replay?", "which papers support sparse attention?"),
        ("explain the stack trace in parser.log", "Explain the stack trace in /var/log/auth.log please"),
        ("write a regression test for the parser crash", "write a regression test for the auth crash"),
        ("give me a query for daily revenue in March", "give me a query for daily revenue in May"),
    ],
)
def test_near_duplicates(one, other):
    """The same text up to numbers, names, places and a word or two is a near-duplicate."""
    assert near(normalise(one), normalise(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("write a SQL query for refunds per payment provider", "write a SQL query for stock that runs out this week"),
        ("list active customers by region", "daily revenue of the last quarter"),
        ("write tests", "write docs"),
        ("commit message for the parser", "add tests for the parser"),
        ("list customers with orders", "list customers without orders, by region and month"),
    ],
)
def test_different_requests(one, other):
    """Requests that share a frame of common words but ask for different things are not near-duplicates."""
    assert not near(normalise(one), normalise(other))


@given(TEXTS, st.randoms())
def test_families_do_not_depend_on_order(texts, rng):
    """Any order of the same texts gives the same families."""
    shuffled = list(texts)
    rng.shuffle(shuffled)

    assert grouped(texts, families([normalise(t) for t in texts])) == grouped(
        shuffled, families([normalise(t) for t in shuffled])
    )


@given(TEXTS, st.sampled_from([0.4, 0.6, 0.75, 0.9]))
def test_no_pair_is_missed(texts, threshold):
    """The join finds exactly the components that comparing all pairs finds, at any threshold."""
    tokens = [normalise(t) for t in texts]
    label = list(range(len(texts)))
    for one in range(len(texts)):
        for other in range(one):
            if tokens[one] == tokens[other] or dice(content(tokens[one]), content(tokens[other])) >= threshold:
                old, new = label[one], label[other]
                label = [new if mark == old else mark for mark in label]

    expected = {frozenset(at for at in range(len(texts)) if label[at] == mark) for mark in label}
    assert {frozenset(group) for group in alike(tokens, threshold)} == expected


@given(TEXTS)
def test_families_hold_every_near_pair(texts):
    """No near-duplicates are ever in different families."""
    tokens = [normalise(t) for t in texts]
    family = {at: number for number, group in enumerate(families(tokens)) for at in group}

    assert all(family[a] == family[b] for a in family for b in family if near(tokens[a], tokens[b]))


@given(TEXTS, TEXTS)
def test_members_join_or_merge_and_never_split(texts, more):
    """What was together stays together when texts are added."""
    before = families([normalise(t) for t in texts])
    after = families([normalise(t) for t in texts + more])

    assert all(any(set(group) <= set(larger) for larger in after) for group in before)


def test_a_pair_can_be_forbidden_or_forced():
    """`agrees` keeps like texts apart, and equal keys of `same` bring unlike ones together."""
    tokens = [normalise(t) for t in ("add limit now", "add limit soon", "other words here")]

    assert len(alike(tokens, 0.5)) == 2
    assert len(alike(tokens, 0.5, lambda _a, _b: False)) == 3
    assert len(alike(tokens, 0.5, same=["", "k", "k"])) == 1
