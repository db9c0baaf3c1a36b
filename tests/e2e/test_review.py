"""The review, by number and in a real terminal: decisions are in force at once, remembered, and can be taken back."""

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest

from nightschool.night.decisions import Decision, newest
from nightschool.paths import Home

OTHER = ("no, never use semicolons in python code", "No, never use semicolons in Python code.")
PROGRAMS = (
    "a queue", "a stack", "a trie", "a heap", "a cache", "a parser", "a lexer", "a router", "a timer", "a logger", "a ring", "a graph",
)  # fmt: skip


@pytest.fixture
def reviewed(queries):
    """Return a world whose night proposes two rules, unexamined."""
    for number, what in enumerate(PROGRAMS):
        queries.session((f"write python code for {what}", "x = 1;"), (OTHER[number % 2], "x = 1"))
    assert len(queries.json("run")["rules"]) == 2
    return queries


class Terminal:
    """The command in a pseudo-terminal."""

    def __init__(self, world, *words, **env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(world.project)
            os.execve(
                sys.executable,
                [sys.executable, "-m", "nightschool", *words],
                world.environment() | {"TERM": "xterm"} | env,
            )
        self.seen = ""

    def expect(self, words, seconds=30):
        """Read until these words have come since the last match."""
        deadline = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < deadline, f"{words!r} did not come: {self.seen!r}"
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    assert words in self.seen, f"{words!r} did not come before the end: {self.seen!r}"
        before, _, self.seen = self.seen.partition(words)
        return before

    def say(self, line):
        """Type a line."""
        os.write(self.fd, line.encode() + b"\r")

    def end(self):
        """Return the exit code."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def rules_file(world):
    """Return the rules' document of the project, "" when there is none."""
    path = world.project / "CLAUDE.md"
    return path.read_text() if path.exists() else ""


def states(world):
    """Return what became of each rule by its number."""
    return {rule["number"]: rule["state"] for rule in world.json("review")["rules"]}


def test_by_number(reviewed):
    """Accept one, reject the other with a reason: the document, the list and the next night know."""
    told = reviewed.json("review")
    assert [rule["state"] for rule in told["rules"]] == ["open", "open"]
    assert all(rule["diff"].startswith("--- as it is") for rule in told["rules"])

    after = reviewed.json("review", "--accept", "2", "--reject", "1", "--reason", "too broad")
    assert {rule["number"]: (rule["state"], rule["reason"]) for rule in after["rules"]} == {
        1: ("rejected", "too broad"),
        2: ("adopted", ""),
    }
    assert told["rules"][1]["edit"]["text"] in rules_file(reviewed)
    assert told["rules"][0]["edit"]["text"] not in rules_file(reviewed)
    assert "nothing to adopt" in reviewed.run("adopt")[0]
    assert not list(reviewed.home.glob("brief/**/*.md"))

    reviewed.session(("write python code for a shop", "x;"), (OTHER[0], "x"))
    reviewed.session(
        ("write a SQL query for shops", "SELECT 1;"), ("no, always end the query with LIMIT 100", "SELECT 1 LIMIT 100;")
    )
    assert reviewed.json("run")["rules"] == []


def test_rejected_words_stay_away_and_can_be_reopened(reviewed):
    """A rule that was rejected is proposed again only after the user has reopened it."""
    rejected = reviewed.json("review", "--reject", "1", "--reason", "no")["rules"][0]["edit"]
    reviewed.session(("write python code for a shop", "x;"), (OTHER[0], "x"))
    second = reviewed.json("run")
    assert rejected["id"] not in {rule["edit"]["id"] for rule in second["rules"]}

    reviewed.json("review", "--night", "0001", "--reopen", "1")
    reviewed.session(("write python code for a till", "x;"), (OTHER[0], "x"))
    assert rejected["id"] in {rule["edit"]["id"] for rule in reviewed.json("run")["rules"]}


def test_in_other_words(reviewed):
    """The user's words are adopted, the proposed ones are not and do not come back; `undo` takes the words back."""
    before = rules_file(reviewed)
    reviewed.run("review", "--edit", "1", "--text", "End every SQL query with LIMIT 50")
    assert "End every SQL query with LIMIT 50" in rules_file(reviewed)
    assert states(reviewed) == {1: "edited", 2: "open"}
    reviewed.run("undo")
    assert rules_file(reviewed) == before


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--reject", "1"], 2, "--reason"),
        (["--reject", "1", "--reason", " "], 2, "--reason"),
        (["--edit", "1"], 2, "--text"),
        (["--accept", "1", "--skip", "1"], 2, "once"),
        (["--accept", "9"], 1, "no rule of this number"),
        (["--accept", "2", "--accept", "0"], 1, "no rule of this number"),
        (["--edit", "1", "--text", "<!-- nightschool:end -->"], 1, "cannot be a rule"),
        (["--reopen", "1"], 1, "no decision"),
    ],
)
def test_what_cannot_be_decided_changes_nothing(reviewed, words, code, why):
    """One clear line, and neither the document nor the decisions have changed."""
    before = rules_file(reviewed)
    assert why in reviewed.run("review", *words, code=code)[1]
    assert rules_file(reviewed) == before
    assert states(reviewed) == {1: "open", 2: "open"}


def test_a_decision_is_made_once(reviewed):
    """An adopted rule is not rejected, a rejected one not adopted, without taking the first decision back."""
    reviewed.run("review", "--accept", "1")
    assert "adopted already" in reviewed.run("review", "--reject", "1", "--reason", "x", code=1)[1]
    reviewed.run("review", "--reject", "2", "--reason", "x")
    assert "--reopen 2" in reviewed.run("review", "--accept", "2", code=1)[1]


def test_a_walk_in_a_terminal(reviewed):
    """Evidence, diff, skip, quit; then on where it stopped: the skipped rule last, a reject with its reason."""
    terminal = Terminal(reviewed, "review")
    shown = terminal.expect("[q]uit > ")
    assert "1 of 2" in shown
    assert "Not measured" in shown
    assert "“" in shown
    terminal.say("d")
    assert "+++ with the rule" in terminal.expect("[q]uit > ")
    terminal.say("s")
    terminal.expect("left for later")
    terminal.expect("2 of 2")
    terminal.expect("[q]uit > ")
    terminal.say("q")
    terminal.expect("1 rule(s) left")
    assert terminal.end() == 0
    assert states(reviewed) == {1: "skipped", 2: "open"}

    terminal = Terminal(reviewed, "review")
    assert "2. " in terminal.expect("[q]uit > ")
    terminal.say("r")
    terminal.expect("why?")
    terminal.say("it is the linter's work")
    terminal.expect("not proposed again")
    terminal.expect("[q]uit > ")
    terminal.say("e")
    terminal.expect("in your words > ")
    terminal.say("Limit queries to 7 rows")
    terminal.expect("adopted in")
    terminal.expect("last one")
    assert terminal.end() == 0
    assert "Limit queries to 7 rows" in rules_file(reviewed)
    reasons = [decision.reason for decision in newest(Home(reviewed.home)).values()]
    assert "it is the linter's work" in reasons

    terminal = Terminal(reviewed, "review")
    terminal.expect("no rule waits for you")
    assert terminal.end() == 0


def test_an_editor_rewords(reviewed, tmp_path):
    """With EDITOR set the rule is written in it."""
    editor = tmp_path / "my editor"
    editor.write_text("#!/bin/sh\necho 'Written in an editor' > \"$1\"\n")
    editor.chmod(0o755)
    terminal = Terminal(reviewed, "review", EDITOR=f"'{editor}'")
    terminal.expect("[q]uit > ")
    terminal.say("e")
    terminal.expect("adopted in")
    terminal.expect("[q]uit > ")
    os.write(terminal.fd, b"\x04")  # the end of input quits
    assert terminal.end() == 0
    assert "Written in an editor" in rules_file(reviewed)


def test_no_escape_sequence_reaches_the_terminal(reviewed):
    """A rule is foreign text: what would command a terminal is not printed."""
    path = next(reviewed.home.glob("nights/*/proposal.json"))
    told = json.loads(path.read_text())
    for rule in told["rules"]:
        rule["edit"]["text"] = "\x1b]0;owned\x07\x1b[31mred\x1b[0m \u202eback"
        rule["quarantine"] = ["\x1b[2J"]
    path.write_text(json.dumps(told))
    out, _ = reviewed.run("review")
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "red" in out


def test_a_damaged_log_of_decisions_is_not_read_as_empty(reviewed):
    """What was turned down must not come back because a line is broken."""
    reviewed.run("review", "--reject", "1", "--reason", "x")
    path = reviewed.home / "decisions.jsonl"
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("{broken\n")
    assert "damaged" in reviewed.run("review", code=1)[1]


def test_a_reason_is_redacted(reviewed):
    """What the user types may hold a key: it is not kept."""
    key = "sk-ant-api03-" + "A1b2" * 20
    reviewed.run("review", "--reject", "1", "--reason", f"because {key}")
    assert key not in (reviewed.home / "decisions.jsonl").read_text()
    assert subprocess.run(["grep", "-r", key, str(reviewed.home)], capture_output=True, check=False).returncode == 1
    assert Decision.model_fields["reason"].default == ""
