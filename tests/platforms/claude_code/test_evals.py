"""Held-out tasks as cases of the client's harness: the graders say what our judge says, in JavaScript."""

import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from nightschool.night.judging.judge import reward
from nightschool.night.judging.operators import Attempt
from nightschool.records import Check, Origin, RealTask
from nightschool_claude_code.evals import suite

AT = datetime(2026, 10, 1, tzinfo=UTC)

REPLIES = [
    "SELECT * FROM t LIMIT 100;",
    "select * from t limit 100;",
    "It is 42.",
    "First 42, then 7",
    "x",
    "exactly this",
    " exactly this \n",
    "exactly this and more",
    "# Intro\n\nhello\n\n## Rollback plan:\n\nRun `git revert`.\n\n## Next\n\nNothing.\n",
    "# Intro\n\nRun `git revert`.\n\n## **Rollback Plan**\n\nnone\n",
    '{"name": "a", "total": 3}',
    '{"name": "a"}',
    "größer als $5 (net) [a|b] {c} \\d ^x",
    "é" * 40,
    "😀" * 40,
    "a\nb\nLIMIT 100",
]

CHECKS = [
    Check(op="contains", arg="LIMIT 100"),
    Check(op="contains", arg="LIMIT 100", extra="i"),
    Check(op="contains", arg="$5 (net) [a|b] {c} \\d ^x"),
    Check(op="not_contains", arg="limit"),
    Check(op="not_contains", arg="LIMIT", extra="i"),
    Check(op="regex", arg=r"LIMIT \d+;?$"),
    Check(op="regex", arg=r"^b$"),
    Check(op="regex", arg=r"a.b", extra="s"),
    Check(op="regex", arg=r"limit\s+100", extra="i"),
    Check(op="section_present", arg="Rollback plan"),
    Check(op="section_present", arg="## Next"),
    Check(op="section_contains", arg="Rollback plan", extra="git revert"),
    Check(op="min_chars", arg="1"),
    Check(op="min_chars", arg="40"),
    Check(op="max_chars", arg="40"),
    Check(op="max_chars", arg="39"),
    Check(op="json_keys", arg="name, total"),
    Check(op="equals", arg="exactly this"),
    Check(op="number", arg="42"),
    Check(op="number", arg="7"),
]

NODE = """
const told = JSON.parse(require("fs").readFileSync(0, "utf8"));
const found = told.graders.map(gs => told.replies.map(r => gs.every(g =>
  new RegExp(g.pattern, g.flags).test(r) === (g.match === "contains"))));
console.log(JSON.stringify(found));
"""


def task(*checks, name="t1", **told):
    """Return a held-out task with these checks."""
    origin = Origin(platform="claude-code", session="s", turn="u", at=AT)
    fields = {"recurrence": "c1", "family": "f1", "split": "val", "request": "write a query"} | told
    return RealTask(id=name, checks=checks, origins=(origin,), first_seen=AT, last_seen=AT, **fields)


def read(text):
    """Return the fields of a file's front matter, and its body."""
    _, head, body = text.split("---\n", 2)
    return {line.partition(": ")[0]: json.loads(line.partition(": ")[2]) for line in head.splitlines()}, body


def graders(found, name="t1"):
    """Return a case's graders."""
    wanted = f"evals/{name}/graders/"
    return [read(text)[0] for path, text in sorted(found.files.items()) if path.startswith(wanted)]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_a_grader_says_what_the_judge_says():
    """For every operator that is told, the JavaScript regexes pass exactly the replies that our judge passes."""
    told = {"graders": [graders(suite([task(check)], [])) for check in CHECKS], "replies": REPLIES}
    ran = subprocess.run(["node", "-e", NODE], input=json.dumps(told), capture_output=True, text=True, check=True)
    for check, passed in zip(CHECKS, json.loads(ran.stdout), strict=True):
        ours = [reward([check], Attempt(reply)) == 1 for reply in REPLIES]
        assert passed == ours, (check, [r for r, a, b in zip(REPLIES, passed, ours, strict=True) if a != b])
        assert True in ours
        assert False in ours or check.arg == "1"


@pytest.mark.parametrize(
    "check",
    [
        Check(op="no_refusal"),
        Check(op="command", arg='["pytest", "-q"]'),
        Check(op="regex", arg=r"(?i)limit"),
        Check(op="regex", arg=r"(?P<n>\d+)"),
        Check(op="regex", arg=r"\Aselect"),
        Check(op="number", arg="42", extra="0.5"),
    ],
)
def test_what_cannot_be_told_is_left_out_and_named(check):
    """A task with a check that the free graders cannot express becomes no case: half a check would be another exam."""
    found = suite([task(Check(op="contains", arg="x"), check), task(Check(op="contains", arg="x"), name="t2")], [])
    assert list(found.left_out) == ["t1"]
    assert check.op.value in found.left_out["t1"]
    assert not [path for path in found.files if "/t1/" in path]
    assert graders(found, "t2")


def test_a_tool_that_must_be_called_is_allowed():
    """A grader that counts a tool's calls passes only when the case allows the tool."""
    found = suite([task(Check(op="tool_called", arg="Bash"))], [])
    head, body = read(found.files["evals/t1/prompt.md"])
    assert "Bash" in head["allowed_tools"]
    assert head["tags"] == ["val", "f1"]
    assert body.strip() == "write a query"
    assert graders(found) == [{"type": "tool_used", "tool": "Bash", "min": 1}]


def test_rules_and_requests_cannot_break_the_format():
    """Whatever stands in a rule or a request, front matter stays front matter, and a rule stays one line."""
    found = suite(
        [task(Check(op="contains", arg='a"\n---\n: x'), request="---\nmax_turns: 99\n---\n")], ["one\n---\ntwo"]
    )
    head, body = read(found.files["evals/t1/prompt.md"])
    assert head["max_turns"] < 99
    assert "max_turns: 99" in body
    assert "- one --- two" in found.files["skills/nightschool-learned/SKILL.md"]
    assert graders(found)[0]["pattern"] == 'a"\n---\n: x'
