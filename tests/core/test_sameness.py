"""Which corrections are one rule, however they are told."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mined import PROJECT, talk

from nightschool.night import merge, reflect
from nightschool.night.mining.cluster import near
from nightschool.night.mining.cues import binding
from nightschool.night.mining.identity import Known
from nightschool.night.mining.mine import corrections, mine
from nightschool.night.mining.signals import correcting_rule, normalise
from nightschool.night.mining.told_same import Wording, joined
from nightschool.night.nearby import Nearby
from nightschool.records import Check, Origin, RealTask, Target

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def rules(*said):
    """Mine sessions in each of which one of these was said, and return how many rules came of them."""
    held = [talk(f"s{n}", f"request number {n} about things", text, hours=n) for n, text in enumerate(said)]
    found = mine(held, project=PROJECT, scope="invoked", min_sessions=1)
    return [r for r in found.recurrences if r.kind == "correction"]


@pytest.mark.parametrize(
    "told",
    [
        ("no, ship the docs with each release", "every release has to ship with docs", "docs belong to the release, always"),
        ("never commit the lockfile", "you committed the lockfile again, never do that", "leave the lockfile out of commits"),
        ("les titres doivent être en majuscules", "non, mets les titres en majuscules", "toujours des titres en majuscules"),
        ("nein, Variablen immer auf Deutsch benennen", "Variablen müssen auf Deutsch benannt werden"),
    ],
)  # fmt: skip
def test_paraphrases_are_one_rule(told):
    """The same demand in other words, by grammar of several kinds, comes back as one."""
    [rule] = rules(*told)
    assert rule.sessions == len(told)
    assert set(rule.wordings) == {w for w in rule.wordings if rule.wordings[w]}


@pytest.mark.parametrize(
    "told",
    [
        ("always use semicolons in scripts", "never use semicolons in scripts"),
        ("use ruff, never flake8", "use flake8, never ruff"),
        ("no, keep lines under 80 characters", "no, keep lines under 120 characters"),
        ("always tag releases as `v1.2`", "always tag releases as `rel-1`"),
        ("queries must end with a semicolon", "queries must use named parameters"),
    ],
)
def test_other_demands_stay_apart(told):
    """Contradictions, other numbers, other literals, and another demand about the same matter are other rules."""
    assert len(rules(*told)) == len(told)


@pytest.mark.parametrize(
    "prompt",
    ["no, headings are lower case", "no, pass the locale everywhere, otherwise I can't merge it", "routes need a doc string",
     "one migration per release", "nada de emojis en los logs", "generated files are off limits"],
)  # fmt: skip
def test_terse_rules_are_heard(prompt):
    """How a whole kind of things is, said after a refusal, binds; and so does a norm without a verb."""
    assert correcting_rule(prompt)


@pytest.mark.parametrize(
    "prompt", ["no, keep the old logo for now", "no, invoices are missing", "no, it is green today"]
)
def test_one_time_is_no_rule(prompt):
    """What is refused for one time only, or told as it is now, states no rule."""
    assert not correcting_rule(prompt)


def test_rules_said_about_the_same_kind_of_request_are_one_sooner():
    """Two wordings with little in common are one rule when they are said about requests of one kind, else two."""
    others = [("draw a logo", "no, never use gradients"), ("send the mail", "no, always greet politely")]
    said = ("no, list the columns explicitly", "never select star, columns have to be named")

    def found(*asked):
        told = [*zip(asked, said, strict=True), *others, ("book a room", "never book the cellar")]
        held = [talk(f"s{n}", *both, hours=n) for n, both in enumerate(told)]
        rules = mine(held, project=PROJECT, scope="invoked", min_sessions=1).recurrences
        return sum(rule.kind == "correction" for rule in rules)

    assert found("write a query per month", "write a query per week") == 4
    assert found("write a query per month", "tidy the cellar plan") == 5


@pytest.mark.parametrize(
    "told",
    ["the nightly job always fails on mondays", "why does it never finish", "must this be a list?", "it works now",
     "open the settings page and look at the footer", "fix the broken login test", "does this have to be public",
     "never got an answer from ops about it", "we should talk about pricing at some point", "run it without the cache",
     "the client wants a pdf for every order", "all orders are gone", "it always ends up empty", "look at the logs first",
     "how do I always see the newest one", "make the icons a bit bigger, they must be visible", "there should be a tab"],
)  # fmt: skip
def test_what_tells_or_asks_binds_nobody(told):
    """What happened, a question and a plain request state no rule."""
    assert binding([told]) == []


def test_what_a_model_says_is_the_same_is_one_rule():
    """Groups by number join rules without a common word; void groups and other numbers change nothing."""
    held = [
        talk("a", "write the intro", "no, always sound cheerful"),
        talk("b", "write an outro", "never be gloomy", hours=2),
    ]
    found = corrections(held, Known(), project=PROJECT, scope="invoked")
    shown = merge.unasked(found, Known())
    reply = merge.Groups.model_validate({"groups": [{"numbers": [1, 2], "name": "Be cheerful."}]})
    known = merge.learned(Known(), shown, reply)

    assert len(corrections(held, known, project=PROJECT, scope="invoked")) == 1
    assert merge.unasked(found, known) == []
    for numbers in ([1, 99], [0, 1], [1, 1]):
        void = merge.Groups.model_validate({"groups": [{"numbers": numbers, "name": "Made up."}]})
        assert merge.learned(Known(), shown, void).same == ()
    twice = merge.Groups.model_validate(
        {"groups": [{"numbers": [1, 2], "name": "x"}, {"numbers": [2, 3], "name": "y"}]}
    )
    assert merge.learned(Known(), [*shown, Wording("m", "third")], twice).same == ()


def test_a_model_cannot_join_what_names_other_numbers():
    """Rules with other numbers stay two whatever was said of them."""
    held = [
        talk("a", "write it", "no, keep it under 80 words"),
        talk("b", "write it", "no, keep it under 300 words", hours=2),
    ]
    found = corrections(held, Known(), project=PROJECT, scope="invoked")
    known = Known(same=(tuple(w.mark for w in found),))

    assert len(found) == 2
    assert len(corrections(held, known, project=PROJECT, scope="invoked")) == 2
    assert joined([], known) == []


# --- what only a look at all that was said shows --------------------------------------------------------------------


def told_after(*said, request="write the {} export"):
    """Mine sessions in each of which one of these was said after an answer; return corrections and requests."""
    held = [talk(f"s{n}", request.format(n), text, hours=n) for n, text in enumerate(said)]
    found = mine(held, project=PROJECT, scope="invoked", min_sessions=2).recurrences
    return [[r for r in found if r.kind == kind] for kind in ("correction", "request")]


def test_a_rule_told_again_without_any_mark_is_counted():
    """A message that no grammar marks tells a rule again when it is as like one heard elsewhere as that is to itself."""
    heard = ("no, always store timestamps in UTC", "timestamps must be stored in UTC, I told you")
    [rule], asked = told_after(*heard, "local timestamps crept in, store UTC please")
    assert rule.sessions == 3
    assert rule.text != "local timestamps crept in, store UTC please"
    assert all("crept" not in request.text for request in asked)

    [rule], _ = told_after(*heard, "store the list of couriers in the new table")  # one word in common is not enough
    assert rule.sessions == 2
    [rule], _ = told_after(*heard, "are the timestamps stored in UTC now?")  # nor is a question
    assert rule.sessions == 2


def test_a_message_like_two_rules_tells_neither():
    """Where two rules are about as near, a message without a mark is counted for none."""
    held = ("no, always deploy on fridays", "deploys must happen on fridays", "no, always rotate backups monthly",
            "backups must be rotated monthly", "backups, deploy, fridays, monthly")  # fmt: skip
    rules, _ = told_after(*held)
    assert sorted(rule.sessions for rule in rules) == [2, 2]


THINGS = ("invoice", "refund", "courier", "voucher")


def test_one_sentence_about_another_thing_each_time_is_no_rule():
    """What is told in passing of one particular thing, each time another, is how a user asks."""
    said = [f"the {thing} pod must have been evicted overnight, look at the events" for thing in THINGS]
    assert told_after(*said)[0] == []


@pytest.mark.parametrize(
    "frame",
    [
        "no, the {} amounts must be stored in cents, always",  # a refusal opens it
        "{} amounts must always be stored in whole cents",  # of a kind of things, not of one
    ],
)
def test_a_rule_with_the_case_at_hand_in_it_stays_one(frame):
    """The thing at hand in a rule makes no request of it."""
    [rule], _ = told_after(*(frame.format(thing) for thing in THINGS))
    assert rule.sessions == len(THINGS)


@pytest.mark.parametrize(
    "told",
    [
        ("no inplace=True please, never", "no, never change frames in place", "frames must not be changed in place"),
        ("never commit to main, use a branch", "use a branch, don't commit to main", "commits go to a branch, not to main"),
        ("one topic per PR, always", "no, every pull request is about one topic", "pull requests must have one topic"),
        ("no, never skip a failing test", "stop skipping failing tests", "failing tests must not be skipped"),
        ("no sleep() in tests, wait for the event", "never use time.sleep in tests", "tests must wait, never sleep"),
    ],
)  # fmt: skip
def test_spellings_and_negations_do_not_part_a_rule(told):
    """Compounds, abbreviations, dotted names and a ban that names its subject are one rule in other words."""
    assert len(rules(*told)) == 1


PLAIN = ("amounts are integers in cents, floats drift", "a float for an amount will drift, take integer cents",
         "make the amounts integer cents")  # fmt: skip


def test_what_follows_one_kind_of_request_is_a_rule_though_nothing_marks_it():
    """What a user says in other words after the same kind of work comes back as a rule; after any work it does not."""
    asked = [f"sum up the {thing} payments of the month" for thing in THINGS]
    other = ["rename the van folder", "draw a chart", "write the release notes", "book a room", "fix the login"]

    def found(requests):
        held = [talk(f"s{n}", *both, hours=n) for n, both in enumerate(zip(requests, PLAIN, strict=False))]
        held += [talk(f"o{n}", one, f"fine {n}", hours=50 + n) for n, one in enumerate((*other, *asked))]
        mined_ = mine(held, project=PROJECT, scope="invoked", min_sessions=2).recurrences
        return [rule.sessions for rule in mined_ if rule.kind == "correction"]

    assert found(asked) == [3]
    assert found(["draw a chart", "write the release notes", "book a room"]) == []


def test_a_rule_told_with_the_request_is_counted_and_taken_out_of_it():
    """A sentence of a request that tells again what was heard as a correction counts, and the request goes without."""
    held = [
        talk("a", "fetch the rates from the bank", "no, every outgoing call needs an explicit timeout", hours=1),
        talk("b", "fetch the orders from the partner", "outgoing calls must have an explicit timeout", hours=2),
        talk("c", "fetch the rates from the exchange. An explicit timeout on the outgoing call, please.", hours=3),
        talk("d", "fetch the fees from the bank. The explicit column comes first in the export.", hours=4),
    ]
    found = mine(held, project=PROJECT, scope="invoked", min_sessions=1).recurrences
    [rule] = [r for r in found if r.kind == "correction"]
    asked = {quote.session: r.text for r in found if r.kind == "request" for quote in r.quotes}

    assert {origin.session for origin in rule.origins} == {"a", "b", "c"}
    assert not any("timeout" in text for text in asked.values())
    assert set(asked) == {"a", "b", "c", "d"}


def test_a_task_does_not_hold_the_rule_that_its_request_told():
    """A task made of a request that told the rule itself asks without it: it would give its answer away."""
    held = [
        talk("a", "fetch the rates from the bank", "no, always set `timeout=5` on outgoing calls", hours=1),
        talk("b", "fetch the rates from the broker", "no, set `timeout=5` on outgoing calls, always", hours=2),
        talk("c", "fetch the rates from the exchange. The outgoing calls are set to `timeout=5`.", hours=3),
    ]
    found = mine(held, project=PROJECT, scope="invoked", min_sessions=2)
    [rule] = [r for r in found.recurrences if r.kind == "correction"]

    assert rule.sessions == 3
    assert {task.request for task in found.tasks} >= {"fetch the rates from the exchange."}
    assert not any("timeout" in task.request for task in found.tasks)


def test_requests_corrected_alike_are_of_one_kind():
    """Two kinds with words in common are one when the same correction was told about both, else two."""
    held = [
        talk("a1", "write a query for invoices", "no, always end queries with LIMIT 50"),
        talk("a2", "write a query for refunds", "no, always end queries with LIMIT 50", hours=1),
        talk("b1", "which couriers have no van? give me the query", hours=2),
        talk("b2", "which vouchers have no date? give me the query", hours=3),
    ]

    def kinds(*more):
        found = mine([*held, *more], project=PROJECT, scope="invoked", min_sessions=2).recurrences
        return sorted(r.sessions for r in found if r.kind == "request")

    assert kinds() == [2, 2]
    told = talk("b3", "which pallets have no label? give me the query", "no, always end queries with LIMIT 50", hours=4)
    assert kinds(told) == [5]


@pytest.mark.parametrize(
    "told",
    [
        ("on ne modifie pas les migrations existantes", "non, ne modifie jamais une migration existante",
         "toujours une nouvelle migration, jamais modifier une migration existante"),
        ("n'utilise jamais l'index de la table", "il ne faut pas utiliser d'index de table"),
    ],
)  # fmt: skip
def test_a_verb_between_the_halves_of_a_negation_is_forbidden(told):
    """A verb between `ne` and `pas` is forbidden as one after them is, and an elided article is no part of a word."""
    assert len(rules(*told)) == 1


# --- what may be proposed, and what is near -------------------------------------------------------------------------


def task(name, session, split, recurrence, request="write it"):
    """Return a real task from one session."""
    origin = Origin(platform="harness", session=session, turn="1", at=AT)
    told = {"checks": (Check(op="contains", arg="x"),), "first_seen": AT, "last_seen": AT}
    return RealTask(
        id=name, recurrence=recurrence, family=f"f-{name}", split=split, request=request, origins=(origin,), **told
    )


def test_a_candidate_never_quotes_a_held_out_session(tmp_path):
    """When the newest quotes are all held out, the words come from an earlier session that is not, or from nowhere."""
    old = talk("old", "write a poem", "no, verses must always rhyme well")
    new = [talk(f"n{n}", "write a poem", "verses have to rhyme well, always", hours=9 + n) for n in range(12)]
    [rule] = [
        r
        for r in mine([old, *new], project=PROJECT, scope="invoked", min_sessions=2).recurrences
        if r.kind == "correction"
    ]
    held = [task(f"t{n}", f"n{n}", "val", rule.id) for n in range(12)]
    target = Target(
        key="doc", platform="harness", kind="block", scope="project", path=str(tmp_path / "RULES.md"), title="rules"
    )

    assert "old" not in {quote.session for quote in rule.quotes}
    [edit] = reflect.candidates([rule], [*held, task("t", "old", "train", rule.id)], [], [target], [])
    assert edit.text == "verses must always rhyme well"
    [edit] = reflect.candidates([rule], [*held, task("t", "elsewhere", "train", rule.id)], [], [target], [])
    assert edit.text == "verses must always rhyme well"
    assert reflect.candidates([rule], [*held, task("t", "old", "test", rule.id)], [], [target], []) == []


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(
    st.lists(
        st.lists(st.sampled_from(["ash", "birch", "cedar", "elm", "fir", "oak", "the"]), min_size=1, max_size=7),
        min_size=2,
        max_size=12,
    )
)
def test_nearby_finds_exactly_what_is_near(texts):
    """The index gives the families of all near tasks, as comparing with each one would, and of these the likest."""
    first, *others = [normalise(" ".join(words)) for words in texts]
    nearby, expected = Nearby(), set()
    for number, tokens in enumerate(others):
        held = task(str(number), "s", "train", "c", "x")
        nearby.add(held, tokens)
        expected |= {held.family} if near(first, tokens) else set()
    found, _ = nearby.families(first)

    assert found == expected
    assert not found or nearby.nearest(first).family in found
