"""What a user is told is one line."""

import pytest
from pydantic import ValidationError

from nightschool.errors import BudgetReached, NightschoolError, UsageError, WaitingForAnswers
from nightschool.records import Night


def test_an_error_is_one_line_whatever_its_parts_hold():
    """What, where, why and the next step stand in one line, in this order."""
    error = NightschoolError("it broke", where="a\nb", why="x\ny", fix="Mend\nit.")

    assert str(error) == "it broke (a b): x y. Mend it."


@pytest.mark.parametrize(
    ("kind", "code"), [(NightschoolError, 1), (UsageError, 2), (WaitingForAnswers, 3), (BudgetReached, 4)]
)
def test_exit_codes(kind, code):
    """Each kind of expected end has the exit code that scripts can rely on."""
    assert kind("x").exit_code == code


def test_a_record_that_does_not_fit_is_told_in_few_words():
    """Of what validation says a user sees the place and the fault: no dump of the data, no link, no escape."""
    with pytest.raises(ValidationError) as bad:
        Night.model_validate_json('{"id": "0001", "status": "secret-in-it\\u001b[31m"}')
    line = str(NightschoolError("a night's file cannot be read", where="n.json", why=bad.value))
    assert line.startswith("a night's file cannot be read (n.json): status: ")
    assert "secret-in-it" not in line
    assert "http" not in line
    assert "\x1b" not in str(NightschoolError("no", why="\x1b[31m\u202e"))
