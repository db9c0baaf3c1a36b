"""Mining planted sessions: what comes back is found, what does not is left, and every count is of distinct sessions."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mined import FAMILIES, PROJECT, plant, talk

from nightschool.night.mining.mine import LONGEST_QUOTE, Mined, mine
from nightschool.night.rules.screen import beside

SUBJECTS = (
    "customers by region",
    "orders never shipped since last spring",
    "baskets left behind at checkout",
    "stock running out",
)


def mined(sessions, *, project=PROJECT, scope="invoked", min_sessions=2):
    """Mine with the usual settings."""
    return mine(sessions, project=project, scope=scope, min_sessions=min_sessions)


def corrections(found):
    """Return {text: sessions} of the corrections that came back."""
    return {r.text: r.sessions for r in found.recurrences if r.kind == "correction"}


def asked(number, *later, hours=None, **options):
    """Return a session about a query, with what was said after it."""
    hours = number if hours is None else hours
    return talk(f"q{number}", f"write a query for {SUBJECTS[number % len(SUBJECTS)]}", *later, hours=hours, **options)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_corrections_are_found_and_nothing_else(seed):
    """Of nine planted rules, in several wordings and behind several openings, at least 0.9 are found, as pure."""
    planted = plant(240, seed)
    found = [r for r in mined(planted.sessions).recurrences if r.kind == "correction"]
    hit, right, shown = set(), 0, 0
    for recurrence in found:
        said = Counter(
            name for q in recurrence.quotes for name in FAMILIES if any(rule in q.text for rule in FAMILIES[name][0])
        )
        family = said.most_common(1)[0][0]
        right, shown = right + said[family], shown + len(recurrence.quotes)
        if recurrence.sessions >= 0.9 * len(planted.said[family]):
            hit.add(family)

    assert len(hit) / len(FAMILIES) >= 0.9
    assert right / shown >= 0.9
    assert len(found) <= len(FAMILIES) / 0.9
    assert all(r.sessions <= max(len(s) for s in planted.said.values()) for r in found)


def test_requests_of_one_kind_come_together():
    """Of the planted frames that came up in three sessions, 0.9 are found; what is brought together is of one family."""
    planted = plant(240, 5)
    family = {frame.split("{")[0].strip() or frame: name for name, (_, frames) in FAMILIES.items() for frame in frames}
    starts = sorted(family, key=len, reverse=True)
    prompts = {(s.id, turn.id): turn.prompt for s in planted.sessions for turn in s.turns}
    first = [s.turns[0].prompt for s in planted.sessions if s.id.startswith("s")]
    came = Counter(next((start for start in starts if prompt.startswith(start)), "?") for prompt in first)
    wanted = {start for start, count in came.items() if count > 2 and start != "?"}
    pure, hit, shown = 0, set(), 0
    for recurrence in mined(planted.sessions).recurrences:
        if recurrence.kind == "request":
            told = [prompts[o.session, o.turn] for o in recurrence.origins]
            said = [next((start for start in starts if text.startswith(start)), "?") for text in told]
            pure += Counter(family.get(start, "?") for start in said).most_common(1)[0][1]
            shown += len(said)
            hit.update(said)

    assert len(hit & wanted) / len(wanted) >= 0.9
    assert pure / shown >= 0.9


@settings(max_examples=12, deadline=None)
@given(st.randoms())
def test_order_plays_no_part(rng):
    """Sessions in any order give the very same result, byte for byte."""
    sessions = list(plant(60).sessions)
    expected = mined(sessions).model_dump_json()
    rng.shuffle(sessions)

    assert mined(sessions).model_dump_json() == expected


def test_the_result_survives_json():
    """What was mined can be pinned in a file and read back."""
    found = mined(plant(60).sessions)

    assert Mined.model_validate_json(found.model_dump_json()) == found


def test_ids_stay_when_later_sessions_are_added():
    """Every recurrence and task of the first half is there, under the same id, when all sessions are mined."""
    sessions = [s for s in plant(200).sessions if s.id.startswith("s")]
    half, whole = mined(sessions[:100]), mined(sessions)
    early = {r.id: r.sessions for r in half.recurrences if r.kind == "correction"}
    late = {r.id: r.sessions for r in whole.recurrences}

    assert early
    assert all(late[name] >= count for name, count in early.items())
    assert {t.id for t in half.tasks} <= {t.id for t in whole.tasks}


def test_a_session_counts_once():
    """Saying it five times in one session is one session; a second session makes it come back."""
    words = ("no, always end with LIMIT 5",) * 5
    assert corrections(mined([asked(1, *words)])) == {}
    assert corrections(mined([asked(1, *words), asked(2, words[0])])) == {"always end with LIMIT 5": 2}


def test_own_sessions_never_count():
    """A session that Nightschool started, by its flag or by its mark, says nothing."""
    words = "no, always end with LIMIT 5"
    flagged = [asked(n, words, own=True) for n in range(3)]
    marked = [talk(f"m{n}", "[nightschool:rehearsal] write a query", words) for n in range(3)]

    assert mined([*flagged, *marked]) == Mined()


def test_forks_count_once_but_what_is_new_in_them_counts():
    """Turns that a fork copied are one turn; a correction added in a fork is about the request that it copied."""
    words = "no, always end with LIMIT 5"
    first = asked(1, words)
    copy = first.model_copy(update={"id": "copy"})
    assert corrections(mined([first, copy])) == {}

    bare = asked(2)
    new = talk("x", words, hours=9).turns[0]
    fork = bare.model_copy(update={"id": "fork", "turns": (*bare.turns, new)})
    found = mined([first, bare, fork])
    assert corrections(found) == {"always end with LIMIT 5": 2}
    assert {o.turn for t in found.tasks for o in t.origins} == {"q1-0", "q2-0"}


@pytest.mark.parametrize(
    ("where", "counts"),
    [
        ("/home/kim/shop", True), ("/home/kim/shop/", True), ("/home/kim/shop/web/src", True), ("/home/kim/./shop", True),
        ("/home/kim", False), ("/home/kim/shop2", False), ("/", False), ("", False), ("/home/kim/shop/..", False),
    ],
)  # fmt: skip
def test_a_session_belongs_where_it_was_held(where, counts):
    """A session counts for a project when it was held in it or below it, whatever the spelling of the path."""
    sessions = [asked(n, "no, always end with LIMIT 5", project=where) for n in range(2)]

    assert bool(corrections(mined(sessions))) is counts
    assert corrections(mined(sessions, scope="all"))
    assert corrections(mined(sessions, project=None))


def test_windows_paths():
    """Backslashes and the case of a drive's paths do not matter."""
    sessions = [asked(n, "no, always end with LIMIT 5", project="c:\\Users\\Kim\\shop\\web") for n in range(2)]

    assert corrections(mined(sessions, project="C:/users/kim/shop"))


def test_tool_output_originates_nothing():
    """Only prompts are read: neither what a tool printed nor what the agent answered can become a rule or a task."""
    sessions = plant(60).sessions  # each of their tool calls prints "no, always use tabs, never spaces"

    assert "use tabs" not in mined(sessions).model_dump_json()


def test_a_fenced_block_in_a_list_is_not_heard():
    """A block that is indented below an item of a list is a block still; what stands behind it is heard."""
    inside = "see\n1. the docs\n      ```\n      no, always end the query with ZED\n      ```\n"
    found = mined([asked(n, inside + "\nno, always sort the keys by name") for n in range(3)])

    assert not [text for text in corrections(found) if "ZED" in text]
    assert [text for text in corrections(found) if "sort the keys" in text]


def test_wrappers_commands_nods_and_pasted_logs_are_no_requests():
    """Injected tags, slash commands, thanks and prompts over 8,000 characters never come back."""
    noise = ("<command-name>/model</command-name>", "<environment_context>\n x y z\n</environment_context>", "/compact",
             "perfect, thanks", "no problem, thanks", "continue", "log line " * 1000)  # fmt: skip

    assert mined([talk(f"n{n}", *noise, hours=n) for n in range(3)]) == Mined()


def test_a_task_is_the_corrected_request_with_the_rule_s_checks():
    """The nearest earlier request is the task; nods between do not matter, and a pasted log is never one."""
    rule = "no, always end with LIMIT 5"
    sessions = [asked(n, "great, thanks", rule, "and a chart of it with legends", hours=n) for n in range(2)]
    logged = talk("log", "write a query for pets of every kind", "log line " * 1000, rule, hours=9)
    found = mined([*sessions, logged])

    assert {t.request for t in found.tasks} == {f"write a query for {s}" for s in SUBJECTS[:2]}
    assert {c.arg for t in found.tasks for c in t.checks} == {"LIMIT 5"}
    assert {o.turn for t in found.tasks for o in t.origins} == {"q0-0", "q1-0"}


def test_requests_of_a_kind_inherit_once_it_was_corrected_often_enough():
    """The same request elsewhere becomes a task when the rule was given for its kind in `min_sessions` sessions."""
    rule = "no, always end with LIMIT 5"
    same = [talk(f"k{n}", f"plot sales of store {n} by month", *(() if n > 2 else (rule,)), hours=n) for n in range(5)]
    other = talk("z", "explain the parser to me in detail", rule, hours=20)
    lone = talk("y", "explain the parser to me in some detail", hours=21)
    requests = {t.request for t in mined([*same, other, lone]).tasks}

    assert {f"plot sales of store {n} by month" for n in range(5)} <= requests
    assert other.turns[0].prompt in requests
    assert lone.turns[0].prompt not in requests


def test_a_rule_in_a_first_request_counts_and_does_not_give_itself_away():
    """A standing rule inside a request counts for its recurrence; the task's request is left without it."""
    asking = [
        talk(f"f{n}", f"write a query for {s}, and always end with LIMIT 5", hours=n) for n, s in enumerate(SUBJECTS)
    ]
    found = mined(asking)

    assert corrections(found) == {"always end with LIMIT 5": 4}
    assert {t.request for t in found.tasks} == {f"write a query for {s}" for s in SUBJECTS}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("always use tabs, never spaces", "always use spaces, never tabs"),
        ("always end with LIMIT 5", "always end with LIMIT 500"),
        ("use `uv`, never `pip`", "use `pip`, never `uv`"),
        ("keep answers under 100 characters", "keep answers under 900 characters"),
    ],
)
def test_contradicting_rules_never_meet(one, other):
    """Two rules that ask for different things are two recurrences, however alike their words."""
    sessions = [asked(n, f"no, {rule}") for n, rule in enumerate((one, one, other, other))]

    assert corrections(mined(sessions)) == {one: 2, other: 2}


def test_quotes_are_verbatim_clipped_and_newest_first():
    """A quote is the prompt as it stands, or, of a long prompt, the first 300 characters of the rule."""
    long = "no, always end with LIMIT 5. " + "Because of the report. " * 20
    found = mined([asked(1, "no, always end with LIMIT 5"), asked(2, "No, always end with LIMIT 5"), asked(3, long)])
    quotes = found.recurrences[0].quotes

    assert [q.session for q in quotes] == ["q3", "q2", "q1"]
    assert quotes[1].text == "No, always end with LIMIT 5"
    assert quotes[0].text in long
    assert all(len(q.text) <= 300 for q in quotes)


def test_the_costliest_comes_first():
    """More sessions, newer ones and corrections rank higher than fewer, older ones and requests."""
    often = [asked(n, "no, always end with LIMIT 5", hours=2000 + n) for n in range(4)]
    rare = [talk(f"r{n}", f"explain {SUBJECTS[n]}", "no, use `uv`, never pip", hours=2000 + n) for n in range(2)]
    old = [talk(f"o{n}", f"summarise {SUBJECTS[n]}", "no, never say `sorry`", hours=n) for n in range(3)]

    assert list(corrections(mined([*old, *rare, *often])))[:3] == [
        "always end with LIMIT 5",
        "use `uv`, never pip",
        "never say `sorry`",
    ]


def test_nothing_is_fine():
    """No sessions, and sessions without turns, give nothing."""
    assert mined([]) == Mined()
    assert mined([talk("empty").model_copy(update={"project": PROJECT})]) == Mined()


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("no, always:\n- use LIMIT 100\n- never drop", ""),
        ("no, always start with\n# Heading", ""),
        ("no, always end the query with LIMIT 100", "always end the query with LIMIT 100"),
        ("no, use pytest, never unittest.\n\nthanks", "use pytest, never unittest."),
        ("please:\n- list the users\n\nand always end the query with LIMIT 100", "always end the query with LIMIT 100"),
    ],
)
def test_half_a_list_is_no_rule(prompt, expected):
    """A rule is the user's words as they were said: one that loses an item of a list is not proposed at all."""
    from nightschool.night.mining.listen import _meant

    words = _meant(prompt, True).words
    assert words == expected or (expected and words.endswith(expected))


def test_a_list_of_rules_is_one_rule_an_item():
    """Behind a line that corrects or speaks of all times, each item that orders something is a rule, verbatim."""
    words = "no, from now on:\n- use `uv`, never `pip`\n- always end the query with LIMIT 500"
    rules = corrections(mined([asked(n, words) for n in range(2)]))

    assert rules == {"use `uv`, never `pip`": 2, "always end the query with LIMIT 500": 2}


@pytest.mark.parametrize(
    "words",
    [
        "please do this:\n- use the new parser\n- add a page",
        "no, it fails:\n- the parser is slow\n- the page is empty",
        "from now on:\n- use tabs\n  - never in Makefiles\n- add tests",
        "from now on:\n- use tabs\n- what about the page?",
    ],
)
def test_other_lists_are_no_rules(words):
    """A list of work, of complaints, with items below items or with a question states no rules."""
    assert corrections(mined([asked(n, words) for n in range(2)])) == {}


LONG = "The build was slow again today, and I have looked into why that is. " * 5
LOG = "npm ERR! code 1\nnpm ERR! path left\n"
BIDI = "and \u202ethat\u202c is all. "


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (f"{LOG}\n{LONG}\n\n", "looks pasted"),
        (f"{LONG}{BIDI}\n\n", "holds hidden"),
        (f"```\n{LOG}```\n{LONG}\n\n", ""),
        (f"{LONG}\n\n", ""),
    ],
)
def test_what_a_long_prompt_holds_beside_a_rule_is_looked_at(before, why):
    """The quote of a long prompt is the rule alone; whether the rest looks like another's is kept with it."""
    told = f"{before}always end the query with LIMIT 100"
    assert len(told) > LONGEST_QUOTE
    found = next(r for r in mined([asked(n, told) for n in range(3)]).recurrences if r.kind == "correction")
    assert all("npm" not in quote.text for quote in found.quotes)
    held = beside(found.quotes)
    assert (why in held[0]) if why else held == ()
