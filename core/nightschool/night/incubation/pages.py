"""A task's result and its checkpoint as Markdown. Whatever the model wrote, the page ends with its sources."""

import re
from collections.abc import Mapping, Sequence

from nightschool.night.incubation.entries import Entry
from nightschool.night.incubation.questions import keeps_its_shape

NO_WEB = (
    "Written without access to the web: the agent had no web tools. Sources are named from memory, and nobody has "
    "opened them."
)
# possessive: a model's line of blanks must not be divided among them in every way there is
_HEADING = re.compile(
    r"(?im)^[ \t]*+(?:#{1,6}[ \t]*+|\*\*[ \t]*+)sources?[ \t]*+:?[ \t]*+(?:\*\*)?:?[ \t]*+#*+[ \t]*+$"
)
_NEXT = re.compile(r"(?m)^[ \t]*#{1,6}[ \t]+\S")
_NONE = {"none", "none.", "n/a", "-", "none named", "none named."}


def result(entry: Entry, text: str, *, web: bool, backend: str, time_boxed: str = "") -> str:
    """Return a finished page. `time_boxed` tells why it is not whole; "" when it is."""
    body, sources = split_sources(text)
    notes = [f"**Time-boxed:** {time_boxed}"] if time_boxed else []
    if not time_boxed and not keeps_its_shape(entry.task.format, body):
        notes.append(f"It was asked for as `{entry.task.format}`; the model has written it otherwise.")
    notes += [] if web else [NO_WEB]
    head = f"# {_plain(entry.title)}\n\n{_told(entry, backend)}"
    listed = "\n".join(f"- {source}" for source in sources) or "- none were named"
    return "\n\n".join([head, *notes, body.strip() or "(nothing was written)", f"## Sources\n\n{listed}"]) + "\n"


def partial(parts: Sequence[str], answers: Mapping[int, str]) -> str:
    """Return what is there so far, part by part."""
    done = [f"## {_plain(wanted)}\n\n{answers[n].strip()}" for n, wanted in enumerate(parts) if n in answers]
    open_ones = [f"- {_plain(wanted)}" for n, wanted in enumerate(parts) if n not in answers]
    left = ["## Not looked at\n\n" + "\n".join(open_ones)] if open_ones else []
    return "\n\n".join([*done, *left])


def checkpoint(entry: Entry, parts: Sequence[str], answers: Mapping[int, str], at: str) -> str:
    """Return the page of a checkpoint."""
    head = f"# {_plain(entry.title)}\n\nA checkpoint of {at}: {len(answers)} of {len(parts)} part(s) are answered."
    return f"{head}\n\n{partial(parts, answers)}".rstrip() + "\n"


def split_sources(text: str) -> tuple[str, list[str]]:
    """Take every section called Sources out of a text; return the rest, and the sources, each once."""
    sources: dict[str, None] = {}
    kept, place = [], 0
    while (found := _HEADING.search(text, place)) is not None:
        end = stop.start() if (stop := _NEXT.search(text, found.end())) else len(text)
        for line in text[found.end() : end].splitlines():
            said = re.sub(r"^[ \t]*(?:[-*+]|\d{1,3}[.)]|\[\d+\]:?)[ \t]+", "", line).strip()
            if said and said.casefold() not in _NONE:
                sources[said] = None
        kept.append(text[place : found.start()])
        place = end
    return "".join([*kept, text[place:]]), list(sources)


def _told(entry: Entry, backend: str) -> str:
    task = entry.task
    return (
        f"Asked on {task.submitted_at:%Y-%m-%d} as `{task.type}`, answered by `{_plain(backend)}`. Task `{task.uuid}`."
    )


def _plain(text: str) -> str:
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+", " ", text).split())
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", line)
