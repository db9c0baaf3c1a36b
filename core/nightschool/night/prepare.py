"""What a night works on: the sessions in scope, what comes back in them, the candidates and their exam's tasks."""

import functools
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nightschool.cases import store
from nightschool.cases.replay import marker
from nightschool.clock import Clock
from nightschool.config import Config
from nightschool.day.find import Finder, catch_up
from nightschool.day.harvest import harvest
from nightschool.day.journal import Known
from nightschool.day.redact import redact
from nightschool.errors import NightschoolError
from nightschool.files import single_flight, sweep
from nightschool.memory.consolidate import observe_new
from nightschool.memory.store import Key, SessionStore
from nightschool.models.backends import Backend, BatchBackend, resolved
from nightschool.night import decisions, drafts, evidence, reflect
from nightschool.night.gating import reexam
from nightschool.night.hear import hear, milestones
from nightschool.night.mining import identity
from nightschool.night.mining.mine import Mined, mine_as_known
from nightschool.night.mining.outcomes import lightened
from nightschool.night.mining.signals import correcting_rule
from nightschool.night.reviewed import taken_in
from nightschool.night.rules.documents import Documents
from nightschool.night.stage import Candidates, Recalled
from nightschool.night.trials import failed
from nightschool.paths import Home
from nightschool.platforms import Platforms
from nightschool.records import Edit, Evidence, Funnel, NightRequest, RealTask, Ruling, Seen, Session, Task

_NO_RESULT: dict[str, Any] = {
    "brief": True,
    "budget": True,
    "queue": True,
    "deep_sleep": True,
    "audit": True,
    "memory": True,
    "schedule": True,
    "sync": True,
    "cases": True,
    "executor": True,
    "models": {"timeout", "side_by_side", "limits", "max_failed_share", "prices"},
}
LEFT_OVER = 3600.0  # seconds after which a half-written sibling is nobody's any more
DRAIN_WAIT = 120.0  # seconds: a drain writes the same sessions, and takes a moment


@dataclass
class Setting:
    """What a night works on. `say` is told what is being done, one line at a time."""

    home: Home
    config: Config
    request: NightRequest
    platforms: Platforms
    clock: Clock
    say: Callable[[str], None] = field(default=lambda _line: None)
    command: str = "nightschool run"  # what the user typed: what goes on with a night that waits
    budget: dict[str, float] = field(default_factory=dict)  # limits told by flags; those of `config` hold them already

    @property
    def scope_project(self) -> str | None:
        """The project whose sessions count; None when all do."""
        return self.request.project if self.config.mine.scope == "invoked" else None


@dataclass(frozen=True)
class Material:
    """What the day left for the night: the sessions in scope and how they came to be."""

    home: Home
    keys: list[Key]  # of the sessions in scope, by platform and id
    funnel: Funnel
    seen: Seen
    fingerprint: str

    @functools.cached_property
    def sessions(self) -> list[Session]:
        """The sessions in scope, read when somebody asks: a night that finds nothing new never does."""
        held = SessionStore(self.home)
        return [lightened(found) for key in self.keys if (found := held.load(*key)) is not None]


def gather(setting: Setting) -> Material:
    """Harvest, and say what a night would work on."""
    setting.say("harvesting sessions")
    config = setting.config
    nights = setting.platforms.on_night(setting.request)
    sweep(setting.home.root, older_than=LEFT_OVER)
    home = setting.home
    with single_flight(home.sessions_lock, "harvesting", wait=DRAIN_WAIT, sign=home.sessions_wanted):
        held, cap = SessionStore(setting.home), config.mine.max_sessions
        funnel = harvest(setting.home, setting.platforms, nights, cap=cap, redact=redact, store=held)
        finder = Finder(setting.home, setting.platforms, Known(setting.home), setting.clock, config.audit, _corrects)
        outlines = held.outlines()
        catch_up(finder, held, outlines)
        observe_new(setting.home, hear, milestones(setting.home))
    within = {k: o for k, o in outlines.items() if not o.own and _in_scope(o.project, setting.scope_project)}
    project = setting.request.project
    if not within and project is not None and not Path(project).is_dir():
        fix = "Name a project with --project, or learn from all of them with --scope all."
        raise NightschoolError("no such project directory, and no session was held in it", where=project, fix=fix)
    seen = Seen(offsets={"/".join(key): outline.offset for key, outline in within.items()})
    cases = [marker(found)] if (found := store.verified(setting.home)) else []
    told = [*drafts.ids(setting.home), *cases, *taken_in(setting.home)]
    both = json.dumps([seen.offsets, settings_hash(setting), *told], sort_keys=True)
    turns = sum(outline.turns for outline in within.values())
    skipped = dict(sum((Counter(outline.skipped) for outline in within.values() if outline.skipped), Counter()))
    funnel = funnel.model_copy(update={"sessions": len(within), "turns": turns, "skipped": skipped})
    return Material(setting.home, list(within), funnel, seen, hashlib.sha256(both.encode()).hexdigest())


def mine_sessions(setting: Setting, sessions: list[Session]) -> Mined:
    """Mine the sessions in scope."""
    rules = setting.config.mine
    project = setting.request.project
    mined, ids = mine_as_known(
        sessions, identity.load(setting.home), project=project, scope=rules.scope, min_sessions=rules.min_sessions
    )
    identity.save(setting.home, ids)
    return mined


def documents_of(setting: Setting, sessions: list[Session]) -> Documents:
    """Choose where rules go: into the document of the platform that the sessions come from."""
    busiest = [name for name, _ in Counter(s.platform for s in sessions).most_common()]
    scope = "project" if setting.scope_project else "user"
    nights = setting.platforms.on_night(setting.request)
    return Documents.of(nights, setting.config.adopt.target, scope=scope, busiest=busiest)


def of_examiner(known: Sequence[Evidence], examiner: str) -> list[Evidence]:
    """Keep the evidence of one examiner; "" keeps what real models showed, the newest of each edit."""
    if examiner:
        return [found for found in known if found.examiner == examiner]
    real = (found for found in known if not found.examiner.startswith("mock") and found.pairs)
    return list({f.edit.id: f for f in sorted(real, key=lambda f: max(pair.night for pair in f.pairs))}.values())


def examiner_of(config: Config, backend: Backend | BatchBackend | None) -> str:
    """Return who is asked and by which reward: evidence of another backend, model or reward is not this one's."""
    if backend is None:
        return ""
    weights = config.exam.reward
    counts = "" if set(weights) == {"correctness"} else " " + ",".join(f"{n}={w:g}" for n, w in sorted(weights.items()))
    return f"{backend.name} {config.models.target_model}".strip() + counts


def judge_of(setting: Setting) -> str:
    """Return the model that judges where a check is a criterion: the optimizer's, if the same backend has it."""
    config = setting.config
    optimizer = resolved(config, setting.platforms, role="optimizer").models
    return (optimizer if optimizer.backend == config.models.backend else config.models).target_model


def choose(
    setting: Setting, mined: Mined, tasks: Sequence[Task], documents: Documents, examiner: str = ""
) -> Candidates:
    """Choose the candidates of a night, the costliest recurrence first, up to the cap."""
    known = of_examiner(evidence.everything(setting.home), examiner)
    preferences = setting.config.mine.preferences
    each = [
        reflect.candidates(mined.recurrences, tasks, known, [target], documents.rules(target.key), preferences)
        for target in documents.targets
    ]
    rank = {found.id: place for place, found in enumerate(mined.recurrences)}
    found = sorted((edit for edits in each for edit in edits), key=lambda e: rank.get(e.recurrence, len(rank)))
    found = failed(setting.home, decisions.allowed(setting.home, found, mined.recurrences))
    found = drafts.instead(setting.home, found, known)
    chosen = {edit.id for edit in found}
    again = [e for e in known if e.edit.id in chosen and e.verdict and e.verdict.ruling is Ruling.REJECT]
    for rejected in again if examiner else ():
        evidence.save(setting.home, reflect.reopened(rejected))
    # the cap is on what an exam costs: it concerns neither a night without a model nor what is accepted already
    settled = {e.edit.id for e in known if e.verdict is not None and e.verdict.ruling is Ruling.ACCEPT}
    open_ones = [edit for edit in found if edit.id not in settled] if examiner else []
    waiting = {edit.id for edit in open_ones[setting.config.exam.max_candidates * max(1, len(documents.targets)) :]}
    return Candidates(edits=tuple(e for e in found if e.id not in waiting), waiting=len(waiting))


def reexamined(
    setting: Setting, night: str, tasks: Sequence[RealTask], documents: Documents, examiner: str
) -> Recalled:
    """Return the deletions to examine tonight, with what a person should know of them."""
    if not examiner or not documents.targets:
        return Recalled()
    rehearses = examiner.startswith("mock")  # what rehearsals showed is nothing to a real model
    known = [e for e in evidence.everything(setting.home) if of_examiner([e], "") or rehearses]
    spacing, edits = setting.config.exam.spacing, list[Edit]()
    for target in documents.targets:
        rules = documents.rules(target.key)
        edits += reexam.due(known, examiner, tasks, target, rules, night=night, spacing=spacing)
    edits = edits[: setting.config.exam.max_candidates]
    return Recalled(edits=tuple(edits), notes=tuple(reexam.drifted(known, examiner, edits)))


def held_out(tasks: Sequence[Task], project: str | None) -> list[RealTask]:
    """Return the tasks of the exam: real ones labelled `val`, of the project when one is given."""
    return [
        task
        for task in tasks
        if task.origin == "real" and task.split == "val" and (project is None or project in task.projects)
    ]


def _corrects(prompt: str) -> bool:
    return bool(correcting_rule(prompt))


def _in_scope(held_in: str, project: str | None) -> bool:
    """Tell whether a session was held in the project or below it; one without a directory belongs to none."""
    inside = held_in == project or held_in.startswith(f"{project}{os.sep}")
    return project is None or (bool(held_in) and inside)


def settings_hash(setting: Setting) -> str:
    """Return a hash of everything a night was told: nights told differently do not go on with each other.

    What the brief may cost and how long memory lasts is told to no night; how much may be spent, or how fast, and what
    is asked of the queue, of deep sleep and of the audit changes no exam.
    """
    told = json.dumps([setting.config.model_dump(exclude=_NO_RESULT), setting.scope_project], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
