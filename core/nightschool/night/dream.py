"""Dream (`run --dream`): variants of train tasks, and old tasks recalled beside them. Never of a held-out task.

Two train requests of one kind that share their beginning say where the case at hand stands; a variant puts both cases
into one request. With `--optimizer-model` a model is asked for more. An old train task that is related to what the
sessions ask now is recalled under the same checks. The bank refuses what is near a held-out task, so no dream leaks an
exam; and nothing that was dreamed decides one: the type has no place outside of train.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from nightschool.day.redact import redact
from nightschool.events import Record
from nightschool.models.backends import open_backend, resolved
from nightschool.models.budget import Terms
from nightschool.models.door import Door
from nightschool.models.fence import fence
from nightschool.models.questions import CallError, Question
from nightschool.models.replies import ask_for
from nightschool.night import bank
from nightschool.night.mining.cluster import NEAR, dice
from nightschool.night.mining.signals import content, normalise
from nightschool.night.prepare import Setting
from nightschool.records import DreamTask, RealTask, Task

MOST = 6  # variants of one kind by template, and as many recalled
ASKED = 3  # train tasks of one kind that a model varies
SHARED = 3  # words two requests must begin with alike
RELATED = 0.3  # Dice similarity of telling words
OLD = timedelta(days=30)  # before the newest task of all
_LONGEST = 2_000  # characters of a variant


class Variants(Record):
    """What a model is asked for."""

    requests: tuple[str, ...]


def dream(setting: Setting, night: str, tasks: Sequence[Task]) -> list[str]:
    """Put dreams of the train tasks into the bank, when the user wants any; return what a person should know.

    Raises OutOfBudget from the door, NightschoolError when the disk refuses.
    """
    if not setting.config.mine.dream:
        return []
    trained = [task for task in tasks if task.origin == "real" and task.split == "train"]
    setting.say("dreaming of train tasks")
    made = bank.deposit_dreams(setting.home, by_template(trained))
    remembered = bank.deposit_dreams(setting.home, recalled(trained))
    asked, notes = _by_model(setting, night, trained)
    made += bank.deposit_dreams(setting.home, asked)
    return [f"dreamed: {made} new variant(s) of train tasks, {remembered} old one(s) recalled", *notes]


def by_template(trained: Iterable[RealTask]) -> list[DreamTask]:
    """Return variants: what two neighbouring requests of a kind begin with, and then both of their cases."""
    found = []
    for kind in _kinds(trained):
        made = [_variant(one, text) for one, other in pairwise(kind) if (text := _both(one.request, other.request))]
        found += made[:MOST]
    return found


def recalled(trained: Sequence[RealTask]) -> list[DreamTask]:
    """Return old tasks of other kinds that are related to a kind of now, as tasks of that kind."""
    if not trained:
        return []
    newest, found = max(task.last_seen for task in trained), []
    for kind in _kinds(trained):
        if newest - max(task.last_seen for task in kind) >= OLD:
            continue
        old = [t for t in trained if t.recurrence != kind[0].recurrence and newest - t.last_seen >= OLD]
        near = [t for t in old if any(RELATED <= _alike(t, now) < NEAR for now in kind)]
        found += [_variant(kind[0], task.request, task) for task in near[:MOST]]
    return found


def _by_model(setting: Setting, night: str, trained: Sequence[RealTask]) -> tuple[list[DreamTask], list[str]]:
    """Ask the optimizer's model for variants, when the user has set one; what it fails at is told."""
    if not setting.config.models.optimizer_model:
        return [], []
    config = resolved(setting.config, setting.platforms, "optimizer")
    backend = open_backend(config, setting.home, night, setting.platforms, setting.command)
    if backend is None or backend.batch:
        return [], ["no variants by model: the optimizer's backend does not answer at once"]
    found, failed, terms = [], 0, Terms.of(config, config.models.backend)
    with Door(setting.home, backend, clock=setting.clock, redact=redact, night=night, terms=terms) as door:
        for task in (task for kind in _kinds(trained) for task in kind[:ASKED]):
            prompt = (
                f"{fence(task.request, 'a request a user made')}\n\nWrite three requests that the same user might "
                'make: the same kind of work, another case. Reply with JSON alone: {"requests": ["…", "…", "…"]}'
            )
            try:
                told = ask_for(
                    door, Question(kind="reflect", model=config.models.target_model, prompt=prompt), Variants
                )
            except CallError:
                failed += 1
                continue
            found += [_variant(task, redact(text)) for text in told.requests[:3] if 0 < len(text.strip()) <= _LONGEST]
    return found, [f"{failed} question(s) for variants got no answer"] * bool(failed)


def _kinds(trained: Iterable[RealTask]) -> Iterator[list[RealTask]]:
    kinds: defaultdict[str, list[RealTask]] = defaultdict(list)
    for task in sorted(trained, key=lambda t: (t.request, t.id)):
        kinds[task.recurrence].append(task)
    yield from (kinds[name] for name in sorted(kinds))


def _both(one: str, other: str) -> str:
    """Return what two requests begin with alike, and then the rest of both; "" when they share too little."""
    words, others = one.split(), other.split()
    same = next((at for at, pair in enumerate(zip(words, others, strict=False)) if pair[0] != pair[1]), 0)
    if same < SHARED or len(words) == same or len(others) == same:
        return ""
    return " ".join([*words[:same], *words[same:], "and", *others[same:]])


def _alike(one: RealTask, other: RealTask) -> float:
    return dice(content(normalise(one.request)), content(normalise(other.request)))


def _variant(task: RealTask, request: str, of: RealTask | None = None) -> DreamTask:
    text = " ".join(request.split())
    name = hashlib.sha256(f"{task.recurrence}\0{text.casefold()}".encode()).hexdigest()[:16]
    came = of or task
    return DreamTask(
        id=f"d-{name}", recurrence=task.recurrence, family=came.family, request=text, checks=task.checks,
        derived_from=came.id,
    )  # fmt: skip
