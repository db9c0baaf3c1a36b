"""Uninstalling: the user's files are what they were, or what the user has made of them since; nothing of ours is left."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.adoption import CLOCK, edit, proposal, target

from nightschool.files import single_flight
from nightschool.morning import brief, receipts
from nightschool.morning.adopt import adopt
from nightschool.morning.undo import undo
from nightschool.morning.uninstall import planned, purge, uninstall

BEFORE = b"# Shop\r\n\r\n\r\nUse tabs."


@pytest.fixture
def doc(tmp_path):
    """A document of the user's."""
    path = tmp_path / "files" / "RULES.md"
    path.parent.mkdir()
    path.write_bytes(BEFORE)
    return path


def take(home, doc, *what, night="n1", **more):
    """Adopt rules into a document."""
    return adopt(home, proposal(doc, *what, night=night, **more), clock=CLOCK)


def done(found):
    """Return what became of the files, by name."""
    return {Path(file.path).name: file.action for file in found}


def tree(folder):
    """Return everything below a folder: mode and bytes."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


def test_files_nobody_touched_get_their_bytes_back(home, doc):
    """Adoptions over several nights into a file, a file that was not there, and a skill: all goes, with its directories."""
    folder = doc.parent
    new, skill = folder / "deep" / "down" / "NEW.md", folder / "skills" / "nightschool-learned" / "SKILL.md"
    before = tree(folder)
    take(home, doc, "one", "two")
    take(home, new, "three")
    take(home, skill, "four", targets=[target(skill, kind="skill")])
    take(home, doc, edit("1", op="replace", replaces="one"), "five", night="n2")

    wanted = {"RULES.md": "restored", "NEW.md": "removed", "SKILL.md": "removed"}
    middle = tree(folder)
    assert done(planned(home)) == wanted
    assert tree(folder) == middle
    assert done(uninstall(home, print)) == wanted
    assert tree(folder) == before
    assert receipts.adopted_edits(home) == []
    assert planned(home) == uninstall(home, print) == ()
    assert tree(folder) == before


def test_in_edited_files_only_ours_goes(home, doc):
    """Every byte the user has written since stays, whether above, below or between the rules."""
    take(home, doc, "one", "two")
    data = doc.read_bytes().replace(b"Use tabs.", b"Use spaces.").replace(b"- two\r\n", b"- mine\r\n- two\r\n")
    doc.write_bytes(data + b"\r\n## Later\r\n")

    (file,) = uninstall(home, print)
    assert file.action == "cleaned"
    assert doc.read_bytes() == b"# Shop\r\n\r\n\r\nUse spaces.\r\n\r\n- mine\r\n\r\n## Later\r\n"
    assert uninstall(home, print) == ()


def test_a_reworded_rule_stays_without_the_markers(home, doc):
    """What the user has made of a rule is the user's; the block around it is not."""
    take(home, doc, "one", "two")
    doc.write_bytes(doc.read_bytes().replace(b"- one", b"- one, mostly"))

    expected = planned(home)
    (file,) = uninstall(home, print)
    assert (file,) == expected
    assert file.action == "cleaned"
    assert "changed or removed by hand" in file.notes[0]
    assert doc.read_bytes() == BEFORE + b"\r\n\r\n- one, mostly\r\n"
    assert uninstall(home, print) == ()


@pytest.mark.parametrize("keep", [b"", b"\r\n"], ids=["empty", "blank"])
def test_a_block_that_the_user_has_emptied_goes(home, doc, keep):
    """Markers around nothing are ours too, and so is a file that holds nothing else."""
    new = doc.with_name("NEW.md")
    take(home, doc, "one")
    take(home, new, "one")
    doc.write_bytes(doc.read_bytes().replace(b"- one\r\n", keep))
    new.write_bytes(new.read_bytes().replace(b"- one\n", keep))

    uninstall(home, print)
    assert doc.read_bytes() == BEFORE
    assert not new.exists()


def test_a_block_of_somebody_else_stays(home, doc):
    """A block that was there before us, or that came after ours was off, is not ours to take."""
    theirs = b"<!-- nightschool:begin -->\n- a teammate's\n<!-- nightschool:end -->\n"
    other = doc.with_name("OTHER.md")
    doc.write_bytes(theirs)
    take(home, doc, "mine")
    take(home, other, "mine too")
    undo(home)
    other.write_bytes(b"# Pulled\n\n" + theirs)

    assert done(uninstall(home, print)) == {"RULES.md": "restored"}
    assert doc.read_bytes() == theirs
    assert other.read_bytes() == b"# Pulled\n\n" + theirs


def test_what_was_undone_before_is_left_alone(home, doc):
    """A file that holds nothing of ours is not touched, whatever the user made of it."""
    take(home, doc, "one")
    undo(home)
    doc.write_bytes(b"all new")

    assert uninstall(home, print) == ()
    assert doc.read_bytes() == b"all new"


def test_a_file_that_is_gone_stays_gone(home, doc):
    """A file the user has removed is not made again; of directories made for it the empty ones go."""
    new = doc.parent / "a" / "b" / "NEW.md"
    take(home, doc, "one")
    take(home, new, "one")
    doc.unlink()
    new.unlink()
    (doc.parent / "a" / "mine").touch()

    assert uninstall(home, print) == ()
    assert sorted(path.name for path in doc.parent.rglob("*")) == ["a", "mine"]
    assert receipts.adopted_edits(home) == []


def test_a_file_that_cannot_be_changed_stops_no_other(home, doc):
    """It is named with the reason and stays adopted; made writable, the next call restores it."""
    other = doc.with_name("OTHER.md")
    other.write_bytes(b"other")
    take(home, doc, "one")
    take(home, other, "one")
    doc.chmod(0o400)

    assert done(planned(home)) == {"RULES.md": "failed", "OTHER.md": "restored"}
    found = uninstall(home, print)
    assert done(found) == {"RULES.md": "failed", "OTHER.md": "restored"}
    assert "read-only" in found[0].notes[0]
    assert other.read_bytes() == b"other"
    assert len(receipts.adopted_edits(home)) == 1
    doc.chmod(0o600)
    assert done(uninstall(home, print)) == {"RULES.md": "restored"}
    assert doc.read_bytes() == BEFORE


def test_a_link_stays_a_link(home, doc):
    """A document that is reached by a link is restored where it lies."""
    link = doc.with_name("LINK.md")
    link.symlink_to(doc)
    take(home, link, "one")

    assert done(uninstall(home, print)) == {"RULES.md": "restored"}
    assert link.is_symlink()
    assert link.read_bytes() == BEFORE


@pytest.mark.parametrize("seed", range(12))
def test_any_history_ends_where_it_began(home, doc, seed):
    """After any order of adoptions and undoings nobody interfered with, the bytes are the first ones."""
    dice = random.Random(seed)
    texts = [f"rule {n}" for n in range(6)]
    for night in range(8):
        if dice.random() < 0.3 and receipts.adopted_edits(home):
            undo(home, rule=dice.choice(receipts.adopted_edits(home)).id)
        else:
            take(home, doc, *dice.sample(texts, 2), night=f"n{night}")

    uninstall(home, print)
    assert doc.read_bytes() == BEFORE
    assert planned(home) == ()


@pytest.mark.parametrize("at", range(1, 40, 3))
def test_killed_at_any_write_and_called_again(home, doc, at):
    """Killed before any of its renames, the next call ends at the same bytes, the user's edits kept."""
    new = doc.parent / "a" / "NEW.md"
    take(home, doc, "one", "two")
    take(home, new, "three")
    take(home, doc, "four", night="n2")
    doc.write_bytes(doc.read_bytes().replace(b"- one", b"- one, mostly"))
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom nightschool.paths import Home\n"
        "from nightschool.morning.uninstall import uninstall\n"
        f"left = [{at}]\nreplace = Path.replace\n"
        "def counted(self, to):\n    left[0] -= 1\n    left[0] or os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return replace(self, to)\nPath.replace = counted\n"
        "uninstall(Home(Path(sys.argv[1])), print)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(home.root)], check=False)

    uninstall(home, print)
    assert doc.read_bytes() == BEFORE + b"\r\n\r\n- one, mostly\r\n"
    assert sorted(path.name for path in doc.parent.rglob("*")) == ["RULES.md"]
    assert planned(home) == ()


def test_without_adoptions_nothing_is_made(home):
    """Where there is no home none is made; briefs go, so that the hook has nothing to say."""
    assert uninstall(home, print) == ()
    assert purge(home) == []
    assert not home.root.exists()
    place = brief.place(home, "/a/b")
    place.parent.mkdir(parents=True)
    place.touch()
    uninstall(home, print)
    assert not home.brief.exists()


def test_purge_removes_the_home(home, doc):
    """Databases with their side files, unfinished writes, logs and locks go, and the directory with them."""
    take(home, doc, "one")
    uninstall(home, print)
    for name in ("index.db", "index.db-wal", "ledger.db-shm", "rejected.jsonl", ".config.toml.12.0a1b2c3d.tmp"):
        (home.root / name).touch()
    for name in ("spool/.draining", "crash", "brief/a", "sessions/x", "bin"):
        (home.root / name).mkdir(parents=True)

    assert purge(home) == []
    assert not home.root.exists()


def test_a_home_that_holds_other_things_is_not_purged(home, doc):
    """With anything in it that is not Nightschool's, nothing is removed: the directory may be somebody's."""
    take(home, doc, "one")
    uninstall(home, print)
    (home.root / "notes.txt").write_text("mine")
    before = tree(home.root)

    assert purge(home) == ["notes.txt"]
    assert tree(home.root) == before


def test_nothing_is_purged_while_a_night_is_at_work(home, doc):
    """A night that runs is not robbed of its home."""
    take(home, doc, "one")
    script = (
        "import sys\nfrom pathlib import Path\nfrom nightschool.paths import Home\n"
        "from nightschool.morning import uninstall\nuninstall.LOCK_WAIT = 0.1\n"
        "uninstall.purge(Home(Path(sys.argv[1])))\n"
    )
    with single_flight(home.lock, "a night"):
        ran = subprocess.run(
            [sys.executable, "-c", script, str(home.root)], capture_output=True, text=True, check=False
        )
    assert "held by process" in ran.stderr
    assert "a night" in ran.stderr
    assert home.receipts.is_dir()
