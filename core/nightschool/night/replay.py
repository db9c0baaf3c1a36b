"""Replay: the same held-out request under the document as it is and under the document with the edit.

Both sides of a pair ask the same model the same request with the same attempt number; only the rule differs. What a
rollout answers is judged by the task's checks. The checks are never part of a question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nightschool.models.questions import Answer, CallError, Question
from nightschool.night.judging import rubric
from nightschool.night.judging.judge import Attempt, is_shape_only_task, must_tell, reward
from nightschool.records import Edit, Pair, RealTask, Rollout, ToolCall

CORRECTNESS = {"correctness": 1.0}
INSTRUCTIONS = (
    "You are a coding agent at work for a user. Answer the request as you would in a session: directly, with no "
    "questions back. The user has written down how work is to be done; follow every line of it in every answer:\n\n"
)


@dataclass(frozen=True)
class Trial:
    """One task under one document, K times. `edit` is None for the document as it is."""

    task: RealTask
    edit: Edit | None
    document: str
    k: int  # attempts
    telling: frozenset[str] = frozenset()  # what sets the request apart from others of its kind

    @property
    def tells_more(self) -> bool:
        """Whether a section that was asked for has to say something of the request, and so proves more than shape."""
        return bool(self.telling) and must_tell(self.task.checks)

    def questions(self, model: str) -> list[Question]:
        """Return its K questions."""
        case = self.task.case
        if case:  # an agent reads the document where its client does, and the request as it was made
            told = Question(kind="rollout", model=model, system=self.document, prompt=self.task.request, case=case)
            return [told.model_copy(update={"k": k}) for k in range(self.k)]
        system = INSTRUCTIONS + (self.document.strip() or "(none)")
        return [
            Question(kind="rollout", model=model, system=system, prompt=self.task.request, k=k) for k in range(self.k)
        ]

    def judging(self, answers: Sequence[Answer | CallError], model: str) -> list[Question]:
        """Return what a model judge is asked about its K answers; none where no check needs one."""
        given = [(k, answer.text) for k, answer in enumerate(answers) if isinstance(answer, Answer)]
        asked = (rubric.questions(self.task.checks, self.task.request, text, model, k) for k, text in given)
        return [question for questions in asked for question in questions]

    def rollouts(self, answers: Sequence[Answer | CallError], told: rubric.Told, model: str) -> list[Rollout]:
        """Judge its K answers, in the order of the questions. `told` is what the judge `model` said of them."""
        return [self._rollout(k, answer, told, model) for k, answer in enumerate(answers)]

    def _rollout(self, k: int, answer: Answer | CallError, told: rubric.Told, model: str) -> Rollout:
        edit = self.edit.id if self.edit else None
        if isinstance(answer, CallError):
            return Rollout(task=self.task.id, edit=edit, k=k, reward=None, error=str(answer))
        calls = tuple(ToolCall(name=name, input=told) for name, told in answer.tool_calls)
        scores = rubric.scores(self.task.checks, self.task.request, answer.text, model, k, told)
        attempt = Attempt(text=answer.text, tool_calls=calls, scores=scores, passed=answer.passed)
        if self.tells_more:
            attempt = replace(attempt, request=self.task.request, telling=self.telling)
        score = reward(self.task.checks, attempt)
        return Rollout(
            task=self.task.id,
            edit=edit,
            k=k,
            reward=score,
            reply=answer.text,
            tokens=answer.tokens_in + answer.tokens_out,
            seconds=answer.seconds,
        )


def one_sided(without: Sequence[Rollout], with_: Sequence[Rollout]) -> tuple[int, int]:
    """Return how many attempts only the side without the edit could score, and only the side with it."""
    scored = [(_scored(a), _scored(b)) for a, b in zip(without, with_, strict=True)]
    return scored.count((True, False)), scored.count((False, True))


def _scored(one: Rollout) -> bool:
    return one.reward is not None and 0 <= one.reward <= 1


def weighed(own: Rollout, other: Rollout, weights: Mapping[Any, float]) -> float:
    """Return the reward of an attempt in [0, 1], seen against its twin on the other side of the pair.

    Tokens and seconds count as the share of both sides' use that this side did not need: 0.5 when they are even. They
    count only as far as the answer is right, so that a quick wrong answer earns nothing.
    """
    parts = {"correctness": 1.0, "tokens": _spared(own.tokens, other.tokens)}
    parts["seconds"] = _spared(own.seconds, other.seconds)
    total = sum(weights.values())
    if own.reward is None or not total:
        return own.reward or 0.0
    return own.reward * sum(weight * parts[name] for name, weight in weights.items()) / total


def _spared(own: float, other: float) -> float:
    return other / (own + other) if own + other > 0 else 0.5


def pair(
    trial: Trial,
    night: str,
    without: Sequence[Rollout],
    with_: Sequence[Rollout],
    weights: Mapping[Any, float] = CORRECTNESS,
) -> Pair | None:
    """Return the paired difference over the attempts that both sides could score; None when there are none.

    An error is not a score, nor is NaN or a number outside of [0, 1]: an attempt without one is left out on both sides.
    `weights` say what counts.
    """
    both = [
        (weighed(a, b, weights), weighed(b, a, weights))
        for a, b in zip(without, with_, strict=True)
        if _scored(a) and _scored(b)
    ]
    if not both or trial.edit is None:
        return None
    return Pair(
        task=trial.task.id,
        family=trial.task.family,
        recurrence=trial.task.recurrence,
        night=night,
        without=sum(a for a, _ in both) / len(both),
        with_=sum(b for _, b in both) / len(both),
        rollouts=2 * len(both),
        shape_only=is_shape_only_task(trial.task.checks) and not trial.tells_more,
        own=trial.task.concerns(trial.edit.recurrence),
    )
