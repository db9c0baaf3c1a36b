"""Whole nights through the command, on real-format sessions."""

import json
import os
import re
import subprocess
import sys

import pytest
from tests.support.subjects import SUBJECTS, WORDS

OBEDIENT = """
seed = 3
[[behaviour]]
when = "(?i)sql query"
rule = "LIMIT 100"
reply = "SELECT * FROM t LIMIT 100;"
[[behaviour]]
when = "(?i)sql query"
reply = "SELECT * FROM t;"
[default]
reply = "Done."
"""


def rulings(document):
    """Return the ruling of each rule by its text."""
    return {rule["edit"]["text"]: rule["verdict"]["ruling"] for rule in document["rules"]}


def test_a_night_without_a_model_is_honest(queries):
    """The default night calls no model, prints no score, and shows counts, quotes and how to examine."""
    out, _ = queries.run("run")

    assert "18 session(s)" in out
    assert "LIMIT 100" in out
    assert "Unexamined" in out
    assert "handoff" in out
    assert "e = " not in out
    assert "chance that it is useless" not in out
    assert queries.json("report")["night"]["calls"] == 0


def test_unexamined_rules_are_adopted_by_hand_only(queries):
    """`adopt` takes none of them; `adopt --rule` takes the one that was named; undo restores the very bytes."""
    document = queries.json("run")
    rule = document["rules"][0]["edit"]["id"]
    claude = queries.project / "CLAUDE.md"
    claude.write_bytes(b"# Shop\r\nUse tabs.")

    queries.run("adopt")
    assert claude.read_bytes() == b"# Shop\r\nUse tabs."

    queries.run("adopt", "--rule", rule)
    assert b"LIMIT 100" in claude.read_bytes()
    assert claude.read_bytes().startswith(b"# Shop\r\nUse tabs.")

    queries.run("undo")
    assert claude.read_bytes() == b"# Shop\r\nUse tabs."


def test_a_rule_that_helps_is_accepted_and_adopted(queries):
    """Under a model that follows it the user's own words pass the exam, and `adopt` writes them."""
    queries.rehearse(OBEDIENT)
    document = queries.json("run")

    assert list(rulings(document).values()) == ["accept"]
    verdict = document["rules"][0]["verdict"]
    assert verdict["e_value"] >= verdict["threshold"]
    assert verdict["losses"] == 0

    queries.run("adopt")
    assert b"LIMIT 100" in (queries.project / "CLAUDE.md").read_bytes()
    queries.run("undo")
    assert not (queries.project / "CLAUDE.md").exists()


def test_a_rule_that_changes_nothing_is_not_accepted(queries):
    """Under a model that ignores it the rule proves nothing."""
    queries.rehearse(OBEDIENT.replace('rule = "LIMIT 100"', 'rule = "no such rule"'))

    assert "accept" not in rulings(queries.json("run")).values()


@pytest.mark.parametrize("backend", ["none", "mock"])
def test_a_second_run_finds_nothing_new_and_changes_no_byte(queries, backend):
    """Two runs in a row: the second says so and leaves every file as it is."""
    if backend == "mock":
        queries.rehearse(OBEDIENT)
    first = queries.json("run")
    before = queries.bytes()

    second = queries.json("run")
    assert not second["new"]
    assert second["night"]["id"] == first["night"]["id"]
    assert queries.bytes() == before


def test_evidence_carries_over_nights(world):
    """Few tasks on the first night leave a rule on probation; new sessions earn the rest, and nothing is asked twice."""
    world.rehearse(OBEDIENT)

    def hold(subjects):
        for subject in subjects:
            world.session((f"write a SQL query for {subject}", "SELECT 1;"), (WORDS[0], "SELECT 1 LIMIT 100;"))

    hold(SUBJECTS[:7])
    first = world.json("run")
    assert list(rulings(first).values()) == ["probation"]

    hold(SUBJECTS[7:])
    second = world.json("run")
    assert list(rulings(second).values()) == ["accept"]
    assert second["rules"][0]["verdict"]["nights"] == 2
    assert second["rules"][0]["verdict"]["tasks"] > first["rules"][0]["verdict"]["tasks"]


def test_what_only_the_next_night_asks_is_kept_for_it_alone(world):
    """How far each session was read grows with the sessions: the last two finished nights of a project keep it."""
    for subject in SUBJECTS[:4]:
        world.session((f"write a SQL query for {subject}", "SELECT 1;"))
        told = world.json("run")
        assert told["night"]["funnel"]["read"] == 1

    assert sorted(path.parent.name for path in world.home.glob("nights/*/seen.json")) == ["0003", "0004"]
    assert len(list(world.home.glob("nights/*/night.json"))) == 4


def test_handoff_waits_and_goes_on(queries):
    """Exit 3 while questions are open; once answered, the same command ends the night with a measured verdict."""
    _, err = queries.run("run", "--backend", "handoff", code=3)
    assert "nightschool run" in err
    rounds = 0
    while rounds < 6:
        rounds += 1
        folder = max((queries.home / "handoff").glob("*/round-*"))
        answer(folder)
        process = queries.start("run", "--backend", "handoff", "--json")
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == 3, err
    import json

    assert list(rulings(json.loads(out)).values()) == ["accept"]


def answer(folder):
    """Answer a round's questions as an agent that follows its instructions would."""
    import json

    questions = json.loads((folder / "questions.json").read_text())
    questions = questions["questions"] if isinstance(questions, dict) else questions
    (folder / "answers").mkdir(exist_ok=True)
    for question in questions:
        obeys = "LIMIT 100" in question["system"]
        reply = "SELECT * FROM t LIMIT 100;" if obeys else "SELECT * FROM t;"
        (folder / "answers" / f"{question['id']}.md").write_text(reply)


def test_questions_hold_no_check(queries):
    """What an agent is asked never holds the exam's checks."""
    queries.run("run", "--backend", "handoff", code=3)

    texts = "".join(path.read_text() for path in (queries.home / "handoff").rglob("*") if path.is_file())
    assert '"op"' not in texts
    assert "not_contains" not in texts


def test_dry_run_changes_nothing(queries):
    """A dry run names the candidates and leaves no trace."""
    out, _ = queries.run("dry-run")

    assert "LIMIT 100" in out
    assert not queries.home.exists() or queries.bytes() == {}


def test_other_projects_sessions_stay_out(queries, tmp_path):
    """Sessions of a parent directory, of another project or of a project whose name begins alike do not count."""
    for elsewhere in (queries.user_home, queries.user_home / "shop2"):
        elsewhere.mkdir(exist_ok=True)
        for subject in ("a", "b", "c"):
            queries.session((f"deploy {subject}", "ok"), ("no, always ask `make check` first", "ok"), project=elsewhere)

    assert all("make check" not in text for text in rulings(queries.json("run")))
    everybody = queries.json("run", "--scope", "all")
    assert any("make check" in text for text in rulings(everybody))


def test_a_night_of_our_own_is_never_learned_from(world):
    """Sessions that carry our mark, as the handoff's do, are read and left out."""
    for number in range(4):
        world.session(
            (f"[nightschool:rehearsal] write a SQL query, number {number}", "SELECT 1;"),
            ("no, always end the query with LIMIT 100", "SELECT 1 LIMIT 100;"),
        )

    assert world.json("run")["rules"] == []


def test_the_time_zone_changes_nothing(queries):
    """Tokyo, UTC and Los Angeles read the same sessions and find the same."""
    found = []
    for zone in ("Asia/Tokyo", "UTC", "America/Los_Angeles"):
        queries.env = {"TZ": zone, "NIGHTSCHOOL_HOME": str(queries.root / zone.replace("/", "-"))}
        document = queries.json("run")
        found.append((rulings(document), document["night"]["funnel"], [r["quotes"] for r in document["rules"]]))

    assert found[0] == found[1] == found[2]


def test_a_cap_leaves_a_backlog_and_loses_nothing(queries):
    """With a cap of 5 the sessions come in over nights, each once, the rest counted as backlog."""
    counts = []
    for _ in range(5):
        document = queries.json("run", "--max-sessions", "5")
        counts.append((document["night"]["funnel"]["sessions"], document["night"]["funnel"]["backlog"]))

    assert counts[0] == (5, 13)
    assert counts[3] == (18, 0)


def test_exit_codes_and_one_line(world):
    """Bad input is one clear line on stderr and the exit code of design section 9."""
    for words, code in [
        (("no-such-verb",), 2),
        (("run", "--no-such-flag"), 2),
        (("run", "--backend", "no-such-backend"), 2),
        (("run", "--rollouts-k", "0"), 2),
        (("run", "--project", "/no/such/place"), 1),
        (("report",), 1),
        (("adopt",), 1),
        (("undo",), 1),
        (("config", "no.such", "1"), 2),
    ]:
        out, err = world.run(*words, code=code)
        assert out == ""
        assert "Traceback" not in err
        assert err.strip().splitlines()[-1].startswith("nightschool")


def test_version_imports_nothing_heavy(world):
    """`nightschool --version` imports neither pydantic, pluggy, filelock, rich nor argparse."""
    script = "import sys\nfrom nightschool.cli import main\nmain(['--version'])\n"
    script += "print([m for m in ('pydantic', 'pluggy', 'filelock', 'rich', 'argparse') if m in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", script], env=world.environment(), capture_output=True, text=True, check=True
    )

    assert ran.stdout.splitlines()[1] == "[]"


def test_files_are_private(queries):
    """Everything under the home is 0600, every directory 0700, whatever the umask."""
    old = os.umask(0)
    try:
        queries.run("run")
    finally:
        os.umask(old)

    loose = [p for p in [queries.home, *queries.home.rglob("*")] if p.lstat().st_mode & 0o077 and not p.is_symlink()]
    assert loose == []


def test_a_held_lock_is_named_and_a_dead_one_is_taken_over(queries):
    """A second run exits 1 and names the holder; a lock file whose process is dead stops nobody."""
    holder = (
        "import time\nfrom pathlib import Path\nfrom nightschool.files import single_flight\n"
        "from nightschool.paths import Home\n"
        "with single_flight(Home.from_env().lock, 'a long night'):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder], env=queries.environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        _, err = queries.run("run", code=1)
        assert f"process {process.pid}" in err
        assert "a long night" in err
    finally:
        process.kill()
        process.wait()
        process.stdout.close()

    queries.run("run")


@pytest.mark.parametrize("existing", [None, b"---\r\nname: sql\r\ndescription: How we query.\r\n---\r\nBe kind."])
def test_a_skill_can_be_the_target(queries, existing):
    """A rule can go into a skill the user names: made when absent, edited in its body else, undone byte for byte."""
    skill = queries.user_home / ".claude" / "skills" / "sql" / "SKILL.md"
    if existing is not None:
        skill.parent.mkdir(parents=True)
        skill.write_bytes(existing)
    document = queries.json("run", "--target", str(skill))

    queries.run("adopt", "--rule", document["rules"][0]["edit"]["id"])
    text = skill.read_text()
    assert text.startswith("---")
    assert "LIMIT 100" in text
    assert re.search(r"^name: \"?sql\"?$", text, re.MULTILINE)
    queries.run("undo")
    assert (skill.read_bytes() if skill.exists() else None) == existing
    assert skill.parent.exists() == (existing is not None)


def test_an_unknown_target_is_refused_before_anything_is_consumed(queries):
    """A target no platform knows is a usage error that names those there are, and no night is begun."""
    _, err = queries.run("run", "--target", "nowhere:at-all", code=2)

    assert "claude-code:project" in err
    assert not list(queries.home.glob("nights/*"))


def test_evidence_of_one_model_is_not_anothers(queries):
    """What a rehearsal showed is not passed off as tonight's exam: another backend asks its own questions."""
    queries.rehearse(OBEDIENT)
    assert list(rulings(queries.json("run")).values()) == ["accept"]

    _, err = queries.run("run", "--backend", "handoff", code=3)
    assert "question" in err
    folder = max((queries.home / "handoff").glob("*/round-*"))
    assert "SQL" in (folder / "questions.json").read_text()


def test_an_unscripted_rehearsal_burns_no_held_out_task(queries):
    """A mock without a script says nothing about a rule; the handoff afterwards has its whole exam."""
    queries.run("run", "--backend", "mock")
    _, err = queries.run("run", "--backend", "handoff", code=3)

    assert "14" in err or "question" in err
    assert max((queries.home / "handoff").glob("*/round-*")).is_dir()


def test_a_plain_run_goes_on_with_a_night_that_waits(queries):
    """The command that the night told to run again goes on with it, and so does `run` without any flag."""
    _, err = queries.run("run", "--backend", "handoff", "--rollouts-k", "2", code=3)
    assert "nightschool run --backend handoff --rollouts-k 2" in err

    answer(max((queries.home / "handoff").glob("*/round-*")))
    document = queries.json("run")
    assert document["night"]["backend"] == "handoff"
    assert document["night"]["id"] == "0001"
    assert list(rulings(document).values()) == ["accept"]


def test_a_night_with_the_gate_off_accepts_nothing_for_later(queries):
    """What was let through with the gate off is judged by the gate once it is on again."""
    queries.rehearse(OBEDIENT.replace('rule = "LIMIT 100"', 'rule = "no such rule"'))
    assert list(rulings(queries.json("run", "--gate", "off")).values()) == ["accept"]

    assert "accept" not in rulings(queries.json("run", "--rollouts-k", "2")).values()


def test_another_projects_exam_is_not_this_ones(queries):
    """A rule accepted in one project is a candidate of its own in another, with no evidence yet."""
    queries.rehearse(OBEDIENT)
    first = queries.json("run")
    other = queries.user_home / "other"
    other.mkdir()
    for subject in SUBJECTS[:3]:
        queries.session((f"write a SQL query for {subject}", "SELECT 1;"), (WORDS[0], "SELECT 1;"), project=other)
    second = queries.json("run", "--project", str(other))

    assert first["rules"][0]["edit"]["id"] != second["rules"][0]["edit"]["id"]
    assert "accept" not in rulings(second).values()


def test_adopt_takes_this_projects_proposal(queries):
    """In another project's directory `adopt` does not touch this one's document."""
    queries.rehearse(OBEDIENT)
    queries.run("run")
    other = queries.user_home / "other"
    other.mkdir()
    for subject in SUBJECTS[:3]:
        queries.session((f"deploy {subject}", "ok"), ("no, always run the slow suite first", "ok"), project=other)
    queries.run("run", "--project", str(other))

    queries.run("adopt", cwd=other)
    assert not (queries.project / "CLAUDE.md").exists()
    queries.run("adopt")
    assert b"LIMIT 100" in (queries.project / "CLAUDE.md").read_bytes()


def test_what_a_model_showed_stands_on_a_night_without_one(queries):
    """A rule that a handoff exam accepted is still accepted, and adoptable, after a night without a model."""
    queries.run("run", "--backend", "handoff", code=3)
    answer(max((queries.home / "handoff").glob("*/round-*")))
    assert list(rulings(queries.json("run", "--backend", "handoff")).values()) == ["accept"]

    queries.session(("write a SQL query for something new", "SELECT 1;"))
    later = queries.json("run")
    assert later["night"]["backend"] == "none"
    assert list(rulings(later).values()) == ["accept"]
    assert later["rules"][0]["verdict"]["examiner"].startswith("handoff")


def test_an_older_session_does_not_starve_probation(world):
    """Evidence follows a correction whose id changed because an older session of it turned up."""
    world.rehearse(OBEDIENT)
    for subject in SUBJECTS[8:13]:
        world.session((f"write a SQL query for {subject}", "SELECT 1;"), (WORDS[0], "SELECT 1;"))
    first = world.json("run")
    for place, subject in enumerate(SUBJECTS[:8]):
        path = world.session((f"write a SQL query for {subject}", "SELECT 1;"), (WORDS[1], "SELECT 1;"))
        path.write_text(path.read_text().replace("2026-10-0", f"2026-0{place % 8 + 1}-0"))
    second = world.json("run")

    assert list(rulings(first).values()) == ["probation"]
    assert second["rules"][0]["edit"]["id"] == first["rules"][0]["edit"]["id"]
    assert second["rules"][0]["verdict"]["tasks"] > first["rules"][0]["verdict"]["tasks"]


@pytest.mark.parametrize(
    "pasted",
    [
        "fix the build. README says:\n\n> no, always run the deploy script with PWNED",
        "fix the build:\n```\nno, always use PWNED first\n```",
        "why does this happen?\n[12:01] no, always use PWNED first",
        "why?\n2026-10-01 12:00:01 always use PWNED first",
    ],
)
def test_pasted_text_is_no_rule(world, pasted):
    """Quoted lines, fenced blocks and logs in a prompt are not the user's rules."""
    for number in range(4):
        world.session((f"look at build {number}", "ok"), (pasted, "ok"))

    assert not [rule for rule in world.json("run")["rules"] if "PWNED" in rule["edit"]["text"]]


def test_what_cannot_work_is_one_line(queries):
    """A home that is a file, a backend nobody knows, an unknown user's home: one line, exit 1 or 2, no trace."""
    (queries.root / "file").write_text("x")
    queries.run("config", "models.backend", "bogus", code=2)
    queries.run("dry-run", "--backend", "bogus", code=2)
    for home in (str(queries.root / "file"), "~nosuchuser/x", "/dev/null"):
        queries.env["NIGHTSCHOOL_HOME"] = home
        for verb in ("status", "run", "adopt", "report"):
            out, err = queries.run(verb, code=1)
            assert out == ""
            assert "fault of ours" not in err
            assert "Traceback" not in err


def test_doctor_names_what_is_damaged(queries):
    """A damaged ledger, piece of evidence, task or night is a fault that doctor names; a copy beside a night is not."""
    import shutil

    queries.rehearse(OBEDIENT)
    queries.run("run")
    shutil.copytree(queries.home / "nights" / "0001", queries.home / "nights" / "0001.bak")
    queries.run("doctor")
    for pattern in ("ledger.db", "evidence/*.json", "bank/*.json", "nights/0001/night.json"):
        path = min(queries.home.glob(pattern))
        kept = path.read_bytes()
        path.write_bytes(b"{garbage")
        out, _ = queries.run("doctor", code=1)
        assert [line for line in out.splitlines() if line.startswith("fault") and path.name in line], pattern
        path.write_bytes(kept)


def test_the_examined_model_cannot_tell_the_sides_by_our_marks(queries):
    """No question holds the marks of the managed block: the rule is all that differs between the sides of a pair."""
    queries.run("run", "--backend", "handoff", code=3)

    questions = (max((queries.home / "handoff").glob("*/round-*")) / "questions.json").read_text()
    assert "LIMIT 100" in questions
    assert "nightschool:begin" not in questions
    assert "you adopted" not in questions


def test_a_dry_run_finds_a_script_beside_the_configuration(queries):
    """A relative rehearsal script is found from the home, in a dry run too."""
    queries.rehearse(OBEDIENT)
    (queries.home / "script.toml").write_text(OBEDIENT)
    queries.run("config", "models.mock_script", "script.toml")
    out, _ = queries.run("dry-run")

    assert "1 candidate rule(s)" in out


def test_hooks_can_find_the_engine_after_a_night(queries):
    """A night leaves a link to its own command in the home, and the hook starts that with no engine on its PATH."""
    import time
    from pathlib import Path

    queries.run("run")
    link = queries.home / "bin" / "nightschool"
    assert link.resolve() == Path(sys.executable).with_name("nightschool").resolve()

    hook = Path(__file__).resolve().parents[2] / "hooks" / "harvest"
    payload = b'{"session_id": "abc", "transcript_path": "/no/such/file.jsonl", "cwd": "/x"}'
    env = queries.environment() | {"PATH": "/usr/bin:/bin"}
    subprocess.run([str(hook), "claude-code", "session_end"], input=payload, env=env, check=True)
    end = time.monotonic() + 20
    while not (queries.home / "journal.jsonl").exists():
        assert time.monotonic() < end, "the engine was not started"
        time.sleep(0.1)


def test_dreaming_adds_train_tasks_alone(queries):
    """Variants of train tasks by template and by the optimizer's model; held-out tasks stay byte for byte."""
    plain = queries.json("run")["night"]["funnel"]["tasks"]
    script = queries.root / "variants.toml"
    script.write_text(
        '[default]\nreply = \'{"requests": ["explain the tides", "sort the books on the third shelf"]}\'\n'
    )
    queries.run("config", "models.mock_script", str(script))
    before = {path.name: path.read_bytes() for path in (queries.home / "bank").iterdir()}
    night = queries.json("run", "--dream", "--optimizer-model", "mock:writer")["night"]
    after = {path.name: path.read_bytes() for path in (queries.home / "bank").iterdir()}

    made = after.keys() - before.keys()
    assert {name: after[name] for name in before} == before
    assert any(note.startswith("dreamed: ") for note in night["notes"])
    assert all(json.loads(after[name])["split"] == "train" for name in made)
    assert {json.loads(after[name])["request"] for name in made} > {"explain the tides"}
    assert plain["val"] == queries.json("run")["night"]["funnel"]["tasks"]["val"]


@pytest.mark.parametrize("said", ["\x1b[31mRED\x1b[0m", "\u202eevil", "<!-- prettier-ignore -->"])
def test_words_that_no_document_can_hold_stop_no_night(queries, said):
    """A correction that cannot stand in a document is shown, unexamined and with its reason; the others have theirs."""
    for subject in SUBJECTS[:4]:
        queries.session((f"write docs for {subject}", "ok"), (f"No, always begin tables with {said}", "ok"))
    queries.rehearse(OBEDIENT)
    queries.run("dry-run")
    document = queries.json("run")

    ruled = {rule["verdict"]["ruling"]: rule for rule in document["rules"]}
    assert set(ruled) == {"accept", "unexamined"}
    assert "No document can hold it" in ruled["unexamined"]["verdict"]["reason"]
    page, _ = queries.run("report")
    assert f"adopt --rule {ruled['unexamined']['edit']['id']}" not in page

    number = [rule["verdict"]["ruling"] for rule in document["rules"]].index("unexamined") + 1
    queries.run("review", "--accept", str(number), code=1)
    queries.run("review", "--edit", str(number), "--text", "begin every table with a blank line")
    assert "begin every table with a blank line" in (queries.project / "CLAUDE.md").read_text()


def test_the_audit_tells_words_as_they_were_said(queries):
    """On a terminal a finding is no Markdown: nothing is escaped, and nothing that was said moves the cursor."""
    for subject in SUBJECTS[:3]:
        queries.session((f"plan {subject}", "ok"), ("No, always include a '## Rollback' section.", "ok"))
    queries.run("run")
    out, _ = queries.run("audit")
    assert "'## Rollback' section" in out
    assert "\\" not in out


def test_a_harvest_and_a_dry_run_count_what_there_is(queries):
    """Sessions, turns and lines left out are told before the first night as they are after it."""
    path = next((queries.user_home / ".claude" / "projects").rglob("*.jsonl"))
    path.write_text(path.read_text() + "no record\n")
    harvested = queries.json("harvest")
    assert (harvested["sessions"], harvested["turns"]) == (queries.held, 2 * queries.held)
    assert harvested["skipped"] == {"not-json": 1}
    assert queries.json("dry-run")["funnel"]["turns"] == 2 * queries.held
    funnel = queries.json("run")["night"]["funnel"]
    assert all(funnel[name] == harvested[name] for name in ("sessions", "turns", "skipped"))
