"""Error spikes and milestones."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from nightschool.day import detect
from nightschool.records import Session, Source, ToolCall, Turn

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def session(outcomes, per_turn=4, output=""):
    """Make a session from a string: `x` a failed call, `.` a good one, `?` one without a result."""
    calls = [ToolCall(name="sh", failed={"x": True, ".": False, "?": None}[one], output=output) for one in outcomes]
    turns = [
        Turn(id=str(n), at=AT, prompt="go", calls=tuple(calls[n : n + per_turn]))
        for n in range(0, len(calls), per_turn)
    ]
    return Session(platform="toy", id="s", source=Source(path="/t"), turns=tuple(turns))


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ("", []),
        ("xx", []),
        ("xxx", [(2, 2)]),
        ("x" + "." * 17 + "xx", [(19, 19)]),  # the third within 20
        ("x" + "." * 18 + "xx", []),  # the third within 21
        ("x.x.x" + "." * 10, [(4, 14)]),
        ("xxxx", [(2, 3)]),  # a fourth failure is the same episode
        ("xxx" + "." * 16 + "xx", [(2, 20)]),  # never fell below three
        ("xxx" + "." * 20 + "xxx", [(2, 19), (25, 25)]),  # it fell, then rose again
        ("xx?", []),
        ("." * 100, []),
    ],
)
def test_three_failures_in_twenty_calls_are_one_spike(outcomes, found):
    """A spike starts at 3 failed calls among the last 20 and is not told again before the count fell below 3."""
    assert detect.episodes(session(outcomes)) == found
    assert detect.episodes(session(outcomes, per_turn=1)) == found


def test_words_in_the_output_are_no_failure():
    """Only the platform's own signal counts: green output that speaks of errors is green."""
    assert detect.episodes(session("....", output="12 passed, 0 failed\nError: none\nTraceback")) == []


def test_failures_of_two_sessions_do_not_add_up():
    """Two failures here and one there are no spike."""
    assert [detect.episodes(session(outcomes)) for outcomes in ("xx", "x")] == [[], []]


@pytest.mark.parametrize(
    ("subject", "is_one"),
    [
        ("feat: x", True),
        ("feat(scope)!: x", True),
        ("feat(api/v2, core): x", True),
        ("feat!: x", True),
        ("feat:x", True),
        ("Feat: x", True),
        ("refactor: x", True),
        ("refactor(core): é", True),
        ("fix: x", False),
        ("feature: x", False),
        ("feat docs are here", False),
        ("feat", False),
        ("feat:", False),
        ("feat(): x", False),
        ("feat (scope): x", False),
        ("defeat: x", False),
        ("fixup! feat: x", False),
        ('Revert "feat: x"', False),
        ("docs: feat: x", False),
        ("", False),
    ],
)
def test_milestone_subjects(subject, is_one):
    """A milestone's subject is a Conventional Commits `feat` or `refactor`."""
    assert detect.is_milestone_subject(subject) is is_one


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """Make a repository on `main` with one plain commit, and a function that runs git in it at a given minute."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    folder = tmp_path / "repo"
    folder.mkdir()

    def git(*argv, minute=0, cwd=folder):
        when = (AT + timedelta(minutes=minute)).isoformat()
        who = {f"GIT_{role}_{part}": "t@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        env = os.environ | who | {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        return subprocess.run(["git", *argv], cwd=cwd, env=env, check=True, capture_output=True, text=True).stdout

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "start", minute=-600)
    git.folder = folder
    return git


def subjects(folder, start=-1, end=100):
    """Give the subjects of the milestones between two minutes."""
    found = detect.milestones(folder, AT + timedelta(minutes=start), AT + timedelta(minutes=end))
    return [commit.subject for commit in found]


def commit(git, subject, minute=0, *more):
    """Commit nothing under `subject`."""
    git("commit", "-q", "--allow-empty", "-m", subject, *more, minute=minute)


def test_milestones_are_the_commits_that_git_has(repo):
    """Commits in the window with a milestone's subject are found, oldest first, with base and head."""
    commit(repo, "feat: before", minute=-5)
    commit(repo, "feat(scope)!: one")
    commit(repo, "fix: two", minute=1)
    commit(repo, "refactor: three", minute=2)
    commit(repo, "feat: after", minute=200)

    found = detect.milestones(repo.folder, AT - timedelta(minutes=1), AT + timedelta(minutes=100))

    assert [one.subject for one in found] == ["feat(scope)!: one", "refactor: three"]
    log = repo("log", "--format=%H %P", "--reverse").splitlines()
    assert [(one.sha, one.base) for one in found] == [tuple(log[2].split()), tuple(log[4].split())]
    assert [one.at for one in found] == [AT, AT + timedelta(minutes=2)]


def test_the_first_commit_has_no_base(tmp_path, repo):
    """A repository's first commit can be a milestone."""
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    repo("init", "-q", cwd=fresh)
    repo("commit", "-q", "--allow-empty", "-m", "feat: all", cwd=fresh)

    (found,) = detect.milestones(fresh, AT, AT)

    assert (found.base, found.subject) == ("", "feat: all")


def test_a_real_merge_counts_and_a_fast_forward_does_not(repo):
    """A merge commit is a milestone whatever its subject; moving forward to what was there is none."""
    repo("checkout", "-q", "-b", "side")
    commit(repo, "fix: side")
    repo("checkout", "-q", "main")
    repo("merge", "-q", "--ff-only", "side", minute=1)
    assert subjects(repo.folder) == []

    repo("checkout", "-q", "side")
    commit(repo, "docs: side", minute=2)
    repo("checkout", "-q", "main")
    repo("merge", "-q", "--no-ff", "side", minute=3)

    assert subjects(repo.folder) == ["Merge branch 'side'"]


def test_a_merge_with_conflicts_counts_when_it_is_committed(repo):
    """Between the failed merge and its commit there is no milestone; an aborted merge leaves none."""
    file = repo.folder / "f"
    for branch in ("main", "side"):
        if branch == "side":
            repo("checkout", "-q", "-b", "side", "HEAD~1")
        file.write_text(branch)
        repo("add", "f")
        commit(repo, f"fix: {branch}")
    with pytest.raises(subprocess.CalledProcessError):
        repo("merge", "main", minute=1)
    assert subjects(repo.folder) == []
    repo("merge", "--abort")
    assert subjects(repo.folder) == []
    with pytest.raises(subprocess.CalledProcessError):
        repo("merge", "main", minute=2)
    file.write_text("both")
    repo("add", "f")
    repo("commit", "-q", "--no-edit", minute=3)

    assert subjects(repo.folder) == ["Merge branch 'main' into side"]


def test_commits_of_others_are_no_milestones(tmp_path, repo):
    """What was cloned, or pulled by fast-forward, even within the window, was not done here."""
    commit(repo, "feat: theirs, before")
    clone = tmp_path / "clone"
    repo("clone", "-q", str(repo.folder), str(clone), cwd=tmp_path, minute=1)
    repo("checkout", "-q", "-b", "side")
    commit(repo, "feat: theirs, later", minute=2)
    repo("checkout", "-q", "main")
    repo("merge", "-q", "--no-ff", "side", minute=3)
    repo("pull", "-q", "--ff-only", cwd=clone, minute=4)
    assert len(repo("log", "--format=%H", cwd=clone).split()) == 4

    assert subjects(clone) == []


def test_amended_undone_and_failed_commits_are_none(repo):
    """Only what a branch still holds counts: an amended commit once, a reset one and a refused one not at all."""
    commit(repo, "feat: typo")
    commit(repo, "feat: no typo", 1, "--amend")
    commit(repo, "feat: undone", minute=2)
    repo("reset", "-q", "--hard", "HEAD~1", minute=3)
    with pytest.raises(subprocess.CalledProcessError):
        repo("commit", "-m", "feat: nothing to commit", minute=4)

    assert subjects(repo.folder) == ["feat: no typo"]


def test_a_commit_on_another_branch_counts(repo):
    """Work on a branch that was left again is found."""
    repo("checkout", "-q", "-b", "side")
    commit(repo, "feat: side")
    repo("checkout", "-q", "main")

    assert subjects(repo.folder) == ["feat: side"]


def test_a_window_within_a_second_holds_its_second(repo):
    """Git keeps whole seconds: a commit in the same second as the window's start is inside."""
    commit(repo, "feat: now")

    assert detect.milestones(repo.folder, AT.replace(microsecond=900_000), AT + timedelta(seconds=1))


def test_odd_subjects_do_not_break_the_reading(repo):
    """Line and record separators of Unicode, and bytes that are no UTF-8, stay within their subject."""
    commit(repo, "feat: a\u2028b\x0bc\x85d\x1ee")
    raw = repo.folder / "message"
    raw.write_bytes(b"refactor: caf\xe9\n")
    repo("-c", "i18n.commitEncoding=UTF-8", "commit", "-q", "--allow-empty", "-F", str(raw), minute=1)

    found = subjects(repo.folder)

    assert found[0] == "feat: a\u2028b\x0bc\x85d\x1ee"
    assert found[1].startswith("refactor: caf")


@pytest.mark.parametrize("kind", ["gone", "file", "plain", "empty repository", "bare"])
def test_where_there_is_no_work_there_are_no_milestones(tmp_path, repo, kind):
    """A directory that is gone or no repository, and a repository without commits, give nothing and raise nothing."""
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("")
    elif kind != "gone":
        place.mkdir()
    if kind in {"empty repository", "bare"}:
        repo("init", "-q", *(["--bare"] if kind == "bare" else []), cwd=place)

    assert detect.milestones(place, AT - timedelta(days=900), AT + timedelta(days=900)) == []


def test_a_git_that_was_killed_is_asked_again(repo, tmp_path, monkeypatch):
    """What was killed, as where memory ran out, has not said that there is nothing."""
    commit(repo, "feat: here")
    folder, real = tmp_path / "first", shutil.which("git")
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\n[ -e "$0.once" ] && exec {real} "$@"\n: >"$0.once"\nkill -9 $$\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    assert subjects(repo.folder) == ["feat: here"]
    assert (folder / "git.once").exists()


def test_the_environment_of_another_git_is_not_followed(repo, tmp_path, monkeypatch):
    """GIT_DIR of the calling process, as inside a git hook, does not lead to another repository."""
    commit(repo, "feat: here")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))

    assert subjects(repo.folder) == ["feat: here"]


def test_the_repository_is_only_read(repo, tmp_path):
    """No byte below the repository changes, and no program that its configuration names is started."""
    signer = tmp_path / "signer"
    signer.write_text(
        f"#!/bin/sh\ncase $* in *--verify*) touch {tmp_path}/sprung; exit 1;; esac\n"
        "cat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\n"
        "printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n'\n"
    )
    signer.chmod(0o700)
    repo("config", "gpg.program", str(signer))
    repo("config", "log.showSignature", "true")
    commit(repo, "feat: x", 0, "-S")
    assert "gpgsig" in repo("cat-file", "commit", "HEAD")
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external"):
        repo("config", key, str(signer))

    def state():
        return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in repo.folder.rglob("*") if p.is_file()}

    before = state()
    assert subjects(repo.folder) == ["feat: x"]

    assert state() == before
    assert not (tmp_path / "sprung").exists()
    repo("log", "-1")
    assert (tmp_path / "sprung").exists()  # the trap does work
