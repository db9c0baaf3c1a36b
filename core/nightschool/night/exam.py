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
from nightschool.night.gate import asked_for, decide, hopeless, round_size
from nightschool.night.gating import lifetime, missing
from nightschool.night.gating.choice import one_of_each_family, tonight, unmoved
from nightschool.night.gating.guards import quotes_exam
from nightschool.night.gating.joint import held_back
from nightschool.night.gating.reexam import decide_removal, later
from nightschool.night.judging import rubric
from nightschool.night.judging.judge import must_tell
from nightschool.night.judging.telling import telling_words
from nightschool.night.replay import Trial, one_sided, pair
from nightschool.night.steps import Phase
from nightschool.paths import Home
from nightschool.records import Edit, Evidence, Pair, RealTask, Rollout, Ruling, Sealed, Task, Verdict

FINAL = frozenset({Ruling.ACCEPT, Ruling.REJECT})


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
    trained: Sequence[Task] = ()  # train tasks: what an edit may know
    sealed: Sequence[RealTask] = ()  # test tasks: reported for what is accepted, never asked for a decision
    together: Callable[..., str] | None = None  # edits of one document -> what it says with all of them
    known: Sequence[Evidence] = ()  # what this examiner has shown so far
    idle: frozenset[str] = frozenset()  # edits that change nothing
    judge: str = ""  # the model that judges where a check is a criterion
    asked: Sequence[RealTask] = ()  # every held-out task of tonight
    levels: dict[str, float] = field(default_factory=dict)  # edit -> what it may spend of the lifetime's budget

    def examine(self, papers: Sequence[Paper], tasks: Sequence[RealTask]) -> tuple[list[Evidence], int]:
        """Examine the candidates on `tasks` (held-out ones). Return their evidence, and how many pairs are left.

        Raises WaitingForAnswers or BudgetReached from the door; what was measured until then is kept.
        """
        at = self.clock.now()
        self.asked = tasks
        self.idle = frozenset(paper.edit.id for paper in papers if paper.without == paper.with_)
        held = {p.edit.id: Evidence(edit=p.edit, examiner=self.examiner, first_seen=at) for p in papers}
        self.known = [e for e in store.everything(self.home) if e.examiner == self.examiner]
        known = {e.edit.id: e for e in self.known}
        tried = [found.edit for found in (held | known).values() if found.edit.op != "delete"]
        recurrences = [(edit.recurrence, edit.path) for edit in tried]  # in another document it is no other wording
        for paper in papers:  # the edit as it is told tonight: what it answers may have got another id
            if paper.edit.id in known:
                held[paper.edit.id] = known[paper.edit.id].model_copy(update={"edit": paper.edit})
        self.wordings = {e: recurrences.count((f.edit.recurrence, f.edit.path)) for e, f in held.items()}
        plan = {edit: self._plan(found, tasks) for edit, found in held.items()}
        shares = self._places(held, plan)
        live = [p for p in papers if self._goes_on(held[p.edit.id], plan[p.edit.id])]
        while live:
            self._round(live, plan, held)
            live = [p for p in live if self._goes_on(held[p.edit.id], plan[p.edit.id])]
        self._rule(held, shares)
        ruled = self._side_by_side(papers, [self._guarded(found, tasks) for found in held.values()], tasks)
        told = [self._unsealed(found, papers) for found in ruled]
        return [self._let_through(found) for found in told], self._left(held, tasks)

    def _places(self, held: Mapping[str, Evidence], plan: Mapping[str, list[RealTask]]) -> dict[str, float]:
        """Take a place in the lifetime's budget for every edit that meets tasks; it is on disk before the first."""
        counted = [found for found in held.values() if found.edit.op != "delete"]
        wanted = [found for found in counted if plan[found.edit.id] or found.pairs]
        shares = lifetime.taken(self.home, [e for e in store.everything(self.home) if e.edit.op != "delete"], wanted)
        self._spend(shares)
        return shares

    def _spend(self, shares: Mapping[str, float]) -> None:
        known = lifetime.accepted(lifetime.load(self.home), self.examiner)
        budget = self.rules.lifetime
        self.levels = {edit: lifetime.level(share, known, budget) for edit, share in shares.items()}

    def _rule(self, held: dict[str, Evidence], shares: Mapping[str, float]) -> None:
        """Rule on all edits. Each acceptance earns for the others, so it is done again until none is added."""
        before = -1
        while before != (before := sum(_accepted(found) for found in held.values())):
            for edit, found in held.items():
                verdict = self.verdict(found)
                ruled = found.ruled or (self.clock.now() if verdict.ruling in FINAL else None)
                held[edit] = found.model_copy(update={"verdict": verdict, "ruled": ruled})
                if held[edit].pairs:
                    store.save(self.home, held[edit])
            counted = [f for f in held.values() if f.pairs and f.edit.op != "delete"]
            lifetime.keep(self.home, lifetime.once_a_rule(counted, self.known))
            self._spend(shares)

    def verdict(self, found: Evidence) -> Verdict:
        """Rule on what is known of an edit."""
        if found.verdict is not None and found.verdict.ruling in FINAL:
            return found.verdict
        return self._decide(found, night_over=True).model_copy(update={"examiner": self.examiner})

    def _refusal(self, edit: Edit, tasks: Sequence[RealTask]) -> str:
        """Say why an edit is not worth a question; "" when it is."""
        if edit.id in self.idle:
            return "It leaves the document as it is."
        return quotes_exam(edit, tasks, self.trained)

    def _guarded(self, found: Evidence, tasks: Sequence[RealTask]) -> Evidence:
        """Refuse what must not be accepted whatever it showed."""
        why = self._refusal(found.edit, tasks)
        if not why or found.verdict is None:
            return found
        return found.model_copy(
            update={"verdict": found.verdict.model_copy(update={"ruling": Ruling.REJECT, "reason": why})}
        )

    def _side_by_side(
        self, papers: Sequence[Paper], held: Sequence[Evidence], tasks: Sequence[RealTask]
    ) -> list[Evidence]:
        """Let the accepted edits of a document meet together the tasks that any of them met alone."""
        if self.together is None:
            return list(held)
        without = {paper.edit.id: paper.without for paper in papers}
        text = self.together

        def meet(edits: Sequence[Edit]) -> list[Pair]:
            ids = {edit.id for edit in edits}
            met = {pair.task for found in held if found.edit.id in ids for pair in found.pairs}
            asked = [task for task in tasks if task.id in met][: self.rules.max_tasks]
            self.say(f"replaying {len(asked)} task(s) with {len(edits)} accepted rules together")
            return self._meet(edits[0], without[edits[0].id], text(*edits), asked)

        return held_back(held, meet, harm=1 / self.rules.alpha)

    def _unsealed(self, found: Evidence, papers: Sequence[Paper]) -> Evidence:
        """Report an accepted edit's own test tasks, once, with their baseline. The ruling stands whatever they say.

        Where somebody has to answer a batch, it is not worth a second one.
        """
        verdict = found.verdict
        if self.in_one_batch or verdict is None or verdict.ruling is not Ruling.ACCEPT or verdict.sealed is not None:
            return found
        paper = next(p for p in papers if p.edit.id == found.edit.id)
        own = one_of_each_family(
            [t for t in self.sealed if found.edit.op != "delete" and t.concerns(found.edit.recurrence)]
        )
        pairs = self._meet(paper.edit, paper.without, paper.with_, own[: self.rules.max_tasks])
        if not pairs:
            return found
        mean = [sum(p.without for p in pairs) / len(pairs), sum(p.with_ for p in pairs) / len(pairs)]
        told = Sealed(tasks=len(pairs), without=mean[0], with_=mean[1])
        found = found.model_copy(update={"verdict": verdict.model_copy(update={"sealed": told})})
        store.save(self.home, found)
        return found

    def _meet(self, edit: Edit, without: str, with_: str, tasks: Sequence[RealTask]) -> list[Pair]:
        """Replay tasks under two documents, beside the exam."""
        k = self.rules.rollouts_k
        trials = [t for task in tasks for t in (self._trial(task, None, without, k), self._trial(task, edit, with_, k))]
        rolled = self._roll(trials)
        both = zip(trials[::2], trials[1::2], strict=True)
        found = [
            pair(edited, self.night, rolled[id(base)], rolled[id(edited)], self.rules.reward) for base, edited in both
        ]
        return [one for one in found if one is not None]

    def _let_through(self, found: Evidence) -> Evidence:
        """With `gate = off` offer what the gate refuses, and say so. What is kept is what the gate said."""
        ruled = found.verdict
        if found.edit.op == "delete" or ruled is None or self.rules.gate == "on":
            return found
        if ruled.ruling not in {Ruling.PROBATION, Ruling.REJECT}:
            return found
        reason = f"The gate is off. It would have said {ruled.ruling}: {ruled.reason}"
        offered = ruled.model_copy(update={"ruling": Ruling.ACCEPT, "reason": reason})
        return found.model_copy(update={"verdict": offered})

    def _plan(self, found: Evidence, tasks: Sequence[RealTask]) -> list[RealTask]:
        """Choose the tasks an edit meets tonight: its own first, at most half of the places for others."""
        if (found.verdict is not None and found.verdict.ruling in FINAL) or self._refusal(found.edit, tasks):
            return []
        if found.edit.op == "delete":
            tasks = later(found.edit, self.known, self.examiner, tasks)
        last = unmoved(self.known, found.edit.id, self.night)
        return tonight(found, tasks, self.night, places=self.rules.max_tasks, cap=self.rules.max_bank, last=last)

    def _round(self, live: list[Paper], plan: Mapping[str, list[RealTask]], held: dict[str, Evidence]) -> None:
        trials: dict[tuple[str, str], Trial] = {}  # by document and task: candidates of one document share a baseline
        wanted: list[tuple[Paper, Trial, Trial]] = []
        for paper in live:
            met = sum(pair.night == self.night for pair in held[paper.edit.id].pairs)
            size = len(plan[paper.edit.id]) if self.in_one_batch else round_size(met)
            now, plan[paper.edit.id][:] = plan[paper.edit.id][:size], plan[paper.edit.id][size:]
            for task in now:
                k = self.rules.rollouts_k
                base = trials.setdefault((paper.without, task.id), self._trial(task, None, paper.without, k))
                edited = trials.setdefault((paper.with_, task.id), self._trial(task, paper.edit, paper.with_, k))
                wanted.append((paper, base, edited))
        calls = len(trials) * self.rules.rollouts_k
        self.say(Phase(f"replaying {len(trials)} trials for {len(live)} candidate rule(s)", calls))
        rolled = self._roll(list(trials.values()))
        for paper, base, edited in wanted:
            sides = rolled[id(base)], rolled[id(edited)]
            found, known = pair(edited, self.night, *sides, self.rules.reward), held[paper.edit.id]
            # the gate looks after every task: what was asked beyond its ruling is no evidence any more
            if not self._ruled(known):
                known = store.with_missing(known, base.task.id, one_sided(*sides))
                held[paper.edit.id] = store.with_pairs(known, [found] if found else [])
        for paper in live:
            if held[paper.edit.id].pairs:
                store.save(self.home, held[paper.edit.id])

    def _trial(self, task: RealTask, edit: Edit | None, document: str, k: int) -> Trial:
        if not must_tell(task.checks):
            return Trial(task, edit, document, k)
        kind = {t.request for t in (*self.asked, *self.trained, *self.sealed) if t.recurrence == task.recurrence}
        telling = telling_words(task.request, sorted(kind - {task.request}))
        return Trial(task, edit, document, k, telling)

    def _roll(self, trials: list[Trial]) -> dict[int, list[Rollout]]:
        asked = [trial.questions(self.model) for trial in trials]
        answers = iter(self.door.ask_all([question for questions in asked for question in questions]))
        given = [[next(answers) for _ in questions] for questions in asked]
        both = list(zip(trials, given, strict=True))
        judging = rubric.in_blind_order(q for trial, mine in both for q in trial.judging(mine, self.judge))
        told = rubric.by_key(judging, self.door.ask_all(judging)) if judging else {}
        return {id(trial): trial.rollouts(mine, told, self.judge) for trial, mine in both}

    def _goes_on(self, found: Evidence, rest: list[RealTask]) -> bool:
        return bool(rest) and not self._settled(found, len(rest))

    def _ruled(self, found: Evidence) -> bool:
        return bool(found.pairs) and self._decide(found, night_over=False).ruling in FINAL

    def _settled(self, found: Evidence, left: int) -> bool:
        if found.verdict is not None and found.verdict.ruling in FINAL:
            return True
        met = sum(pair.night == self.night for pair in found.pairs)
        stop = hopeless(found.pairs, left, threshold=self._threshold(found), tonight=met)
        return stop or self._ruled(found)

    def _threshold(self, found: Evidence) -> float:
        return asked_for(self.rules.alpha, self.wordings.get(found.edit.id, 1), self.levels.get(found.edit.id, 1.0))

    def _decide(self, found: Evidence, *, night_over: bool) -> Verdict:
        if found.edit.op == "delete":
            ruled = decide_removal(found.pairs, alpha=self.rules.alpha, night_over=night_over)
        else:
            tried, level = self.wordings.get(found.edit.id, 1), self.levels.get(found.edit.id, 1.0)
            alpha, nights = self.rules.alpha, self.rules.max_nights
            ruled = decide(
                found.pairs, alpha=alpha, wordings=tried, max_nights=nights, night_over=night_over, level=level
            )
        last = night_over and ruled.nights >= self.rules.max_nights
        return missing.held(ruled, found.one_sided, last=last)

    def _left(self, held: Mapping[str, Evidence], tasks: Sequence[RealTask]) -> int:
        """Count the tasks of their own that undecided edits have not met: the cap or a failed call left them."""
        left = 0
        for found in held.values():
            if self._refusal(found.edit, tasks):
                continue
            met = {pair.family for pair in found.pairs} | set(found.set_aside)
            own = [t for t in tasks if t.concerns(found.edit.recurrence) and t.family not in met]
            rest = one_of_each_family(own)
            left += 0 if self._settled(found, len(rest)) else len(rest)
        return left


def _accepted(found: Evidence) -> bool:
    return found.verdict is not None and found.verdict.ruling is Ruling.ACCEPT
