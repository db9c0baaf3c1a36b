"""The field exam in words."""

from nightschool.records import FieldShown, Ruling, Verdict


def field_sentence(told: FieldShown) -> str:
    """Say what the real sessions of a field exam have shown so far."""
    return (
        f"Field exam: {told.with_} real session(s) with it, {told.without} without, by a coin; {told.passed_with} and "
        f"{told.passed_without} of them passed its check; e = {told.e_value:.3g}, accepted from {told.threshold:.3g}."
    )


def field_claim(verdict: Verdict) -> str:
    """Say what chance is bounded when it was real sessions that decided; "" when it was not."""
    told = verdict.field
    by_exam = verdict.e_value >= verdict.threshold
    if told is None or verdict.ruling is not Ruling.ACCEPT or by_exam or told.e_value < told.threshold:
        return ""
    return f"Accepted: a rule that makes no difference gets this far with at most {100 / told.threshold:.2g} % chance. "
