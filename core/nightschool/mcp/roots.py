"""Which project a client works in, when it does not say so: its first root that is a directory.

With a handshake we ask (`roots/list`, 2025-11-25 "Client Features > Roots"); in 2026-07-28 a server asks nothing, and
the question goes with the result (2026-07-28 "Patterns > Multi Round-Trip Requests").
"""

import queue
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nightschool.mcp.protocol import Document, Response

_SECONDS = 5.0  # to answer; a client that does not is taken to have no roots
_KEY = "project"
_FILE = re.compile(r"file://(?:localhost)?(/[^?#]*)(?:[?#].*)?")  # RFC 8089
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
ASK: Document = {"resultType": "input_required", "inputRequests": {_KEY: {"method": "roots/list"}}}


class Roots:
    """The first root of the client of a handshake, asked for once and again when it changes."""

    def __init__(self, send: Callable[[Document], None]) -> None:
        self._send, self._lock = send, threading.Lock()
        self._answers: queue.Queue[Response] = queue.Queue()
        self._asked, self._known, self._root = 0, False, ""

    def forget(self) -> None:
        """The client's roots have changed."""
        self._known = False

    def hear(self, response: Response) -> None:
        """Take a response; one that nobody waits for is left aside."""
        self._answers.put(response)

    def first(self) -> str:
        """Return the first root's path, or "". Called by calls, not by the reader of messages: it waits."""
        with self._lock:
            if not self._known:
                self._asked += 1
                self._send({"jsonrpc": "2.0", "id": f"roots-{self._asked}", "method": "roots/list"})
                self._known, self._root = True, path_of(self._answer(f"roots-{self._asked}"))
            return self._root

    def _answer(self, to: str) -> Any:
        while True:
            try:
                response = self._answers.get(timeout=_SECONDS)
            except queue.Empty:
                return None
            if response.id == to:
                return response.result


def brought(params: Mapping[str, Any]) -> str | None:
    """Return the root that a retried request brings, "" when it brings none, None when it was not asked yet."""
    given = params.get("inputResponses")
    return path_of(given.get(_KEY)) if isinstance(given, dict) and _KEY in given else None


def path_of(result: Any) -> str:
    """Return the path of the first root that is a directory here, or "": what a client tells is not trusted."""
    roots = result.get("roots") if isinstance(result, dict) else None
    for root in roots if isinstance(roots, list) else ():
        uri = root.get("uri") if isinstance(root, dict) else None
        found = _FILE.fullmatch(uri) if isinstance(uri, str) else None
        if found is None:
            continue
        try:
            path = _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), found[1].encode()).decode()
            if Path(path).is_dir():
                return path
        except (ValueError, OSError):
            continue
    return ""
