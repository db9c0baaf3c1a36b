"""A reply that has to be JSON of a known shape: read it, and let the model mend it once."""

from __future__ import annotations

import json
import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from nightschool.models.door import Door
from nightschool.models.fence import fence
from nightschool.models.questions import CallError, Question

Shape = TypeVar("Shape", bound=BaseModel)
LONGEST = 20_000  # characters of a broken reply that are shown to the model again
_FENCED = re.compile(r"```[a-zA-Z]*\n(.*?)```", re.DOTALL)


def ask_for(door: Door, question: Question, shape: type[Shape]) -> Shape:
    """Ask for JSON of a shape. A reply that is not is mended once, by a second question that is charged as well.

    Raises CallError `malformed` when the second is not either, and all that `Door.ask` raises.
    """
    answer = door.ask(question)
    try:
        return read(answer.text, shape)
    except CallError as error:
        prompt = (
            f"This was to be one JSON object of the schema below, and is not: {error.why}\n\n"
            f"{fence(answer.text[:LONGEST], 'a reply to mend')}\n\n"
            f"Reply with the object alone. Its schema: {json.dumps(shape.model_json_schema(), sort_keys=True)}"
        )
    return read(door.ask(question.model_copy(update={"prompt": prompt})).text, shape)


def read(text: str, shape: type[Shape]) -> Shape:
    """Find the object in a reply: all of it, in a code fence, or from its first brace to its last.

    Raises CallError `malformed`.
    """
    fault = "there is no JSON object in it"
    inside = text[text.find("{") : text.rfind("}") + 1]
    for part in (text, *_FENCED.findall(text), inside):
        try:
            return shape.model_validate_json(part)
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] != "json_invalid":
                fault = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise CallError("malformed", fault)
