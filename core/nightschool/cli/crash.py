"""What is left behind when Nightschool itself is at fault: a log that can be pasted into an issue."""

import platform
import traceback
from datetime import UTC, datetime

from nightschool import __version__
from nightschool.day.redact import redact
from nightschool.errors import NightschoolError
from nightschool.files import write_whole
from nightschool.paths import Home


def leave_log(verb: str) -> str:
    """Write the present exception's trace, redacted, and return a sentence that says where."""
    at = datetime.now(UTC)
    text = f"nightschool {__version__} {verb}\npython {platform.python_version()} on {platform.platform()}\n{at}\n\n"
    try:
        path = Home.from_env().root / "crash" / f"{at:%Y%m%dT%H%M%S%f}.log"
        write_whole(path, redact(text + traceback.format_exc()).encode(errors="replace"))
    except NightschoolError as error:
        return f"It could not be logged: {error}"
    return f"Details are in {path}; please report it."
