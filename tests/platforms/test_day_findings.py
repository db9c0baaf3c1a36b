"""What each client's own payloads and transcripts show, through the whole of a drain: spikes, and commits of real git."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.native import PLATFORMS, Call, Native

from nightschool.audit import backlog
from nightschool.clock import FixedClock
from nightschool.config import Audit
from nightschool.day.drain import drain
from nightschool.day.find import BACKFILL, Finder, catch_up
from nightschool.day.harvest import read_one
from nightschool.day.journal import Known, read_events
from nightschool.day.redact import redact
from nightschool.events import Event, Moment
from nightschool.memory.store import SessionStore
from nightschool.paths import Home
from nightschool.platforms import installed

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
RED = Call("pytest -q", failed=True, output="2 failed, 1 passed")
GREEN = Call("pytest -q", output="12 passed, 0 failed, 0 errors")
READ = Call("cat build.log", output="Error: x\nFAILED y\nfatal: z\npermission denied\n" * 50)


def drained(home, at=AT):
    """Drain once, where nobody is silent."""
    rules = Audit(silent_sessions=0)
    return drain(home, installed(), clock=FixedClock(at + timedelta(seconds=30)), redact=redact, rules=rules)


def noted(home, kind):
    """Return the backlog's entries of one kind."""
    return [entry for entry in backlog.entries(home) if entry.kind == kind]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_three_real_failures_of_twenty_fire_once(platform, home, tmp_path):
    """One entry, one prompt; the fourth failure of the same stretch, and the same event again, fire nothing."""
    session = Native(platform, tmp_path, tmp_path)
    session.turn("go", [GREEN] * 9 + [RED] + [READ] * 8 + [RED, RED], AT)
    session.tell(home, "turn_end", AT)
    assert len(drained(home).spikes) == 1
    [waiting] = home.prompts.glob("*/*")
    assert (waiting.parent.name, waiting.name) == (platform, session.sid)
    assert "3 x pytest (test failure)" in waiting.read_text()
    waiting.unlink()

    later = AT + timedelta(minutes=5)
    session.turn("again", [RED], later)
    for moment in ("turn_end", "session_end"):
        session.tell(home, moment, later)
    assert drained(home, later).spikes == []
    assert [entry.failures[0].count for entry in noted(home, "error_spike")] == [3]
    assert not list(home.prompts.glob("*/*"))
    [ended] = noted(home, "session")
    assert (ended.retrospect.calls, ended.retrospect.failures) == (21, 4)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_words_of_failure_are_none(platform, home, tmp_path):
    """Green runs that print "0 failed", and files full of "Error:", are no failures."""
    session = Native(platform, tmp_path, tmp_path)
    session.turn("go", [GREEN, READ] * 20, AT)
    session.tell(home, "session_end", AT)
    assert drained(home).spikes == []
    assert [entry.retrospect.failures for entry in noted(home, "session")] == [0]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_sessions_do_not_add_up(platform, home, tmp_path):
    """Two failures here and one there are no spike."""
    for failures in (2, 1):
        session = Native(platform, tmp_path, tmp_path)
        session.turn("go", [RED] * failures + [GREEN], AT)
        session.tell(home, "session_end", AT)
    done = drained(home)
    assert (done.sessions, done.spikes) == (2, [])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_parallel_calls_are_all_counted(platform, home, tmp_path):
    """Forty calls in one message, their results in another order: each counts, once."""
    session = Native(platform, tmp_path, tmp_path)
    session.turn("go", [RED if n % 4 == 0 else GREEN for n in range(40)], AT, parallel=True)
    session.tell(home, "session_end", AT)
    assert len(drained(home).spikes) == 1
    [ended] = noted(home, "session")
    assert (ended.retrospect.calls, ended.retrospect.failures) == (40, 10)


def test_a_fork_does_not_tell_it_again(home, tmp_path):
    """A session that was copied with its calls has one spike, and its copy none."""
    session = Native("claude-code", tmp_path, tmp_path)
    session.turn("go", [RED] * 3, AT)
    session.tell(home, "turn_end", AT)
    fork = Native("claude-code", tmp_path, tmp_path)
    fork.path.write_text(session.path.read_text().replace(session.sid, fork.sid))
    fork.turn("on", [GREEN], AT + timedelta(seconds=9))
    assert len(drained(home).spikes) == 1
    fork.tell(home, "turn_end", AT + timedelta(seconds=10))
    done = drained(home)
    assert (done.sessions, done.spikes) == (1, [])
    failed = [event for event in read_events(home) if event.moment is Moment.TOOL_FAILURE]
    assert [event.session_id for event in failed] == [session.sid] * 3


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_night_journals_what_failed_where_a_drain_died(platform, home, tmp_path):
    """Events are journaled before sessions are looked at; a session without any is long past, and its failures too."""
    cut, past = (Native(platform, tmp_path, tmp_path) for _ in range(2))
    cut.tell(home, "session_end", AT)
    assert drained(home).sessions == 0
    for session in (cut, past):
        session.turn("go", [RED, GREEN], AT)
        told = {"id": BACKFILL, "platform": platform, "moment": "session_end", "at": AT, "session_id": session.sid}
        read_one(home, installed(), Event.model_validate(told | {"transcript": str(session.path)}), redact)
    store = SessionStore(home)
    catch_up(Finder(home, installed(), Known(home), FixedClock(AT), Audit()), store, store.outlines())
    found = [(event.moment, event.session_id) for event in read_events(home)]
    assert found == [(Moment.SESSION_END, cut.sid), (Moment.TOOL_FAILURE, cut.sid)]


HEREDOC = "git commit -q --allow-empty -F - <<'EOF'\nfeat: it's a \"heredoc\"\n\nbody\nEOF"
CAT = "git commit -q --allow-empty -m \"$(cat <<'EOF'\nrefactor(a)!: by cat\n\nbody\nEOF\n)\""
TOPIC = "git checkout -q -b topic && echo t > t && git add t && git commit -qm 'fix: t' && git checkout -q -"
ONCE = {
    "double quotes": ('git commit --allow-empty -m "feat: x"', ["feat: x"]),
    "single quotes": ("git commit --allow-empty -qm 'feat: x'", ["feat: x"]),
    "heredoc": (HEREDOC, ['feat: it\'s a "heredoc"']),
    "cat heredoc": (CAT, ["refactor(a)!: by cat"]),
    "scope and bang": ("git commit --allow-empty -m 'feat(scope)!: y'", ["feat(scope)!: y"]),
    "am": ('echo 2 > a; git commit -am "refactor: x"', ["refactor: x"]),
    "file": ("echo 'feat: from a file' > m; git commit --allow-empty -F m", ["feat: from a file"]),
    "editor": ("GIT_EDITOR=\"printf 'feat: edited' >\" git commit --allow-empty", ["feat: edited"]),
    "-C": ("git -C ../other commit --allow-empty -m 'feat: elsewhere'", ["feat: elsewhere"]),
    "-C quoted": ("git -c a.b=c -C '../o ther' commit --allow-empty -qm 'feat: spaced'", ["feat: spaced"]),
    "cd": ("cd ../other && git commit --allow-empty -m 'feat: gone there'", ["feat: gone there"]),
    "cd below": ("mkdir -p s && (cd s; git commit --allow-empty -m 'feat: below')", ["feat: below"]),
    "git-dir": ("git --git-dir=../other/.git commit --allow-empty -m 'feat: by dir'", ["feat: by dir"]),
    "worktree": (
        "git worktree add -q ../wt -b wt && cd ../wt && git commit --allow-empty -m 'feat: in a tree'",
        ["feat: in a tree"],
    ),
    "several": (
        "c='git commit -q --allow-empty -m'; $c 'feat: 1'; $c 'fix: 2' && $c 'refactor: 3'",
        ["feat: 1", "refactor: 3"],
    ),
    "amended": (
        "git commit --allow-empty -qm 'feat: a' && git commit --allow-empty --amend -qm 'feat: b'",
        ["feat: b"],
    ),
    "merge": (
        f"{TOPIC} && echo 3 > b && git add b && git commit -qm 'fix: b' && git merge -q topic",
        ["Merge branch 'topic'"],
    ),
    "no-ff": (f"{TOPIC} && git merge --no-ff -m 'chore: in' topic", ["chore: in"]),
}
NEVER = {
    "abort": "git merge --abort",
    "merge-base": "git merge-base HEAD HEAD~1",
    "grep": 'echo "git merge" | grep "git merge"',
    "fix": "git commit --allow-empty -m 'fix: x'",
    "failed": "git commit -m 'feat: nothing is staged'",
    "hook": "printf '#!/bin/sh\\nexit 1' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; echo 2 > a; git commit -am 'feat: x'",
    "echo": 'echo git commit -m "feat: x"',
    "dry": "echo 2 > a; git commit -a --dry-run -m 'feat: x'",
    "fast-forward": f"{TOPIC} && git merge topic",
    "undone": "git commit --allow-empty -m 'feat: x' && git reset -q --hard HEAD~1",
    "like": "git commit --allow-empty -m 'feature: x'; git commit --allow-empty -m 'featured: git merge'",
}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    """Return a folder with repositories of two commits, to be copied."""
    folder = tmp_path_factory.mktemp("repositories")
    first, second = ("commit", "-qm", "start"), ("commit", "-q", "--allow-empty", "-m", "feat: before the session")
    for name in ("shop", "other", "o ther"):
        (folder / name).mkdir()
        (folder / name / "a").write_text("1\n")
        early = os.environ | {f"GIT_{who}_DATE": "2026-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")}
        told = (("init", "-q"), ("config", "user.email", "t@example.org"), ("config", "user.name", "T"), ("add", "a"))
        for words in (*told, first, second):
            subprocess.run(["git", *words], cwd=folder / name, env=early, check=True, capture_output=True)
    return folder


def milestones(repositories, tmp_path, command):
    """Run a command in a copy of the repositories; return the milestones that each client's session shows."""
    work = tmp_path / "work"
    shutil.copytree(repositories, work)
    began = datetime.now(UTC)
    ran = subprocess.run(["bash", "-c", command], cwd=work / "shop", capture_output=True, text=True, check=False)
    over = datetime.now(UTC)
    found = {}
    for platform in PLATFORMS:
        home = Home(tmp_path / platform)
        session = Native(platform, tmp_path / "transcripts", work / "shop")
        session.turn("do it", [Call(command, ran.returncode != 0, ran.stdout + ran.stderr)], began, over)
        for moment in ("turn_end", "session_end"):
            session.tell(home, moment, over)
            drained(home, over)
        found[platform] = [entry.subject for entry in noted(home, "milestone")]
    return found


@pytest.mark.parametrize("case", ONCE)
def test_a_milestone_is_noted_once(case, repositories, tmp_path):
    """However it is written and wherever it is made, each commit that git has is one line, told in each client's way."""
    command, subjects = ONCE[case]
    assert milestones(repositories, tmp_path, command) == dict.fromkeys(PLATFORMS, subjects)


@pytest.mark.parametrize("case", NEVER)
def test_what_is_no_milestone_is_not_noted(case, repositories, tmp_path):
    """Words that look like a commit, and commits that failed or close nothing."""
    assert milestones(repositories, tmp_path, NEVER[case]) == {name: [] for name in PLATFORMS}


def test_a_shell_that_stays_where_it_went(repositories, tmp_path, home):
    """A client whose shell is kept: one call goes to a repository, a later one commits there."""
    work = tmp_path / "work"
    shutil.copytree(repositories, work)
    began = datetime.now(UTC)
    said = "git commit -q --allow-empty -m 'feat: there'"
    subprocess.run(["bash", "-c", said], cwd=work / "other", check=True)
    session = Native("claude-code", tmp_path / "transcripts", work / "shop")
    over = datetime.now(UTC)
    session.turn("do it", [Call("cd ../other"), Call("ls"), Call(said)], began, over)
    session.tell(home, "session_end", over)
    drained(home, over)
    assert [entry.subject for entry in noted(home, "milestone")] == ["feat: there"]


def test_what_the_user_commits_later_is_not_the_sessions(repositories, tmp_path, home):
    """A session is read long after its end: a commit made by hand meanwhile is none of it; one amended later, no new one."""
    work = tmp_path / "work"
    shutil.copytree(repositories, work)
    now = datetime.now(UTC)
    session = Native("claude-code", tmp_path / "transcripts", work / "shop")

    def commit(at, *words):
        when = {f"GIT_{who}_DATE": at.isoformat() for who in ("AUTHOR", "COMMITTER")}
        told = ["git", "commit", "-q", "--allow-empty", *words]
        subprocess.run(told, cwd=work / "shop", env=os.environ | when, check=True)

    commit(now - timedelta(hours=5), "-m", "feat: of the session")
    session.turn("do it", [Call("git commit -m x")], now - timedelta(hours=5, minutes=1), now - timedelta(hours=5))
    session.tell(home, "session_end", now - timedelta(hours=4))
    commit(now - timedelta(hours=2), "-m", "feat: by hand")
    drained(home, now)
    assert [entry.subject for entry in noted(home, "milestone")] == ["feat: of the session"]

    subprocess.run(["git", "reset", "-q", "--hard", "HEAD~1"], cwd=work / "shop", check=True)
    commit(now, "--amend", "--no-edit")
    session.turn("amend it", [Call("git commit --amend --no-edit")], now - timedelta(minutes=1), now)
    session.tell(home, "session_end", now)
    drained(home, now)
    assert len(noted(home, "milestone")) == 1


def test_a_secret_in_a_subject_is_not_kept(repositories, tmp_path):
    """What git tells passes the redactor like everything else."""
    secret = "ghp_" + "a1B2c3D4e5" * 4
    found = milestones(repositories, tmp_path, f"git commit --allow-empty -m 'feat: token {secret[:40]}'")
    assert all(len(told) == 1 and "ghp_a1B2" not in told[0] for told in found.values())
