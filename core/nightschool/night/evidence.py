"""What the exams showed of each edit, kept over all nights: one file for an edit and who was asked."""

import hashlib
from collections.abc import Iterable

from pydantic import ValidationError

from nightschool.errors import NightschoolError
from nightschool.files import write_whole
from nightschool.paths import Home, safe_name
from nightschool.records import Evidence, Pair
from nightschool.versions import stored


def everything(home: Home) -> list[Evidence]:
    """Return all evidence, ordered by edit. Raises NightschoolError when a file was damaged: it is paid for."""
    try:
        paths = sorted(home.evidence.glob("*.json"))
    except OSError as error:
        raise NightschoolError("cannot list the evidence", where=home.evidence, why=error) from error
    found = []
    for path in paths:
        try:
            found.append(stored(Evidence, path))
        except (OSError, ValidationError) as error:
            fix = "Restore it from a backup, or move it away to examine the edit anew."
            raise NightschoolError("evidence cannot be read", where=path, why=error, fix=fix) from error
    return found


def save(home: Home, evidence: Evidence) -> None:
    """Write one edit's evidence, whole or not at all."""
    write_whole(home.evidence / f"{safe_name(name(evidence))}.json", evidence.model_dump_json(indent=1).encode())


def name(evidence: Evidence) -> str:
    """Return what its file is called, without the ending: by the edit, and by who was asked."""
    return f"{evidence.edit.id}.{hashlib.sha256(evidence.examiner.encode()).hexdigest()[:8]}"


def with_missing(evidence: Evidence, task: str, one_sided: tuple[int, int]) -> Evidence:
    """Note how many attempts at a task one side alone could score; a resumed night tells the same again."""
    others = {name: both for name, both in evidence.one_sided.items() if name != task}
    return evidence.model_copy(update={"one_sided": others | ({task: one_sided} if any(one_sided) else {})})


def with_pairs(evidence: Evidence, pairs: Iterable[Pair]) -> Evidence:
    """Add pairs whose family the edit has not met: near-duplicates, and a resumed night, are one piece of evidence."""
    met = {pair.family for pair in evidence.pairs}
    new = []
    for pair in pairs:
        if pair.family not in met:
            met.add(pair.family)
            new.append(pair)
    return evidence.model_copy(update={"pairs": (*evidence.pairs, *new)})
