"""A scripted stand-in for the OpenAI Responses API, on loopback only, so that a real client can be run offline.

    server = OpenAIServer([
        Rule("capital of France", [Say("Paris.")]),
        Rule("list the files", [Say(tools=[("exec_command", {"cmd": "ls"})]), Say("Two files.")]),
    ])
    with server:
        run(client, base_url=f"{server.url}/v1")
    server.asked[0].prompt, server.asked[0].text, server.paths

Rules, sayings and steps are those of `anthropic_server`: a rule fits when its regex is found in what the person asked
last, its sayings are the steps of one turn, and the last one repeats. Which step is due follows from the request alone:
how often a tool has answered since the person spoke. A tool whose input is a string is a custom one.
"""

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support.anthropic_server import Rule, Say

_CONTEXT = re.compile(r"\s*(<[a-z_]+[ >]|# AGENTS\.md instructions)")
_ANSWERS = frozenset({"function_call_output", "custom_tool_call_output"})


@dataclass(frozen=True)
class Asked:
    """One request, as the model would have seen it."""

    prompt: str
    step: int
    text: str  # every text of the input, instructions and context included
    body: dict[str, Any]
    headers: dict[str, str]  # without those that hold a key


class OpenAIServer:
    """Serves on a free port of 127.0.0.1 while the `with` block lasts."""

    def __init__(self, rules: Sequence[Rule] = (), otherwise: Say | None = None) -> None:
        self.rules = list(rules)
        self.otherwise = otherwise or Say("Done.")
        self.asked: list[Asked] = []
        self.paths: list[str] = []
        self._lock = threading.Lock()
        handler = type("_BoundHandler", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def note(self, call: str) -> None:
        """Remember that a path was called."""
        with self._lock:
            self.paths.append(call)

    def reply(self, body: dict[str, Any], headers: dict[str, str]) -> Say:
        """Choose what to say."""
        items = body.get("input") or []
        items = [{"role": "user", "content": items}] if isinstance(items, str) else items
        place, prompt = _last_prompt(items)
        since = items[place + 1 :]
        step = len({item["call_id"].rpartition("_")[0] for item in since if item.get("type") in _ANSWERS})
        whole = "\n".join([str(body.get("instructions") or ""), *(_text(item.get("content")) for item in items)])
        with self._lock:
            self.asked.append(Asked(prompt, step, whole, body, headers))
        for rule in self.rules:
            if re.search(rule.when, prompt, re.DOTALL):
                return rule.says[min(step, len(rule.says) - 1)]
        return self.otherwise


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content or () if isinstance(part, dict))


def _last_prompt(items: list[dict[str, Any]]) -> tuple[int, str]:
    for place in range(len(items) - 1, -1, -1):
        if items[place].get("role") == "user":
            parts = items[place].get("content")
            texts = [parts] if isinstance(parts, str) else [str(part.get("text", "")) for part in parts or ()]
            own = "\n".join(text for text in texts if text.strip() and not _CONTEXT.match(text))
            if own:
                return place, own
    return -1, ""


def _space(tool: str, body: dict[str, Any]) -> dict[str, str]:
    """Return the namespace in which the client offers a tool."""
    for offered in body.get("tools") or ():
        if offered.get("type") == "namespace" and tool in {one.get("name") for one in offered.get("tools") or ()}:
            return {"namespace": offered["name"]}
    return {}


def _response(said: Say, body: dict[str, Any], step: int) -> dict[str, Any]:
    name = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:22]
    output: list[dict[str, Any]] = []
    if said.text or not said.tools:
        part = {"type": "output_text", "text": said.text, "annotations": []}
        output.append(
            {"type": "message", "id": f"msg_{name}", "role": "assistant", "status": "completed", "content": [part]}
        )
    for place, (tool, given) in enumerate(said.tools):
        call = {"id": f"fc_{name}{place}", "call_id": f"call_{name}{step}_{place}", "name": tool, **_space(tool, body)}
        if isinstance(given, str):
            output.append({"type": "custom_tool_call", **call, "input": given})
        else:
            output.append({"type": "function_call", **call, "arguments": json.dumps(given)})
    into, out = max(1, len(json.dumps(body)) // 4), max(1, len(json.dumps(output)) // 4)
    usage = {
        "input_tokens": into,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": into + out,
    } | said.usage
    told = {"id": f"resp_{name}", "object": "response", "created_at": 1, "status": "completed"}
    return told | {"model": body.get("model", ""), "output": output, "usage": usage}


def _events(response: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events that stream a response."""
    opened = response | {"status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": opened}]
    for place, item in enumerate(response["output"]):
        events.append({"type": "response.output_item.added", "output_index": place, "item": item | {"content": []}})
        if item["type"] == "message":
            delta = {"item_id": item["id"], "content_index": 0, "delta": item["content"][0]["text"]}
            events.append({"type": "response.output_text.delta", "output_index": place, **delta})
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    return [*events, {"type": "response.completed", "response": response}]


class _Handler(BaseHTTPRequestHandler):
    owner: OpenAIServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Say nothing."""

    def do_GET(self) -> None:
        self.owner.note(f"GET {self.path}")
        self._json(404, {"error": {"message": "no such path", "type": "invalid_request_error", "code": None}})

    def do_POST(self) -> None:
        self.owner.note(f"POST {self.path}")
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if not self.path.partition("?")[0].endswith("/responses"):
            self._json(404, {"error": {"message": "no such path", "type": "invalid_request_error", "code": None}})
            return
        headers = {key.lower(): value for key, value in self.headers.items() if key.lower() != "authorization"}
        said = self.owner.reply(body, headers)
        time.sleep(said.wait)
        if said.status != 200:
            self._json(said.status, {"error": {"message": said.text, "type": "error", "code": None}})
            return
        response = _response(said, body, self.owner.asked[-1].step)
        events = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in _events(response))
        self._send(200, "text/event-stream", "".join(events).encode())

    def _json(self, status: int, told: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(told).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a client that was ended meanwhile
            self.wfile.write(data)
