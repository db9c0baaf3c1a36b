"""The one way to a model: redact, look into the ledger, ask, check the reply, record it, and only then use it."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from nightschool.clock import Clock
from nightschool.errors import NightschoolError
from nightschool.models.backends import Backend, BatchBackend
from nightschool.models.ledger import Ledger, Spend
from nightschool.models.questions import Answer, CallError, Question, key
from nightschool.paths import Home

PAUSES = (1.0, 4.0)  # seconds before the second and the third attempt; there is no fourth
SIDE_BY_SIDE = 4  # calls at once

Result = Answer | CallError


@dataclass(frozen=True)
class Attempts:
    """How one question went: the attempts that failed, in order, and the answer when one came."""

    failures: tuple[CallError, ...]
    answer: Answer | None


class Door:
    """Asks one backend for one night. Use it in a `with` block, or close it.

    `redact` takes secrets out of every text before a key is made of it, a backend sees it, or it is written.
    `executor` runs the calls, `side_by_side` at once, and is left running; threads when None. What it runs is a
    module's function over picklable values that never touches the ledger: processes and clusters do as well.

    Counters: `calls` were answered now, `cached` answers cost nothing, `failed` attempts gave no answer.
    """

    def __init__(
        self,
        home: Home,
        backend: Backend | BatchBackend,
        *,
        clock: Clock,
        redact: Callable[[str], str],
        night: str,
        executor: Executor | None = None,
        side_by_side: int = SIDE_BY_SIDE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.calls = self.cached = self.failed = 0
        self.night = night
        self._backend, self._clock, self._redact = backend, clock, redact
        self._executor, self._side_by_side, self._sleep = executor, side_by_side, sleep
        self._ledger = Ledger(home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the ledger."""
        self._ledger.close()

    def spent(self) -> Spend:
        """Return what this night has spent, earlier runs of it included."""
        return self._ledger.spent(self.night)

    def ask(self, question: Question) -> Answer:
        """Return the answer to one question. Raises CallError when there is none, and all that `ask_all` raises."""
        [result] = self.ask_all([question])
        if isinstance(result, CallError):
            raise result
        return result

    def ask_all(self, questions: Sequence[Question]) -> list[Result]:
        """Return one result for each question, in their order. The same question is paid for once, for ever.

        Raises WaitingForAnswers when the backend answers later, and NightschoolError for what concerns more than
        one question: a backend that cannot work at all, a ledger that cannot be written. Whatever was answered
        before that, or before an interrupt, is in the ledger.
        """
        asked = [self._redacted(question) for question in questions]
        keys = [key(question, self._backend.name) for question in asked]
        settled: dict[str, Result] = {}
        unanswered = self._look_up(dict(zip(keys, asked, strict=True)), settled)
        if unanswered:
            with self._ledger.claim(unanswered):
                # another process may have been answered while this one waited
                unanswered = self._look_up(unanswered, settled)
                self._put_to_backend(unanswered, settled)
        return self._in_order(keys, settled)

    def _redacted(self, question: Question) -> Question:
        clean = {"system": self._clean(question.system), "prompt": self._clean(question.prompt)}
        return question.model_copy(update=clean)

    def _clean(self, text: str) -> str:
        # Half a surrogate pair, as transcripts hold it in "\ud83d", cannot be sent or stored.
        return self._redact(text.encode("utf-8", "replace").decode())

    def _look_up(self, questions: Mapping[str, Question], settled: dict[str, Result]) -> dict[str, Question]:
        """Put what the ledger knows into `settled`, and return the rest."""
        for address in questions:
            if (answer := self._ledger.get(address)) is not None:
                settled[address] = answer
        return {address: question for address, question in questions.items() if address not in settled}

    def _in_order(self, keys: Iterable[str], settled: Mapping[str, Result]) -> list[Result]:
        results: list[Result] = []
        seen: set[str] = set()
        for address in keys:
            result = settled[address]
            if isinstance(result, Answer):
                if address in seen:
                    result = result.model_copy(update={"cached": True})
                self.cached += result.cached
            seen.add(address)
            results.append(result)
        return results

    def _put_to_backend(self, questions: Mapping[str, Question], settled: dict[str, Result]) -> None:
        if not questions:
            return
        if not self._backend.batch:
            self._call_all(self._backend, questions, settled)
            return
        for address, answer in self._backend.collect(questions).items():
            settled[address] = self._settle(address, questions[address], _collected(answer))
        waiting = {address: question for address, question in questions.items() if address not in settled}
        if waiting:
            self._backend.hand_out(waiting)

    def _call_all(self, backend: Backend, questions: Mapping[str, Question], settled: dict[str, Result]) -> None:
        """Keep a few calls going; the next one starts when an answer is recorded, so that a kill loses few."""
        waiting, running = iter(questions.items()), dict[Future[Attempts], str]()
        with self._pool() as pool:
            try:
                while True:
                    for address, question in itertools.islice(waiting, self._side_by_side - len(running)):
                        running[pool.submit(attempt, backend, question, self._sleep)] = address
                    if not running:
                        return
                    for done in wait(running, return_when=FIRST_COMPLETED).done:
                        address = running[done]
                        settled[address] = self._settle(address, questions[address], _outcome(done))
                        del running[done]
            except BaseException:
                self._save_the_rest(running, questions, settled)
                raise

    def _save_the_rest(
        self, running: Mapping[Future[Attempts], str], questions: Mapping[str, Question], settled: dict[str, Result]
    ) -> None:
        """Start nothing more, and record the calls that are under way: they are paid for."""
        under_way = [future for future in running if not future.cancel()]
        wait(under_way)
        for future in under_way:
            address = running[future]
            if address not in settled:
                # what stopped the batch is raised by the caller; a second fault must not hide it
                with contextlib.suppress(NightschoolError, KeyboardInterrupt):
                    settled[address] = self._settle(address, questions[address], _outcome(future))

    def _settle(self, address: str, question: Question, went: Attempts) -> Result:
        """Record how a question went, and return what its asker gets."""
        backend, night, at = self._backend.name, self.night, self._clock.now()
        failures = [
            CallError(f.kind, self._clean(f.why), where=self._clean(f.where), seconds=f.seconds) for f in went.failures
        ]
        for failure in failures:
            self._ledger.record_error(address, question, failure, backend=backend, night=night, at=at)
            self.failed += 1
        if went.answer is None:
            return failures[-1]
        calls = tuple((self._clean(name), self._clean(told)) for name, told in went.answer.tool_calls)
        model = self._clean(went.answer.model)
        clean = {"text": self._clean(went.answer.text), "tool_calls": calls, "model": model, "cached": False}
        answer = went.answer.model_copy(update=clean)
        self._ledger.put(address, question, answer, backend=backend, night=night, at=at)
        self.calls += 1
        return answer

    @contextlib.contextmanager
    def _pool(self) -> Iterator[Executor]:
        if self._executor is not None:
            yield self._executor
            return
        with ThreadPoolExecutor(self._side_by_side, thread_name_prefix="model-call") as pool:
            yield pool


def attempt(backend: Backend, question: Question, sleep: Callable[[float], None]) -> Attempts:
    """Call a backend, at most three times when the failure may pass. Runs in a worker.

    Raises NightschoolErrors other than CallError: they concern more than this question.
    """
    failures: list[CallError] = []
    for pause in (*PAUSES, None):
        began = time.monotonic()
        try:
            return Attempts(tuple(failures), checked(backend.answer(question)))
        except CallError as error:
            fault = error
        except NightschoolError:
            raise
        except Exception as error:  # noqa: BLE001  whatever a backend raises has cost this question only
            fault = CallError("backend", f"{type(error).__name__}: {error}")
        fault.seconds = time.monotonic() - began
        failures.append(fault)
        if pause is None or not fault.transient:
            break
        sleep(pause)
    return Attempts(tuple(failures), None)


def checked(reply: object) -> Answer:
    """Return a backend's reply when it is an answer; tool calls alone are one. Raises CallError: malformed or empty."""
    if not isinstance(reply, Answer):
        raise CallError("malformed", f"a backend gave {type(reply).__name__}")
    try:
        answer = Answer.model_validate(dict(reply))
    except ValidationError as error:
        raise CallError("malformed", f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from error
    if not answer.text.strip() and not answer.tool_calls:
        raise CallError("empty")
    return answer


def _collected(reply: object) -> Attempts:
    try:
        return Attempts((), checked(reply))
    except CallError as error:
        return Attempts((error,), None)


def _outcome(future: Future[Attempts]) -> Attempts:
    try:
        return future.result()
    except NightschoolError:
        raise
    except Exception as error:  # noqa: BLE001  a worker that died has cost this question only
        return Attempts((CallError("backend", f"{type(error).__name__}: {error}"),), None)
