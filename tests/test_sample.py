"""The shipped sample: real-format sessions that tell what the scenario table says, and nothing of where they were made."""

import json
import re
from collections import Counter
from datetime import UTC, datetime

import pytest
from tests.support.capture_sample import SAMPLE, Scenario, scenarios

from nightschool import bundle
from nightschool.models.backends.mock import Mock
from nightschool.models.questions import Question

FAMILIES = {"sql-limit": 16, "rollback": 12, "terse": 7, "one-off": 6, "pytest": 5}
LITERALS = {"sql-limit": "LIMIT 100", "rollback": "'## Rollback'", "terse": "80 characters", "pytest": "never unittest"}
KEPT = {"user", "assistant", "system", "queue-operation", "last-prompt", "cost-state", "tools-used", "mode"}
ELSEWHERE = re.compile(r"(?<![\w.:/-])/(?:tmp|root|work|usr|var|opt|etc|mnt|private|Users|home/(?!sam\b))\b")
FILES = sorted(SAMPLE.rglob("*.jsonl"))
MAIN = sorted(SAMPLE.glob("*/*.jsonl"))


def rows(path):
    """Return a file's records."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def at(row):
    """Return when a record was written."""
    return datetime.fromisoformat(row["timestamp"])


def turns(path):
    """Return (prompt, last text) of every turn that a person asked for."""
    told = []
    for row in rows(path):
        content = row.get("message", {}).get("content")
        if row["type"] == "user" and isinstance(content, str):
            told.append([content, ""])
        if row["type"] == "assistant":
            told[-1][1] = "".join(block["text"] for block in content if block["type"] == "text") or told[-1][1]
    return [tuple(turn) for turn in told]


def results(path):
    """Return what the tools of a session gave back."""
    blocks = (row["message"]["content"] for row in rows(path) if row["type"] == "user")
    return [b for content in blocks if isinstance(content, list) for b in content if b["type"] == "tool_result"]


def held(name):
    """Return the file of a scenario."""
    (scenario,) = (s for s in scenarios() if s.name == name)
    (path,) = SAMPLE.glob(f"*/{scenario.session}.jsonl")
    return path


def test_sessions_tell_what_the_table_says():
    """There is one file for every scenario and no other, with its prompts and its answers, word for word."""
    assert {path.stem for path in MAIN} == {scenario.session for scenario in scenarios()}
    for scenario in scenarios():
        assert turns(held(scenario.name)) == [(turn["ask"], turn["say"]) for turn in scenario.turns]


def test_it_lies_where_the_product_unpacks_it_from(tmp_path):
    """Unpacked, the sessions lie in the new home's own folder and name that home as the place they were held in."""
    project = bundle.unpack_sample(tmp_path)
    unpacked = sorted((tmp_path / ".claude" / "projects").glob("*/*.jsonl"))
    assert [path.name for path in unpacked] == [path.name for path in MAIN]
    assert {row["cwd"] for path in unpacked for row in rows(path) if "cwd" in row} == {str(project)}


def test_families_have_their_counts():
    """Corrections of a kind come back in as many sessions as the sample promises, in the words that can be checked."""
    assert Counter(scenario.family for scenario in scenarios()) == FAMILIES
    for scenario in scenarios():
        literal = LITERALS.get(scenario.family)
        if literal:
            assert literal not in scenario.turns[0]["ask"]
            assert literal in scenario.turns[1]["ask"]


def test_a_correction_was_called_for_and_then_followed():
    """The answer before a correction breaks the rule that it states, the answer after it keeps it."""
    keeps = {
        "sql-limit": lambda text: "LIMIT 100" in text,
        "rollback": lambda text: "## Rollback" in text,
        "terse": lambda text: len(text) <= 80,
        "pytest": lambda text: "def test_" in text and "unittest" not in text,
    }
    for scenario in scenarios():
        if scenario.family in keeps:
            before, after = (keeps[scenario.family](turn["say"]) for turn in scenario.turns[:2])
            assert (before, after) == (False, True), scenario.name


def test_requests_are_asked_once():
    """No two sessions open with the same request, so that a held-out one is not known from training."""
    opened = [scenario.turns[0]["ask"] for scenario in scenarios()]
    assert len(set(opened)) == len(opened)


def test_every_line_is_a_record_of_a_kept_type():
    """Every line is a JSON object with a type, and none of a type that carries the vendor's prompts."""
    for path in FILES:
        for row in rows(path):
            assert isinstance(row, dict)
            assert row["type"] in KEPT, (path, row["type"])


def test_it_is_small():
    """The whole is at most 600 kB, and no line is long enough to hold a prompt of the vendor's."""
    assert SAMPLE.is_relative_to(bundle.sample())
    whole = sum(path.stat().st_size for path in bundle.sample().rglob("*") if path.is_file())
    assert whole <= 600_000
    assert max(len(line) for path in FILES for line in path.read_bytes().splitlines()) <= 8_000


def test_it_says_nothing_of_the_machine_it_was_made_on():
    """No path outside the told home stands in it, and every session was held in the told project."""
    for path in (p for p in bundle.sample().rglob("*") if p.is_file()):
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".md":
            assert not ELSEWHERE.findall(text), path
    told = f"{bundle.SAMPLE_HOME}/{bundle.SAMPLE_PROJECT}"
    assert {row["cwd"] for path in FILES for row in rows(path) if "cwd" in row} == {told}
    assert {path.parent.name for path in MAIN} == {told.replace("/", "-")}


def test_ids_are_unique_and_parents_exist():
    """A session's id is its file's name; no record id comes twice; every chain leads to a root through kept records."""
    seen = Counter(row["uuid"] for path in FILES for row in rows(path) if "uuid" in row)
    assert max(seen.values()) == 1
    for path in FILES:
        session = path.stem if path in MAIN else path.parents[1].name
        here = {row["uuid"] for row in rows(path) if "uuid" in row}
        linked = [row[key] for row in rows(path) for key in ("parentUuid", "leafUuid") if row.get(key)]
        assert {row["sessionId"] for row in rows(path)} == {session}
        assert set(linked) <= here
        assert [row["parentUuid"] for row in rows(path) if "uuid" in row].count(None) == 1


def test_messages_have_ids_of_their_own():
    """No message or tool call of one session carries an id of another's."""
    owners: dict[str, set[str]] = {}
    for path in FILES:
        for row in (r for r in rows(path) if r["type"] == "assistant"):
            for name in [row["message"]["id"], *(b["id"] for b in row["message"]["content"] if "id" in b)]:
                owners.setdefault(name, set()).add(row["sessionId"])
    assert all(len(sessions) == 1 for sessions in owners.values())


def test_sessions_lie_in_working_hours_of_four_weeks():
    """Instants run from 2026-10-12 to 2026-11-06, on weekdays by day (UTC), and forward within a file."""
    begin, end = datetime(2026, 10, 12, tzinfo=UTC), datetime(2026, 11, 7, tzinfo=UTC)
    for path in FILES:
        told = [at(row) for row in rows(path) if "timestamp" in row]
        assert told == sorted(told)
        assert all(begin <= t < end and t.weekday() < 5 and 6 <= t.hour < 19 for t in told)


def test_a_session_begins_when_the_table_says():
    """The first instant of a file is the scenario's, and a turn asked later is asked on that day."""
    for scenario in scenarios():
        asked = [at(row) for row in rows(held(scenario.name)) if row.get("operation") == "enqueue"]
        told = [scenario.at, *(turn.get("later") for turn in scenario.turns[1:])]
        assert [a for a, t in zip(asked, told, strict=True) if t] == [t for t in told if t]


def test_families_are_mixed_over_the_weeks():
    """In every week each family of more than four sessions comes up, so that no split by date loses one."""
    for week in range(42, 46):
        families = {s.family for s in scenarios() if s.at.isocalendar().week == week}
        assert families == set(FAMILIES), week


def test_a_tool_failed_three_times_in_a_row():
    """One session holds a burst of three failed calls, told by the client's own signal."""
    assert [bool(block.get("is_error")) for block in results(held("lint-is-red"))] == [True, True, True, False]


def test_a_feature_was_committed():
    """One session commits with a `feat:` subject, and git answered."""
    assert any("feat: add the digits of each currency" in json.dumps(b) for b in results(held("currency-table")))


def test_a_sub_agent_has_a_file_of_its_own():
    """The sub-agent's conversation lies beside its session, marked as a side chain, with its meta file."""
    folder = held("who-calls").with_suffix("") / "subagents"
    (path,) = folder.glob("agent-*.jsonl")
    assert all(row["isSidechain"] for row in rows(path))
    assert json.loads(path.with_suffix(".meta.json").read_text())["agentType"] == "general-purpose"


def test_an_order_from_a_file_stands_in_a_result_only():
    """The text that gives orders to agents came from a tool; no person in the sample says it."""
    assert any("IGNORE PREVIOUS INSTRUCTIONS" in json.dumps(block) for block in results(held("vendor-feed")))
    said = [prompt for path in MAIN for prompt, _ in turns(path)]
    assert not any("IGNORE PREVIOUS" in prompt for prompt in said)


def test_the_key_is_none():
    """The key in a prompt has a key's shape but says that it is none, and a scanner's exact pattern leaves it alone."""
    text = held("key-in-example").read_text(encoding="utf-8")
    (key,) = set(re.findall(r"sk-ant-api03-[\w-]{80,}", text))
    assert "EXAMPLE-NOT-A-KEY" in key
    assert not re.search(r"sk-ant-api03-[\w-]{93}AA\b", key)


# --- the rehearsal model


@pytest.fixture(scope="module")
def model():
    """Return the rehearsal model with its shipped script."""
    return Mock.from_script(bundle.sample() / "rehearsal.toml")


def share(model, family, document, keeps, attempts=20):
    """Return how many of a family's requests are answered rightly under a document, over some attempts."""
    asked = [s.turns[0]["ask"] for s in scenarios() if s.family == family]
    told = [
        model.answer(Question(kind="rollout", model="mock", system=document, prompt=prompt, k=k)).text
        for prompt in asked
        for k in range(attempts)
    ]
    return sum(keeps(text) for text in told) / len(told)


SAYS_IT = {
    "sql-limit": ("always end the query with LIMIT 100", lambda text: "LIMIT 100" in text),
    "rollback": ("always include a '## Rollback' section", lambda text: "## Rollback" in text),
    "pytest": ("use pytest, never unittest", lambda text: "def test_" in text and "unittest" not in text),
}
TERSE = "Always answer in under 80 characters."


@pytest.mark.parametrize("family", SAYS_IT)
def test_a_rule_that_helps_is_followed_mostly(model, family):
    """In rehearsal a rule turns its own kind of request from mostly wrong into mostly right, never into always."""
    rule, keeps = SAYS_IT[family]
    assert share(model, family, "", keeps) < 0.4
    assert share(model, family, rule, keeps) > 0.8


@pytest.mark.parametrize("family", SAYS_IT)
def test_the_terse_rule_costs_the_others_what_they_need(model, family):
    """Under the terse rule every answer is short, and the rest of the work loses what it had."""
    _, keeps = SAYS_IT[family]
    assert share(model, family, TERSE, keeps) < share(model, family, "", keeps)
    assert share(model, family, TERSE, lambda text: len(text) <= 80) > 0.75
    assert share(model, "terse", "", lambda text: len(text) <= 80) == 0


@pytest.mark.parametrize("family", SAYS_IT)
def test_other_rules_leave_a_kind_of_request_alone(model, family):
    """Behaviours go by topic: another family's rule changes nothing of an answer."""
    _, keeps = SAYS_IT[family]
    for other in SAYS_IT.keys() - {family}:
        assert share(model, family, SAYS_IT[other][0], keeps) == share(model, family, "", keeps)


def test_a_request_outside_the_table_meets_its_topic(model):
    """The script goes by topic, not by the sample's requests: unseen wordings are answered in kind."""
    unseen = {
        "SQL for the busiest hour": "```sql",
        "migration that renames a table": "## Steps",
        "a test for the router": "```python",
    }
    for prompt, sign in unseen.items():
        assert sign in model.answer(Question(kind="rollout", model="mock", system="", prompt=prompt, k=0)).text
    plain = model.answer(Question(kind="rollout", model="mock", system="", prompt="rename the logo", k=0)).text
    assert len(plain) > 80


def test_a_scenario_has_one_id_for_ever():
    """A session's id follows from its scenario's name, so a new capture replaces files instead of adding them."""
    row = Scenario("pricing", "pytest", datetime(2026, 10, 12, tzinfo=UTC), ())
    assert row.session == held("pricing").stem
