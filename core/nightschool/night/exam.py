"""The exam: every candidate meets held-out tasks, evidence is kept after each round, and the gate rules.

Tasks of the edit's own recurrence come first, then tasks of others, which show whether the rule hurts other work. An
edit leaves the exam as soon as the gate has ruled or the night cannot help it any more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nightschool.clock import Clock
from nightschool.config import Exam
from nightschool.models.door import Door
from nightschool.night import evidence as store
from nightschool.night.gate import decide, hopeless
from nightschool.night.replay import Trial, pair
from nightschool.night.steps import Phase
from nightschool.paths import Home
from nightschool.records import Edit, Evidence, RealTask, Rollout, Ruling, Verdict

FINAL = frozenset({Ruling.ACCEPT, Ruling.REJECT})
ROUND = 5  # tasks between two looks; looking costs nothing in error, a round fills the executor


@dataclass(frozen=True)
class Paper:
    """A candidate and the two texts it is examined with: its document without and with the edit."""

    edit: Edit
    without: str
    with_: str


@dataclass
class Examiner:
    """Everything an exam needs. `say` tells the user how far it is."""

    home: Home
    door: Door
    model: str
    rules: Exam
    clock: Clock
    night: str
    say: Callable[[str], None]
    in_one_batch: bool = False  # the backend answers later, so everything is asked at once
    examiner: str = ""  # who is asked: evidence of another backend or model is not this one's
    wordings: dict[str, int] = field(default_factory=dict)  # edit -> how many texts were tried for its recurrence

    def examine(self, papers: Sequence[Paper], tasks: Sequence[RealTask]) -> tuple[list[Evidence], int]:
        """Examine the candidates on `tasks` (held-out ones). Return their evidence, and how many pairs are left.

        Raises WaitingForAnswers or BudgetReached from the door; what was measured until then is kept.
        """
        at = self.clock.now()
        held = {p.edit.id: Evidence(edit=p.edit, examiner=self.examiner, first_seen=at) for p in papers}
        known = {e.edit.id: e for e in store.everything(self.home) if e.examiner == self.examiner}
        recurrences = [found.edit.recurrence for found in (held | known).values()]
        for paper in papers:  # the edit as it is told tonight: what it answers may have got another id
            if paper.edit.id in known:
                held[paper.edit.id] = known[paper.edit.id].model_copy(update={"edit": paper.edit})
        self.wordings = {edit: recurrences.count(found.edit.recurrence) for edit, found in held.items()}
        plan = {edit: self._plan(found, tasks) for edit, found in held.items()}
        live = [p for p in papers if self._goes_on(held[p.edit.id], plan[p.edit.id])]
        while live:
            self._round(live, plan, held)
            live = [p for p in live if self._goes_on(held[p.edit.id], plan[p.edit.id])]
        for edit, found in held.items():
            held[edit] = found.model_copy(update={"verdict": self.verdict(found)})
            if held[edit].pairs:
                store.save(self.home, held[edit])
        return [self._let_through(found) for found in held.values()], self._left(held, tasks)

    def verdict(self, found: Evidence) -> Verdict:
        """Rule on what is known of an edit."""
        if found.verdict is not None and found.verdict.ruling in FINAL:
            return found.verdict
        return self._decide(found, night_over=True).model_copy(update={"examiner": self.examiner})

    def _let_through(self, found: Evidence) -> Evidence:
        """With `gate = off` offer what the gate refuses, and say so. What is kept is what the gate said."""
        ruled = found.verdict
        if ruled is None or self.rules.gate == "on" or ruled.ruling not in {Ruling.PROBATION, Ruling.REJECT}:
            return found
        reason = f"The gate is off. It would have said {ruled.ruling}: {ruled.reason}"
        offered = ruled.model_copy(update={"ruling": Ruling.ACCEPT, "reason": reason})
        return found.model_copy(update={"verdict": offered})

    def _plan(self, found: Evidence, tasks: Sequence[RealTask]) -> list[RealTask]:
        """Choose the tasks an edit meets tonight: its own first, at most half of the places for others."""
        if found.verdict is not None and found.verdict.ruling in FINAL:
            return []
        before = {pair.family for pair in found.pairs if pair.night != self.night}
        fresh = _one_of_each_family([t for t in tasks if t.family not in before])
        own = [t for t in fresh if t.recurrence == found.edit.recurrence]
        others = _spread([t for t in fresh if t.recurrence != found.edit.recurrence])
        places = self.rules.max_tasks
        kept = min(len(others), max(places - len(own), places // 2)) if own else 0
        tonight = {pair.family for pair in found.pairs} - before  # a night that was killed goes on where it was
        return [t for t in _interleaved(own[: places - kept], others[:kept]) if t.family not in tonight]

    def _round(self, live: list[Paper], plan: Mapping[str, list[RealTask]], held: dict[str, Evidence]) -> None:
        size = max(len(rest) for rest in plan.values()) if self.in_one_batch else ROUND
        trials: dict[tuple[str, str], Trial] = {}  # by document and task: candidates of one document share a baseline
        wanted: list[tuple[Paper, Trial, Trial]] = []
        for paper in live:
            tonight, plan[paper.edit.id][:] = plan[paper.edit.id][:size], plan[paper.edit.id][size:]
            for task in tonight:
                k = self.rules.rollouts_k
                base = trials.setdefault((paper.without, task.id), Trial(task, None, paper.without, k))
                edited = trials.setdefault((paper.with_, task.id), Trial(task, paper.edit, paper.with_, k))
                wanted.append((paper, base, edited))
        calls = len(trials) * self.rules.rollouts_k
        self.say(Phase(f"replaying {len(trials)} trials for {len(live)} candidate rule(s)", calls))
        rolled = self._roll(list(trials.values()))
        for paper, base, edited in wanted:
            found = pair(edited, self.night, rolled[id(base)], rolled[id(edited)], self.rules.reward)
            if found is not None:
                held[paper.edit.id] = store.with_pairs(held[paper.edit.id], [found])
        for paper in live:
            if held[paper.edit.id].pairs:
                store.save(self.home, held[paper.edit.id])

    def _roll(self, trials: list[Trial]) -> dict[int, list[Rollout]]:
        asked = [trial.questions(self.model) for trial in trials]
        answers = iter(self.door.ask_all([question for questions in asked for question in questions]))
        return {
            id(trial): trial.rollouts([next(answers) for _ in questions])
            for trial, questions in zip(trials, asked, strict=True)
        }

    def _goes_on(self, found: Evidence, rest: list[RealTask]) -> bool:
        return bool(rest) and not self._settled(found, len(rest))

    def _settled(self, found: Evidence, left: int) -> bool:
        ruled = self._decide(found, night_over=False)
        return ruled.ruling in FINAL or hopeless(found.pairs, left, threshold=ruled.threshold)

    def _decide(self, found: Evidence, *, night_over: bool) -> Verdict:
        return decide(
            found.pairs,
            alpha=self.rules.alpha,
            wordings=self.wordings[found.edit.id],
            max_nights=self.rules.max_nights,
            night_over=night_over,
        )

    def _left(self, held: Mapping[str, Evidence], tasks: Sequence[RealTask]) -> int:
        """Count the tasks of their own that undecided edits have not met: the cap or a failed call left them."""
        left = 0
        for found in held.values():
            met = {pair.family for pair in found.pairs}
            own = [t for t in tasks if t.recurrence == found.edit.recurrence and t.family not in met]
            rest = _one_of_each_family(own)
            left += 0 if self._settled(found, len(rest)) else len(rest)
        return left


def _one_of_each_family(tasks: Sequence[RealTask]) -> list[RealTask]:
    """Keep the oldest task of each family, oldest first: near-duplicates would repeat the same evidence."""
    kept: dict[str, RealTask] = {}
    for task in sorted(tasks, key=lambda t: (t.first_seen, t.id)):
        kept.setdefault(task.family, task)
    return list(kept.values())


def _spread(tasks: list[RealTask]) -> list[RealTask]:
    """Order tasks so that every recurrence comes up early: one of each, then a second of each."""
    rank: dict[str, int] = {}
    keyed = []
    for task in tasks:
        rank[task.recurrence] = rank.get(task.recurrence, 0) + 1
        keyed.append((rank[task.recurrence], task.recurrence, task))
    return [task for _, _, task in sorted(keyed, key=lambda item: item[:2])]


def _interleaved(own: list[RealTask], others: list[RealTask]) -> list[RealTask]:
    """Mix so that a rule that breaks other work is found out before it is accepted on its own tasks alone."""
    mixed: list[RealTask] = []
    for turn in range(max(len(own), len(others))):
        mixed += own[turn : turn + 1] + others[turn : turn + 1]
    return mixed
