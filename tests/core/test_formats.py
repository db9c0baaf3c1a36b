"""Formats others read and write: round trips, what is documented, and what real files look like."""

import gzip
import json
import os
import random
import re
import sqlite3
import tarfile
import tracemalloc
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.day.redact import redact
from nightschool.errors import NightschoolError
from nightschool.memory.blocks import BlockStore
from nightschool.memory.imports import read as remembered
from nightschool.memory.store import SessionStore
from nightschool.paths import Home
from nightschool.records import Block, Session, Source, ToolCall, Turn
from nightschool.sync import archive, told
from nightschool.sync.formats import atif, dna, ledger, traces
from nightschool.sync.formats.schemas import schemas

FORMATS = Path(__file__).parents[2] / "core" / "formats"
HEX = st.text("0123456789abcdefABCDEF", min_size=8, max_size=8)
ONE = "coder::rust-git::6E44E26D::0011AABB-0a1b2c3d"


def test_the_schemas_are_those_of_the_records():
    """`core/formats/` holds the schema of each record that is stored, as it is made now, and no other."""
    found = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FORMATS.glob("*.schema.json")}
    assert found == {name: json.loads(text) for name, text in schemas().items()}


# --- DNA --------------------------------------------------------------------------------------------------------------


@given(
    st.from_regex(r"[a-z:]{0,3}[a-z]", fullmatch=True).filter(lambda r: "::" not in r),
    st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), min_size=1, max_size=4), HEX, HEX, HEX,
)  # fmt: skip
def test_dna_comes_back_as_it_was(role, caps, scope, body, nonce):
    """Parsing reads either case, writing gives the documented one, and a class is all but the nonce."""
    told = dna.parse(f"{role}::{'-'.join(caps)}::{scope}::{body}-{nonce}")
    assert dna.parse(str(told)) == told
    assert str(told).endswith(f"::{scope.upper()}::{body.upper()}-{nonce.lower()}")
    assert told.task_class == str(told)[:-9]
    assert told.caps == tuple(caps)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"), ("a::b::6E44E26D", "3 parts"), (ONE + "::x", "5 parts"), (ONE.replace("-0a", "_0a"), "no nonce"),
        ("::x::6E44E26D::0011AABB-0a1b2c3d", "role is empty"), ("x::::6E44E26D::0011AABB-0a1b2c3d", "capabilities are"),
        (ONE.replace("6E44E26D", "6E44E26"), "scope"), (ONE.replace("6E44E26D", "6E44E26G"), "scope"),
        (ONE + "0", "nonce"), (ONE.replace("0011AABB", "0011AABBC"), "body"),
    ],
)  # fmt: skip
def test_what_is_no_dna(text, why):
    """Each way to be wrong is named."""
    with pytest.raises(NightschoolError, match=why):
        dna.parse(text)


def test_dna_of_bytes():
    """The hashes are the first four bytes of SHA-256, in upper case; each spawn has a nonce of its own."""
    first = dna.made("coder", ("rust",), b"keiseikit.dev/vms/hetzner/nbg1", b"")
    assert (first.scope, first.body) == ("6E44E26D", "E3B0C442")
    assert first.nonce != dna.made("coder", ("rust",), b"", b"").nonce


# --- traces -----------------------------------------------------------------------------------------------------------

REAL = [
    {"type": "assistant", "timestamp": "2026-05-01T10:00:00.000Z", "sessionId": "s", "cwd": "/p", "uuid": "u1",
     "parentUuid": None, "message": {"role": "assistant", "content": [
         {"type": "tool_use", "id": "x", "name": "Bash", "input": {"command": 'echo "hi" && ls'}}]}, "version": "2.1"},
    {"type": "user", "timestamp": "2026-05-01T10:00:01Z", "sessionId": "s", "toolUseResult": "no", "message": {
        "role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "no", "is_error": True}]}},
    {"type": "user", "timestamp": "2026-05-01T10:00:02Z", "message": {"role": "user", "content": "thanks"}},
]  # fmt: skip
FLAT = [
    {"ts": 1777629600, "kind": "tool_use", "tool": "Edit", "file_path": "/p/x", "is_error": False, "message": "m"},
    {"ts": 1777629601, "kind": "tool_result", "tool": "Bash", "is_error": True},
    {"ts": 1777629602, "kind": "other", "event_class": "user_correction"},
]


@pytest.mark.parametrize(
    ("lines", "events"),
    [
        (REAL, ["tool_use:Bash", "tool_error", "other"]),
        (FLAT, ["tool_use:Edit", "tool_error:Bash", "user_correction"]),
    ],
)
def test_both_forms_of_traces_are_read(lines, events):
    """Classes are told as written, else by content; times of either form are in UTC; what is unknown is kept."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    found = list(traces.read(text))
    assert [line.event for line in found] == events
    assert all(line.at.tzinfo is not None for line in found)
    assert list(traces.read(traces.written(found))) == found
    assert (
        json.loads(traces.written(found[:1])).items()
        >= {k: v for k, v in lines[0].items() if k != "timestamp" and v is not None}.items()
    )


def test_a_line_that_is_none_is_named():
    """The number of the line is told."""
    with pytest.raises(NightschoolError, match="line 2"):
        list(traces.read('{"ts": 1}\nno\n'))


def test_a_session_as_traces():
    """Each use of a tool is a line with its class, and so is what came of it: queries by class find them."""
    calls = (ToolCall(name="Bash", input="ls", failed=True, output="no such file"), ToolCall(name="Edit", input="x"))
    at = "2026-05-06T07:08:09Z"
    turn = Turn(id="t", at=at, prompt="look", reply="done", calls=calls)
    session = Session(platform="toy", id="s", source=Source(path="/x"), project="/p", turns=(turn,))
    lines = [json.loads(line) for line in traces.written(traces.of_session(session)).splitlines()]

    assert [line["event_class"] for line in lines] == [
        "other",
        "tool_use:Bash",
        "tool_error:Bash",
        "tool_use:Edit",
        "other",
    ]
    assert [line.get("parentUuid") for line in lines[1:]] == [line["uuid"] for line in lines[:-1]]
    assert {line["timestamp"] for line in lines} == {at}


# --- trajectories -----------------------------------------------------------------------------------------------------

CALLS = (
    ToolCall(name="Bash", input='{"command": "ls", "n": [1, null]}', failed=True, output="no such file"),
    ToolCall(name="Read", input="src/a.py", failed=False),
    ToolCall(name="Edit", input='{"n": NaN}'),
    ToolCall(name="Skill", input="tidy", failed=False),
)
TURNS = (
    Turn(id="t1", at="2026-05-06T07:08:09Z", prompt="look \U0001f600 \x1b[31m", reply="done", calls=CALLS, tokens=12),
    Turn(id="t2", at="2026-05-06T07:09:09Z", prompt="stop", interrupted=True),
)


def session(name="s", **other):
    """Return a session with every sort of call in it."""
    facts = {"platform": "toy", "id": name, "source": Source(path="/x"), "project": "/p", "branch": "main",
             "started": TURNS[0].at, "ended": TURNS[1].at, "turns": TURNS}  # fmt: skip
    return Session.model_validate(facts | other)


def test_a_session_as_a_trajectory():
    """Steps count from 1; calls, results and figures are the agent's; a result names its call; nothing is made up."""
    found = json.loads(atif.of_session(session()).text())
    assert [(step["step_id"], step["source"]) for step in found["steps"]] == [(1, "user"), (2, "agent"), (3, "user")]
    agent = found["steps"][1]
    assert [call["arguments"] for call in agent["tool_calls"]] == [
        {"command": "ls", "n": [1, None]}, {"input": "src/a.py"}, {"input": '{"n": NaN}'}, {"input": "tidy"},
    ]  # fmt: skip
    names = [call["tool_call_id"] for call in agent["tool_calls"]]
    results = {one["source_call_id"]: one["content"] for one in agent["observation"]["results"]}
    assert results == {names[0]: "no such file", names[1]: "", names[3]: ""}
    assert agent["extra"] == {"failed_calls": names[:1]}
    assert agent["metrics"] == {"extra": {"total_tokens": 12}}
    assert found["steps"][2] == {
        "step_id": 3, "source": "user", "message": "stop", "timestamp": "2026-05-06T07:09:09Z",
        "extra": {"interrupted": True},
    }  # fmt: skip
    assert found["final_metrics"]["total_steps"] == 3
    assert (found["schema_version"], found["session_id"], found["agent"]["name"]) == ("ATIF-v1.4", "s", "toy")
    assert atif.of_session(session(own=True)) is None
    assert atif.of_session(session(turns=())) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda told: told["steps"][1].update(step_id=3), "without a gap"),
        (lambda told: told["steps"].clear(), "at least 1"),
        (lambda told: told["steps"][0].update(tool_calls=told["steps"][1]["tool_calls"]), "only an agent's step"),
        (lambda told: told["steps"][1]["observation"]["results"][0].update(source_call_id="x"), "not of its step"),
        (lambda told: told["steps"][0].update(source="tool"), "source"),
        (lambda told: told["steps"][1]["tool_calls"][0].update(arguments="ls"), "arguments"),
        (lambda told: told.update(schema_version="1.4"), "schema_version"),
        (lambda told: told.update(more=1), "more"),
    ],
)
def test_what_is_no_trajectory(change, why):
    """The models refuse what the format forbids."""
    found = json.loads(atif.of_session(session()).text())
    assert atif.Trajectory.model_validate_json(json.dumps(found)) == atif.of_session(session())
    change(found)
    with pytest.raises(ValueError, match=why):
        atif.Trajectory.model_validate_json(json.dumps(found))


def test_trajectories_of_a_home(tmp_path, home):
    """One file a session, in a folder of its own; one with something in it is left alone."""
    SessionStore(home).save(session())
    SessionStore(home).save(session("mine", own=True))
    assert told.trajectories_to(home, tmp_path / "out") == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["toy-s.json"]
    with pytest.raises(NightschoolError, match="there already"):
        told.trajectories_to(home, tmp_path / "out")


# --- the ledger -------------------------------------------------------------------------------------------------------


def agent(name="a1", **told):
    """Return an agent."""
    return ledger.Agent.model_validate(
        {"id": name, "branch": "b", "spec_sha": "s", "status": "done", "started_ts": 1} | told
    )


def test_the_ledger_comes_back_as_it_was(tmp_path):
    """Rows are read as they were written; the class of a DNA is the database's own."""
    path = tmp_path / "ledger.sqlite"
    ledger.create(path)
    agents = [
        agent(dna=ONE, cost_micro_cents=12),
        agent("a2", started_ts=2, outcome="partial"),
        agent("a3", started_ts=3, dna="x"),
    ]
    skills = [
        ledger.SkillInvocation(skill_name="x", ts=1, success=True),
        ledger.SkillInvocation(skill_name="x", ts=2, success=False),
    ]
    ledger.write(path, agents, skills)
    assert ledger.agents(path) == agents
    assert ledger.skills(path) == skills
    assert path.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (9,)
        classes = [row[0] for row in db.execute("SELECT task_class_dna FROM agents ORDER BY id")]
        assert classes == [dna.task_class_dna(ONE), None, "x"]
        assert len(db.execute("SELECT 1 FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()) == 9
        told = "SELECT skill_name, avg(success) AS rate, count(*) FROM skill_invocations GROUP BY skill_name"
        assert db.execute(told).fetchall() == [("x", 0.5, 2)]
    db.close()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("INSERT INTO agents (id, branch, spec_sha, status, started_ts) VALUES ('x', 'b', 's', 'lost', 1)", "CHECK"),
        (f"INSERT INTO agents (id, branch, spec_sha, status, started_ts) VALUES ('x', '{'b' * 257}', 's', 'done', 1)",
         "branch length exceeds 256"),
        (f"UPDATE agents SET parent_branch = '{'b' * 257}'", "parent_branch length exceeds 256"),
        ("UPDATE agents SET outcome = 'fine'", "CHECK"),
        (f"INSERT INTO agents (id, branch, spec_sha, status, started_ts, dna) VALUES ('x', 'b', 's', 'done', 1, '{ONE}')", "UNIQUE"),
        ("INSERT INTO skill_invocations (skill_name, ts, success) VALUES ('x', 1, 2)", "CHECK"),
    ],
)  # fmt: skip
def test_what_the_ledger_refuses(tmp_path, sql, why):
    """Checks, unique DNAs, and triggers on the length of branches, on insert and on update."""
    path = tmp_path / "ledger.sqlite"
    ledger.create(path)
    ledger.write(path, [agent(dna=ONE)])
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match=why):
        db.execute(sql)
    db.close()


def test_rows_are_written_together_or_not_at_all(tmp_path):
    """One that is refused takes the others back; no file is written over; what is no ledger is told."""
    path = tmp_path / "ledger.sqlite"
    ledger.create(path)
    with pytest.raises(NightschoolError, match="refuses"):
        ledger.write(path, [agent("a1"), agent("a1")])
    assert ledger.agents(path) == []
    with pytest.raises(NightschoolError, match="a file already"):
        ledger.create(path)
    (tmp_path / "x").write_text("no")
    with pytest.raises(NightschoolError):
        ledger.agents(tmp_path / "x")


def test_a_home_as_a_ledger_and_every_documented_query(tmp_path, home):
    """Sessions are agents, skills are counted, the same home gives the same rows, and each query of the page runs."""
    SessionStore(home).save(session())
    SessionStore(home).save(
        session("s2", turns=(TURNS[0].model_copy(update={"calls": (CALLS[3].model_copy(update={"failed": True}),)}),))
    )
    SessionStore(home).save(session("own", own=True))
    one, two = tmp_path / "one.sqlite", tmp_path / "two.sqlite"
    assert told.ledger_to(home, one) == told.ledger_to(home, two) == 4
    assert ledger.agents(one) == ledger.agents(two)
    assert [agent.id for agent in ledger.agents(one)] == ["toy-s", "toy-s2"]
    assert len({dna.task_class_dna(agent.dna) for agent in ledger.agents(one)}) == 1
    assert len({agent.dna for agent in ledger.agents(one)}) == 2
    ledger.write(one, [agent("a1", status="running"), agent("a2", fork_parent_id="a1")])
    text = (FORMATS / "README.md").read_text(encoding="utf-8")
    queries = [q for part in re.findall(r"```sql\n(.*?)```", text, re.DOTALL) for q in part.split(";") if q.strip()]
    assert len(queries) >= 6
    database = sqlite3.connect(one)
    rows = [
        database.execute(query.replace("claude-code::session::9258A92F", ledger.agents(one)[-1].dna[:30])).fetchall()
        for query in queries
    ]
    plan = database.execute(f"EXPLAIN QUERY PLAN {queries[4]}").fetchall()
    database.close()
    assert all(rows)
    assert rows[1] == [("tidy", 2, 0.5, 1778051289)]
    assert ("a2", 1) in rows[5]
    assert "idx_agents_dna_prefix" in str(plan)
    with pytest.raises(NightschoolError, match="a file already"):
        told.ledger_to(home, one)


def test_a_ledger_is_imported(tmp_path):
    """Of another's ledger come the agents that failed or did half, with what they were for; nothing is written to it."""
    path = tmp_path / "ledger.sqlite"
    ledger.create(path)
    rows = [
        agent("a1", outcome="functional", summary="port the parser"),
        agent("a2", outcome="partial", summary="migrate the tables", branch="b2", worktree_path="/w", finished_ts=1778051289),
        agent("a3", status="rejected", summary="rewrite it all"),
        agent("a4", status="failed"),
    ]  # fmt: skip
    ledger.write(path, rows)
    before = path.read_bytes()
    blocks = remembered(path, "/p", redact)
    assert [(b.title, b.project, b.text) for b in blocks] == [
        ("migrate the tables", "/w", "agent a2 on b2: done, outcome partial"),
        ("rewrite it all", "/p", "agent a3 on b: rejected"),
    ]
    assert blocks[0].created.isoformat() == "2026-05-06T07:08:09+00:00"
    assert path.read_bytes() == before


# --- a whole home -----------------------------------------------------------------------------------------------------


def filled(home):
    """Put something of each sort into a home."""
    BlockStore(home).save(
        Block(id="d-1", kind="domain", title="x", created="2026-01-01T00:00:00Z", seen="2026-01-01T00:00:00Z")
    )
    for name in ("sync/deploy_key", "spool/1.json", "machine.json", "index.db", "night.lock", "config.toml"):
        path = home.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}")
    with sqlite3.connect(home.ledger) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()


def test_a_home_goes_into_a_file_and_comes_back(tmp_path, home):
    """All that is kept is there again, byte for byte, private; keys, raw payloads and indexes stay behind."""
    filled(home)
    archive.exported(home, tmp_path / "one.tar.gz")
    archive.exported(home, tmp_path / "two.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    other = Home(tmp_path / "other")
    archive.imported(other, tmp_path / "one.tar.gz")
    found = {p.relative_to(other.root).as_posix() for p in other.root.rglob("*") if p.is_file()}
    assert found == {"config.toml", "ledger.db", "memory/blocks/d-1.json"}
    assert BlockStore(other).path("d-1").read_bytes() == BlockStore(home).path("d-1").read_bytes()
    assert {p.stat().st_mode & 0o077 for p in other.root.rglob("*")} == {0}
    with pytest.raises(NightschoolError, match="a home already"):
        archive.imported(other, tmp_path / "one.tar.gz")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "nul", ".git/config", "link"])
def test_a_file_that_leads_elsewhere_makes_no_home(tmp_path, name):
    """Nothing of it is left, inside or outside."""
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as made:
        made.addfile(tarfile.TarInfo(archive.MARK))
        info = tarfile.TarInfo(name)
        info.size = 1
        if name == "link":
            info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/passwd", 0
        made.addfile(info, BytesIO(b"x"))
    assert archive.is_archive(tmp_path / "bad.tar.gz")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(NightschoolError):
        archive.imported(Home(tmp_path / "new"), tmp_path / "bad.tar.gz")
    assert set(tmp_path.rglob("*")) == before


RECEIPT = {"id": "1", "night": "1", "at": "2026-01-01T00:00:00Z", "edits": [], "files": [], "state": "prepared"}


def test_what_came_with_a_home_and_would_act_does_not(tmp_path):
    """An adoption that a crash has cut short is not finished from a file; settings that run something are named."""
    filled(home := Home(tmp_path / "theirs"))
    home.config.write_text('[schedule]\non_morning = "touch x"\n[openai]\nbase_url = "https://evil.example/v1"\n')
    for name, state in (("1", "prepared"), ("2", "committed")):
        path = home.receipts / name / "receipt.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(RECEIPT | {"id": name, "state": state}))
        path.with_name("undoing.json").write_text("{}")
    archive.exported(home, tmp_path / "one.tar.gz")
    archive.imported(other := Home(tmp_path / "other"), tmp_path / "one.tar.gz")
    assert {path.relative_to(other.receipts).as_posix() for path in other.receipts.rglob("*.json")} == {
        "2/receipt.json"
    }
    assert archive.programs(other) == [
        "openai.base_url = 'https://evil.example/v1'", "schedule.on_morning = 'touch x'"
    ]  # fmt: skip
    other.config.write_text("")
    assert archive.programs(other) == []


def member(name, size, kind=tarfile.REGTYPE):
    """Return the header of a member that claims a size."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(format=tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_name_that_unpacks_to_more_than_memory_makes_no_home(tmp_path, kind):
    """A small file can claim a name of gigabytes: it is refused in one line, and not read."""
    with gzip.open(tmp_path / "bad.tar.gz", "wb", compresslevel=1) as made:
        made.write(member(archive.MARK, 0) + member("x", 2**28, kind))
        for _ in range(2**8):
            made.write(bytes(2**20))
        made.write(member("bank/x.json", 0) + bytes(10240))
    tracemalloc.start()
    archive.is_archive(tmp_path / "bad.tar.gz")
    with pytest.raises(NightschoolError, match="cannot be unpacked"):
        archive.imported(Home(tmp_path / "new"), tmp_path / "bad.tar.gz")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**26
    assert not (tmp_path / "new").exists()


def test_a_damaged_archive_makes_no_home(tmp_path, home):
    """Whatever byte of it is another, or missing: one line, and no home that holds something else."""
    filled(home)
    (home.root / "history.html").write_bytes(random.Random(1).randbytes(300_000))
    archive.exported(home, tmp_path / "one.tar.gz")
    data = (tmp_path / "one.tar.gz").read_bytes()
    for place in (3, 40, len(data) // 3, len(data) // 2, len(data) - 40_000, len(data) - 6):
        for bad in (data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :], data[:place]):
            (tmp_path / "bad.tar.gz").write_bytes(bad)
            with pytest.raises(NightschoolError):
                archive.imported(Home(tmp_path / "new"), tmp_path / "bad.tar.gz")
            assert not (tmp_path / "new").exists(), place


def test_a_pipe_is_no_home(tmp_path):
    """Nobody waits for what a pipe might say."""
    os.mkfifo(tmp_path / "pipe.tar.gz")
    assert not archive.is_archive(tmp_path / "pipe.tar.gz")
