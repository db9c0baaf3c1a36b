"""One client's connection: what it asks is answered while what it has started goes on."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nightschool.mcp.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    Document,
    Id,
    Notice,
    Request,
    Response,
    RpcError,
    is_id,
    message,
    parse,
)
from nightschool.mcp.terms import BATCHES, FAULTS_ARE_RESULTS_SINCE, Terms, discovered, handshake, terms_of

if TYPE_CHECKING:  # at run time they are loaded by the first request that needs them: a client waits for our start
    from nightschool.mcp.running import Running
    from nightschool.mcp.tools import Tool

Reply = Callable[[Document | None], None]
"""Takes the response to one request, or None when none is to be sent."""


@dataclass(frozen=True)
class World:
    """What a session stands on: the verbs there are, how a command begins, and the environment of commands.

    `asks_project`: where the server was started is nobody's project, so a call that works on one has to name it.
    """

    verbs: Collection[str]
    command: Sequence[str]
    env: Mapping[str, str]
    asks_project: bool = False


class Session:
    """Takes lines, answers through `send`. `take` never waits for a call."""

    def __init__(self, world: World, send: Callable[[Any], None]) -> None:
        self._world, self._send = world, send
        self._agreed: Terms | None = None
        self._ready = False
        self._offered: dict[str, Tool] | None = None
        self._calls: Running | None = None

    def take(self, line: bytes | None) -> None:
        """Answer one line. Nothing that a line holds raises."""
        if line is not None and not line.strip():
            return
        try:
            document = parse(line)
            if isinstance(document, list):
                self._batch(document)
            else:
                self._one(document, self._reply)
        except RpcError as error:
            self._send(error.document())

    def end(self, grace: float) -> None:
        """Give running calls `grace` seconds to end, then end them. No child is left when this returns."""
        if self._calls is not None:
            self._calls.end(grace)

    def _reply(self, document: Document | None) -> None:
        if document is not None:
            self._send(document)

    def _batch(self, documents: list[Any]) -> None:
        """Answer an array by an array (JSON-RPC 2.0 §6), where the agreed revision has that."""
        if self._agreed is None or self._agreed.version not in BATCHES:
            raise RpcError(INVALID_REQUEST, "arrays of messages are taken in revision 2025-03-26 only")
        if not documents:
            raise RpcError(INVALID_REQUEST, "an empty array asks nothing")
        gathered: list[Document | None] = []
        expected = sum(_is_answered(document) for document in documents)
        lock = threading.Lock()

        def gather(document: Document | None) -> None:
            with lock:
                gathered.append(document)
                whole = len(gathered) == expected
            answers = [answer for answer in gathered if answer is not None]
            if whole and answers:
                self._send(answers)

        for document in documents:
            self._one(document, gather)

    def _one(self, document: Any, reply: Reply) -> None:
        try:
            found = message(document)
        except RpcError as error:
            reply(error.document())
            return
        if isinstance(found, Notice):
            self._notice(found)
        elif isinstance(found, Response):
            if self._calls is not None:
                self._calls.roots.hear(found)
        else:
            self._request(found, reply)

    def _notice(self, notice: Notice) -> None:
        """Act on what is told us; anything unknown or malformed is left aside ("Cancellation > Error Handling")."""
        if notice.method == "notifications/initialized":
            self._ready = True
        elif notice.method == "notifications/cancelled" and self._calls is not None:
            to = notice.params.get("requestId")
            if is_id(to):
                self._calls.cancel(to)
        elif notice.method == "notifications/roots/list_changed" and self._calls is not None:
            self._calls.roots.forget()

    def _request(self, request: Request, reply: Reply) -> None:
        try:
            answer = self._answer(request, reply)
        except RpcError as error:
            answer = error.document(request.id)
        except Exception as error:  # noqa: BLE001  a fault of ours ends one request, not the session
            answer = RpcError(INTERNAL_ERROR, f"a fault of ours: {type(error).__name__}").document(request.id)
        if answer is not None:
            reply(answer)

    def _answer(self, request: Request, reply: Reply) -> Document | None:
        """Return the response, or None when a call will reply later. Raises RpcError."""
        terms = terms_of(request, self._agreed)
        if request.method == "tools/call":
            return self._call(request, terms, reply)
        if request.method == "initialize":
            self._agreed, made = handshake(request)
        elif request.method == "server/discover":
            made = terms.result(discovered(), cacheable=True)
        elif request.method == "tools/list":
            if request.params.get("cursor") is not None:  # "Utilities > Pagination": we never gave one
                raise RpcError(INVALID_PARAMS, "no such cursor")
            asking = self._world.asks_project and not terms.has_roots
            tools = [tool.document(asks_project=asking) for tool in self._tools().values()]
            made = terms.result({"tools": tools}, cacheable=True)
        else:
            made = terms.result({})
        return response(request.id, made)

    def _call(self, request: Request, terms: Terms, reply: Reply) -> Document | None:
        from nightschool.mcp.arguments import checked
        from nightschool.mcp.results import failure
        from nightschool.mcp.running import Running, Started

        name, told = request.params.get("name"), request.params.get("arguments")
        if not isinstance(name, str) or not isinstance(told, dict | None):
            raise RpcError(INVALID_PARAMS, "a call has a name and an object of arguments")
        tool = self._tools().get(name)
        if tool is None:
            raise RpcError(INVALID_PARAMS, f"Unknown tool: {name[:80]!a}")
        try:
            given = checked(tool.takes, told or {})
        except ValueError as error:
            if terms.version < FAULTS_ARE_RESULTS_SINCE:
                raise RpcError(INVALID_PARAMS, f"{name}: {error}") from None
            return response(request.id, terms.result(failure(f"{name}: {error}")))
        if self._calls is None:
            self._calls = Running(self._world, self._send)
        return self._calls.start(Started(request, terms, tool, given, reply, asks=self._ready and terms.has_roots))

    def _tools(self) -> dict[str, "Tool"]:
        if self._offered is None:
            from nightschool.mcp.tools import offered

            self._offered = offered(self._world.verbs)
        return self._offered


def response(to: Id, made: Document) -> Document:
    """Return a result response (JSON-RPC 2.0 §5)."""
    return {"jsonrpc": "2.0", "id": to, "result": made}


def _is_answered(document: Any) -> bool:
    """Say whether a part of a batch gets an answer: a request does, and so does what is no message."""
    try:
        return isinstance(message(document), Request)
    except RpcError:
        return True
