"""JSON-RPC 2.0 messages, one a line: read without trust, written whole."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard

LONGEST = 32 * 2**20  # bytes of one line; a longer one is refused without being kept
_CHUNK = 2**16

# JSON-RPC 2.0 §5.1, and MCP 2026-07-28 "Base Protocol > Error Codes"
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
UNSUPPORTED_VERSION = -32022

Id = str | int
Document = dict[str, Any]


class RpcError(Exception):
    """An error response: `code` and `message` of JSON-RPC 2.0 §5.1, and the id it answers, None when unreadable."""

    def __init__(self, code: int, message: str, *, to: Id | None = None, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.to, self.data = code, message, to, data

    def document(self, to: Id | None = None) -> Document:
        """Return the response, to the request `to` when the error itself knows of none."""
        error: Document = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return {"jsonrpc": "2.0", "id": self.to if to is None else to, "error": error}


@dataclass(frozen=True)
class Request:
    """Something asked of us (JSON-RPC 2.0 §4); MCP adds that an id is a string or an integer, never null."""

    id: Id
    method: str
    params: Document


@dataclass(frozen=True)
class Notice:
    """Something told us; it is never answered (JSON-RPC 2.0 §4.1)."""

    method: str
    params: Document


@dataclass(frozen=True)
class Response:
    """The client's answer to a request of ours; `result` is None when it is an error."""

    id: Id
    result: Any = field(default=None)


def lines(descriptor: int) -> Iterator[bytes | None]:
    """Yield what stands between line breaks, None for a line over `LONGEST`; end with the stream.

    A last line without a break is yielded too. ("Transports > stdio": messages are delimited by newlines.)
    """
    kept, dropping, more = bytearray(), False, True
    while more:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except OSError:  # a stream that was never open, or is gone, has ended
            chunk = b""
        more = bool(chunk)
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            kept += part
            yield None if dropping else bytes(kept)
            kept.clear()
            dropping = False
        kept += rest
        if len(kept) > LONGEST:
            kept.clear()
            dropping = True
    if kept and not dropping:
        yield bytes(kept)


def parse(line: bytes | None) -> Any:
    """Return the JSON value of a line. Raises RpcError: too long, not UTF-8, not JSON, or nested too deeply."""
    if line is None:
        raise RpcError(INVALID_REQUEST, f"a message has at most {LONGEST} bytes")
    try:
        return json.loads(line.decode("utf-8"))
    except RecursionError:
        raise RpcError(PARSE_ERROR, "nested too deeply") from None
    except ValueError as error:  # of JSON, of UTF-8, and of numbers with thousands of digits
        raise RpcError(PARSE_ERROR, f"not a line of JSON in UTF-8: {type(error).__name__}") from None


def message(document: Any) -> Request | Notice | Response:
    """Return what a JSON value says. Raises RpcError, with the id when there is one to answer to."""
    if not isinstance(document, dict):
        raise RpcError(INVALID_REQUEST, "a message is a JSON object")
    told = document.get("id")
    to = told if is_id(told) else None
    if document.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'a message has "jsonrpc": "2.0"', to=to)
    if "id" in document and to is None and "error" not in document:
        raise RpcError(INVALID_REQUEST, "an id is a string or an integer")
    method, params = document.get("method"), document.get("params", {})
    if method is None and to is not None and ("result" in document or "error" in document):
        return Response(to, document.get("result"))
    if method is None and "error" in document:
        return Notice("", {})  # the client could not read something of ours: nothing to answer
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "a method is a string", to=to)
    if not isinstance(params, dict):
        if to is None:
            return Notice("", {})
        raise RpcError(INVALID_PARAMS, "params are a JSON object", to=to)
    return Notice(method, params) if to is None else Request(to, method, params)


def is_id(value: Any) -> TypeGuard[Id]:
    """Say whether a value can be a request id, or a progress token: a string or an integer."""
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


class Wire:
    """Writes messages, each whole and on a line of its own, from any thread."""

    def __init__(self, descriptor: int, lost: Callable[[], None]) -> None:
        """`lost` is called when nobody reads any more."""
        self._descriptor, self._lost, self._lock = descriptor, lost, threading.Lock()

    def send(self, document: Any) -> None:
        """Write one message, or an array of them. ASCII only: no letter can be torn or mistaken for a line break."""
        data = memoryview(json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n")
        try:
            with self._lock:
                while data:
                    data = data[os.write(self._descriptor, data) :]
        except OSError:
            self._lost()
