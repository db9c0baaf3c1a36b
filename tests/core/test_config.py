"""The configuration: every key has bounds, and what is written is read back."""

import pytest

from nightschool.cli import main
from nightschool.config import Config, load, save, settings, with_setting
from nightschool.errors import NightschoolError, UsageError


def test_defaults_need_no_file(home):
    """Without a file everything has its default, and no model is asked."""
    assert load(home) == Config()
    assert load(home).models.backend == "none"
    assert not home.root.exists()


def test_what_is_saved_is_read_back(home):
    """Only what differs from the defaults is written, and reading gives the same configuration."""
    chosen = with_setting(with_setting(Config(), "exam.rollouts_k", "3"), "mine.scope", "all")
    save(home, chosen)

    assert load(home) == chosen
    assert home.config.read_text() == '[mine]\nscope = "all"\n\n[exam]\nrollouts_k = 3\n'
    assert home.config.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("exam.rollouts_k", "0"),
        ("exam.rollouts_k", "many"),
        ("exam.alpha", "2"),
        ("exam.gate", "maybe"),
        ("no.such", "1"),
        ("exam", "1"),
        ("exam.no_such", "1"),
        ("openai.base_url", "notaurl"),
        ("openai.base_url", "http://"),
        ("exam.reward", "correctness=nan"),
        ("exam.reward", "correctness=-1"),
        ("adopt.target", "/p/caf\udce9/SKILL.md"),
    ],
)
def test_a_wrong_setting_is_refused(key, value):
    """An unknown key or a value out of bounds is a usage error that names the key."""
    with pytest.raises(UsageError, match=key.split(".", maxsplit=1)[0]):
        with_setting(Config(), key, value)


def test_what_is_wrong_is_told_once():
    """The key is named once, the flag that was given too, and the words are about what may be given."""
    with pytest.raises(UsageError) as refused:
        with_setting(Config(), "budget.tokens", "many", "--budget-tokens many")
    assert str(refused.value).count("budget.tokens") == 1
    assert "--budget-tokens many" in str(refused.value)
    with pytest.raises(UsageError, match="the weight of correctness must be a number from 0 to 1000, not nan"):
        with_setting(Config(), "exam.reward", "correctness=nan")


def test_a_file_that_cannot_be_written_is_told_with_its_flag(home, no_real_home, monkeypatch, capsys):
    """What was named with a flag is named with another; the home has nothing to do with it."""
    monkeypatch.setenv("NIGHTSCHOOL_HOME", str(home.root))
    (no_real_home / "AGENTS.md").write_text("- Be brief.\n")
    monkeypatch.chdir(no_real_home)
    assert main(["conflicts", ".", "--plan-out", "/proc/nowhere/plan.md"]) == 1
    err = capsys.readouterr().err
    assert "Name another file with --plan-out." in err
    assert "NIGHTSCHOOL_HOME" not in err


@pytest.mark.parametrize(
    "argv",
    [
        ["config", "openai.base_url", "notaurl"],
        ["config", "models.command", "/nosuch"],
        ["config", "models.command", "'"],
        ["config", "--add", "privacy.sessions"],
        ["search", "--limit", "-1", "word"],
        ["search", "--limit", "0", "word"],
        ["search", " "],
        ["cases", "run", "x", "--rule", ""],
        ["cases", "build", "--since", ""],
        ["export", "evals", ""],
    ],
)
def test_what_makes_no_sense_is_refused(argv, home, no_real_home, monkeypatch, capsys):
    """One line and exit 2, and nothing is written."""
    monkeypatch.setenv("NIGHTSCHOOL_HOME", str(home.root))
    monkeypatch.chdir(no_real_home)
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "?" not in err
    assert not home.config.exists()


@pytest.mark.parametrize("before", ["", "\ufeff"])
def test_a_file_as_some_editors_leave_it(home, before):
    """With a byte order mark, and lines that end in CR LF."""
    home.root.mkdir()
    home.config.write_bytes(f"{before}[exam]\r\nrollouts_k = 3\r\n".encode())
    assert load(home).exam.rollouts_k == 3


@pytest.mark.parametrize(
    "text",
    [
        "[exam]\nrollouts_k = 0\n",
        "[exam]\nno_such = 1\n",
        "no toml at all",
        "[exam",
        f"a = {'[' * 9999}",
        '[schedule]\non_morning = "\\u0000"\n',
    ],
)
def test_a_broken_file_is_one_clear_line(home, text):
    """A file that cannot be read as settings names itself and what is wrong, and is left as it is."""
    home.root.mkdir()
    home.config.write_text(text)

    with pytest.raises(NightschoolError, match=r"config\.toml"):
        load(home)
    assert home.config.read_text() == text


def test_every_setting_has_a_meaning():
    """`nightschool config` can explain each key."""
    assert all(meaning for _, meaning in settings(Config()).values())
