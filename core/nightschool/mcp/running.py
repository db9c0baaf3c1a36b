"""The calls under way: a thread each, which starts the verb, reports progress, and replies unless it was cancelled."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nightschool.mcp import roots
from nightschool.mcp.calls import PATIENCE, Call
from nightschool.mcp.protocol import INTERNAL_ERROR, INVALID_REQUEST, Document, Id, Request, RpcError, is_id
from nightschool.mcp.results import failure, result
from nightschool.mcp.roots import Roots
from nightschool.mcp.terms import Terms

if TYPE_CHECKING:
    from nightschool.mcp.arguments import Arguments
    from nightschool.mcp.session import Reply, World
    from nightschool.mcp.tools import Tool

AT_ONCE = 8  # verbs at a time; further calls wait their turn
WAITING = 64  # calls under way; further ones are refused
_WHICH = "which project? Give `project`: the absolute path of the directory that the user works in"
BEAT = 5.0  # seconds without a line after which a long call says that it is still at it


@dataclass(frozen=True)
class Started:
    """A call that was asked for and checked. `asks`: the client can be asked for its roots by a request of ours."""

    request: Request
    terms: Terms
    tool: "Tool"
    given: "Arguments"
    reply: "Reply"
    asks: bool

    @property
    def lacks_project(self) -> bool:
        """Say whether the verb works on a project and none was named."""
        return self.tool.of_project and getattr(self.given, "project", None) is None


class Running:
    """All calls of one session."""

    def __init__(self, world: "World", send: Callable[[Document], None]) -> None:
        self.roots = Roots(send)
        self._world, self._send = world, send
        self._turns = threading.Semaphore(AT_ONCE)
        self._lock = threading.Lock()  # held to look at or change `_calls`, and while a call has its say
        self._calls: dict[Id, Call] = {}
        self._threads: set[threading.Thread] = set()

    def start(self, started: Started) -> Document | None:
        """Start a call; it replies by itself. Returns what can be answered at once: the question for the roots.

        Raises RpcError when the id is in use, or too many calls are under way.
        """
        root = roots.brought(started.request.params) if started.terms.modern else None
        if started.lacks_project and started.terms.modern and started.terms.has_roots and root is None:
            return {"jsonrpc": "2.0", "id": started.request.id, "result": started.terms.result(roots.ASK)}
        env = dict(self._world.env) | ({"NIGHTSCHOOL_PROGRESS": "1"} if started.tool.reports else {})
        call = Call([*self._world.command, *started.tool.words(started.given)], env)
        with self._lock:
            if started.request.id in self._calls:
                raise RpcError(INVALID_REQUEST, "this id is in use by a request under way")
            if len(self._calls) >= WAITING:
                raise RpcError(INTERNAL_ERROR, f"{WAITING} calls are under way; wait for one to end")
            self._calls[started.request.id] = call
        thread = threading.Thread(target=self._run, args=(started, call, root), daemon=True)
        self._threads = {one for one in self._threads if one.is_alive()} | {thread}
        thread.start()
        return None

    def cancel(self, to: Id) -> None:
        """Stop a call; nothing more is sent for it ("Cancellation > Behavior Requirements"). Unknown ids: nothing."""
        with self._lock:
            call = self._calls.pop(to, None)
        if call is not None:
            call.stop()

    def end(self, grace: float) -> None:
        """Wait `grace` seconds for calls to end, stop the others, and kill what does not stop."""
        self._join(grace)
        with self._lock:
            left = list(self._calls)
        for to in left:
            self.cancel(to)
        self._join(PATIENCE + 2)

    def _join(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, started: Started, call: Call, root: str | None) -> None:
        """Be the thread of one call."""
        request = started.request
        try:
            made = self._found_project(started, call, root)
            if made is None:
                with self._turns:
                    made = self._made(started, call)
        except Exception as error:  # noqa: BLE001  whatever happens, the client is told
            made = failure(f"a fault of ours: {type(error).__name__}: {error}")
        with self._lock:
            if self._calls.get(request.id) is not call:
                started.reply(None)  # cancelled: in an array its place stays empty
                return
            del self._calls[request.id]
            started.reply({"jsonrpc": "2.0", "id": request.id, "result": started.terms.result(made)})

    def _found_project(self, started: Started, call: Call, root: str | None) -> dict[str, Any] | None:
        """Add the client's root to a call that names no project; return a result when one has to be named."""
        if not started.lacks_project:
            return None
        path = root or (self.roots.first() if started.asks else "")
        if self._world.asks_project and not path:
            return failure(f"{started.tool.name}: {_WHICH}")
        call.add(_project(path))
        return None

    def _made(self, started: Started, call: Call) -> dict[str, Any]:
        tool, progress = started.tool, self._progress(started, call)
        try:
            ended = call.run(progress)
        except OSError as error:
            return failure(f"the command cannot be started: {error.strerror or error}. See: nightschool doctor")
        return result(tool.name, ended, started.terms.version, notes=not tool.reports)

    def _progress(self, started: Started, call: Call) -> Callable[[str], None]:
        """Return what hears a call's lines: it reports them to a client that gave a token ("Progress")."""
        meta = started.request.params.get("_meta", {})
        token = meta.get("progressToken")
        if not is_id(token):
            return lambda _line: None
        began = said = time.monotonic()
        count, last = 0, "at work"

        def hear(line: str) -> None:
            nonlocal said, count, last
            now = time.monotonic()
            if not line and now - said < BEAT:
                return
            last, said, count = phase(line) or last, now, count + 1
            text = last if line else f"{last} ({now - began:.0f} s)"
            params = {"progressToken": token, "progress": count, "message": text}
            with self._lock:
                if self._calls.get(started.request.id) is call:
                    self._send({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})

        return hear


def phase(line: str) -> str:
    """Return what a verb's line on stderr says is being done: a phase event tells it, other lines are it."""
    if not line.startswith("{"):
        return line.removeprefix("· ")
    with contextlib.suppress(ValueError, AttributeError, RecursionError):
        told = json.loads(line)
        calls = f" ({told['calls']} call(s) so far)" if told.get("calls") else ""
        return f"{told['phase']}{calls}" if told.get("phase") else ""
    return line


def _project(path: str) -> list[str]:
    return [f"--project={path}"] if path else []
