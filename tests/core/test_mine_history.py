"""Mining histories in the clients' own formats, with the truth about what was planted in them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.planted import INJECTED, META
from tests.support.transcripts import claude_session, codex_session, planted, scored

import nightschool_claude_code.transcripts as claude
import nightschool_codex.transcripts as codex
from nightschool.night.mining.identity import Known
from nightschool.night.mining.mine import mine, mine_as_known
from nightschool.records import NightRequest

PROJECT = "/home/kim/shop"
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PARTS = ("tuned", "held", "fresh", "unseen", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
         "ninth", "tenth")  # fmt: skip


def sessions_of(home):
    """Read every session below a home, as both clients' platforms find and read them."""
    request = NightRequest(user_home=str(home), environ={}, project=PROJECT)
    refs = [(module, ref) for module in (claude, codex) for ref in module.transcripts(request)]
    return [session for module, ref in refs if (session := module.read(ref.session, ref.path, None))]


def mined(sessions):
    """Mine with the usual settings."""
    return mine(sessions, project=PROJECT, scope="invoked", min_sessions=2)


def rules_in(found):
    """Return the sessions of every correction that came back."""
    return [{origin.session for origin in r.origins} for r in found.recurrences if r.kind == "correction"]


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Return the sessions and the truth of each part, read once."""
    made = {}
    for part in PARTS:
        home = tmp_path_factory.mktemp(part)
        truth = planted(home, 240, seed=7, part=part)
        made[part] = (sessions_of(home), truth)
    return made


@pytest.mark.parametrize("part", PARTS)
def test_planted_families_are_found_whole_and_apart(history, part, tmp_path):
    """Recall and precision of families, and pairwise F1 of who belongs together, are at least 0.9: means of 3 seeds."""
    sessions, truth = history[part]
    figures = [scored(truth, rules_in(mined(sessions)))]
    for seed in (8, 9):
        truth = planted(tmp_path / str(seed), 240, seed=seed, part=part)
        figures.append(scored(truth, rules_in(mined(sessions_of(tmp_path / str(seed))))))
    recall, precision, f1 = (sum(column) / len(figures) for column in zip(*figures, strict=True))
    print(
        f"{part}: recall {recall:.3f}, precision {precision:.3f}, pairwise F1 {f1:.3f}, {len(sessions)} sessions each"
    )

    assert recall >= 0.9
    assert precision >= 0.9
    assert f1 >= 0.9


@pytest.mark.parametrize("part", ["tuned", "unseen", "first", "third"])
def test_nothing_comes_from_tools_clients_or_sub_agents(history, part):
    """What tools print, clients inject and agents tell their sub-agents makes neither a rule nor a task."""
    sessions, truth = history[part]
    told = mined(sessions).model_dump_json()

    assert "goto" not in told
    assert "PWNED" not in told
    assert not any(text[:30] in told for text in (*INJECTED, *META))
    assert truth.not_the_users
    assert not any(name in told for name in truth.not_the_users)


def test_the_same_history_again_is_the_same_bytes(tmp_path):
    """The generator is a function of its arguments."""
    one, other = (planted(tmp_path / name, 30, seed=3) for name in ("a", "b"))

    assert [p.read_bytes() for p in one.paths] == [p.read_bytes() for p in other.paths]


def test_ids_stay_whatever_turns_up(history):
    """Ids once given stay when older sessions turn up, in any order, and when all is read anew."""
    sessions, _ = history["tuned"]
    sessions = sorted(sessions, key=lambda s: s.started)
    told = {"project": PROJECT, "scope": "invoked", "min_sessions": 2}
    late, known = mine_as_known(sessions[150:], Known(), **told)
    whole, known = mine_as_known(sessions, known, **told)
    again, last = mine_as_known(sessions[::-1], known, **told)
    first = {r.id: {o.session for o in r.origins} for r in late.recurrences}
    after = {r.id: {o.session for o in r.origins} for r in whole.recurrences}
    kept = [name for name, held in first.items() if held <= after.get(name, set())]

    assert mine_as_known(sessions, Known(), **told)[0] != whole  # without what is known, ids would have changed
    assert len(kept) >= 0.9 * len(first)
    for held in first.values():  # the others have merged, or have lost less than half to a likelier one
        assert max(len(held & other) for other in after.values()) >= len(held) / 2
    assert again == whole
    assert last == known


def test_known_ids_survive_json_and_go_to_one_recurrence_each():
    """Of two recurrences that share an id's members, one gets it; of two that merge, the older id stays."""
    ids, known = Known().named("c", [["a", "b"], ["x", "y"]])
    known = Known.model_validate_json(known.model_dump_json())

    assert known.named("c", [["z", "a", "b"], ["y"]])[0] == ids
    assert known.named("c", [["y", "b", "a"]])[0] == [ids[0]]
    split = known.named("c", [["b"], ["a"]])[0]
    assert ids[0] in split
    assert len(set(split)) == 2


@pytest.mark.parametrize("write", [claude_session, codex_session])
def test_what_happened_around_a_request_is_counted(tmp_path, write):
    """Repairs, tests that turned green, commits and re-askings are counted where they happened."""
    made = [("pytest -q", True, "1 failed"), ("touch fixed.py", False, ""), ("pytest -q", False, "ok")]
    for number in range(3):
        turns = [
            (f"mend the flaky checkout test number {number}", "Done.", made),
            (f"mend the flaky checkout test number {number} again", "Done.", [('git commit -m "fix: it"', False, "")]),
            ("no, always run the whole suite first", "Done.", []),
        ]
        name = f"0000000{number}-0000-4000-8000-000000000000"
        write(tmp_path, name, turns, at=AT + timedelta(days=number), project=PROJECT)
    request, rule = sorted(mined(sessions_of(tmp_path)).recurrences, key=lambda r: r.kind, reverse=True)

    assert request.signals == {"corrected": 3, "reasked": 3, "repaired": 3, "green": 3, "committed": 3}
    assert rule.signals["corrected"] == rule.count == 3
    assert 0.4 < rule.confidence < 1


def test_refused_calls_and_edits_by_hand_are_counted(tmp_path):
    """A call that the user refused, and one that met the user's own edit, count; a crash with such words does not."""
    refused = "The user doesn't want to proceed with this tool use. The tool use was rejected."
    edited = "File has been modified since read, either by the user or by a linter. Read it again."
    calls = [
        ("Bash", {"command": "rm -r build"}, True, refused),
        ("Edit", {"file_path": "/a.py"}, True, edited),
        ("Bash", {"command": "cat log"}, False, refused),
    ]
    for number in range(2):
        at = AT + timedelta(days=number)
        claude_session(
            tmp_path, f"s{number}", [("tidy up the checkout folder", "Done.", calls)], at=at, project=PROJECT
        )
    [request] = mined(sessions_of(tmp_path)).recurrences

    assert request.signals == {"rejected": 2, "edited": 2}


def test_trouble_ranks_higher(tmp_path):
    """Of two requests as frequent and as recent, the one that took more of the user comes first."""
    for number in range(2):
        at = AT + timedelta(days=number)
        calm = [("draw the architecture diagram", "Done.", [])]
        sore = [("mend the flaky checkout test", "Done.", []), ("no, always use the mended clock", "Done.", [])]
        claude_session(tmp_path, f"calm{number}", calm, at=at, project=PROJECT)
        claude_session(tmp_path, f"sore{number}", sore, at=at, project=PROJECT)
    texts = [r.text for r in mined(sessions_of(tmp_path)).recurrences]

    assert texts == ["always use the mended clock", "mend the flaky checkout test", "draw the architecture diagram"]


def test_every_signal_survives_json(history):
    """What `mine --json` prints is JSON with counts, recency, confidence and origins with byte ranges."""
    told = json.loads(mined(history["tuned"][0]).model_dump_json())["recurrences"][0]

    assert told["count"] >= told["sessions"] >= 2
    assert 0 < told["confidence"] < 1
    assert all(origin["span"][1] > origin["span"][0] for origin in told["origins"])
