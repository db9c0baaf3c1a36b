"""What a hook receives on stdin: of all its fields only those that point somewhere are read."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from nightschool.events import Name

_Path = Annotated[str, Field(max_length=4096, pattern=r"^/[^\x00]*$|^[A-Za-z]:[\\/][^\x00]*$")]


class Payload(BaseModel):
    """The common fields of all events; unknown ones, and unknown events, are tolerated."""

    model_config = ConfigDict(extra="ignore")

    session_id: Name
    transcript_path: _Path
    cwd: _Path | None = None


def read(_moment: str, data: bytes) -> dict[str, str]:
    """Return `session_id`, `transcript` and, when told, `project`. Raises ValueError when it is no such payload."""
    payload = Payload.model_validate(_object(data))
    told = {"session_id": payload.session_id, "transcript": payload.transcript_path}
    return told | ({"project": payload.cwd} if payload.cwd else {})


def _object(data: bytes) -> Any:
    """Parse as the standard library does: half of a surrogate pair, where a client has cut a text, is no fault."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deep") from None
