"""What a hook receives on stdin: of all its fields only those that point somewhere are read.

The client writes camel case for its own events and snake case for those it takes over from other clients' settings.
"""

import json
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from nightschool.events import Name

_Path = Annotated[str, Field(max_length=4096, pattern=r"^/[^\x00]*$|^[A-Za-z]:[\\/][^\x00]*$")]


class Payload(BaseModel):
    """The common fields of all events; most tell no transcript."""

    model_config = ConfigDict(extra="ignore")

    session_id: Name = Field(validation_alias=AliasChoices("sessionId", "session_id"))
    transcript_path: _Path | None = Field(None, validation_alias=AliasChoices("transcriptPath", "transcript_path"))
    cwd: _Path | None = None


def read(_moment: str, data: bytes) -> dict[str, str]:
    """Return `session_id` and, when told, `transcript` and `project`. Raises ValueError when it is no such payload."""
    payload = Payload.model_validate(_object(data))
    told = {"session_id": payload.session_id, "transcript": payload.transcript_path, "project": payload.cwd}
    return {key: value for key, value in told.items() if value}


def _object(data: bytes) -> Any:
    """Parse as the standard library does: half of a surrogate pair, where a client has cut a text, is no fault."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deep") from None
