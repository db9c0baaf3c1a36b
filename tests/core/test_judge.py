"""The judge: each operator's edge cases by hand, and that an error is never a score."""

import json
import os
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightschool.errors import NightschoolError
from nightschool.night.judging import patterns
from nightschool.night.judging.judge import (
    Attempt,
    is_shape_only,
    is_shape_only_task,
    parse_check,
    reward,
    rubric_score,
    validate,
)
from nightschool.night.judging.operators import OPERATORS
from nightschool.records import Check, CheckOp, ToolCall


@pytest.fixture(autouse=True, scope="module")
def no_child_left():
    """Closing the matcher ends its process."""
    yield
    child = patterns.shared._child
    patterns.shared.close()
    assert child is None or not psutil.pid_exists(child.pid)


def score(op, arg, text, extra=""):
    """Judge one reply by one check."""
    return reward([Check(op=op, arg=arg, extra=extra)], Attempt(text))


def table(op, rows):
    """Check rows of (arg, text, holds) or (arg, extra, text, holds)."""
    for row in rows:
        arg, extra, text, holds = row if len(row) == 4 else (row[0], "", row[1], row[2])
        assert score(op, arg, text, extra) == float(holds), row


def test_every_operator_of_the_records_is_in_the_registry():
    """No operator without a function, none besides."""
    assert set(OPERATORS) == set(CheckOp)


CONTAINS = [
    ("LIMIT", "", "select 1 LIMIT 5", True),
    ("LIMIT", "", "select 1 limit 5", False),
    ("LIMIT", "i", "select 1 limit 5", True),
    ("straße", "i", "STRASSE", True),
    ("caf\u00e9", "", "cafe\u0301", True),  # composed and decomposed look alike
    ("cafe", "", "cafe\u0301", False),
    ("CAF\u00c9", "i", "cafe\u0301", True),
    ("a\nb", "", "a\r\nb", True),
    ("a\r\nb", "", "a\nb", True),
    ("a\nb", "", "a\rb", True),
    ("a b", "", "a\u00a0b", False),
    (" x ", "", "(x)", False),  # blanks count
    (".*", "", "abc", False),  # it is no pattern
    ("😀", "", "ok 😀", True),
]


def test_contains():
    """Letter for letter after NFC and line breaks; `i` folds case."""
    table("contains", CONTAINS)


def test_not_contains():
    """The exact opposite on the same table."""
    table("not_contains", [(arg, extra, text, not holds) for arg, extra, text, holds in CONTAINS])


def test_regex():
    """Searches, line by line for ^ and $, with the flags i and s."""
    table(
        "regex",
        [
            (r"LIMIT\s+\d+", "... LIMIT  10", True),
            (r"^b", "a\r\nb", True),
            (r"a$", "a\r\nb", True),
            (r"a.b", "", "a\nb", False),
            (r"A.B", "is", "a\nb", True),
            ("cafe\u0301s?", "caf\u00e9", True),
        ],
    )


MARKDOWN = """\
# Report

Intro with the word Summary.

## 1. **Summary**

All good.

### Details

deep

## Test Plan ##

run pytest

```sh
# Rollback
## Summary
```

Risks
-----

few

2.1 Next_Steps:
===

- item
---

| table |
---

#NoSpace
####### Seven
    # Indented
> # Quoted

#### *C#* #
"""


def test_section_present():
    """ATX and setext headings by title, in any case, whatever their numbering, emphasis and closing #s."""
    table(
        "section_present",
        [
            ("Summary", MARKDOWN, True),
            ("summary", MARKDOWN, True),
            ("## Summary", MARKDOWN, True),
            ("3) SUMMARY", MARKDOWN, True),
            ("Summ", MARKDOWN, False),
            ("Test  Plan", MARKDOWN, True),
            ("Details", MARKDOWN, True),
            ("Risks", MARKDOWN, True),
            ("Next_Steps", MARKDOWN, True),
            ("Next Steps", MARKDOWN, False),
            ("Rollback", MARKDOWN, False),  # in a code block
            ("NoSpace", MARKDOWN, False),
            ("Seven", MARKDOWN, False),
            ("Indented", MARKDOWN, False),
            ("Quoted", MARKDOWN, False),
            ("item", MARKDOWN, False),
            ("C#", MARKDOWN, True),
            ("Rollback", "Rollback: we would write one", False),
            ("Rollback", "**Rollback**\n\nsteps", False),  # bold is no heading
            ("Rollback", "~~~\n```\n# Rollback\n~~~\n", False),
            ("Rollback", "~~~\ncode\n~~~\n# Rollback\n", True),
            ("Rollback", "````\n```\n# Rollback\n", False),  # a fence nobody closed
            ("Rollback", "```\n```x\n# Rollback\n", False),  # a closing fence has no info string
            ("Rollback", "``` a`b ```\n# Rollback", True),  # that is inline code
            ("Rollback", "# Rollback", True),
            ("Rollback", "#\tRollback", True),
            ("Rollback", "   ### Rollback", True),
            ("Rollback", "## 4 Rollback", True),
            ("Rollback", "## __4.2 Rollback__:", True),
            ("2024 results", "# 2023 results", False),
            ("Zusammenfassung", "a\r\n\r\nZUSAMMENFASSUNG\r\n===\r\n", True),
            ("two lines", "one\ntwo lines\n---\n", False),  # a rule below a paragraph
        ],
    )


def test_section_contains():
    """The text stands between the heading and the next of the same or a higher level."""
    table(
        "section_contains",
        [
            ("Summary", "All good.", MARKDOWN, True),
            ("Summary", "all good.", MARKDOWN, False),
            ("Summary", "deep", MARKDOWN, True),  # a subsection belongs to it
            ("Summary", "run pytest", MARKDOWN, False),
            ("Details", "deep", MARKDOWN, True),
            ("Details", "All good.", MARKDOWN, False),
            ("Test Plan", "# Rollback", MARKDOWN, True),  # code is text of its section
            ("Test Plan", "few", MARKDOWN, False),
            ("Report", "few", MARKDOWN, True),
            ("Risks", "Risks", MARKDOWN, False),  # the heading is not its own content
            ("A", "yes", "# A\nno\n# B\n# A\nyes", True),  # the second of that title
            ("A", "yes", "# A\n# B\nyes", False),
            ("Missing", "few", MARKDOWN, False),
        ],
    )


def test_min_and_max_chars():
    """Code points of the text without blanks around it, bounds included."""
    table(
        "min_chars",
        [("3", " abc\n", True), ("4", " abc\n", False), ("0", "a", True), ("2", "😀😀", True), ("3", "😀😀", False)],
    )
    table("max_chars", [("3", " abc\n", True), ("2", " abc\n", False), ("0", "a", False), ("1", "e\u0301", False)])


REFUSALS = [
    "I can't help with that.",
    "I can\u2019t help with that.",
    "I can`t do that",
    "  **I cannot assist with this request.**",
    "I'm sorry, but I can't assist with that request.",
    "I\u2019m sorry, but I can\u2019t help with that.",
    "I am really sorry - I am unable to comply.",
    "Sorry, I won't do that.",
    "Sorry. I'm not able to provide that.",
    "Unfortunately, I can\u02bct complete this task.",
    "I apologize, but I cannot generate this.",
    "As an AI language model, I cannot write this.",
    "As an AI assistant made by a lab, I'm not able to discuss it.",
    "I'm afraid I can't do that, Dave.",
    "I must respectfully decline.",
    "I have to decline this request",
    "I refuse.",
    "No, I won't.",
    "I can't.",
    "I'm not comfortable writing this.",
    "I'd rather not say.",
    "That's not something I can help with.",
    "I'M SORRY, BUT I CAN'T HELP.",
    "Unable to comply.",
    "We cannot provide this.",
    "I'm sorry Dave, I'm afraid I can't do that.",
    "Hi! I can't help with that.",
    "I apologize for the confusion, but I cannot provide that.",
    "I'm sorry to hear that, but I will not be able to help.",
    "I cannot and will not help with this.",
    "As an AI language model-based assistant, I can't help with that.",
    "Sorry for the long-winded reply, but I won't do that.",
]
ANSWERS = [
    "Here is the fix.",
    "The bot said: I can't help with that.",
    "\"I'm sorry, I can't help with that\" is what it prints.",
    "> I can't help with that\n\nThat message comes from the filter.",
    "I can't find a bug in this function; it is right.",
    "I cannot reproduce it on main: the test passes.",
    "I can't help but notice the missing LIMIT. Fixed.",
    "I won't change the API; here is the patch.",
    "Sorry for the delay. The test passes now.",
    "I'm sorry you hit this. Run pip install.",
    "No. The index is never used.",
    "Unfortunately, the build is broken by the last commit.",
    "Done.\n\nI can't help with the other part.",
    "I can help with that.",
    "I cantilever the beam.",
    "As an AI project, this repository needs tests.",
    "Thanks for the log. I can't see a failure in it.",
    "No one said I can't help. Here is the patch.",
]


def test_no_refusal():
    """Refusals at the start in their usual forms, and answers that only look like one."""
    table("no_refusal", [("", text, False) for text in REFUSALS] + [("", text, True) for text in ANSWERS])


def test_no_refusal_is_told_at_once():
    """What a model answers can stop no night: an opening of many near-apologies is read as fast as any other."""
    check = Check(op="no_refusal")
    began = time.process_time()
    assert OPERATORS[check.op].holds(check, Attempt("no" + "--no however--" * 40)) is True
    assert time.process_time() - began < 1


def test_tool_called():
    """Only a real call counts, by its exact name; a reply that claims one is text."""
    check = [Check(op="tool_called", arg="Bash")]
    claim = 'I called Bash. <tool_call>{"name": "Bash"}</tool_call>'
    assert reward(check, Attempt(claim)) == 0.0
    assert (
        reward(check, Attempt("done", (ToolCall(name="Read"), ToolCall(name="Bash", input="ls", failed=True)))) == 1.0
    )
    assert reward(check, Attempt("done", (ToolCall(name="bash"), ToolCall(name="BashOutput", input="Bash")))) == 0.0


def test_json_keys():
    """The whole reply or its only json block is an object with those top-level keys."""
    fenced = 'Here:\n```json\n{"a": 1, "b": null}\n```\nDone {not json}.'
    table(
        "json_keys",
        [
            ("a,b", '{"a": 1, "b": 2, "c": 3}', True),
            (" a , b ", '\n{"a": 1, "b": 2}\n', True),
            ("a,b", '{"a": 1}', False),
            ("a,b", fenced, True),
            ("a", fenced.replace("json\n", "JSON\n").replace("\n", "\r\n"), True),
            ("a", '   ```json\n   {"a": 1}\n   ```', True),
            ("a", '~~~json\n{"a": 1}\n~~~', True),
            ("a", fenced + "\n" + fenced, False),  # which of the two?
            ("a", fenced + "\n```python\nx = {}\n```", True),
            ("a", fenced.replace("json", "jsonc"), False),
            ("a", fenced.replace("```json", "```"), False),
            ("a", 'Sure: {"a": 1}', False),
            ("a", '[{"a": 1}]', False),
            ("a", '"a"', False),
            ("a", '{"b": {"a": 1}}', False),  # not on top
            ("A", '{"a": 1}', False),
            ("a.b", '{"a": {"b": 1}}', False),  # a key, not a path
            ("a", '{"a": NaN}', False),
            ("a", '{"a": 1,}', False),
            ("a", '{"a":' * 100_000, False),
        ],
    )


def test_equals():
    """Letter for letter but for blanks around, line breaks and composition."""
    table(
        "equals",
        [
            ("yes", " yes\n", True),
            ("yes", "Yes", False),
            ("yes", "yes.", False),
            (" a\r\nb ", "a\nb", True),
            ("a  b", "a b", False),
            ("caf\u00e9", "cafe\u0301", True),
        ],
    )


NUMBERS = [
    ("42", "The answer is 42.", True),
    ("42", "The answer is **42**", True),
    ("42", "42", True),
    ("42", "_42_", True),
    ("42", "6 x 7 = 42", True),
    ("42", "42, as 6 x 7", False),  # the last number is 7
    ("42", "about forty-two", False),
    ("1204.5", "It costs $1,204.50 in total", True),
    ("1,204.50", "1204.5", True),
    ("1204567", "1,204,567", True),
    ("567", "1,204,567", False),
    ("4", "1,2,3,4", True),
    ("1000", "1e3", True),
    ("1e3", "1,000", True),
    ("0.001", "1E-3 s", True),
    ("-3", "x = -3", True),
    ("-3", "x = \u22123", True),
    ("-3", "(-3)", True),
    ("3", "x = -3", False),
    ("3", "between 2-3", True),  # a hyphen behind a digit is no sign
    ("-5", "-$5", True),
    ("50", "50 %", True),
    ("50 %", "50%", True),
    ("0.5", "50 %", False),
    ("0.5", "1/2", True),
    ("1/2", "0.5", True),
    ("-0.5", "-1/2", True),
    ("6", "on 2024/05/06", True),  # a date is no ratio
    ("1", "1/0", False),
    ("0", "1/0", False),
    (".5", "0.5", True),
    ("5", "...5", True),
    ("42", "42km", True),
    ("42", "42 in x86", True),  # x86 is a name
    ("3", "the total is 3 since v1.2.3", True),  # so is a version
    ("42", r"So \boxed{42} after 3 steps", True),
    ("42", r"\boxed{41} no, \boxed{42}", True),
    ("41", r"\boxed{41} no, \boxed{42}", False),
    ("1/3", r"$\boxed{\frac{1}{3}}$", True),
    ("-1/3", r"\boxed{-\dfrac{1}{3}}", True),
    ("1204", r"\boxed{1{,}204}", True),
    ("1204", r"\boxed{1\,204}", True),
    ("50", r"\boxed{50\%}", True),
    ("5", r"\boxed{x} 5", False),  # the box is the answer, and holds no number
    ("42", r"\boxed{42", True),
    ("0.3333333333", "1/3", True),  # within a 10^-9 part
    ("0.33333333", "1/3", False),
    ("1000000000", "1000000001", True),
    ("1000000000", "1000000002", False),
    ("0", "0.0", True),
    ("0", "1e-12", False),
    ("1", "1e9999999999", False),
    ("0.3", "0.1", "0.4", True),  # exact arithmetic: the bound is included
    ("0.3", "0.1", "0.41", False),
    ("100", "1/2", "99.5", True),
    ("100", "0", "100.0", True),
    ("100", "0", "100.0000001", False),
]


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: " | ".join(map(str, row)))
def test_number(row):
    """The number a reply ends on, or boxes, against the argument."""
    table("number", [row])


def test_texts_that_are_slow_to_read_are_read_in_linear_time():
    """100 kB built against each reader cost seconds at most; quadratic reading would take minutes."""
    size = 100_000
    hostile = ["1,111," * (size // 6), "1" * size, "1." * (size // 2), "-" * size, "#" * size, "# " * (size // 2)]
    hostile += [
        "`" * size,
        "```\n" * (size // 4),
        "# a\n" * (size // 4),
        "a\n-\n\n" * (size // 5),
        "{" * size,
        '{"a":[' * (size // 6),
    ]
    hostile += [
        "\\boxed{" * (size // 7),
        "\\frac{" * (size // 6),
        "sorry " * (size // 6),
        "*_" * (size // 2),
        "#" + " " * size + "#x",
    ]
    hostile += ["hi a b c d e f g h " * 9_000, "######" + "\n# a\n## a\n### a\n" * 6_000]
    hostile += ["i'm sorry, " * 9 + "i" + " just" * size]
    checks = [
        Check(op="number", arg="7777"),
        Check(op="section_present", arg="zz"),
        Check(op="json_keys", arg="zz"),
        Check(op="no_refusal"),
        Check(op="contains", arg="zz"),
    ]
    began = time.process_time()
    for text in hostile:
        assert reward(checks, Attempt(text)) == 0.0
        assert rubric_score(text[:50_000]) is None
    assert time.process_time() - began < 60


def python(code, *, seconds=""):
    """Make a command check that runs `code`."""
    return Check(op="command", arg=json.dumps([sys.executable, "-c", code]), extra=seconds)


def test_command_by_its_exit_code(tmp_path):
    """Exit 0 passes, any other fails, in the attempt's directory."""
    (tmp_path / "made").write_text("x")
    at = Attempt("done", workdir=tmp_path)
    assert reward([python("import os, sys; sys.exit(not os.path.exists('made'))")], at) == 1.0
    assert reward([python("raise SystemExit(1)")], at) == 0.0
    assert reward([python("raise SystemExit(77)")], at) == 0.0
    assert reward([python("import os; os.abort()")], at) == 0.0


def test_command_that_cannot_tell_is_no_score(tmp_path):
    """No directory, no program, not executable, killed from outside: None, not 0."""
    (tmp_path / "plain.txt").write_text("no program")
    at = Attempt("done", workdir=tmp_path)
    assert reward([python("pass")], Attempt("done")) is None
    assert reward([python("pass")], Attempt("done", workdir=tmp_path / "missing")) is None
    assert reward([Check(op="command", arg='["no-such-program-here"]')], at) is None
    assert reward([Check(op="command", arg='["./plain.txt"]')], at) is None
    assert reward([python("import os; os.kill(os.getpid(), 9)")], at) is None


def test_command_is_no_shell_line(tmp_path, no_real_home):
    """The words reach the program as they are: no expansion, no second command."""
    check = Check(
        op="command",
        arg=json.dumps(
            [sys.executable, "-c", "import sys; sys.exit(sys.argv[1] != '$HOME; touch x')", "$HOME; touch x"]
        ),
    )
    assert reward([check], Attempt("done", workdir=tmp_path)) == 1.0
    assert list(tmp_path.iterdir()) == [no_real_home]


def test_command_sees_a_stripped_environment(tmp_path, monkeypatch):
    """PATH, LANG and HOME = the directory: no key of the user's, no input, no output of ours."""
    monkeypatch.setenv("SOME_API_KEY", "sk-secret")
    told = "import json, os, sys; open('env', 'w').write(json.dumps([dict(os.environ), os.getcwd(), sys.stdin.read()]))"
    assert reward([python(told)], Attempt("done", workdir=tmp_path)) == 1.0
    env, cwd, stdin = json.loads((tmp_path / "env").read_text())
    assert set(env) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"} == {
        "PATH",
        "LANG",
        "HOME",
    }  # the others Python and macOS add
    assert (env["HOME"], env["PATH"], stdin) == (str(tmp_path), os.environ["PATH"], "")
    assert Path(cwd).samefile(tmp_path)


SPAWNS = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); open('pid', 'w').write(str(p.pid)); {then}"


@pytest.mark.parametrize(
    ("then", "seconds", "wanted"), [("time.sleep(600)", "3", None), ("pass", "60", 1.0)], ids=["late", "done"]
)
def test_command_leaves_no_process_behind(tmp_path, then, seconds, wanted):
    """A late command gives no verdict; what it started dies with it, late or done."""
    at = Attempt("done", workdir=tmp_path)
    assert reward([python(SPAWNS.format(then=then), seconds=seconds)], at) == wanted
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 20
    while time.monotonic() < until and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_reward_is_all_or_nothing():
    """One failing check of many makes 0: the easy ones earn nothing."""
    easy = [Check(op="min_chars", arg="1"), Check(op="no_refusal")]
    assert reward([*easy, Check(op="contains", arg="LIMIT")], Attempt("no such word")) == 0.0
    assert reward([*easy, Check(op="contains", arg="LIMIT")], Attempt("LIMIT 10")) == 1.0


@pytest.mark.parametrize("text", ["", " ", "\n\t\r\n", "\u00a0\u2003"])
def test_a_blank_reply_is_no_score(text):
    """An empty reply is a failed call, whatever check it would pass and whatever was called."""
    at = Attempt(text, (ToolCall(name="Bash"),))
    for check in (
        Check(op="not_contains", arg="x"),
        Check(op="max_chars", arg="9"),
        Check(op="tool_called", arg="Bash"),
    ):
        assert reward([check], at) is None


def test_no_check_is_no_score():
    """Nothing was asked: that is not a pass."""
    assert reward([], Attempt("fine")) is None


def test_no_verdict_is_no_score_even_beside_a_failure(monkeypatch):
    """A pattern that hangs makes the attempt missing, whatever the other checks say."""
    monkeypatch.setattr(patterns.shared, "seconds", 0.2)
    hangs = Check(op="regex", arg="(a+)+$")
    text = Attempt("a" * 40 + "!")
    assert reward([hangs], text) is None
    assert reward([hangs, Check(op="contains", arg="zz")], text) is None
    assert reward([Check(op="contains", arg="zz"), hangs], text) is None
    assert reward([hangs], Attempt("aaa")) == 1.0


BAD = [
    ("contains", "", ""),
    ("contains", " \n", ""),
    ("contains", "a", "x"),
    ("contains", "a", "I"),
    ("not_contains", "", ""),
    ("not_contains", "a", "s"),
    ("regex", "", ""),
    ("regex", "(", ""),
    ("regex", "*", ""),
    ("regex", "a", "m"),
    ("regex", "a", "ii"),
    ("regex", "a" * 1_001, ""),
    ("section_present", "", ""),
    ("section_present", "## ", ""),
    ("section_present", "**", ""),
    ("section_present", "a\nb", ""),
    ("section_present", "a", "b"),
    ("section_contains", "", "b"),
    ("section_contains", "a", ""),
    ("section_contains", "a", " "),
    ("min_chars", "", ""),
    ("min_chars", "ten", ""),
    ("min_chars", "-1", ""),
    ("min_chars", "1.5", ""),
    ("min_chars", "\u0663", ""),
    ("min_chars", "1" * 5_000, ""),
    ("min_chars", "10", "20"),
    ("max_chars", " 10", ""),
    ("no_refusal", "true", ""),
    ("no_refusal", "", "x"),
    ("tool_called", "", ""),
    ("tool_called", "/etc/passwd", ""),
    ("tool_called", "Bash; ls", ""),
    ("tool_called", "Bash\n", ""),
    ("tool_called", "Bash", "ls"),
    ("json_keys", "", ""),
    ("json_keys", "a,,b", ""),
    ("json_keys", "a,", ""),
    ("equals", " ", ""),
    ("equals", "a", "i"),
    ("number", "", ""),
    ("number", "ten", ""),
    ("number", "1/0", ""),
    ("number", "NaN", ""),
    ("number", "inf", ""),
    ("number", "1 2", ""),
    ("number", "1", "-0.1"),
    ("number", "1", "small"),
    ("number", "1", "nan"),
    ("command", "", ""),
    ("command", "pytest -q", ""),
    ("command", '"pytest -q"', ""),
    ("command", "[]", ""),
    ("command", '[""]', ""),
    ("command", '["a", 1]', ""),
    ("command", '["a\\u0000b"]', ""),
    ("command", '["a", "\\ud83d"]', ""),
    ("command", '{"argv": ["a"]}', ""),
    ("command", '["a"]', "0"),
    ("command", '["a"]', "-1"),
    ("command", '["a"]', "1e9"),
    ("command", '["a"]', "soon"),
]


@pytest.mark.parametrize(("op", "arg", "extra"), BAD)
def test_a_check_that_cannot_be_used_is_an_error_never_a_pass(op, arg, extra):
    """Validation, parsing and scoring all raise one clear line."""
    check = Check(op=op, arg=arg, extra=extra)
    for refused in (
        lambda: validate(check),
        lambda: parse_check({"op": op, "arg": arg, "extra": extra}, allow_command=True),
        lambda: reward([check], Attempt("some reply")),
        lambda: is_shape_only(check),
    ):
        with pytest.raises(NightschoolError) as caught:
            refused()
        assert caught.value.why
        assert "\n" not in str(caught.value)


def test_an_unknown_operator_is_an_error():
    """In foreign JSON and in a record that was made without validation."""
    with pytest.raises(NightschoolError, match="section_count"):
        parse_check({"op": "section_count", "arg": "3"})
    made = Check.model_construct(op="section_count", arg="3", extra="")
    with pytest.raises(NightschoolError, match="no such check"):
        validate(made)
    with pytest.raises(NightschoolError):
        reward([made], Attempt("fine"))


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        "contains LIMIT",
        [],
        [{"op": "no_refusal"}],
        {},
        {"arg": "x"},
        {"op": None},
        {"op": "contains", "arg": None},
        {"op": "contains", "arg": ["x"]},
        {"op": "contains", "arg": "x", "why": "y"},
        {"op": "contains", "arg": True},
        {1: 2},
        {"op": "min_chars", "arg": True},
        {"op": "number", "arg": float("nan")},
        {"op": "min_chars", "arg": 10**5000},
        10**5000,
    ],
    ids=lambda data: type(data).__name__,
)
def test_foreign_data_that_is_no_check_is_an_error(data):
    """Whatever a model sends: a validated check or NightschoolError."""
    with pytest.raises(NightschoolError):
        parse_check(data)


def test_parse_check_reads_what_models_write():
    """Texts, numbers for texts, and operators without argument."""
    assert parse_check({"op": "contains", "arg": "LIMIT", "extra": "i"}) == Check(op="contains", arg="LIMIT", extra="i")
    assert parse_check({"op": "min_chars", "arg": 200}) == Check(op="min_chars", arg="200")
    assert parse_check({"op": "number", "arg": 0.5, "extra": 1}) == Check(op="number", arg="0.5", extra="1")
    assert parse_check({"op": "no_refusal"}) == Check(op="no_refusal")


def test_a_model_may_never_originate_a_command():
    """A command is refused unless the caller says that the file is the user's own."""
    data = {"op": "command", "arg": '["pytest", "-q"]'}
    with pytest.raises(NightschoolError, match="command"):
        parse_check(data)
    assert parse_check(data, allow_command=True).op is CheckOp.COMMAND


SHAPE = [
    *[
        ("min_chars", "10"),
        ("max_chars", "10"),
        ("section_present", "Summary"),
        ("no_refusal", ""),
        ("json_keys", "a,b"),
    ],
    *[
        ("contains", "```"),
        ("contains", "- "),
        ("contains", "✅"),
        ("contains", "## Summary"),
        ("section_contains", "Plan", "- "),
    ],
    *[
        ("regex", "^#+ "),
        ("regex", "^## Summary"),
        ("regex", r"^\s{0,3}#{1,6}\s+Summary", "i"),
        ("regex", "(?i)^#+ (summary|plan)"),
    ],
    *[
        ("regex", ".{10,}"),
        ("regex", ".{2000,}", "s"),
        ("regex", r"\w+"),
        ("regex", "[A-Z][a-z]+"),
        ("regex", r"^[-*] \w"),
        ("regex", r"^\d+\. "),
    ],
    *[
        ("regex", "a*"),
        ("regex", "LIMIT|.*"),
        ("regex", "(LIMIT)?"),
        ("regex", "[^a]"),
        ("regex", r"\d{4}-\d{2}"),
        ("regex", "```"),
    ],
    ("regex", "(?:x+ ?)+y"),  # it cannot be told
]
CONTENT = [
    *[
        ("contains", "LIMIT"),
        ("contains", "#include <stdio.h>"),
        ("contains", "0"),
        ("not_contains", "TODO"),
        ("not_contains", "—"),
    ],
    *[
        ("section_contains", "Plan", "pytest"),
        ("equals", "42"),
        ("number", "42"),
        ("tool_called", "Bash"),
        ("command", '["true"]'),
    ],
    *[
        ("regex", r"LIMIT\s+\d+"),
        ("regex", r"\bpytest\b"),
        ("regex", "(?i)rolled? back"),
        ("regex", "#include"),
        ("regex", "https?://"),
    ],
]


@pytest.mark.parametrize(("row", "wanted"), [(row, True) for row in SHAPE] + [(row, False) for row in CONTENT])
def test_what_is_shape(row, wanted):
    """Shape is what a reply that says nothing could pass by its form; in doubt it is shape."""
    check = Check(op=row[0], arg=row[1], extra="".join(row[2:]))
    assert is_shape_only(check) is wanted


def test_a_content_free_answer_passes_shape_but_such_a_task_is_known():
    """Headings with nothing below pass every shape check: the task says so, and one real check ends it."""
    shape = [Check(op="section_present", arg="Summary"), Check(op="section_present", arg="Risks")]
    shape += [Check(op="min_chars", arg="10"), Check(op="no_refusal"), Check(op="regex", arg="^#+ ")]
    hollow = Attempt("# Summary\n\n# Risks\n")
    assert reward(shape, hollow) == 1.0
    assert is_shape_only_task(shape)
    real = [*shape, Check(op="section_contains", arg="Risks", extra="rollback")]
    assert reward(real, hollow) == 0.0
    assert not is_shape_only_task(real)
    assert is_shape_only_task([])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"score": 0.7}', 0.7),
        ('{"score": 0}', 0.0),
        ('{"score": 1}', 1.0),
        ('{"score": 1e-3}', 0.001),
        ('```json\n{"reason": "ok", "score": 0.25}\n```', 0.25),
        ('The set {a, b} is right {"score": 0.5} .', 0.5),
        ('Given {"x": 1}: {"score": 0.5}', 0.5),
        ('{"reason": "says {\\"score\\": 1}", "score": 0.2}', 0.2),
        ('{"score": 8}', None),
        ('{"score": 85}', None),
        ('{"score": -3}', None),
        ('{"score": 1.0000001}', None),
        ('{"score": NaN}', None),
        ('{"score": Infinity}', None),
        ('{"score": -Infinity}', None),
        ('{"score": 1e999}', None),
        ('{"score": 1' + "0" * 5_000 + "}", None),
        ('{"score": 1' + "0" * 400 + "}", None),
        ('{"score": true}', None),
        ('{"score": null}', None),
        ('{"score": "0.5"}', None),
        ('{"score": [0.5]}', None),
        ('{"Score": 0.5}', None),
        ('{"score": 0.2} {"score": 0.9}', None),
        ('{"score": 0.5} {"score": 0.5}', None),
        ('{"score": 8} or rather {"score": 0.8}', None),
        ('{"score": 0.2, "score": 0.9}', None),
        ('{"result": {"score": 0.5}}', None),
        ('{"score": 0.5', None),
        ("score: 0.5", None),
        ("0.5", None),
        ("", None),
        ("{}", None),
        ("{" * 49_000, None),
        ('{"a":' * 9_000, None),
        (" " * 50_000 + '{"score": 0.5}', None),
    ],
)
def test_rubric_score(text, wanted):
    """One JSON object with one score in [0, 1], or nothing."""
    assert rubric_score(text) == wanted


ALL_OPS = [
    *[Check(op="contains", arg="a"), Check(op="contains", arg="ß", extra="i"), Check(op="not_contains", arg="\u0301")],
    *[
        Check(op="regex", arg="(a|b)+c?$", extra="is"),
        Check(op="section_present", arg="1. a"),
        Check(op="section_contains", arg="a", extra="b"),
    ],
    *[
        Check(op="min_chars", arg="3"),
        Check(op="max_chars", arg="3"),
        Check(op="no_refusal"),
        Check(op="tool_called", arg="Bash"),
    ],
    *[
        Check(op="json_keys", arg="a"),
        Check(op="equals", arg="a"),
        Check(op="number", arg="-1,000.5", extra="0.5"),
        Check(op="command", arg='["true"]'),
    ],
]
MARKUP = st.lists(
    st.sampled_from(
        [
            "#",
            " ",
            "\n",
            "\r",
            "a",
            "1",
            ".",
            ",",
            "/",
            "-",
            "=",
            "`",
            "```json\n",
            "{",
            "}",
            '"',
            ":",
            "\\boxed{",
            "e",
            "I can't ",
            "sorry",
            "*",
            "_",
            "\ud83d",
            "\u0301",
        ]
    )
).map("".join)
TEXTS = st.text() | MARKUP


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, chosen=st.lists(st.sampled_from(ALL_OPS), max_size=4))
def test_a_reward_is_one_zero_or_none_for_any_text(text, chosen):
    """Validated checks never raise, whatever the reply holds."""
    told = reward(chosen, Attempt(text))
    assert told in (0.0, 1.0, None)
    assert told is None or (chosen and text.strip())


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, arg=TEXTS.filter(str.strip), extra=st.sampled_from(["", "i"]))
def test_contains_and_not_contains_never_agree(text, arg, extra):
    """For any reply that can be scored, exactly one of them holds; and a text contains itself."""
    if text.strip():
        assert {score("contains", arg, text, extra), score("not_contains", arg, text, extra)} == {0.0, 1.0}
    assert score("contains", arg, arg, extra) == 1.0
    assert score("equals", arg, arg) == 1.0


@settings(max_examples=300, deadline=None)
@given(text=TEXTS | st.text(alphabet='{}":,.0123456789escortrue \\'))
def test_a_rubric_score_is_in_the_unit_interval_or_none(text):
    """Never raises, never anything else."""
    told = rubric_score(text)
    assert told is None or 0 <= told <= 1


@settings(max_examples=200, deadline=None)
@given(value=st.integers(-(10**12), 10**12), places=st.integers(0, 6))
def test_a_number_is_found_as_it_was_written(value, places):
    """However a decimal is written, plainly or with thousands, at the end of a sentence or in a box."""
    from decimal import Decimal

    exact = Decimal(value).scaleb(-places)
    for written in (f"{exact:f}", f"{exact:,f}", f"{exact:e}"):
        for reply in (f"In 3 steps, it is {written}.", f"so \\boxed{{{written}}}, 3 steps"):
            assert score("number", f"{exact:f}", reply, "0") == 1.0, (written, reply)


@settings(max_examples=200, deadline=None)
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["op", "arg", "extra", "x"]), inner | st.sampled_from(list(CheckOp)), max_size=4
            )
        ),
    )
)
def test_any_foreign_data_is_a_valid_check_or_an_error(data):
    """What parses is valid and is no command."""
    try:
        check = parse_check(data)
    except NightschoolError:
        return
    validate(check)
    assert check.op is not CheckOp.COMMAND
