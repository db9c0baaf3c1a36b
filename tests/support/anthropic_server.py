"""A scripted stand-in for the Anthropic Messages API, on loopback only, so that a real client can be run offline.

    server = AnthropicServer([
        Rule("capital of France", [Say("Paris.")]),
        Rule("list the files", [Say(tools=[("Bash", {"command": "ls"})]), Say("Two files.")]),
    ])
    with server:
        run(client, env={"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "dummy"})
    server.asked[0].prompt, server.asked[0].system, server.paths

A rule fits when its regex is found in what the person asked last. Its sayings are the steps of one turn: which one is
due follows from the request alone (how often the assistant has spoken since the person did), so a retried request is
answered the same, and one server can serve several sessions and sub-agents at once. The last saying repeats. With
`times` a rule retires after that many turns. When no rule fits, `otherwise` answers.

What a person asked is the newest user message that has text of its own: text beside a tool result, text in
`<system-reminder>` and messages of the role `system` come from the client.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
_CHARS_PER_TOKEN = 4
_DELTA = 48  # characters an event of the stream carries


@dataclass(frozen=True)
class Say:
    """One answer: text and then tool calls as (name, input), or an HTTP error when `status` is not 200."""

    text: str = ""
    tools: Sequence[tuple[str, dict[str, Any]]] = ()
    status: int = 200
    wait: float = 0.0  # seconds before it
    usage: dict[str, int] = field(default_factory=dict)  # over the estimate


@dataclass
class Rule:
    """What is said in a turn whose prompt holds `when`."""

    when: str
    says: Sequence[Say]
    times: int | None = None


@dataclass(frozen=True)
class Asked:
    """One request for a message, as the model would have seen it."""

    prompt: str
    step: int  # how often the assistant spoke since the prompt
    system: str
    body: dict[str, Any]
    headers: dict[str, str]  # without those that hold a key


class AnthropicServer:
    """Serves on a free port of 127.0.0.1 while the `with` block lasts."""

    def __init__(self, rules: Sequence[Rule] = (), otherwise: Say | None = None) -> None:
        self.rules = list(rules)
        self.otherwise = otherwise or Say("Done.")
        self.asked: list[Asked] = []
        self.paths: list[str] = []  # everything that was called, as "GET /path"
        self._begun: dict[int, list[str]] = {}
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
        messages = body.get("messages") or []
        place, prompt = _last_prompt(messages)
        step = sum(message.get("role") == "assistant" for message in messages[place + 1 :])
        asked = Asked(prompt, step, _text(body.get("system")), body, headers)
        with self._lock:
            self.asked.append(asked)
            return self._choose(prompt, step, turn=f"{body.get('metadata')}\0{place}\0{prompt}")

    def _choose(self, prompt: str, step: int, turn: str) -> Say:
        for number, rule in enumerate(self.rules):
            if not re.search(rule.when, prompt, re.DOTALL):
                continue
            begun = self._begun.setdefault(number, [])
            if turn not in begun:
                if rule.times is not None and len(begun) >= rule.times:
                    continue
                begun.append(turn)
            return rule.says[min(step, len(rule.says) - 1)]
        return self.otherwise


def _text(content: Any) -> str:
    """Return the text of a system prompt or a message, whether it is a string or blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content or () if block.get("type") == "text")


def _last_prompt(messages: list[dict[str, Any]]) -> tuple[int, str]:
    for place in range(len(messages) - 1, -1, -1):
        content = messages[place].get("content")
        carries_result = isinstance(content, list) and any(block.get("type") == "tool_result" for block in content)
        if messages[place].get("role") == "user" and not carries_result:
            own = _REMINDER.sub("", _text(content)).strip()
            if own:
                return place, own
    return -1, ""


def _tokens(value: Any) -> int:
    return max(1, len(json.dumps(value)) // _CHARS_PER_TOKEN)


def _id(body: dict[str, Any]) -> str:
    """Return what ids are made of: a client's request names its session, so they differ as a real server's would."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:22]


def _message(said: Say, body: dict[str, Any]) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": said.text}] if said.text or not said.tools else []
    for place, (name, given) in enumerate(said.tools):
        content.append({"type": "tool_use", "id": f"toolu_{_id(body)}{place:02d}", "name": name, "input": given})
    usage = {
        "input_tokens": _tokens([body.get(part) for part in ("system", "messages", "tools")]),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": _tokens(content),
    } | said.usage
    return {
        "id": f"msg_{_id(body)}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", ""),
        "content": content,
        "stop_reason": "tool_use" if said.tools else "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def _events(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events that stream `message`."""
    opened = message | {"content": [], "stop_reason": None, "usage": message["usage"] | {"output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": opened}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty, whole, kind, key = block | {"text": ""}, block["text"], "text_delta", "text"
        else:
            empty, whole, kind, key = (
                block | {"input": {}},
                json.dumps(block["input"]),
                "input_json_delta",
                "partial_json",
            )
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        for at in range(0, len(whole), _DELTA):
            delta = {"type": kind, key: whole[at : at + _DELTA]}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    stopped = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    return [*events, {"type": "message_delta", "delta": stopped, "usage": message["usage"]}, {"type": "message_stop"}]


class _Handler(BaseHTTPRequestHandler):
    owner: AnthropicServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._alive()

    def do_GET(self) -> None:
        self._alive()

    def do_POST(self) -> None:
        path = self._called()
        told = json.loads(self._body() or b"{}")
        if path == "/v1/messages/count_tokens":
            self._json(200, {"input_tokens": _tokens([told.get(part) for part in ("system", "messages", "tools")])})
        elif path == "/v1/messages":
            self._answer(told)
        else:
            self._refuse(404, f"no such path: {path}")

    def _alive(self) -> None:
        if self._called() in {"/", "/api/hello"}:
            self._json(200, {"hello": "stand-in"})
        else:
            self._refuse(404, "no such path")

    def _called(self) -> str:
        self.owner.note(f"{self.command} {self.path}")
        return self.path.partition("?")[0]

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        whole = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _answer(self, told: dict[str, Any]) -> None:
        secret = {"x-api-key", "authorization", "cookie"}
        headers = {key.lower(): value for key, value in self.headers.items() if key.lower() not in secret}
        said = self.owner.reply(told, headers)
        time.sleep(said.wait)
        if said.status != 200:
            self._refuse(said.status, said.text)
        elif told.get("stream"):
            self._stream(_message(said, told))
        else:
            self._json(200, _message(said, told))

    def _stream(self, message: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("request-id", message["id"].replace("msg", "req"))
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for event in _events(message):
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        except OSError:
            return  # the client went away; what it missed is its own affair

    def _refuse(self, status: int, why: str) -> None:
        kinds = {
            400: "invalid_request_error",
            401: "authentication_error",
            404: "not_found_error",
            429: "rate_limit_error",
            529: "overloaded_error",
        }
        self._json(status, {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": why}})

    def _json(self, status: int, value: dict[str, Any]) -> None:
        told = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)
