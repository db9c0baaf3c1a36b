"""The brief: what a session is told at its start, prepared as a file so that the hook only has to print it.

It says that a night waits or was cut short, and that rules wait for the user's decision; when there is nothing to say
there is no file, and the session costs nothing. It states facts and counts. No rule's text is in it: what the user has
adopted stands in the documents, and what is not adopted must not act. Behind these lines stands what memory holds
of the project, see `recall`.

With the user's consent (`exam.field`) one rule that waits may be on trial: then a second file says the same and the
rule, and the hook gives a random half of the sessions that one. The two differ in nothing else.

A project's brief lies below `brief/` at the project's own path, so that a shell finds it by its working directory
without translating a byte; `brief/nightschool-brief.md` itself belongs to nights over all projects.
"""

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from nightschool.config import load
from nightschool.errors import NightschoolError
from nightschool.files import write_whole
from nightschool.morning import recall
from nightschool.morning.place import remove_dirs
from nightschool.morning.receipts import adopted_edits
from nightschool.morning.said import tally
from nightschool.night import decisions
from nightschool.night.rules.screen import reasons
from nightschool.night.steps import Steps, all_nights
from nightschool.night.trials import running
from nightschool.paths import Home
from nightschool.records import BRIEF_TAG, Edit, FieldTrial, Night, NightStatus, Proposal, Ruling
from nightschool.schedule import jobs

FILE = "nightschool-brief.md"  # hooks/harvest spells it too
_TRIAL = "nightschool-field-{}.md"  # and this
_CLIMB = 8  # directories in which the hook looks for one
BYTES_A_TOKEN = 3  # English has four and more: an estimate that errs upward
_HEAD = "From Nightschool, for information:"
_RULE = "A standing rule of this user, to be followed in this session:"
_WORDS = {
    Ruling.ACCEPT: "accepted by their exam",
    Ruling.UNEXAMINED: "unexamined",
    Ruling.PROBATION: "on probation",
}


def prepare(home: Home, project: str | None, tokens: int) -> str:
    """Write a project's brief (None: of all projects) of at most so many tokens, or remove it; return its text.

    "" when there is nothing to say. Raises NightschoolError when a record cannot be read or the file not written.
    """
    nights = [night for night in all_nights(home) if night.project == project]
    return _prepare(home, project, nights, adopted_edits(home), tokens)


def renew(home: Home, tell: Callable[[str], None]) -> None:
    """Prepare the brief of every project that has had a night, its own or one over all projects.

    What goes wrong is told: it stops nobody.
    """
    try:
        tokens, adopted = load(home).brief.tokens, adopted_edits(home)
        nights: dict[str | None, list[Night]] = {}
        for night in filter(_may_be_here, all_nights(home)):
            nights.setdefault(night.project, []).append(night)
        for job in jobs.all_jobs(home):
            nights.setdefault(job.project, [])
    except NightschoolError as error:
        tell(f"the brief is not prepared: {error}")
        return
    if None in nights:
        nights |= {project: nights[None] for project in recall.projects(home) if project not in nights}
    for project, theirs in nights.items():
        try:
            _prepare(home, project, theirs, adopted, tokens)
        except NightschoolError as error:
            tell(f"the brief is not prepared: {error}")


def _may_be_here(night: Night) -> bool:
    """Tell whether a night is about this machine: a brief for another's directory is told to nobody."""
    return night.id.isdecimal() or night.project is None or os.path.isdir(night.project)  # noqa: PTH112  any text


def clear(home: Home) -> None:
    """Remove every brief."""
    shutil.rmtree(home.brief, ignore_errors=True)


def place(home: Home, project: str | None) -> Path:
    """Return where a project's brief lies. `project` is a real path: absolute, links resolved."""
    if project is None:
        return home.brief / FILE
    if not Path(project).is_absolute() or "\0" in project:
        raise NightschoolError("a project's path is not absolute", where=ascii(project)[:200])
    return home.brief.joinpath(*Path(os.path.normpath(project)).parts[1:], FILE)


def found(home: Home, project: str) -> Path | None:
    """Return the brief that a session in this directory is given, as the hook finds it; None when there is none."""
    folders = [project, *map(str, Path(project).parents)][:_CLIMB]
    paths = (place(home, folder) for folder in (*folders, None))
    return next((path for path in paths if path.is_file()), None)


def upper_tokens(text: str) -> int:
    """Return an upper estimate of what a text costs."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def _prepare(home: Home, project: str | None, nights: Sequence[Night], adopted: Sequence[Edit], tokens: int) -> str:
    settled = frozenset(edit.id for edit in adopted) | decisions.turned_down(home).keys()
    facts = [*jobs.faults(home, project), *_facts(home, nights, settled)]
    rules = load(home).memory
    recalled = recall.recall(home, project, rules, [edit.text for edit in adopted])
    trial = _on_trial(home, project, settled, tokens)
    line = f"{_RULE} {trial.edit.text}" if trial else ""
    room = tokens - upper_tokens(f"- {line}\n") if trial else tokens
    due = set(_facts_of(_fitted([*facts, *recalled], room)))
    text = _fitted(
        [*facts, *recall.dosed(home, project, [fact for fact in recalled if fact in due], rules.control)], room
    )
    folder = place(home, project).parent
    wanted = {folder / FILE: text}
    wanted |= {folder / _TRIAL.format(trial.id): _told([line, *_facts_of(text)])} if trial else {}
    try:
        for path in {*wanted, *folder.glob(_TRIAL.format("*"))}:
            _put(home, path, wanted.get(path, ""))
    except OSError as error:
        raise NightschoolError("cannot exchange a file", where=home.brief, why=error.strerror) from error
    return text


def _put(home: Home, path: Path, text: str) -> None:
    """Write a brief unless it is there already; without a text, remove it and the directories made for it."""
    if text and not (path.is_file() and path.read_bytes() == text.encode()):
        write_whole(path, text.encode(), durable=False)
    elif not text and path.is_file():
        path.unlink()
        made = [home.brief / folder for folder in path.relative_to(home.brief).parents]
        remove_dirs([str(folder) for folder in reversed(made)])


def _on_trial(home: Home, project: str | None, settled: Collection[str], tokens: int) -> FieldTrial | None:
    """Return the trial a project's sessions take part in: with consent, undecided, and with room for its rule."""
    trial = running(home, project) if load(home).exam.field == "on" else None
    if trial is None or trial.edit.id in settled or reasons(trial.edit.text):  # the file is not the only word
        return None
    return trial if upper_tokens(_told([f"{_RULE} {trial.edit.text}"])) <= tokens else None


def _facts(home: Home, nights: Iterable[Night], adopted: frozenset[str]) -> list[str]:
    """Return one line a fact, the most pressing first."""
    known = [night for night in nights if night.status is not NightStatus.ABANDONED]
    facts = [_unfinished(known[-1])] if known and known[-1].status is not NightStatus.DONE else []
    done = [night for night in known if night.status is NightStatus.DONE]
    return facts + (_undecided(home, done[-1], adopted) if done else [])


def _unfinished(night: Night) -> str:
    told = f"Night {night.id} of {night.started:%Y-%m-%d}"
    if night.status is NightStatus.WAITING:
        return f"{told} waits for answers to its questions (handoff skill); the same `nightschool run` then goes on."
    if night.status is NightStatus.MARATHON:
        return f"{told} worked on a queued task alone; `nightschool report --night {night.id}` links what came of it."
    if night.status is NightStatus.BUDGET:
        return f"{told} stopped at its budget; the same `nightschool run` with a larger one goes on."
    if night.status is NightStatus.FAILED:
        return f"{told} failed: too many model calls got no answer; `nightschool report --night {night.id}` says why."
    return f"{told} was cut short; the same `nightschool run` goes on where it stopped."


def _undecided(home: Home, night: Night, adopted: frozenset[str]) -> list[str]:
    """Say how many rules wait for the user. Rules on probation alone wait for tasks, not for a decision."""
    proposal = Steps(home, night.id).found("proposal", Proposal)
    waiting = [rule for rule in (proposal.rules if proposal else ()) if rule.edit.id not in adopted]
    if not {Ruling.ACCEPT, Ruling.UNEXAMINED} & {rule.verdict.ruling for rule in waiting}:
        return []
    counts = tally(waiting, _WORDS)
    told = f"Rules of night {night.id} ({night.started:%Y-%m-%d}) wait for the user's decision: {counts}."
    return [f"{told} `nightschool report --night {night.id}` shows them; none of them is in force."]


def _fitted(facts: Sequence[str], tokens: int) -> str:
    """Return the facts that fit, in our tag; "" when none does."""
    for count in range(len(facts), 0, -1):
        text = _told(facts[:count])
        if upper_tokens(text) <= tokens:
            return text
    return ""


def _told(facts: Sequence[str]) -> str:
    lines = [f"<{BRIEF_TAG}>", _HEAD, *(f"- {fact}" for fact in facts), f"</{BRIEF_TAG}>"]
    return "\n".join(lines) + "\n"


def _facts_of(text: str) -> list[str]:
    return [line.removeprefix("- ") for line in text.splitlines()[2:-1]]
