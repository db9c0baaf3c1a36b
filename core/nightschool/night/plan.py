"""The dry run: what a night would examine, worked out on a copy of the home, with no model call."""

from nightschool.events import Record
from nightschool.models.backends import open_backend, resolved
from nightschool.night import bank
from nightschool.night.prepare import Setting, choose, documents_of, gather, held_out, mine_sessions
from nightschool.night.spending import most_calls
from nightschool.night.stage import Candidates
from nightschool.records import Edit, Funnel, Recurrence


class Planned(Record):
    """A night that has not been slept."""

    funnel: Funnel
    recurrences: tuple[Recurrence, ...]
    edits: tuple[Edit, ...]
    waiting: int  # further candidates that the cap leaves for later nights
    held_out: int  # tasks an exam could use
    calls: int  # model calls the exam would make at most


def plan(setting: Setting) -> Planned:
    """Go through a night up to the exam. `setting.home` is a copy that the caller throws away."""
    setting.config = resolved(setting.config, setting.platforms)
    backend = open_backend(setting.config, setting.home, "0000", setting.platforms)
    examiner = f"{backend.name} {setting.config.models.target_model}".strip() if backend else ""
    material = gather(setting)
    mined = mine_sessions(setting, material.sessions)
    banked = bank.deposit(setting.home, mined.tasks)
    chosen: Candidates = choose(setting, mined, banked.tasks, documents_of(setting, material.sessions), examiner)
    tasks = held_out(banked.tasks, setting.scope_project)
    return Planned(
        funnel=material.funnel.model_copy(update={"sessions": len(material.sessions), "tasks": banked.totals}),
        recurrences=mined.recurrences,
        edits=chosen.edits,
        waiting=chosen.waiting,
        held_out=len(tasks),
        calls=most_calls(chosen.edits, tasks, setting.config.exam) if backend else 0,
    )
