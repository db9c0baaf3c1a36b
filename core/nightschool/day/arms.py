"""Which session drew which arm of a field trial, put down when it was drawn: before any outcome is known.

The log only grows. A session that starts again, because it is resumed or its hook is wired twice, throws the coin
again; its first line in a trial is the one that counts, whatever it was told later.
"""

from pydantic import ValidationError

from nightschool.day.spool import Dropped
from nightschool.events import Event
from nightschool.files import append_line, read_lines
from nightschool.paths import Home
from nightschool.records import FieldArm

FILE = "arms.jsonl"


def note(home: Home, drop: Dropped, event: Event) -> None:
    """Put down what a session's start drew; nothing for any other payload. Raises NightschoolError from the disk."""
    if drop.arm is None or event.session_id is None:
        return
    trial, given = drop.arm
    told = FieldArm(trial=trial, platform=event.platform, session=event.session_id, given=given, at=drop.at)
    append_line(home.field / FILE, told.model_dump_json())


def drawn(home: Home, trial: str) -> list[FieldArm]:
    """Return the first arm of every session of a trial, in the order of the log; lines that are none are left out."""
    first: dict[tuple[str, str], FieldArm] = {}
    for line in read_lines(home.field / FILE):
        try:
            arm = FieldArm.model_validate_json(line)
        except ValidationError:  # torn by a crash: the payload is still in the spool and comes again
            continue
        if arm.trial == trial:
            first.setdefault((arm.platform, arm.session), arm)
    return list(first.values())
