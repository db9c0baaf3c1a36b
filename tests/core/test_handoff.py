"""Handoff: questions go out as files, the same command collects the answers, and no file can do harm."""

import json
import os
import stat
from datetime import UTC, datetime

import pytest

from nightschool.clock import FixedClock
from nightschool.errors import NightschoolError, WaitingForAnswers
from nightschool.models.backends.handoff import Handoff
from nightschool.models.door import Door
from nightschool.models.questions import Question
from nightschool.records import OWN_MARK

CLOCK = FixedClock(datetime(2025, 1, 2, tzinfo=UTC))
QUESTIONS = [Question(kind="rollout", model="m", system=f"doc {n % 2}", prompt=f"task {n}", k=n % 3) for n in range(9)]


@pytest.fixture
def ask(home):
    """Ask as the same command would: with a new door each time."""

    def asked(questions=QUESTIONS, **more):
        with Door(home, Handoff(home, "0001"), clock=CLOCK, redact=more.pop("redact", str), night="0001") as door:
            return door.ask_all(questions)

    return asked


def waits(ask, questions=QUESTIONS):
    """Ask, and return why it waits."""
    with pytest.raises(WaitingForAnswers) as caught:
        ask(questions)
    return caught.value


def place(home, number=1):
    """Return a round's directory."""
    return home.handoff / "0001" / f"round-{number:02}"


def asked(home, number=1):
    """Return a round's questions, as an agent reads them."""
    return json.loads((place(home, number) / "questions.json").read_text())["questions"]


def answer(home, one, text=None, number=1):
    """Write an answer, as an agent does."""
    text = f"re: {one['prompt']}" if text is None else text
    (place(home, number) / "answers" / f"{one['id']}.md").write_text(text)


def test_a_whole_loop_with_partial_answers(ask, home):
    """Questions wait; answers that are there are kept; the rest goes on waiting; then the night goes on."""
    waiting = waits(ask)
    assert waiting.exit_code == 3
    assert "9 questions" in str(waiting)
    assert str(place(home)) in str(waiting)
    assert "nightschool run" in str(waiting)

    for one in asked(home)[:4]:
        answer(home, one)
    assert "5 questions" in str(waits(ask))
    for path in (place(home) / "answers").iterdir():
        path.unlink()  # they are in the ledger by now
    assert "5 questions" in str(waits(ask))
    for one in asked(home)[4:]:
        answer(home, one)
    results = ask()

    assert [result.text for result in results] == [f"re: {OWN_MARK}\n{one.prompt}" for one in QUESTIONS]
    assert all(result.cost_usd is None for result in results)
    assert not place(home, 2).exists()
    assert all(result.cached for result in ask())


def test_a_round_shows_questions_and_nothing_else(ask, home):
    """Id, document and request: no model, no attempt, no order that tells anything; each prompt carries our mark."""
    waits(ask)
    shown = asked(home)

    assert {tuple(one) for one in shown} == {("id", "system", "prompt")}
    assert all(one["prompt"].startswith(OWN_MARK + "\n") for one in shown)
    assert [one["prompt"] for one in shown] != [f"{OWN_MARK}\n{one.prompt}" for one in QUESTIONS]
    assert len({one["id"] for one in shown}) == 9
    page = (place(home) / "README.md").read_text()
    assert page.startswith(OWN_MARK)
    assert "fresh context" in page
    assert "nightschool run" in page


def test_the_order_does_not_follow_the_order_of_asking(home, tmp_path):
    """The same questions in any order give the same file."""
    from nightschool.paths import Home

    files = []
    for name, questions in (("a", QUESTIONS), ("b", QUESTIONS[::-1])):
        other = Home(tmp_path / name)
        door = Door(other, Handoff(other, "0001"), clock=CLOCK, redact=str, night="0001")
        with door, pytest.raises(WaitingForAnswers):
            door.ask_all(questions)
        files.append((place(other) / "questions.json").read_bytes())

    assert files[0] == files[1]


def test_each_batch_has_a_round_of_its_own_and_a_night_has_six(ask, home):
    """Train and held-out questions never share a round; a night that does not end is stopped, and keeps its rounds."""
    for number in range(1, 7):
        waits(ask, [Question(kind="rollout", prompt=f"batch {number}")])
        assert [one["prompt"] for one in asked(home, number)] == [f"{OWN_MARK}\nbatch {number}"]
    with pytest.raises(NightschoolError, match="6 rounds") as caught:
        ask([Question(kind="rollout", prompt="batch 7")])

    assert not isinstance(caught.value, WaitingForAnswers)
    assert len(list((home.handoff / "0001").iterdir())) == 6
    assert "1 question waits" in str(waits(ask, [Question(kind="rollout", prompt="batch 3")]))


def test_new_questions_beside_open_ones_get_a_round_and_both_are_named(ask, home):
    """Nothing is asked twice, and nothing open is forgotten."""
    waits(ask, QUESTIONS[:2])
    waiting = waits(ask, QUESTIONS[:4])

    assert len(asked(home, 2)) == 2
    assert str(place(home, 1)) in waiting.where
    assert str(place(home, 2)) in waiting.where
    assert "4 questions" in str(waiting)


def test_files_are_private(ask, home):
    """0600 and 0700: questions quote what the user wrote."""
    waits(ask)
    for path in [home.handoff, *home.handoff.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_secrets_are_not_handed_out(ask, home):
    """The files hold redacted texts."""
    secret = Question(kind="rollout", system="key hunter2", prompt="use hunter2")
    with pytest.raises(WaitingForAnswers):
        ask([secret], redact=lambda text: text.replace("hunter2", "[REDACTED]"))

    [one] = asked(home)
    assert (one["system"], one["prompt"]) == ("key [REDACTED]", f"{OWN_MARK}\nuse [REDACTED]")
    assert not any(b"hunter2" in path.read_bytes() for path in home.root.rglob("*") if path.is_file())


def test_a_reply_is_taken_word_for_word(ask, home):
    """A byte-order mark and the editor's last line break are not the reply's; everything else is."""
    [question] = QUESTIONS[:1]
    waits(ask, [question])
    (place(home) / "answers" / f"{asked(home)[0]['id']}.md").write_bytes("\ufeff  # Grüße\r\n\n* a \n".encode())

    assert ask([question])[0].text == "  # Grüße\r\n\n* a "


def big(path):
    """Fifty megabytes."""
    with path.open("wb") as stream:
        stream.truncate(50_000_000)


def linked(path):
    """A link to a secret outside."""
    secret = path.parents[4] / "secret"
    secret.write_text("SECRET")
    path.symlink_to(secret)


@pytest.mark.parametrize(
    ("hostile", "told"),
    [
        (big, "over 1 MB"),
        (lambda path: path.write_bytes(b"x" * 1_000_001), "over 1 MB"),
        (lambda path: path.write_bytes(b"\x89PNG\xff\xfe"), "not UTF-8"),
        (lambda path: path.write_bytes(b"a\0b"), "not text"),
        (linked, "link"),
        (lambda path: path.symlink_to(path.name), "link"),
        (lambda path: path.mkdir(), "not a file"),
        (os.mkfifo, "not a file"),
    ],
    ids=["50 MB", "1 MB and a byte", "binary", "NUL", "link out", "link to itself", "directory", "pipe"],
)
def test_a_hostile_answer_is_refused_and_told(ask, home, hostile, told):
    """What is no text of a sane size in a plain file is not read; the question stays open; good answers still count."""
    waits(ask)
    bad, good, *_ = asked(home)
    hostile(place(home) / "answers" / f"{bad['id']}.md")
    answer(home, good)
    waiting = waits(ask)

    assert "8 questions" in str(waiting)
    assert told in waiting.why
    assert bad["id"] in waiting.why
    assert "SECRET" not in str(waiting)


def test_the_largest_answer_is_taken(ask, home):
    """One megabyte is still an answer."""
    waits(ask, QUESTIONS[:1])
    answer(home, asked(home)[0], "x" * 1_000_000)

    assert len(ask(QUESTIONS[:1])[0].text) == 1_000_000


@pytest.mark.parametrize("nothing", ["", " \n\t", "\ufeff\n"])
def test_an_empty_file_is_not_an_answer_yet(ask, home, nothing):
    """An agent may make the file first and fill it later."""
    waits(ask)
    answer(home, asked(home)[0], nothing)

    assert "9 questions" in str(waits(ask))


def test_files_that_were_not_asked_for_are_counted_and_left(ask, home):
    """Only ids that were handed out are opened, whatever else lies there."""
    waits(ask)
    folder = place(home) / "answers"
    (folder / "notes.md").write_text("hello")
    (folder / "deadbeefdeadbeef.md").write_text("an answer to nothing")
    (folder / "..md").write_text("x")
    (folder / "sub").mkdir()
    waiting = waits(ask)

    assert "9 questions" in str(waiting)
    assert "4 other files were ignored" in waiting.why
    assert (folder / "notes.md").read_text() == "hello"


def test_an_id_with_a_path_in_it_reads_nothing(ask, home):
    """Ids come from our own hashes: editing questions.json cannot point the reader elsewhere."""
    waits(ask)
    path = place(home) / "questions.json"
    (home.handoff / "0001" / "evil.md").write_text("stolen")
    told = json.loads(path.read_text())
    told["questions"][0]["id"] = "../../evil"
    path.write_text(json.dumps(told))
    waiting = waits(ask)

    assert "9 questions" in str(waiting)
    assert [one["id"] for one in asked(home, 2)] != ["../../evil"]


def test_answers_that_are_a_link_are_refused(ask, home, tmp_path):
    """The whole directory swapped for a link is not followed."""
    waits(ask)
    folder = place(home) / "answers"
    folder.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / f"{asked(home)[0]['id']}.md").write_text("stolen")
    folder.symlink_to(elsewhere)

    assert "answers is not a directory" in waits(ask).why


def test_answers_that_were_removed_are_waited_for(ask, home):
    """A directory that is gone is no error: nothing is answered."""
    waits(ask)
    (place(home) / "answers").rmdir()

    assert "9 questions" in str(waits(ask))


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"night": 1}', b"\xff"])
def test_a_broken_round_is_told(ask, home, broken):
    """One clear line, not a trace, and a way on."""
    waits(ask)
    (place(home) / "questions.json").write_bytes(broken)

    with pytest.raises(NightschoolError, match="cannot read a round") as caught:
        ask()
    assert not isinstance(caught.value, WaitingForAnswers)


@pytest.mark.parametrize("night", ["0001", "0000"])
def test_a_pipe_in_a_rounds_place_is_not_waited_for(ask, home, night):
    """Whoever answers may leave anything there: of this night it is named, in another night's it is passed over."""
    waits(ask)
    there = home.handoff / night / "round-01"
    (there / "answers").mkdir(parents=True, exist_ok=True)
    (there / "answers" / f"{asked(home)[0]['id']}.md").write_text("an answer")
    (there / "questions.json").unlink(missing_ok=True)
    os.mkfifo(there / "questions.json")

    with pytest.raises(NightschoolError) as caught:
        ask()
    assert ("cannot read a round" in str(caught.value)) == (night == "0001")


def test_folders_of_somebody_else_are_passed_over(ask, home):
    """Only nights have rounds: a folder whose name is no night's stops none."""
    waits(ask)
    (home.handoff / "my notes (old)").mkdir()
    (home.handoff / ".git").mkdir()

    assert "9 questions" in str(waits(ask))


def test_a_round_that_was_not_finished_is_written_again(ask, home):
    """A crash before `questions.json` leaves no round: the next run writes it whole."""
    waits(ask)
    (place(home) / "questions.json").unlink()
    waits(ask)

    assert len(asked(home)) == 9
    assert not place(home, 2).exists()


def test_a_night_is_a_name(home):
    """The night's id becomes a directory; a path is refused."""
    with pytest.raises(NightschoolError):
        Handoff(home, "../elsewhere")
