"""The backend `openai`: what is sent, what is read, how each failure is told, and where a key never goes."""

import contextlib
import socket
import threading
import time

import pytest
from tests.support.loopback_endpoint import chat, serving

from nightschool.config import OpenAI as Settings
from nightschool.errors import NightschoolError
from nightschool.models.backends.openai import OpenAI
from nightschool.models.call import once
from nightschool.models.questions import CallError, Question

ASKED = Question(kind="rollout", model="tiny", system="Be brief.", prompt="hi", k=2, max_tokens=50, timeout=5)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """No way out of this machine, and no key but the test's."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def backend(server, **more):
    """Open the backend on a server."""
    return OpenAI.from_config(Settings(base_url=server.url, **more))


def test_chat_is_asked_and_read(monkeypatch):
    """System, prompt, limit, seed and the extra body go out; text, tool calls, model and usage come back."""
    monkeypatch.setenv("MY_KEY", "k-1")
    calls = [{"function": {"name": "sql", "arguments": "{}"}}]
    with serving(lambda *_: (200, {}, chat("hello", tool_calls=calls))) as server:
        told = backend(server, key_env="MY_KEY", extra_body='{"temperature": 0, "seed": null}').answer(ASKED)
    path, headers, body = server.seen[0]

    assert (told.text, told.tool_calls, told.model) == ("hello", (("sql", "{}"),), "tiny-1")
    assert (told.tokens_in, told.tokens_out, told.cost_usd) == (10, 5, None)
    assert told.seconds > 0
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer k-1"
    system, user = body.pop("messages")
    assert (system["content"], user["content"]) == ("Be brief.", "hi")
    assert body == {"model": "tiny", "max_tokens": 50, "temperature": 0}


def test_responses_are_asked_and_read():
    """The other protocol: instructions and input out, output items back; nothing is stored there."""
    output = [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "hel"}, {"type": "output_text", "text": "lo"}]},
        {"type": "function_call", "name": "sql", "arguments": "{}"},
    ]
    reply = {"model": "m", "status": "completed", "output": output, "usage": {"input_tokens": 3, "output_tokens": 4}}
    with serving(lambda *_: (200, {}, reply)) as server:
        told = backend(server, api="responses").answer(ASKED)
    path, headers, body = server.seen[0]

    assert (told.text, told.tool_calls, told.tokens_in, told.tokens_out) == ("hello", (("sql", "{}"),), 3, 4)
    assert path == "/v1/responses"
    assert "Authorization" not in headers
    assert body == {
        "model": "tiny", "instructions": "Be brief.", "input": "hi", "max_output_tokens": 50, "store": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "headers", "reply", "kind", "used"),
    [
        (429, {"retry-after": "7"}, {"error": {"message": "slow down"}}, "rate-limit", 0),
        (503, {}, b"<html>", "unavailable", None),
        (504, {}, b"", "timeout", None),
        (400, {}, {"error": {"message": "bad"}}, "backend", 0),
        (400, {}, {"error": {"code": "content_filter"}}, "refused", None),
        (200, {}, b"not json", "malformed", None),
        (200, {}, b"[1]", "malformed", None),
        (200, {}, b"", "empty", None),
        (200, {}, {"choices": []}, "malformed", None),
        (200, {}, {"choices": "x", "usage": 3}, "malformed", None),
        (200, {}, chat(" \n"), "empty", 10),
        (200, {}, chat("half a rep", reason="length"), "malformed", 10),
        (200, {}, chat(None, refusal="I won't"), "refused", 10),
        (200, {}, chat("", reason="content_filter"), "refused", 10),
        (200, {}, {"error": {"message": "overloaded", "code": 529}}, "backend", None),
        (200, {}, chat("half a rep") | {"error": {"message": "overloaded"}}, "backend", 10),
        (200, {}, chat("half a rep", reason="error"), "backend", 10),
        (200, {"content-length": "9999"}, b'{"choices": [', "unavailable", None),
    ],
)
def test_each_failure_has_its_kind_and_its_price(status, headers, reply, kind, used):
    """A failure is typed, says what it used when that is known, and keeps what the server asks for."""
    with serving(lambda *_: (status, headers, reply)) as server, pytest.raises(CallError) as caught:
        backend(server).answer(ASKED)

    assert caught.value.kind == kind
    assert caught.value.tokens_in == used
    assert caught.value.retry_after == (7.0 if headers.get("retry-after") else None)


@pytest.mark.parametrize(
    "fault",
    [{"status": "failed", "error": {"code": "server_error", "message": "boom"}}, {"status": "cancelled"},
     {"status": "in_progress"}],
    ids=["failed", "cancelled", "not done"],
)  # fmt: skip
def test_a_response_that_did_not_end_well_is_no_answer(fault):
    """The other protocol: what was said before the fault is never scored."""
    output = [{"type": "message", "content": [{"type": "output_text", "text": "half a rep"}]}]
    with serving(lambda *_: (200, {}, {"output": output} | fault)) as server, pytest.raises(CallError) as caught:
        backend(server, api="responses").answer(ASKED)

    assert caught.value.kind == "backend"


@pytest.mark.parametrize("status", [401, 402, 403, 404, 301, 302, 307, 308])
def test_what_fails_every_question_stops(status, monkeypatch):
    """No access, no credit, no such model, an address elsewhere: a reason and a fix, and not the key."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    with serving(lambda *_: (200, {}, chat("stolen"))) as other:
        headers = {"location": f"{other.url}/chat/completions"}
        plan = (status, headers, {"error": {"message": "no sk-planted"}})
        with serving(lambda *_: plan) as server, pytest.raises(NightschoolError) as caught:
            backend(server).answer(ASKED)

    assert not isinstance(caught.value, CallError)
    assert caught.value.fix
    assert "sk-planted" not in str(caught.value)
    assert other.seen == []


def test_an_account_without_credit_is_no_rate_limit():
    """429 with the code of an empty account stops the night instead of being asked again."""
    reply = {"error": {"code": "insufficient_quota", "message": "quota"}}
    with serving(lambda *_: (429, {}, reply)) as server, pytest.raises(NightschoolError, match="cannot pay"):
        backend(server).answer(ASKED)


def test_a_slow_server_is_not_waited_for():
    """The timeout is the call's, whether nothing comes or the body comes in drops."""
    with serving(lambda *_: time.sleep(1.5) or (200, {}, chat("late"))) as server, pytest.raises(CallError) as caught:
        backend(server).answer(ASKED.model_copy(update={"timeout": 0.3}))

    assert caught.value.kind == "timeout"


@contextlib.contextmanager
def dripping(head, drop):
    """Serve `head` at once, and then one drop after the other without end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(head)
                while True:
                    connection.sendall(drop)
                    time.sleep(0.05)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Settings(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}/v1")
        thread.join(5)


@pytest.mark.parametrize(
    ("head", "drop", "kind"),
    [
        (b"", b"H", "timeout"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "timeout"),
        (b"HTTP/1.1 200 OK\r\n", b"X", "timeout"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x", "timeout"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" ", "timeout"),
        (b"HTTP/1.1 500 Broken\r\nContent-Length: 9999\r\n\r\n", b"x", "unavailable"),
    ],
    ids=["status", "interim answers", "headers", "chunk", "body", "error"],
)
def test_a_server_that_drips_is_not_waited_for(head, drop, kind):
    """Whatever comes in drops: the deadline is the whole call's, not that of a single wait."""
    began = time.monotonic()
    with dripping(head, drop) as settings, pytest.raises(CallError) as caught:
        OpenAI.from_config(settings).answer(ASKED.model_copy(update={"timeout": 0.5}))

    assert caught.value.kind == kind
    assert time.monotonic() - began < 3


KEY = "nightkey-0123456789abcdef0123456789abcdef"  # of no shape that redaction knows


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (500, {"error": {"message": "x" * 280 + KEY}}),
        (200, {"error": {"message": "x" * 280 + KEY}}),
        (200, chat(f"Your key is {KEY}.")),
    ],
    ids=["error", "error in a success", "answer"],
)
def test_a_key_that_comes_back_is_not_kept(status, reply, monkeypatch):
    """Whatever a server repeats of the key, none of it is in what is shown or kept."""
    monkeypatch.setenv("MY_KEY", f"{KEY}\n")
    with serving(lambda *_: (status, {}, reply)) as server:
        told = once(backend(server, key_env="MY_KEY"), ASKED)
    _, headers, _ = server.seen[0]

    assert headers["Authorization"] == f"Bearer {KEY}"
    assert KEY[:8] not in f"{told} {getattr(told, 'why', '')}"


def test_nobody_there_is_unavailable_and_free():
    """What never arrived has cost nothing."""
    with serving(lambda *_: (200, {}, chat("x"))) as server:
        gone = backend(server)
    with pytest.raises(CallError) as caught:
        gone.answer(ASKED)

    assert (caught.value.kind, caught.value.tokens_in) == ("unavailable", 0)


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("", "", "no endpoint"),
        ("https://api.example.com/v1", "", "no key"),
        ("http://api.example.com/v1", "sk-1", "clear text"),
        ("ftp://api.example.com/v1", "sk-1", "no address"),
        ("https://user:pw@api.example.com/v1", "sk-1", "no address"),
        ("https://:pw@api.example.com/v1", "sk-1", "no address"),
        ("http://[::1", "sk-1", "no address"),
        ("http://127.0.0.1:port/v1", "sk-1", "no address"),
        ("https://api.example.com/v1", "sk-\npw", "cannot be sent"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_told_at_once(url, key, said, monkeypatch):
    """Before a night: no address, no key, or a key that anybody on the way could read."""
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(NightschoolError, match=said) as caught:
        OpenAI.from_config(Settings().model_copy(update={"base_url": url}))  # as a configuration of old may hold it
    assert "pw" not in str(caught.value)


def test_endpoints_are_told_apart_by_name():
    """Another address or another body gives other answers: their names, and so their addresses, differ."""
    names = {
        OpenAI.from_config(Settings(base_url=url, extra_body=extra)).name
        for url in ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1")
        for extra in ("", '{"temperature": 1}')
    }
    assert len(names) == 4
