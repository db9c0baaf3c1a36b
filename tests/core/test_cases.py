"""Cases: commits of small real repositories become exams, whatever else lies in their history."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from tests.support.case_repos import PYTHON, Repo, everything_below, feature, shop

from nightschool.audit import backlog
from nightschool.cases import confine, store
from nightschool.cases.build import build
from nightschool.cases.find import since_of
from nightschool.cases.replay import Caseworker
from nightschool.cases.request import from_message
from nightschool.cases.roots import source_roots
from nightschool.cases.runner import FAILED, MISSING, PASSED, SKIPPED, Runner, detect
from nightschool.cases.split import is_document, is_runnable, is_test
from nightschool.cases.verify import NONE_RUN, Ran, judge, sort
from nightschool.clock import SystemClock
from nightschool.config import Cases, Config, Models
from nightschool.errors import NightschoolError, UsageError
from nightschool.memory.store import SessionStore
from nightschool.models.backends.command import Command
from nightschool.models.budget import Terms
from nightschool.models.door import Door
from nightschool.models.questions import Question
from nightschool.paths import Home
from nightschool.records import AuditEntry, Session, Source, ToolCall, Turn

sandboxed = pytest.mark.skipif(not confine._works("bwrap"), reason="bubblewrap does not work here")


@pytest.fixture(autouse=True)
def python_first(monkeypatch):
    """The tests of these repositories run under the interpreter that runs us."""
    monkeypatch.setenv("PATH", f"{PYTHON}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def rules():
    """Return settings that run tests anywhere, twice on a commit and once before it."""
    return Cases(confine="off", repeats=2, base_repeats=1, test_seconds=60)


@pytest.fixture
def repo(no_real_home):
    """Return a repository below the user's home."""
    return shop(no_real_home / "shop")


def by_subject(built):
    """Return what was found of each commit, by its subject."""
    return {case.subject: case for case in built.looked}


FAKE_KEY = "sk-ant-" + "api03-" + "Zk7" * 31 + "AA"


@pytest.mark.slow
def test_a_mixed_history(repo, home, rules, tmp_path):
    """Every good commit becomes a case; none of the planted others does, and each is told why."""
    good = [repo.feature(f"good{n}") for n in range(8)]
    # a test that ends differently every other time it is run in one tree
    turns = (
        "import pathlib\n\n\ndef test_turns():\n    from shop import flaky\n    here = pathlib.Path(__file__).parent / 'n'\n"
        "    n = int(here.read_text()) if here.exists() else 0\n    here.write_text(str(n + 1))\n    assert n % 2 == 0\n"
    )
    repo.commit("feat: flaky", {"src/shop/flaky.py": "a = 1\n", "tests/test_turns.py": turns})
    repo.commit("feat: passes before", {"src/shop/x.py": "a = 1\n", "tests/test_x.py": "def test_x():\n    assert 1\n"})
    fails = "def test_y():\n    from shop import y\n    assert y.a == 2\n"
    repo.commit("feat: fails after", {"src/shop/y.py": "a = 1\n", "tests/test_y.py": fails})
    repo.commit("test: tests alone", {"tests/test_more.py": "def test_more():\n    pass\n"})
    repo.commit("docs: words alone", {"README.md": "# Shop\n", "docs/a.txt": "x\n"})
    repo.commit("feat: no test", {"src/shop/z.py": "a = 1\n"})
    repo.commit("feat: a test goes", {"src/shop/z.py": "a = 2\n", "tests/test_x.py": None})
    repo.commit("empty", {})
    repo.git("mv", "tests/test_good0.py", "tests/test_renamed.py")
    moved = feature("good0")["tests/test_good0.py"].replace(
        "== 8", "== 8\n    assert good0('a') == 'aa'\n    assert good0.odd"
    )
    renamed = repo.commit("feat: rename a test", {
        "tests/test_renamed.py": moved, "src/shop/good0.py": "def good0(n):\n    return 2 * n\n\n\ngood0.odd = True\n",
    })  # fmt: skip
    binary = feature("bin") | {"tests/data.bin": bytes(range(256)), "src/shop/logo.bin": b"\0\xff" * 99}
    binary["tests/test_bin.py"] += (
        "    import pathlib\n    assert len(pathlib.Path(__file__).with_name('data.bin').read_bytes()) == 256\n"
    )
    with_binary = repo.commit("feat: bin with data", binary)
    odd = repo.commit("feat: odd name", {
        "src/shop/odd.py": "a = 1\n", "tests/test_sp ace ü.py": "def test_odd():\n    import shop.odd\n",
    })  # fmt: skip
    repo.git("checkout", "-q", "-b", "side", "HEAD~1")
    side = repo.feature("side")
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    other = Repo(tmp_path / "other")
    other.commit("start", {"a": "1"})
    repo.git("submodule", "add", "-q", str(other.path), "lib")
    repo.commit("feat: a submodule", feature("sub"))
    after = repo.feature("aftersub")

    built = build(home, rules, repo.path)
    found = by_subject(built)
    verified = {case.head for case in built.verified}
    eligible = {*good, renamed, with_binary, odd, side, after}
    assert verified <= eligible
    assert len(verified) == len(eligible)  # all, where 80 % are asked for
    told = {subject: case.reason for subject, case in found.items() if case.state == "left_out"}
    assert told == {
        "start": "nothing was there before it",
        "feat: flaky": "its tests are flaky",
        "feat: passes before": "its tests pass without the change",
        "feat: fails after": "its tests do not pass on the commit",
        "test: tests alone": "it changes tests alone",
        "docs: words alone": "it changes documents alone",
        "feat: no test": "it changes no test",
        "feat: a test goes": "it removes tests alone",
        "empty": "it changes nothing",
        "merge side": "it is a merge: what was merged is looked at commit by commit",
        "feat: a submodule": "it moves a submodule",
    }
    case = found["feat: rename a test"]
    assert {(test.path, test.gone) for test in case.tests} == {
        ("tests/test_good0.py", True), ("tests/test_renamed.py", False),
    }  # fmt: skip
    assert case.fail_to_pass == ("tests/test_renamed.py::test_good0",)
    assert build(home, rules, repo.path).looked == ()  # what was looked at is not looked at again


def test_the_users_checkout_stays_as_it_is(repo, home, rules):
    """No byte, mode or time of the checkout changes, index, stash, refs and configuration included; nothing of it runs."""
    trap = repo.path.parent / "ran"
    repo.feature("one")
    repo.write({"src/shop/one.py": "stashed\n"})
    repo.git("stash", "-q")
    repo.write({"src/shop/one.py": "dirty\n", "new.txt": "untracked\n", "staged.txt": "s\n"})
    repo.git("add", "staged.txt")
    for name in ("post-checkout", "pre-push", "post-index-change", "reference-transaction"):
        hook = repo.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
        hook.chmod(0o755)
    repo.git("config", "core.fsmonitor", f"touch {trap}")
    repo.git("config", "filter.x.smudge", f"touch {trap}; cat")
    repo.git("config", "filter.x.clean", f"touch {trap}; cat")
    repo.git("config", "uploadpack.packObjectsHook", f'touch {trap}; exec "$@"')
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "attributes").write_text("* filter=x\n")
    before = everything_below(repo.path)

    assert len(build(home, rules, repo.path).verified) == 1
    assert everything_below(repo.path) == before
    assert not trap.exists()
    assert not list((home.cases / "trees").iterdir())


@pytest.mark.slow
def test_what_a_repository_names_as_filters_is_not_run(repo, home, rules, no_real_home, monkeypatch):
    """Filters of the tree's attributes with the user's own settings, as LFS has them, are left out."""
    trap = no_real_home / "ran"
    settings = no_real_home / ".gitconfig"
    settings.write_text(f'[filter "x"]\n\tsmudge = touch {trap}; cat\n\tclean = touch {trap}; cat\n\trequired = true\n')
    repo.commit("feat: one by a filter", feature("one") | {".gitattributes": "*.py filter=x\n"})
    assert len(build(home, rules, repo.path).verified) == 1
    assert not trap.exists()


@pytest.mark.slow
@sandboxed
def test_tests_are_contained(repo, home, no_real_home, tmp_path):
    """A test cannot read the user's home, our home or the checkout, change a file outside of its tree, or reach the network."""
    (no_real_home / "secret").write_text("hush")
    victim = tmp_path / "victim"
    victim.write_text("whole")
    home.root.mkdir(exist_ok=True)
    (home.root / "ours").write_text("ours")
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    reads = {
        "reads_home": no_real_home / "secret", "reads_ours": home.root / "ours",
        "reads_checkout": repo.path / "src" / "shop" / "__init__.py", "reads_tmp": victim,
    }  # fmt: skip
    bodies = {name: f"assert open({str(path)!r}).read() is not None" for name, path in reads.items()} | {
        "sees_names": f"import os; assert 'secret' in os.listdir({str(no_real_home)!r})",
        "network": f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)",
    }
    bodies |= {
        "writes": f"open({str(victim)!r}, 'w').write('broken')",
        "escapes": f"open({str(no_real_home / 'new')!r}, 'w').write('x')",
        "deletes": f"import os; os.path.exists({str(victim)!r}) and os.unlink({str(victim)!r})",
        "in_the_checkout": f"import os; os.makedirs({str(repo.path)!r}, exist_ok=True); open({str(repo.path / 'new')!r}, 'w')",
        "on_the_disk": "open('/usr/nightschool-was-here', 'w')",
    }
    for name, body in bodies.items():
        text = f"def test_it():\n    import shop.{name}\n    {body}\n"
        repo.commit(f"feat: {name}", {f"src/shop/{name}.py": "", f"tests/test_{name}.py": text})
    repo.feature("good")
    before = everything_below(repo.path)

    built = build(home, Cases(repeats=2, base_repeats=1), repo.path)
    listening.close()
    found = {subject.removeprefix("feat: "): case.state for subject, case in by_subject(built).items()}
    # what is written where nothing is kept may succeed, and is nowhere afterwards
    refused = {name for name in (*reads, "sees_names", "network", "on_the_disk") if found[name] == "verified"}
    assert refused == set()
    assert found["good doubles a number"] == "verified"
    assert victim.read_text() == "whole"
    assert not (no_real_home / "new").exists()
    assert not Path("/usr/nightschool-was-here").exists()
    assert everything_below(repo.path) == before
    assert "bubblewrap" in built.confinement


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bwrap", "unshare"])
def test_what_leaves_its_group_does_not_stay(repo, home, kind, monkeypatch):
    """A test that starts a session of its own (setsid) leaves no process behind, where there is anything to hold it."""
    if not confine._works(kind):
        pytest.skip(f"{kind} does not work here")
    monkeypatch.setattr(confine, "_works", lambda one: one == kind)
    mark = f"27182.{os.getpid()}{kind == 'bwrap':d}"
    text = (
        "import subprocess\n\n\ndef test_it():\n    import shop.s\n"
        f"    subprocess.Popen(['sleep', '{mark}'], start_new_session=True)\n"
        f"    subprocess.Popen(['sh', '-c', 'sleep {mark} & sleep {mark} &'], start_new_session=True, env={{}})\n"
    )
    repo.commit("feat: leaves", {"src/shop/s.py": "", "tests/test_s.py": text})
    built = build(home, Cases(confine="off", repeats=2, base_repeats=1, test_seconds=60), repo.path)
    assert len(built.verified) == 1
    deadline = time.monotonic() + 10
    while any(mark in " ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
def test_without_a_sandbox_nothing_runs_unless_allowed(repo, home, monkeypatch):
    """No sandbox: exit 1 with the way out, before a test is run; with the setting it is said that there is none."""
    monkeypatch.setattr(confine, "_works", lambda _kind: False)
    repo.feature("good")
    with pytest.raises(NightschoolError, match=r"no sandbox.*cases\.confine off"):
        build(home, Cases(), repo.path)
    assert store.everything(home) == []

    built = build(home, Cases(confine="off", repeats=2), repo.path)
    assert len(built.verified) == 1
    assert "no sandbox" in built.confinement


@pytest.mark.slow
def test_a_test_that_hangs_is_killed_with_all_it_started(repo, home, rules):
    """The time limit ends the whole group, and the commit is left out for it."""
    mark = "31415.9265"
    text = f"def test_it():\n    import subprocess\n    subprocess.Popen(['sleep', '{mark}'])\n    subprocess.run(['sleep', '{mark}'])\n"
    repo.commit("feat: hangs", {"src/shop/h.py": "", "tests/test_h.py": text})
    slow = rules.model_copy(update={"test_seconds": 3.0})
    assert by_subject(build(home, slow, repo.path))["feat: hangs"].reason == "the tests took longer than 3 s"
    deadline = time.monotonic() + 10
    while any(mark in " ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
def test_no_secret_of_the_environment_reaches_a_test(repo, home, rules, monkeypatch):
    """A test sees PATH, a language and what it needs, and no variable of the user's."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    text = "import os\n\n\ndef test_it():\n    import shop.e\n    assert 'hush' not in os.environ.values()\n"
    repo.commit("feat: looks around", {"src/shop/e.py": "", "tests/test_e.py": text})
    assert len(build(home, rules, repo.path).verified) == 1


@pytest.mark.slow
def test_a_case_outlives_its_branch(repo, home, rules):
    """Commits that a rebase or a lost branch takes away stay in our copy."""
    sha = repo.feature("one")
    build(home, rules, repo.path)
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    [case] = store.verified(home)
    assert case.head == sha
    copied = store.copy_of(home, case)
    ran = subprocess.run(
        ["git", f"--git-dir={copied}", "cat-file", "-t", sha], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "commit\n"


def test_errors_a_user_meets(home, rules, tmp_path, no_real_home):
    """No checkout, no commit, a date that is none: one clear line each."""
    with pytest.raises(NightschoolError, match="not a git checkout"):
        build(home, rules, tmp_path)
    empty = Repo(no_real_home / "empty")
    with pytest.raises(NightschoolError, match="first commit"):
        build(home, rules, empty.path)
    with pytest.raises(UsageError):
        since_of("yesterdayish")
    assert since_of("2026-05-01").startswith("2026-05-01T00:00:00")
    assert datetime.fromisoformat(since_of("2 weeks")) < datetime.now(UTC) - timedelta(days=13)


@pytest.mark.slow
def venv(folder, pytest_text=None):
    """Make a project's own interpreter, with a pytest or without."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    if pytest_text is not None:
        [packages] = folder.glob("lib/python*/site-packages")
        (packages / "pytest").mkdir()
        (packages / "pytest" / "__init__.py").write_text("")
        (packages / "pytest" / "__main__.py").write_text(pytest_text)


def test_what_could_not_be_run_is_looked_at_again(repo, home, rules):
    """A runner that is missing, a set-up that fails and a time-out say nothing of a commit: each build tries again.

    What the tests themselves showed stays.
    """
    repo.commit("feat: fails", {"src/shop/y.py": "a = 1\n", "tests/test_y.py": "def test_y():\n    assert 0\n"})
    repo.feature("good")
    venv(repo.path / ".venv", "raise SystemExit('broken')\n")
    said = []
    first = build(home, rules, repo.path, say=said.append)
    case = by_subject(first)["feat: good doubles a number"]
    assert (case.state, case.unsettled) == ("left_out", True)
    assert "broken" in case.reason
    shutil.rmtree(repo.path / ".venv")
    second = build(home, rules, repo.path, say=said.append)
    assert {c.subject for c in second.verified} == {"feat: good doubles a number"}
    assert second.again == len(second.looked) == 2
    assert any("no pytest in" in line and "Nightschool's own interpreter" in line for line in said)
    assert not by_subject(second)["feat: fails"].unsettled
    assert build(home, rules, repo.path).looked == ()


def test_other_packages_give_failed_commits_another_chance(repo, home, rules):
    """Tests that did not pass are run again when the project's packages are others; with `again`, all left out are."""
    needs = "def test_y():\n    import a_package\n    from shop import y\n"
    repo.commit("feat: needs a package", {"src/shop/y.py": "a = 1\n", "tests/test_y.py": needs})
    repo.commit("docs: words", {"README.md": "x\n"})
    real = f"import sys\nsys.path[:0] = {[p for p in sys.path if 'site-packages' in p]!r}\ndel sys.modules['pytest']\n"
    venv(repo.path / ".venv", real + "import pytest\nraise SystemExit(pytest.console_main())\n")
    first = by_subject(build(home, rules, repo.path))
    assert first["feat: needs a package"].reason == "its tests do not pass on the commit"
    assert build(home, rules, repo.path).looked == ()
    again = build(home, rules, repo.path, again=True)
    assert set(by_subject(again)) == {"start", "feat: needs a package", "docs: words"}
    [packages] = (repo.path / ".venv").glob("lib/python*/site-packages")
    (packages / "a_package.py").write_text("")
    assert {c.subject for c in build(home, rules, repo.path).verified} == {"feat: needs a package"}


def test_since_and_the_limit(repo, home, rules):
    """`--since` leaves older commits out, the limit keeps the newest, and the rest comes in the next build."""
    old = repo.feature("old")
    repo.clock += 86_400 * 30
    new = repo.feature("new")
    at = datetime.fromtimestamp(repo.clock - 86_400, UTC).isoformat()
    assert [case.head for case in build(home, rules, repo.path, since=at).looked] == [new]
    one = rules.model_copy(update={"max_commits": 1})
    assert [case.head for case in build(home, one, repo.path).looked] == [old]


def held(repo, *turns, name="s1"):
    """Return a session held in a repository: turns of (seconds before its newest commit, prompt, command)."""
    at = datetime.fromtimestamp(int(repo.git("show", "-s", "--format=%ct", "HEAD")), UTC)
    made = tuple(
        Turn(id=f"t{n}", at=at - timedelta(seconds=before), prompt=prompt, calls=(ToolCall(name="Bash", input=said),))
        for n, (before, prompt, said) in enumerate(turns)
    )
    return Session(
        platform="toy", id=name, source=Source(path="/x"), project=str(repo.path), turns=made, started=made[0].at, ended=at,
    )  # fmt: skip


@pytest.mark.slow
def test_the_request_is_what_was_said_in_the_session(repo, home, rules):
    """The session's words since its commit before, redacted; a session that made no commit then is not asked."""
    repo.feature("one", "wip")
    SessionStore(home).save(held(
        repo, (900, "something before", "git commit -m x"), (60, f"doubling, with key {FAKE_KEY}", "edit"),
        (30, "now commit that", "git add -A && git commit -m wip"),
    ))  # fmt: skip
    SessionStore(home).save(held(repo, (50, "an idle question", "ls"), name="s2"))
    [case] = build(home, rules, repo.path).verified
    assert (case.asked_in, case.platform, case.session) == ("session", "toy", "s1")
    assert case.request.startswith("doubling, with key ")
    assert case.request.endswith("\n\nnow commit that")
    assert FAKE_KEY not in (home.cases / "found" / f"{case.id}.json").read_text()


@pytest.mark.slow
def test_a_milestone_on_another_branch_is_found(repo, home, rules):
    """What a session closed is looked at though HEAD does not hold it; what was asked then is its request."""
    repo.git("checkout", "-q", "-b", "side")
    sha = repo.feature("side")
    base = repo.git("rev-parse", "HEAD~1")
    repo.git("checkout", "-q", "main")
    entry = AuditEntry(
        id=f"commit-{sha}", kind="milestone", at=datetime(2026, 11, 1, tzinfo=UTC), platform="toy", session="s9",
        project=str(repo.path), subject="feat: side", base=base, head=sha, asked="double it on the side",
    )  # fmt: skip
    backlog.add(home, entry)
    [case] = build(home, rules, repo.path).verified
    assert (case.head, case.request, case.session) == (sha, "double it on the side", "s9")


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        ("feat(cart)!: take coupons twice\n\nSigned-off-by: Sam <s@x.invalid>\n", "take coupons twice"),
        ("fix: rounding\n\nSums were off.\n\n```python\nreturn round(x)\n```\nNow they are not.\n", "rounding\n\nSums were off.\n\nNow they are not."),
        ("Add it\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a = 1\n+a = 2;\n", "Add it"),
        ("Add lists\n\n- of users\n- of orders\n", "Add lists\n\n- of users\n- of orders"),
        ("Port\n\n    def f():\n        return 1\n\ncherry picked from 0123456789abcdef0123456789abcdef01234567\n", "Port\n\ncherry picked from"),
        ("0123456789abcdef0123456789abcdef01234567", ""),
        ("...\n", ""),
        (f"use {FAKE_KEY}", None),
    ],
)  # fmt: skip
def test_a_message_becomes_a_request(message, request_):
    """Code, patches, trailers and SHAs are left out; secrets are redacted."""
    if request_ is None:
        assert FAKE_KEY not in from_message(message)
    else:
        assert from_message(message) == request_


def test_paths_are_sorted():
    """Tests, what they read, source and documents are told apart by folder and name."""
    tests = ["tests/a.json", "pkg/foo_test.go", "src/x.test.tsx", "test_a.py", "a/conftest.py", "spec/a_spec.rb",
             "src/__tests__/a.js", "pytest.ini", "crate/tests/it.rs", "app/FooTest.java"]  # fmt: skip
    sources = ["src/a.py", "pkg/foo.go", "src/contest.py", "latest.py", "src/attest/a.py", "pyproject.toml",
               "requirements.txt", "Makefile", "src/testimony.py"]  # fmt: skip
    documents = ["README.md", "docs/conf.py", "CHANGELOG", "a/b.rst", "LICENSE", ".github/workflows/ci.yml"]
    assert [path for path in tests if not is_test(path)] == []
    assert [path for path in sources if is_test(path) or is_document(path)] == []
    assert [path for path in documents if is_test(path) or not is_document(path)] == []
    assert not is_runnable("tests/a.json")
    assert not is_runnable("tests/conftest.py")


def test_how_runs_are_sorted():
    """Fail-to-pass passed always after and never before; whatever wavers is dropped; a skip is neither."""
    base = [
        {"a": FAILED, "b": PASSED, "c": FAILED, "d": SKIPPED},
        {"a": FAILED, "b": PASSED, "c": PASSED, "d": SKIPPED},
    ]
    head = [{"a": PASSED, "b": PASSED, "c": PASSED, "d": PASSED, "e": PASSED}] * 2 + [
        {"a": PASSED, "b": PASSED, "c": PASSED, "d": PASSED, "e": PASSED, "f": PASSED}
    ]
    told = sort(base, head)
    assert (told.fault, told.fail_to_pass, told.pass_to_pass, told.flaky) == ("", ("a", "e"), ("b",), ("c", "f"))
    assert sort([{"a": PASSED}], [{"a": PASSED}]).fault == "its tests pass without the change"
    assert sort([{"a": MISSING}], [{"a": FAILED}]).fault == "its tests do not pass on the commit"
    assert sort([{}], [{}]).fault == NONE_RUN
    late = Ran(None, "the tests took longer than 1 s", late=True, seconds=1.0)
    fine = Ran({"a": PASSED}, "", late=False, seconds=1.0)
    assert judge([late], [fine]).fault == late.why
    assert judge([Ran(None, "x", late=False, seconds=1.0)], [fine]).fail_to_pass == ("a",)
    assert judge([fine], [Ran(None, "x", late=False, seconds=1.0)]).fault == "on the commit x"


def test_which_command_runs_the_tests(tmp_path):
    """pytest, go, cargo, npm and make are told by the files; a configured command comes before all."""
    assert detect(tmp_path, ["tests/test_a.py"]).name == "pytest"
    assert detect(tmp_path, ["a_test.go"]) is None
    for name, text, file, runner in (
        ("go.mod", "module x\n", "a_test.go", "go"), ("Cargo.toml", "[package]\n", "tests/a.rs", "cargo"),
        ("package.json", '{"scripts": {"test": "node --test"}}', "a.test.js", "npm"),
        ("Makefile", "all:\n\ntest: all\n\ttrue\n", "tests/run.sh", "make"),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
        assert detect(tmp_path, [file]).name == runner
    told = detect(tmp_path, ["tests/test_a.py"], "tox run -- {tests}")
    assert told.words(tmp_path, ["a", "b"], "python", tmp_path / "r")[:5] == ["tox", "run", "--", "a", "b"]


def test_what_each_command_prints_is_read(tmp_path):
    """Go's events, cargo's lines and TAP give one end a test; any other command ends as a whole."""
    report = tmp_path / "none"
    go = "\n".join(
        json.dumps({"Action": a, "Package": "x/y", "Test": t}) for a, t in (("run", "A"), ("pass", "A"), ("fail", "B"))
    )
    assert Runner("go").read(1, go, report) == {"x/y/A": PASSED, "x/y/B": FAILED}
    cargo = "test a::b ... ok\ntest c ... FAILED\ntest d ... ignored\n"
    assert Runner("cargo").read(101, cargo, report) == {"a::b": PASSED, "c": FAILED, "d": SKIPPED}
    assert Runner("cargo").read(101, "error[E0425]", report) == {}
    assert Runner("npm").read(1, "ok 1 - adds\nnot ok 2 - takes\n", report) == {"adds": PASSED, "takes": FAILED}
    assert Runner("make").read(2, "", report) == {"make": FAILED}
    assert Runner("make").read(127, "", report) is None
    assert Runner("pytest").read(1, "", report) is None


def test_what_hostile_tests_print_is_read_in_linear_time(tmp_path):
    """Tests, and what they test, may print anything: blank lines, nests without end."""
    began = time.process_time()
    assert Runner("npm").read(0, "\n" * 100_000 + "ok 1 - adds", tmp_path / "none") == {"adds": PASSED}
    assert Runner("go").read(0, "[" * 100_000, tmp_path / "none") == {}
    assert time.process_time() - began < 5


@pytest.mark.parametrize("put", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_is_no_plain_file_is_not_waited_for(tmp_path, put):
    """An agent, or the tests of what it left, may put a pipe or a device where a report or a setting should lie."""
    for name in ("report.xml", "pyproject.toml", "setup.cfg", "setup.py", "package.json", "Makefile"):
        put(tmp_path / name)
    assert Runner("pytest").read(0, "", tmp_path / "report.xml") is None
    assert source_roots(tmp_path) == ["."]
    assert detect(tmp_path, ["a.test.js", "tests/run.sh"]) is None


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None or shutil.which("npm") is None, reason="node is not installed")
def test_a_project_of_node(home, rules, no_real_home):
    """`npm test` with node's own runner: the same rules hold, with nothing installed."""
    repo = Repo(no_real_home / "web")
    repo.commit(
        "start", {"package.json": '{"name": "web", "scripts": {"test": "node --test"}}', "a.js": "exports.a = 1;\n"}
    )
    test = "const t = require('node:test');\nconst a = require('node:assert');\nt('two', () => a.equal(require('./b.js').b, 2));\n"
    repo.commit("feat: add b", {"b.js": "exports.b = 2;\n", "b.test.js": test})
    found = by_subject(build(home, rules, repo.path))["feat: add b"]
    assert (found.state, found.runner) == ("verified", "npm"), found.reason


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")
@pytest.mark.long
def test_a_project_of_cargo(home, rules, no_real_home):
    """`cargo test`, offline: a test beside the source and one of its own; before, what they test does not compile."""
    repo = Repo(no_real_home / "crate")
    repo.commit("start", {
        "Cargo.toml": '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n', ".gitignore": "target\n",
        "src/lib.rs": "pub fn one() -> u8 { 1 }\n", "tests/one.rs": "#[test]\nfn one() { assert_eq!(shop::one(), 1); }\n",
    })  # fmt: skip
    repo.commit("feat: add two", {
        "src/lib.rs": "pub fn one() -> u8 { 1 }\npub fn two() -> u8 { 2 }\n",
        "tests/two.rs": "#[test]\nfn two() { assert_eq!(shop::two(), 2); }\n",
    })  # fmt: skip
    found = by_subject(build(home, rules, repo.path))["feat: add two"]
    assert (found.state, found.runner) == ("verified", "cargo"), found.reason
    assert "two" in found.fail_to_pass


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_project_of_make(home, rules, no_real_home):
    """`make test` ends as a whole: it fails before and passes after."""
    repo = Repo(no_real_home / "c")
    repo.commit("start", {"Makefile": "test:\n\tsh tests/run.sh\n", "tests/run.sh": "true\n"})
    repo.commit("feat: add the number", {"number": "2\n", "tests/run.sh": 'test "$(cat number)" = 2\n'})
    found = by_subject(build(home, rules, repo.path))["feat: add the number"]
    assert (found.state, found.runner, found.fail_to_pass) == ("verified", "make", ("make",)), found.reason


def test_where_a_project_keeps_its_source(tmp_path):
    """What its build says, in any of the ways; the tree and `src` besides; nothing that is not there or lies outside."""
    for folder in ("core/pkg", "claude-code", "lib/python", "app", "src", "py"):
        (tmp_path / folder).mkdir(parents=True)
    assert source_roots(tmp_path) == ["src", "."]
    for name, text, roots in (
        ("pyproject.toml", '[tool.hatch.build.targets.wheel]\npackages = ["core/pkg", "claude-code/x", "gone/y"]\n', ["core", "claude-code"]),
        ("pyproject.toml", '[tool.hatch.build]\ndev-mode-dirs = ["py", "../out", "/usr"]\n', ["py"]),
        ("pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["app"]\n', ["app"]),
        ("pyproject.toml", '[tool.setuptools.package-dir]\n"" = "lib/python"\npkg = "core/pkg"\n', ["lib/python", "core"]),
        ("pyproject.toml", '[tool.poetry]\npackages = [{include = "pkg", from = "core"}, {include = "x"}]\n', ["core"]),
        ("pyproject.toml", '[tool.pdm.build]\npackage-dir = "py"\n', ["py"]),
        ("pyproject.toml", '[tool.uv.build-backend]\nmodule-root = "app"\n', ["app"]),
        ("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = "py app"\n', ["py", "app"]),
        ("pyproject.toml", "[tool]\nhatch = 3\npoetry = []\n", []),
        ("pyproject.toml", "not toml", []),
        ("setup.cfg", "[options]\npackage_dir =\n    = lib/python\n[options.packages.find]\nwhere = app\n", ["app", "lib/python"]),
        ("setup.py", "from setuptools import setup\nsetup(package_dir={'': 'py'})\n", ["py"]),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
        assert source_roots(tmp_path) == [*roots, "src", "."], text
        (tmp_path / name).unlink()
    assert source_roots(tmp_path, ["core", "."]) == ["core", "src", "."]


@pytest.mark.slow
@pytest.mark.long
def test_a_project_with_several_roots_that_is_installed_as_it_stands(home, rules, no_real_home):
    """Its own venv imports from the checkout; the tests of a state import from that state all the same.

    What the project's own options deselect is told as that, and was not eligible.
    """
    repo = Repo(no_real_home / "mono")
    options = '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib", "-m", "not slow", "-n", "2", "--ff"]\nmarkers = ["slow: s"]\n'
    wheel = '[tool.hatch.build.targets.wheel]\npackages = ["core/shop", "plugins/till"]\n'
    repo.commit(
        "start",
        {
            "pyproject.toml": options + wheel,
            "core/shop/__init__.py": "",
            "plugins/till/__init__.py": "",
            ".gitignore": ".venv\n",
        },
    )
    test = "from shop.a import a\nfrom till.b import b\n\n\ndef test_it():\n    assert a + b == 3\n"
    repo.commit("feat: add", {"core/shop/a.py": "a = 1\n", "plugins/till/b.py": "b = 2\n", "tests/test_a.py": test})
    slow = "import pytest\n\n\n@pytest.mark.slow\ndef test_it():\n    import shop.c\n"
    repo.commit("feat: add slowly", {"core/shop/c.py": "", "tests/test_c.py": slow})
    repo.commit("feat: add data", {"core/shop/d.py": "", "tests/support/d.py": "d = 1\n"})
    venv = repo.path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    [site] = venv.glob("lib/python*/site-packages")
    own = [path for path in sys.path if path.endswith("site-packages")]
    (site / "installed.pth").write_text(
        "".join(f"{path}\n" for path in [repo.path / "core", repo.path / "plugins", *own])
    )

    found = by_subject(build(home, rules, repo.path))
    assert (found["feat: add"].state, found["feat: add"].reason) == ("verified", "")
    for subject in ("feat: add slowly", "feat: add data"):
        assert (found[subject].reason, found[subject].eligible) == (NONE_RUN, False)
    again = build(home, rules.model_copy(update={"test_command": "pytest -m slow {tests}"}), repo.path)
    assert "feat: add slowly" in by_subject(again)  # other settings: it is looked at anew


@pytest.mark.slow
def test_a_set_up_is_run_once_for_a_state_of_the_lock_files(repo, home, rules, tmp_path):
    """What it leaves is linked into every tree; it fails with its last words."""
    repo.commit("lock", {"requirements.txt": "x==1\n"})
    text = "def test_it():\n    import os, shop.n\n    assert os.path.exists('vendor/x')\n"
    repo.commit("feat: needs it", {"src/shop/n.py": "", "tests/test_n.py": text})
    repo.feature("two")
    made = rules.model_copy(update={"setup_command": "sh -c 'mkdir vendor; echo 1 >> vendor/x'"})
    assert len(build(home, made, repo.path).verified) == 2
    [counted] = (home.cases / "environments").glob("*/tree/vendor/x")
    assert counted.read_text() == "1\n"

    broken = rules.model_copy(update={"setup_command": "sh -c 'echo no such thing; exit 3'"})
    reasons = {case.reason for case in build(home, broken, repo.path).looked}
    assert any("no such thing" in reason for reason in reasons)


def test_a_machine_without_the_cases_says_so(home, tmp_path):
    """An executor may bring a case to a machine that has no copy of it: one clear line with a way out, and no retry."""
    models = Models(command="true")
    worker = Caseworker(Home(tmp_path / "another"), Config(models=models), Command.from_config(models))
    terms = Terms(executor="processes", side_by_side=1)
    with (
        Door(home, worker, clock=SystemClock(), redact=str, night="1", terms=terms) as door,
        pytest.raises(NightschoolError, match=r"does not have the cases.*--executor processes"),
    ):
        door.ask_all([Question(kind="rollout", prompt="x", case="case-0123456789ab")])
