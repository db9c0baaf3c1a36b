"""Where rules can go, and what is read along with them."""

import pytest

from nightschool.night.rules.documents import Documents
from nightschool.records import Edit, NightRequest, PlatformNight
from nightschool_claude_code.imports import imported
from nightschool_claude_code.rules import targets


@pytest.fixture
def project(tmp_path):
    """A project directory of the user's."""
    made = tmp_path / "user-home" / "shop"
    made.mkdir(parents=True)
    return made


def request(project, **told):
    """Ask as a night in this project does."""
    return NightRequest(user_home=str(project.parent), project=str(project), **told)


def by_key(project, **told):
    """Return the targets by their keys without the platform's name."""
    return {target.key.partition(":")[2]: target for target in targets(request(project, **told))}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("@docs/a.md", True),
        ("see @docs/a.md for more", True),
        ("- @docs/a.md", True),
        ("> @docs/a.md", True),
        ("**@docs/a.md**", True),
        ("@./docs/a.md", True),
        ("@docs/a.md#section", True),
        ("@docs/a.md.", False),
        ("(@docs/a.md)", False),
        ("mail@docs/a.md", False),
        ("`@docs/a.md`", False),
        ("``@docs/a.md``", False),
        ("```\n@docs/a.md\n```", False),
        ("~~~sh\n@docs/a.md\n~~~\n", False),
        ("```\nnever closed\n@docs/a.md", False),
        ("<!-- @docs/a.md -->", False),
        ("[text](@docs/a.md)", False),
        ("@docs", False),
        ("@docs/none.md", False),
    ],
)
def test_an_import_is_a_path_that_stands_as_a_word(project, written, found):
    """Which spellings bring a file in was probed with the client; `test_claude_rules.py` asks it again."""
    (project / "docs").mkdir()
    (project / "docs" / "a.md").write_text("told\n")
    (project / "CLAUDE.md").write_text(f"# Rules\n\n{written}\n")
    assert (imported(project / "CLAUDE.md", project) == [project / "docs" / "a.md"]) is found


def test_files_import_on_for_four_steps_and_circles_end(project):
    """A chain is followed four files deep, relative to each file; one that comes back to the start ends."""
    (project / "sub").mkdir()
    (project / "CLAUDE.md").write_text("@sub/1.md\n")
    for step in range(1, 7):
        (project / "sub" / f"{step}.md").write_text(f"@{step + 1}.md\n@../CLAUDE.md\n")
    assert [path.name for path in imported(project / "CLAUDE.md", project)] == ["1.md", "2.md", "3.md", "4.md"]


@pytest.mark.parametrize("told", ["@../secret.md", "@~/secret.md", "@/etc/hostname", "@link.md"])
def test_nothing_outside_the_project_is_read(project, told):
    """A checkout must not make us read what lies elsewhere, by a path or through a link."""
    (project.parent / "secret.md").write_text("secret\n")
    (project / "link.md").symlink_to(project.parent / "secret.md")
    (project / "CLAUDE.md").write_text(f"{told}\n")
    assert imported(project / "CLAUDE.md", project) == []


def test_rules_go_to_the_agents_file_that_claude_md_imports(project):
    """With `@AGENTS.md` in CLAUDE.md the shared file is the target, and CLAUDE.md is read along."""
    (project / "AGENTS.md").write_text("# For all agents\n")
    assert by_key(project)["project"].path == str(project / "CLAUDE.md")
    (project / "CLAUDE.md").write_text("@AGENTS.md\n\n- answer in French\n")
    target = by_key(project)["project"]
    assert (target.path, target.along) == (str(project / "AGENTS.md"), (str(project / "CLAUDE.md"),))


def test_a_link_to_the_agents_file_is_one_file(project):
    """CLAUDE.md that is a link to AGENTS.md brings nothing in twice."""
    (project / "AGENTS.md").write_text("@AGENTS.md\n- one rule\n")
    (project / "CLAUDE.md").symlink_to("AGENTS.md")
    target = by_key(project)["project"]
    assert target.path == str(project / "CLAUDE.md")
    assert target.along == ()


def test_what_is_imported_is_examined_and_not_proposed_again(project):
    """The examined text is everything the client would read; a rule that stands in an import is there already."""
    (project / "docs").mkdir()
    (project / "docs" / "style.md").write_text("# Style\n\n- Always add tests.\n* Never use tabs\n")
    (project / "CLAUDE.md").write_text("@docs/style.md\n\nBe brief.\n")
    night = PlatformNight(platform="claude-code", targets=tuple(targets(request(project))))
    documents = Documents.of([night], "auto", scope="project", busiest=["claude-code"])
    assert {"Always add tests.", "Never use tabs"} <= set(documents.rules())
    edit = Edit(
        id="r1", document="claude-code:project", path=str(project / "CLAUDE.md"), text="say hello", recurrence="c"
    )
    for text in (documents.text("claude-code:project"), documents.text_with(edit)):
        assert text.index("Always add tests.") < text.index("Be brief.")
    assert "say hello" in documents.text_with(edit)
    assert "say hello" not in documents.text("claude-code:project")


def test_skills_are_targets(project, tmp_path):
    """The user's skills, the project's, one of our own for each, and any SKILL.md that was named."""
    for folder, name in ((project.parent, "mine"), (project, "ours")):
        path = folder / ".claude" / "skills" / name / "SKILL.md"
        path.parent.mkdir(parents=True)
        path.write_text(f"---\nname: {name}\ndescription: d\n---\nText.\n")
    named = tmp_path / "elsewhere" / "SKILL.md"
    found = by_key(project, skills=(str(named),))
    assert found["skill/mine"].path.endswith("user-home/.claude/skills/mine/SKILL.md")
    assert found["project-skill/ours"].path == str(project / ".claude" / "skills" / "ours" / "SKILL.md")
    assert found["project-skill"].path == str(project / ".claude" / "skills" / "nightschool-learned" / "SKILL.md")
    assert found["skill"].scope == "user"
    assert found["skill-1"].path == str(named)
    assert len(found) == len(list(targets(request(project, skills=(str(named),)))))
