"""What a user is told is one line."""

import pytest

from nightschool.errors import BudgetReached, NightschoolError, UsageError, WaitingForAnswers


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
