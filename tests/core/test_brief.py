"""The brief: facts a session is told at its start, few and capped, and none when there is nothing to decide."""

import os
import stat
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.adoption import CLOCK, proposal, rule

from nightschool.config import Config, save, with_setting
from nightschool.errors import NightschoolError, UsageError
from nightschool.morning import brief
from nightschool.morning.adopt import adopt
from nightschool.morning.undo import undo
from nightschool.night.steps import Steps
from nightschool.paths import Home
from nightschool.records import Night, NightStatus, Ruling

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SHOP = "/home/sam/shop"
MIXED = [
    rule("Cap every query.", Ruling.ACCEPT),
    rule("Write a test first.", Ruling.ACCEPT),
    rule("Answer in English.", Ruling.PROBATION),
    rule("Use tabs.", Ruling.UNEXAMINED),
    rule("Never write tests.", Ruling.REJECT),
]


def night(home, name="0001", status=NightStatus.DONE, rules=(), project=SHOP, path="/nowhere/RULES.md"):
    """Put a night on record, with its proposal when it is done, and return the proposal."""
    Steps(home, name).pin(
        "night", Night(id=name, status=status, started=AT, project=project, backend="none", fingerprint=name)
    )
    made = proposal(path, *rules, night=name)
    return Steps(home, name).pin("proposal", made) if status is NightStatus.DONE else made


def told(home, project=SHOP):
    """Return what the file of a project holds; None when there is none."""
    path = brief.place(home, project)
    return path.read_text() if path.exists() else None


def test_rules_that_wait_are_counted_and_not_quoted(home):
    """Counts by ruling, the night's day, and the command that shows them; rejected ones and rules' texts are left out."""
    night(home, rules=MIXED)

    text = brief.prepare(home, SHOP, 600)
    assert text == told(home)
    assert text.startswith("<nightschool-brief>\n")
    assert text.endswith("\n</nightschool-brief>\n")
    assert "2 accepted by their exam, 1 unexamined, 1 on probation." in text
    assert "2026-11-20" in text
    assert "`nightschool report --night 0001`" in text
    assert not [one for one in MIXED if one.edit.text in text]
    assert stat.S_IMODE(brief.place(home, SHOP).stat().st_mode) == 0o600
    assert len(text.splitlines()) == 4
    assert brief.upper_tokens(text) <= 120


@pytest.mark.parametrize(
    "rules", [(), [rule("no", Ruling.REJECT)], [rule("maybe", Ruling.PROBATION)]], ids=["none", "rejected", "probation"]
)
def test_without_a_decision_to_make_there_is_no_file(home, rules):
    """A night that proposes nothing, or whose rules wait for tasks only, costs a session nothing; old facts go."""
    night(home, rules=MIXED)
    brief.prepare(home, SHOP, 600)
    night(home, "0002", rules=rules)

    assert brief.prepare(home, SHOP, 600) == ""
    assert told(home) is None
    assert not home.brief.exists()


def test_without_a_night_nothing_is_made(home):
    """A project without a night gets no brief, and no home."""
    assert brief.prepare(home, SHOP, 600) == ""
    assert not home.root.exists()


@pytest.mark.parametrize(
    ("status", "says"), [(NightStatus.WAITING, "waits for answers"), (NightStatus.OPEN, "was cut short")]
)
def test_an_unfinished_night_comes_first(home, status, says):
    """That the last night waits or was cut short is told before the rules of the one before it."""
    night(home, rules=MIXED)
    night(home, "0002", status)

    lines = brief.prepare(home, SHOP, 600).splitlines()
    assert len(lines) == 5
    assert "Night 0002" in lines[2]
    assert says in lines[2]
    assert "night 0001" in lines[3]


def test_a_night_that_was_given_up_is_not_told_of(home):
    """A night that another was started over is nobody's concern."""
    night(home, status=NightStatus.ABANDONED)

    assert brief.prepare(home, SHOP, 600) == ""


def test_projects_do_not_hear_of_each_other(home):
    """A night belongs to its project; one over all projects has a brief of its own."""
    night(home, "0001", rules=MIXED, project=SHOP)
    night(home, "0002", rules=[], project="/home/sam/shop/api")
    night(home, "0003", rules=MIXED[:1], project=None)
    brief.renew(home, print)

    assert "night 0001" in told(home)
    assert told(home, "/home/sam/shop/api") is None
    assert "night 0003" in told(home, None)


def test_what_is_adopted_is_told_no_more(home, tmp_path):
    """Adopting takes a rule out of the brief, adopting all takes the brief away, undoing brings it back."""
    document = tmp_path / "RULES.md"
    offered = night(home, rules=MIXED, path=document)
    brief.renew(home, print)
    first = told(home)

    adopt(home, offered, clock=CLOCK)
    brief.renew(home, print)
    assert "accepted" not in told(home)
    assert "1 unexamined" in told(home)
    adopt(home, offered, [MIXED[3].edit.id], clock=CLOCK)
    brief.renew(home, print)
    assert told(home) is None
    undo(home)
    undo(home)
    brief.renew(home, print)
    assert told(home) == first


def test_the_budget_holds(home):
    """Facts that do not fit are left out, the last first; 0 tokens are no brief; no bound allows over 2,000."""
    night(home, rules=MIXED)
    night(home, "0002", NightStatus.WAITING)
    full = brief.prepare(home, SHOP, 600)

    assert brief.prepare(home, SHOP, brief.upper_tokens(full)) == full
    less = brief.prepare(home, SHOP, brief.upper_tokens(full) - 1)
    assert less.splitlines() == [*full.splitlines()[:3], full.splitlines()[-1]]
    assert brief.upper_tokens(less) < brief.upper_tokens(full)
    assert brief.prepare(home, SHOP, 20) == ""
    assert told(home) is None
    save(home, with_setting(Config(), "brief.tokens", "0"))
    brief.renew(home, print)
    assert told(home) is None
    assert Config().brief.tokens == 600
    for wrong in ("2001", "-1", "many"):
        with pytest.raises(UsageError, match=r"brief\.tokens"):
            with_setting(Config(), "brief.tokens", wrong)


@given(text=st.text())
def test_the_estimate_errs_upward(text):
    """A token is taken to be three bytes at most, whatever the script; nothing costs nothing."""
    assert brief.upper_tokens(text) * 3 >= len(text.encode())
    assert (brief.upper_tokens(text) == 0) == (text == "")


def test_an_unchanged_brief_is_not_written_again(home):
    """Preparing twice leaves the very file."""
    night(home, rules=MIXED)
    brief.prepare(home, SHOP, 600)
    before = brief.place(home, SHOP).stat()
    brief.prepare(home, SHOP, 600)

    assert (brief.place(home, SHOP).stat().st_ino, brief.place(home, SHOP).stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )


@given(names=st.lists(st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
    .filter(lambda name: name not in {".", "..", brief.FILE}), min_size=1), unique_by=tuple))  # fmt: skip
def test_every_project_has_a_place_of_its_own(names):
    """Two projects never share a file, every place is below `brief/`, and its path ends in the project's own."""
    home = Home(brief.Path("/h"))
    projects = ["/" + "/".join(parts) for parts in names]
    places = [brief.place(home, project) for project in projects]

    assert len({os.fspath(path) for path in places}) == len(projects)
    for project, path in zip(projects, places, strict=True):
        assert os.fspath(path) == f"/h/brief{project}/{brief.FILE}"


@pytest.mark.parametrize("project", ["shop", "../shop", ""])
def test_a_relative_project_is_refused(home, project):
    """A project's path is absolute; one that climbs stays below `brief/`."""
    with pytest.raises(NightschoolError, match="not absolute"):
        brief.place(home, project)
    assert brief.place(home, "/a/../../../etc") == home.brief / "etc" / brief.FILE


def test_a_brief_that_cannot_be_written_stops_nobody(home):
    """A name in the way, a path too long, a broken configuration: one line each, and the other projects' briefs stand."""
    night(home, "0001", rules=MIXED, project="/in/the/way")
    night(home, "0002", rules=MIXED, project="/" + "/".join(["x" * 200] * 20))
    night(home, "0003", rules=MIXED, project=SHOP)
    home.brief.mkdir()
    (home.brief / "in").write_text("mine")
    lines = []
    brief.renew(home, lines.append)

    assert len(lines) == 2
    assert all("the brief is not prepared" in line for line in lines)
    assert told(home) is not None
    assert (home.brief / "in").read_text() == "mine"
    home.config.write_text("no toml at all")
    brief.renew(home, lines.append)
    assert len(lines) == 3


def test_a_project_inside_another_keeps_its_brief(home):
    """When a brief goes, so do the directories made for it, but not those that hold another's."""
    night(home, "0001", rules=MIXED, project=SHOP)
    night(home, "0002", rules=MIXED, project=f"{SHOP}/api/v2")
    brief.renew(home, print)
    night(home, "0003", rules=[], project=SHOP)
    brief.renew(home, print)

    assert told(home) is None
    assert told(home, f"{SHOP}/api/v2") is not None
    night(home, "0004", rules=[rule("no", Ruling.REJECT)], project=f"{SHOP}/api/v2")
    brief.renew(home, print)
    assert not home.brief.exists()
