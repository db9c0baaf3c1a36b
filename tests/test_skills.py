"""The shared skills: every command in them exists, they fit every host's limits, and they name actions, not tools."""

import argparse
import contextlib
import io
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from nightschool.cli import VERBS
from nightschool.config import Config, with_setting
from nightschool.errors import UsageError

SKILLS = sorted((Path(__file__).parents[1] / "skills").glob("*/SKILL.md"))
TOOLS = re.compile(
    r"\b(AskUserQuestion|Bash|PowerShell|TodoWrite|WebFetch|WebSearch|MultiEdit|NotebookEdit|Glob|Grep|ToolSearch|Task tool"
    r"|Skill tool|apply_patch|update_plan|exec_command|shell_command|ask_user|report_intent|str_replace\w*|request_user_input"
    r"|Claude|Codex|Copilot|ChatGPT|Anthropic|OpenAI|GitHub)\b"
)
ENGINE = ("uv tool install nightschool", "pipx install nightschool")
HEADER, OPTIONS, DESCRIPTION = 12, 4, 1000


def front(text):
    """Return the front matter of a skill: one `key: value` a line, and the body."""
    begin, head, body = text.split("---\n", 2)
    assert begin == ""
    told = dict(re.fullmatch(r"([a-z-]+): (\S.*)", line).groups() for line in head.splitlines())
    return told, body


def commands(text):
    """Return every `nightschool VERB …` that stands in code, as words."""
    spans = re.findall(r"`([^`]+)`", " ".join(text.split()))
    return [shlex.split(span)[1:] for span in spans if span.startswith("nightschool ")]


def fault(words):
    """Say what is wrong with a command; "" when the real parser takes it and every setting in it exists."""
    if words[0] not in VERBS:
        return f"no verb {words[0]}"
    module = import_module(f"nightschool.cli.{words[0].replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=words[0], allow_abbrev=False)
    module.arguments(parser)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            args = parser.parse_args(words[1:])
        if words[0] == "config" and args.value is not None:
            with_setting(Config(), args.key, args.value)
    except SystemExit:
        return said.getvalue()
    except UsageError as error:
        return str(error)
    return ""


def questions(text):
    """Return (header, options) of every question: a `Header "…"; options "…", "…"`."""
    line = " ".join(text.split())
    asked = re.findall(r'[Hh]eader "([^"]*)"; options:? ("[^"]*"(?:(?:,| and) "[^"]*")*)', line)
    assert len(asked) == len(re.findall(r"\b[Hh]eader\b", line)), "a header without its options"
    return [(header, re.findall(r'"([^"]*)"', options)) for header, options in asked]


@pytest.fixture(params=SKILLS, ids=lambda path: path.parent.name)
def skill(request):
    """Give each skill in turn."""
    return request.param


def test_the_skills_are_these():
    """No skill is lost, and none is here whose verbs are not."""
    names = [path.parent.name for path in SKILLS]
    assert names == [
        "escalate-recurrence",
        "handoff",
        "memory-search",
        "self-audit",
        "sleep",
        "sleep-on-it",
        "sleep-setup",
    ]


def test_front_matter(skill):
    """Its name is its directory's, its description says what and when in at most 1,000 characters, and there is no more."""
    told, body = front(skill.read_text(encoding="utf-8"))

    assert set(told) == {"name", "description"}
    assert told["name"] == skill.parent.name
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,63}", told["name"])
    assert len(told["description"]) <= DESCRIPTION
    assert "Use when" in told["description"]
    assert ": " not in told["description"], "plain YAML would end the text there"
    assert body.startswith("\n# ")
    assert len(body.splitlines()) < 60


def test_every_command_exists(skill):
    """Each `nightschool VERB --flag` is taken by the command's own parser, and each setting takes its value."""
    found = commands(skill.read_text(encoding="utf-8"))

    assert found
    assert [(words, fault(words)) for words in found if fault(words)] == []


def test_it_says_how_to_get_the_engine(skill):
    """Where the command is missing the skill says in one sentence how to get it."""
    (sentence,) = re.findall(
        r"If `nightschool` is not found[^.]*\.", " ".join(skill.read_text(encoding="utf-8").split())
    )

    assert all(f"`{words}`" in sentence for words in ENGINE)


def test_it_names_actions_not_tools(skill):
    """No platform and no tool of one is named: the same text serves all of them."""
    assert TOOLS.findall(skill.read_text(encoding="utf-8")) == []


def test_questions_fit_every_host(skill):
    """A question has a header of at most 12 characters and 2 to 4 options, none of them free text."""
    for header, options in questions(skill.read_text(encoding="utf-8")):
        assert 0 < len(header) <= HEADER
        assert 2 <= len(options) <= OPTIONS or header == "Document"  # which goes on with the machine's own targets
        assert len(set(options)) == len(options)
        assert not [option for option in options if re.search(r"(?i)other|custom|type|enter|…|\.\.\.", option)]


def test_the_checks_bite():
    """A verb, a flag, a value, a setting, a tool, or a question that does not exist or fit is found."""
    for words in (
        "rewind",
        "run --marathon",
        "run --scope everyone",
        "config no.such 1",
        "config mine.scope x",
        "undo x",
    ):
        assert fault(words.split()), words
    assert fault(["adopt", "--rule", "ID"]) == ""
    assert commands("a `nightschool\n  run --gate off` b `nightschool` c") == [["run", "--gate", "off"]]
    assert TOOLS.search("Ask with AskUserQuestion.")
    assert questions('Header "A"; options "B", "C" and "D".') == [("A", ["B", "C", "D"])]
    with pytest.raises(AssertionError, match="without its options"):
        questions('Header "A" and a field')
