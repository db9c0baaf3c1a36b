"""The redactor: what it must take out, what it must leave, and how it must behave on any text."""

import json
import sys
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from tests.support.secret_corpus import BENIGN, cases

from nightschool.day.redact import redact, redact_record
from nightschool.records import Session, Source, ToolCall, Turn

CASES = cases()
SIZE = 32768


def lines(secret):
    """What must not be seen again: the secret, and each line of a key block."""
    return [secret, *(line for line in secret.replace("\\n", "\n").splitlines() if not line.startswith("-----"))]


def left(case, redacted):
    """What of the secret is still to be read."""
    return [line for line in lines(case.secret) if line in redacted]


def test_corpus_has_every_kind_in_every_context():
    """At least 45 kinds of secret, each in prose, in a shell command and in a tool's output, and each really there."""
    assert len({case.kind for case in CASES}) >= 45
    assert {case.context for case in CASES} == {"prose", "shell", "output"}
    assert all(case.secret in case.text for case in CASES)
    assert len({(case.kind, case.context) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.context}")
def test_secret_is_gone_and_the_rest_is_there(case):
    """A secret never survives; a placeholder names its kind; the words around it stay."""
    redacted = redact(case.text)
    assert not left(case, redacted)
    assert "[redacted:" in redacted
    assert redact(redacted) == redacted
    assert case.text.startswith(redacted.partition("[redacted:")[0])
    assert case.text.endswith(redacted.rpartition("[redacted:")[2].partition("]")[2])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_bodies_of_the_same_kinds_are_found_too(seed):
    """No pattern knows a body: other random secrets of every kind go as well."""
    assert [case for case in cases(seed) if left(case, redact(case.text))] == []


def test_secrets_in_json_in_json_are_gone():
    """A tool's output is often JSON inside JSON: quotes and line ends are escaped once or twice more."""
    for case in CASES:
        once = json.dumps({"text": case.text})
        for text in (once, json.dumps({"content": once})):
            redacted = redact(text)
            assert not [line for line in lines(case.secret) if line in redacted], (case.kind, redacted)


def test_the_guard_bites(monkeypatch):
    """Without its patterns the redactor leaves the secrets: the tests above can fail."""
    marked = [case for case in CASES if case.kind in {"github-personal", "npm", "vault"}]
    assert not [case for case in marked if left(case, redact(case.text))]
    module = sys.modules["nightschool.day.redact"]
    monkeypatch.setattr(module, "_tokens", lambda _scan: iter(()))
    monkeypatch.setattr(module, "commanded", lambda *_: iter(()))
    assert [case for case in marked if left(case, redact(case.text))] == marked
    placed = [case for case in CASES if case.kind in {"postgres-url", "pem-truncated"}]
    assert not [case for case in placed if left(case, redact(case.text))]
    monkeypatch.setattr(module, "placed", lambda *_: iter(()))
    assert len([case for case in placed if left(case, redact(case.text))]) == len(placed)
    named = [case for case in CASES if case.kind in {"db-pass", "secret-yaml"}]
    monkeypatch.setattr(module, "named", lambda *_: iter(()))
    assert [case for case in named if left(case, redact(case.text))] == named


@pytest.mark.parametrize("line", BENIGN)
def test_talk_about_secrets_is_left_alone(line):
    """Code, hashes, placeholders and prose that hold no secret come out as they went in."""
    assert redact(line) == line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ghp" + "_" + "a1B2" * 9, "[redacted:github-token]"),
        ("postgres://bob:" + "pa55word" + "@db/x", "postgres://bob:[redacted:url-password]@db/x"),
        ("export DB_PASS=" + "hunter2" + " && make", "export DB_PASS=[redacted:password] && make"),
        ("Authorization: Bearer " + "abc123def456", "Authorization: Bearer [redacted:bearer-token]"),
        ('{"password": "' + "hunter2" + '"}', '{"password": "[redacted:password]"}'),
        ("the password is " + "swordfish" + ".", "the password is [redacted:password]."),
    ],
)
def test_only_the_secret_itself_is_replaced(text, expected):
    """The placeholder stands exactly where the secret stood, and says what it was."""
    assert redact(text) == expected


def test_key_block_that_lost_its_beginning():
    """A clipped output may begin in the middle of a key; what is left of it goes too."""
    body = next(case.secret for case in CASES if case.kind == "pem-rsa")
    tail = body[200:]
    assert redact("tail:\n" + tail) == "tail:\n[redacted:private-key]"


units = st.sampled_from(
    [
        "password",
        "token=",
        "api_key: ",
        '"',
        "'",
        "\\",
        "\\n",
        "\n",
        " ",
        "=",
        ":",
        "://",
        "@",
        "x",
        "ghp_",
        "sk-",
        "A1",
        "é",
        "İ",
        "�",
        "\x00",
        "-----BEGIN PRIVATE KEY-----",
        "[redacted:",
        "]",
        "eyJ",
        ".",
        "is ",
        "Bearer ",
        "-u ",
        "&",
        "7f3",
    ]
)
texts = st.one_of(st.text(), st.lists(units, max_size=40).map("".join))


@settings(max_examples=300, deadline=None)
@given(texts)
def test_never_raises_and_twice_is_once(text):
    """Any str is taken, lone surrogates and NUL too, and what is redacted stays as it is."""
    once = redact(text)
    assert redact(once) == once


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(BENIGN), max_size=8).map("\n".join))
@example("if password == confirm_password:\nPWD=/srv/app2")
def test_lines_without_secrets_stay_together(text):
    """Lines that hold no secret hold none together."""
    assert redact(text) == text


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(BENIGN), st.sampled_from(CASES), st.sampled_from(BENIGN))
def test_a_planted_secret_is_gone_whatever_is_around_it(before, case, after):
    """The lines above and below do not hide a secret."""
    assert not left(case, redact(f"{before}\n{case.text}\n{after}"))


@pytest.mark.parametrize(
    "unit",
    [
        "a_",
        "eyJa-",
        "eyJaaaaaaaa.",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "A",
        "A\n",
        "postgres://",
        "://u:p",
        "sk-",
        "password=",
        "key=",
        "pwd=a,",
        'password="',
        'token="\\"',
        "x:y@",
        "secret_",
        "pass",
        "curl -u a:",
        "mysql -pabc ",
        "mysql ",
        "login a password ",
        "Cookie: a=",
        "[redacted:password]",
        "\\",
        "0",
        "a1B2",
    ],
)
def test_time_grows_with_the_length_only(unit):
    """Linear: four times the text takes nowhere near sixteen times as long."""

    def seconds(size):
        text = (unit * size)[:size]
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            redact(text)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(4 * SIZE) < 10 * max(seconds(SIZE), 0.004)


def a_session(prompt, output="ok"):
    """A session of one turn with one tool call."""
    turn = Turn(id="t", at="2026-01-02T03:04:05Z", prompt=prompt, calls=(ToolCall(name="Bash", output=output),))
    return Session(platform="demo", id="s", source=Source(path="/x"), turns=(turn,), skipped={"not json": 2})


def test_record_without_secrets_is_the_same_object():
    """Nothing to redact, nothing to copy."""
    session = a_session("add a LIMIT to the query")
    assert redact_record(session) is session


def test_record_is_redacted_through_tuples_and_models():
    """Every string of a record is redacted, however deep; all else is equal, and the original is untouched."""
    secret = "gl" + "pat-" + "a1B2c3D4e5F6g7H8i9J0"
    session = a_session("hello", output=f"remote: {secret}")
    redacted = redact_record(session)
    assert redacted.turns[0].calls[0].output == "remote: [redacted:gitlab-token]"
    assert secret in session.turns[0].calls[0].output
    assert redacted == a_session("hello", output="remote: [redacted:gitlab-token]")
    assert redact_record(redacted) is redacted


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    things: dict[str, Any]


def test_record_with_dicts_lists_and_extra_fields():
    """Keys of a dict, items of a list and fields that the model does not name are strings too."""
    secret = "np" + "m_" + "a1B2c3D4e5F6" * 3
    redacted = redact_record(Loose(things={secret: [secret, 1, None, {"deep": (secret, b"x")}]}, more=secret))
    assert redacted.things == {
        "[redacted:npm-token]": ["[redacted:npm-token]", 1, None, {"deep": ("[redacted:npm-token]", b"x")}]
    }
    assert redacted.more == "[redacted:npm-token]"
