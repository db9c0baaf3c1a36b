"""The rehearsal model: free, the same everywhere, and fair to pairs."""

import os
import subprocess
import sys

import pytest

from nightschool.config import Config, Models
from nightschool.errors import NightschoolError, UsageError
from nightschool.models.backends import open_backend
from nightschool.models.backends.mock import UNSCRIPTED, Mock
from nightschool.models.questions import CallError, Question


def mock(tmp_path, script):
    """Write a script and open it."""
    path = tmp_path / "script.toml"
    path.write_text(script)
    return Mock.from_script(path)


def ask(request, document="", k=0):
    """A rollout's question."""
    return Question(kind="rollout", model="m", system=document, prompt=request, k=k)


LIMIT = """
seed = 7
[[behaviour]]
when = "(?i)query"
rule = "LIMIT"
chance = 0.9
reply = "select 1 limit 5"
[[behaviour]]
when = "(?i)query"
chance = 0.4
replies = ["a", "b", "c", "d"]
[default]
reply = "select 1"
"""


def test_the_first_behaviour_that_applies_answers(tmp_path):
    """Request, document and its absence select the reply; the default answers the rest."""
    model = mock(
        tmp_path,
        """
[[behaviour]]
when = "^fix"
rule = "run the tests"
without = "never run"
reply = "ran"
tool_calls = [["Bash", "pytest"], ["Edit", "a.py"]]
[[behaviour]]
when = "^fix"
reply = "fixed"
[default]
reply = "hello"
""",
    )

    assert model.answer(ask("fix it", "Always run the tests.")).text == "ran"
    assert model.answer(ask("fix it", "Always run the tests.")).tool_calls == (("Bash", "pytest"), ("Edit", "a.py"))
    assert model.answer(ask("fix it", "run the tests, never run them twice")).text == "fixed"
    assert model.answer(ask("fix it")).text == "fixed"
    assert model.answer(ask("please fix it")).text == "hello"


def test_it_is_free_and_says_what_it_is(tmp_path):
    """Without a script it says that it is a mock; nothing it says costs money."""
    answer = Mock().answer(ask("what is 2 + 2?"))

    assert answer.text == UNSCRIPTED
    assert "mock" in answer.text
    assert answer.cost_usd == 0.0
    assert mock(tmp_path, "seed = 1").answer(ask("x")).text == UNSCRIPTED


def test_two_documents_meet_the_same_luck(tmp_path):
    """Where a behaviour does not depend on the document, the same request and k give the same reply."""
    model = mock(tmp_path, LIMIT)
    pairs = [
        (model.answer(ask(f"query {n}", "Be brief.", k)).text, model.answer(ask(f"query {n}", "", k)).text)
        for n in range(100)
        for k in range(3)
    ]

    assert all(with_ == without for with_, without in pairs)
    assert len({with_ for with_, _ in pairs}) == 5


def test_chance_comes_out_as_told(tmp_path):
    """Over 2,000 draws each behaviour applies about as often as its chance, and k is a draw of its own."""
    model = mock(tmp_path, LIMIT)
    helped = [model.answer(ask(f"query {n}", "Always add a LIMIT", k)).text for n in range(500) for k in range(4)]
    plain = [model.answer(ask("query", "", k)).text for k in range(2000)]

    assert helped.count("select 1 limit 5") / 2000 == pytest.approx(0.9, abs=0.03)
    assert plain.count("select 1") / 2000 == pytest.approx(0.6, abs=0.05)
    assert all(plain.count(letter) / 2000 == pytest.approx(0.1, abs=0.03) for letter in "abcd")


def test_the_seed_changes_the_luck(tmp_path):
    """Another seed is another night's luck."""
    one, other = mock(tmp_path, LIMIT), mock(tmp_path, LIMIT.replace("seed = 7", "seed = 8"))
    questions = [ask(f"query {n}") for n in range(50)]

    assert [one.answer(q).text for q in questions] != [other.answer(q).text for q in questions]


def test_the_same_replies_in_another_process(tmp_path):
    """Nothing depends on the process: not on hash seeds, not on order."""
    here = [mock(tmp_path, LIMIT).answer(ask(f"query {n}")).text for n in range(40)]
    code = (
        "import sys; from pathlib import Path\n"
        "from nightschool.models.backends.mock import Mock\n"
        "from nightschool.models.questions import Question\n"
        "model = Mock.from_script(Path(sys.argv[1]))\n"
        "for n in reversed(range(40)):\n"
        "    print(model.answer(Question(kind='rollout', model='m', prompt=f'query {n}')).text)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "5"}
    argv = [sys.executable, "-c", code, str(tmp_path / "script.toml")]
    there = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()

    assert there[::-1] == here


def test_it_can_fail_on_request(tmp_path):
    """A script can rehearse failures of a provider."""
    model = mock(tmp_path, '[[behaviour]]\nwhen = "busy"\nerror = "rate-limit"\n')

    with pytest.raises(CallError) as caught:
        model.answer(ask("busy"))
    assert caught.value.kind == "rate-limit"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('[[behaviour]]\nwhen = "("\nreply = "x"', "regular expression"),
        ('[[behaviour]]\nrule = "["\nreply = "x"', "regular expression"),
        ('[[behaviour]]\nwhen = "x"', "one of reply"),
        ('[[behaviour]]\nreply = "x"\nerror = "empty"', "one of reply"),
        ("[[behaviour]]\nreplies = []", "replies"),
        ('[[behaviour]]\nreply = "x"\nchance = 1.5', "chance"),
        ('[[behaviour]]\nreply = "x"\nerorr = "y"', "erorr"),
        ('[[behaviour]]\nerror = "no such"', "error"),
        ("seed = ", "TOML"),
        ("seed = '\x01'", "TOML"),
    ],
)
def test_a_broken_script_is_one_clear_error(tmp_path, script, told):
    """What is wrong, and in which file, before any question is asked."""
    with pytest.raises(NightschoolError, match=told) as caught:
        mock(tmp_path, script)
    assert "script.toml" in str(caught.value)


def test_a_script_that_is_no_text(tmp_path):
    """Bytes that are not UTF-8 are as broken as bad TOML."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(NightschoolError, match="TOML"):
        Mock.from_script(tmp_path / "bytes.toml")


def test_opened_by_name(home, tmp_path):
    """The configuration names the backend; `none` is no backend; a missing script or unknown name is told at once."""
    path = tmp_path / "s.toml"
    path.write_text('[default]\nreply = "hi"')

    def opened(**models):
        return open_backend(Config(models=Models(**models)), home, "0001")

    assert opened() is None
    assert opened(backend="mock").name == "mock"
    assert opened(backend="mock", mock_script=str(path)).answer(ask("x")).text == "hi"
    assert opened(backend="handoff").batch
    with pytest.raises(NightschoolError, match="script"):
        opened(backend="mock", mock_script="missing.toml")
    with pytest.raises(UsageError, match="none, mock, handoff"):
        opened(backend="oracle")


def test_another_script_is_another_model(tmp_path):
    """An edited script must not be answered from the ledger with the old script's replies."""
    assert mock(tmp_path, "seed = 1").name != mock(tmp_path, "seed = 2").name
    assert mock(tmp_path, "seed = 1").name == mock(tmp_path, "seed = 1").name
