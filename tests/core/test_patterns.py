"""Regular expressions from outside: same answers as `re`, never a hang, never a process left behind."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest

from nightschool.errors import NightschoolError
from nightschool.night.judging.patterns import LONGEST_PATTERN, Matcher

CATASTROPHIC = ["(a+)+$", "(a|a)*$", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){20}$", "(?=(a+)+b)"]


@pytest.fixture
def matcher():
    """A matcher whose process is gone afterwards."""
    with Matcher() as made:
        yield made
        child = made._child
    assert child is None or not psutil.pid_exists(child.pid)


def gone(pid, within=20.0):
    """Say whether process `pid` ends in time; a zombie that awaits its new parent has ended."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("pattern", "text", "flags", "found"),
    [
        ("LIMIT", "SELECT 1 LIMIT 10", "", True),
        ("LIMIT", "select 1 limit 10", "", False),
        ("LIMIT", "select 1 limit 10", "i", True),
        (r"LIMIT \d+", "LIMIT 10", "", True),
        (r"LIMIT \d+", "LIMIT ten", "", False),
        ("^b$", "a\nb\nc", "", True),  # MULTILINE
        (r"\Ab", "a\nb", "", False),
        ("a.b", "a\nb", "", False),
        ("a.b", "a\nb", "s", True),
        ("A.B", "a\nb", "is", True),
        ("A.B", "a\nb", "si", True),
        ("a|b", "xxb", "", True),
        ("[ab]c", "bc", "", True),
        ("é+", "caféé", "", True),
        ("😀?x", "😀x", "", True),
        ("a*", "", "", True),
        ("a+", "", "", False),
        ("\ud83d+", "lone \ud83d half", "", True),
        (r"(?P<n>\d)(?P=n)", "4 44", "", True),
        ("[[a]b", "[b", "", True),  # `re` warns of such sets; nobody is to see that
    ],
)
def test_a_search_answers_as_re_does(matcher, pattern, text, flags, found):
    """Whether a pattern runs here or in the matching process, its answer is Python's own, with MULTILINE."""
    assert matcher.search(pattern, text, flags) is found


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_catastrophic_pattern_gives_no_verdict(pattern):
    """Exponential backtracking ends after the limit, as None; the next search works again."""
    with Matcher(seconds=0.2) as matcher:
        assert matcher.search("a+", "aaa") is True
        first = matcher._child.pid
        began = time.monotonic()
        assert matcher.search(pattern, "a" * 40 + "!") is None
        assert time.monotonic() - began < 30
        assert not psutil.pid_exists(first)
        assert matcher.search("a+", "aaa") is True


def test_a_plain_pattern_starts_no_process():
    """Patterns without repetition, choice or sets run here: most checks need no process at all."""
    with Matcher() as matcher:
        assert matcher.search(r"^LIMIT \d$", "LIMIT 5") is True
        assert matcher._child is None


def test_a_plain_pattern_on_a_huge_text_runs_under_the_limit_too():
    """Pattern x text steps is linear in each but can still be much: beyond a bound it goes to the process."""
    with Matcher(seconds=0.2) as matcher:
        assert matcher.search("." * 900 + "X", ("a" * 999 + "\n") * 3_000) is None


@pytest.mark.parametrize(
    "pattern", ["(", "a{2,1}", "*a", "[z-a]", "(?P<n", r"\1", "a{99999999999999999999}", "(" * 900 + ")" * 900]
)
def test_a_pattern_that_does_not_compile_is_an_error(matcher, pattern):
    """It has a problem to show, and searching with it raises: it is never a pass and never a fail."""
    assert matcher.problem(pattern) != ""
    with pytest.raises(NightschoolError):
        matcher.search(pattern, "a")


@pytest.mark.parametrize("flags", ["x", "m", "ii", "I", "is ", "u"])
def test_unknown_flags_are_a_problem(matcher, flags):
    """Only `i` and `s`, each once."""
    assert matcher.problem("a", flags) != ""


def test_good_patterns_have_no_problem_and_long_ones_do(matcher):
    """A length limit bounds what compiling can cost."""
    assert matcher.problem(r"LIMIT \d+", "is") == ""
    assert matcher.problem("a" * LONGEST_PATTERN) == ""
    assert matcher.problem("a" * (LONGEST_PATTERN + 1)) != ""


def test_threads_share_one_matcher(matcher):
    """Threads get the answers to their own questions, from one process."""
    wrong = []

    def ask(number):
        for round_ in range(20):
            text = f"{number}-{round_}"
            for wanted in (number, number + 1):
                if matcher.search(f"^{wanted}-+{round_}$", text) is not (wanted == number):
                    wrong.append(text)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_killed_matching_process_is_replaced(matcher):
    """Whoever kills the process between two searches costs no verdict."""
    assert matcher.search("a+", "a") is True
    first = matcher._child.pid
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    assert matcher.search("a+", "a") is True
    assert matcher._child.pid != first


def test_many_matches_use_one_process_and_little_cpu(matcher):
    """200 searches cost far less than 200 processes would."""
    matcher.search("a+", "a")
    child = psutil.Process(matcher._child.pid)
    before = sum(child.cpu_times()[:2]) + time.process_time()
    for number in range(200):
        assert matcher.search(rf"LIMIT\s+{number}\b", f"SELECT a FROM b LIMIT {number};" * 20) is True
    assert sum(child.cpu_times()[:2]) + time.process_time() - before < 2.0
    assert child.pid == matcher._child.pid


def test_close_leaves_nothing_and_may_be_repeated():
    """After close there is no child, not even a zombie; a later search starts another."""
    matcher = Matcher()
    assert matcher.search("a+", "a") is True
    pid = matcher._child.pid
    matcher.close()
    assert not psutil.pid_exists(pid)
    matcher.close()
    assert matcher.search("a+", "b") is False
    again = matcher._child.pid
    matcher.close()
    assert not psutil.pid_exists(again)


PARENT = """
    import sys
    from nightschool.night.judging.patterns import shared
    shared.search("a+", "a")
    print(shared._child.pid, flush=True)
    {then}
"""


def start_parent(then):
    """Start a process that prints its matching process's id, then runs `then`."""
    script = textwrap.dedent(PARENT).format(then=then)
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_matching_process_ends_with_its_parent():
    """At a normal end the child is reaped, without a warning."""
    with start_parent("pass") as parent:
        out, err = parent.communicate(timeout=60)
    assert (parent.returncode, err) == (0, "")
    assert gone(int(out))


@pytest.mark.parametrize(
    "then",
    ["sys.stdin.read()", "shared.seconds = 2; shared.search('(a+)+$', 'a' * 60 + 'b')"],
    ids=["idle", "matching"],
)
def test_the_matching_process_outlives_no_kill_9(then):
    """A parent killed by SIGKILL takes the child along: at once when idle, at its CPU limit when matching."""
    with start_parent(then) as parent:
        pid = int(parent.stdout.readline())
        if "seconds" in then:
            until = time.monotonic() + 20
            while psutil.Process(pid).cpu_times().user < 0.3 and time.monotonic() < until:
                time.sleep(0.05)
        parent.kill()
    assert gone(pid)


def test_agrees_with_re_on_ordinary_patterns(matcher):
    """A table of patterns by texts: the process and `re` agree on each pair."""
    patterns = [r"\bfix(es|ed)?\b", r"^#+ \w+", r"\d{2,4}-\d{2}", r"(?<!un)do", r"^$", r"\s+$", r"(?i)TODO", r".{10,}"]
    texts = ["", "fixed it", "# Title\nbody", "2024-05", "undo", "do", "tail  ", "a todo", "x" * 10, "x\n" * 10]
    for pattern in patterns:
        for text in texts:
            assert matcher.search(pattern, text) is (re.search(pattern, text, re.MULTILINE) is not None), (
                pattern,
                text,
            )
