"""Rules go where the client reads them: file by file, in its own order."""

import os
from pathlib import Path

import pytest

from nightschool.records import NightRequest
from nightschool_claude_code.rules import targets as claude_targets
from nightschool_codex.rules import targets


@pytest.fixture
def repo(tmp_path):
    """Return a repository's directory."""
    made = tmp_path / "repo"
    (made / ".git").mkdir(parents=True)
    return made


def found(tmp_path, project, **environ):
    """Return the path of each target by what it is, relative to the home where it can be."""
    request = NightRequest(
        user_home=str(tmp_path), environ=environ, project=project and str(project), skills=("/s/x/SKILL.md",)
    )
    return {target.key.partition(":")[2]: os.path.relpath(target.path, tmp_path) for target in targets(request)}


def test_with_nothing_there_the_plain_names_are_taken(tmp_path, repo):
    """Project, user and skill; a repository of its own only when it is above the project."""
    assert found(tmp_path, repo) | {"skill-1": ""} == {
        "project": "repo/AGENTS.md",
        "user": ".codex/AGENTS.md",
        "skill": ".agents/skills/nightschool-learned/SKILL.md",
        "skill-1": "",
    }
    assert "project" not in found(tmp_path, None)
    assert found(tmp_path, repo / "sub")["repository"] == "repo/AGENTS.md"
    assert found(tmp_path, repo / "sub")["project"] == "repo/sub/AGENTS.md"


def test_what_is_read_along_is_named(tmp_path, repo):
    """Every document from the repository's root down to the project's is told, so no rule of one is proposed for another."""
    deep = repo / "a" / "b"
    deep.mkdir(parents=True)
    (repo / "AGENTS.md").touch()
    (repo / "a" / "AGENTS.override.md").touch()
    (repo / "a" / "AGENTS.md").touch()
    request = NightRequest(user_home=str(tmp_path), project=str(deep))
    along = {target.key: target.along for target in targets(request)}

    assert along["codex:project"] == (str(repo / "AGENTS.md"), str(repo / "a" / "AGENTS.override.md"))
    assert along["codex:repository"] == (str(repo / "a" / "AGENTS.override.md"),)
    assert along["codex:user"] == ()


def test_an_override_is_what_is_read(tmp_path, repo):
    """In a project even an empty one hides AGENTS.md; in the client's home only one that says something does."""
    home = tmp_path / ".codex"
    home.mkdir()
    for folder in (repo, home):
        (folder / "AGENTS.md").write_text("rules\n")
        (folder / "AGENTS.override.md").write_text(" \n")
    assert found(tmp_path, repo)["project"] == "repo/AGENTS.override.md"
    assert found(tmp_path, repo)["user"] == ".codex/AGENTS.md"

    (home / "AGENTS.override.md").write_text("mine\n")
    assert found(tmp_path, repo)["user"] == ".codex/AGENTS.override.md"
    (repo / "AGENTS.override.md").unlink()
    (repo / "AGENTS.override.md").mkdir()
    assert found(tmp_path, repo)["project"] == "repo/AGENTS.md"


def test_the_users_own_names_and_home_count(tmp_path, repo):
    """`project_doc_fallback_filenames`, `project_root_markers` and CODEX_HOME are looked up, a broken file is not."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.toml").write_text(
        'project_doc_fallback_filenames = ["NO.md", "CLAUDE.md"]\nproject_root_markers = ["top"]\n'
    )
    (repo / "CLAUDE.md").write_text("rules\n")
    (tmp_path / "top").touch()
    assert found(tmp_path, repo, CODEX_HOME=str(other)) | {"skill": "", "skill-1": ""} == {
        "project": "repo/CLAUDE.md",
        "repository": "AGENTS.md",
        "user": "other/AGENTS.md",
        "skill": "",
        "skill-1": "",
    }
    (repo / "AGENTS.md").touch()
    assert found(tmp_path, repo, CODEX_HOME=str(other))["project"] == "repo/AGENTS.md"
    (other / "config.toml").write_text("= broken")
    assert found(tmp_path, repo / "sub", CODEX_HOME=str(other))["repository"] == "repo/AGENTS.md"


@pytest.mark.parametrize("line", ["@AGENTS.md", "@./AGENTS.md", "See @AGENTS.md for the rules."])
def test_rules_that_both_clients_read_have_one_place(tmp_path, repo, line):
    """A CLAUDE.md that imports the AGENTS.md beside it takes no rules of its own: they go where both clients read."""
    (repo / "CLAUDE.md").write_text(f"# Rules\n\n{line}\n")
    (repo / "AGENTS.md").write_text("rules\n")
    request = NightRequest(user_home=str(tmp_path), project=str(repo))
    both = {t.key: t.path for t in [*claude_targets(request), *targets(request)]}
    assert both["claude-code:project"] == both["codex:project"] == str(repo / "AGENTS.md")

    for text in (f"```\n{line}\n```\n", "`@AGENTS.md`\n", "mail@AGENTS.md\n"):
        (repo / "CLAUDE.md").write_text(text)
        both = {t.key: t.path for t in claude_targets(request)}
        assert both["claude-code:project"] == str(repo / "CLAUDE.md")
    (repo / "CLAUDE.md").write_text(line)
    (repo / "AGENTS.md").unlink()
    assert {t.key: t.path for t in claude_targets(request)}["claude-code:project"] == str(repo / "CLAUDE.md")


def test_a_link_is_one_file(tmp_path, repo):
    """Linked to each other, both names are offered; they lead to one file, into which a rule goes once."""
    (repo / "CLAUDE.md").write_text("rules\n")
    (repo / "AGENTS.md").symlink_to("CLAUDE.md")
    request = NightRequest(user_home=str(tmp_path), project=str(repo))
    both = {t.key: Path(t.path).resolve() for t in [*claude_targets(request), *targets(request)]}

    assert both["claude-code:project"] == both["codex:project"] == repo / "CLAUDE.md"
