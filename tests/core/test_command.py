"""The backend `command`: what a program of the user's may print, and for how long."""

import sys
import time

import pytest

from nightschool.models.backends.command import Command
from nightschool.models.questions import CallError, Question

ASKED = Question(kind="rollout", prompt="hi", timeout=20)


def asked(program, question=ASKED):
    """Ask a program in Python."""
    return Command([sys.executable, "-c", program], [], "AGENTS.md").answer(question)


def test_a_program_is_asked_on_stdin():
    """What it prints is the answer."""
    assert asked("import sys; print(sys.stdin.read() + ' yourself')").text == "hi yourself\n"


@pytest.mark.parametrize(
    "program",
    ["import os\nwhile True: os.write({n}, b'x' * 2**16)", "import os; os.write({n}, b'x' * 2**22 + b'x')"],
    ids=["without end", "a byte more"],
)
@pytest.mark.parametrize("stream", [1, 2])
def test_more_than_an_answer_holds_is_none(program, stream):
    """A part of an answer is never scored, and no program fills the disk."""
    began = time.monotonic()
    with pytest.raises(CallError) as caught:
        asked(program.format(n=stream))

    assert caught.value.kind == "malformed"
    assert time.monotonic() - began < 10


def test_a_program_that_does_not_end_is_not_waited_for():
    """Its time is the question's, though something of it keeps the output open."""
    program = "import os, time\nif os.fork(): print('hello', flush=True)\ntime.sleep(60)"
    with pytest.raises(CallError) as caught:
        asked(program, ASKED.model_copy(update={"timeout": 0.5}))

    assert caught.value.kind == "timeout"
