"""What the optimizer may answer when it is asked for checks."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from nightschool.records import CheckOp

ALLOWED = frozenset({
    CheckOp.CONTAINS, CheckOp.NOT_CONTAINS, CheckOp.REGEX, CheckOp.SECTION_PRESENT, CheckOp.SECTION_CONTAINS,
    CheckOp.MIN_CHARS, CheckOp.MAX_CHARS, CheckOp.JSON_KEYS,
})  # fmt: skip
"""Operators that read an answer's text and do nothing else."""


class Reply(BaseModel):
    """One reply; fields that were not asked for are passed over."""

    intent: Annotated[str, Field(min_length=1, max_length=500)]
    context: Annotated[str, Field(max_length=2000)] = ""
    checks: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=5)]
    good: Annotated[str, Field(min_length=1, max_length=8000)]
    bad: Annotated[str, Field(max_length=8000)]
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.5
