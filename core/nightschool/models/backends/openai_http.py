"""One POST with a deadline: no redirects, so a key never reaches another host, and every failure has its kind."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import IO, Any, Self

from nightschool.errors import NightschoolError
from nightschool.models.questions import CallError, Fault

LARGEST = 16 * 2**20  # bytes of a reply
LONG_KEY = 16  # characters; a shorter one is no secret, as "ollama", and may be a word of an answer
_CHUNK = 65536
_BY_STATUS: dict[int, Fault] = {408: "timeout", 429: "rate-limit", 504: "timeout", 529: "rate-limit"}
_SERVERS_OWN = 500


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a redirect comes back as the error it is."""

    def redirect_request(self, *_told: Any, **_more: Any) -> None:
        """Decline."""


class _Deadline:
    """Cuts a connection off when its time is over: its own timeout begins anew with every byte that comes."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._twin: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_told: object) -> None:
        self._timer.cancel()
        if self._twin is not None:
            self._twin.close()

    def watch(self, connected: socket.socket) -> None:
        """Watch a connection; the socket itself may become part of a secure one meanwhile."""
        self._twin = connected.dup()

    def _cut(self) -> None:
        self.over = True
        with contextlib.suppress(OSError):
            if self._twin is not None:
                self._twin.shutdown(socket.SHUT_RDWR)


class _Watched(http.client.HTTPConnection):
    """A connection under a deadline."""

    deadline: _Deadline

    def connect(self) -> None:
        """Connect, and be watched from then on."""
        super().connect()
        self.deadline.watch(self.sock)


class _WatchedSecure(http.client.HTTPSConnection, _Watched):
    """The same; what is secured is a connection that is watched already."""


class _Http(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Opens connections under a deadline."""

    def __init__(self, deadline: _Deadline) -> None:
        urllib.request.HTTPHandler.__init__(self)
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open one in the clear."""
        return self.do_open(self._made(_Watched), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a secure one."""
        return self.do_open(self._made(_WatchedSecure), req)

    def _made(self, kind: type[_Watched]) -> Any:
        def made(host: str, **told: Any) -> _Watched:
            connection = kind(host, **told)
            connection.deadline = self._deadline
            return connection

        return made


@dataclass(frozen=True)
class Endpoint:
    """Where to ask, and the key that goes there and nowhere else."""

    base_url: str
    host: str
    loopback: bool
    key: str = field(default="", repr=False)

    @classmethod
    def of(cls, base_url: str, key: str, *, wanted: bool = True) -> Endpoint:
        """Check an address. `wanted`: elsewhere than on this machine a key is needed. Raises NightschoolError."""
        parts, host = _split(base_url)
        if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or parts.query or parts.fragment:
            fix = "It looks like https://host/v1, without a key in it."
            raise NightschoolError("openai.base_url is no address of an endpoint", where=host, fix=fix)
        loopback = _is_loopback(host)
        if not loopback and not key and wanted:
            fix = "Export the variable that openai.key_env names, or set openai.key_env to nothing if none is needed."
            raise NightschoolError("the backend openai has no key", where=host, fix=fix)
        if not key.isascii() or not key.isprintable():
            fix = "Set it anew: a line break or a control character has got into it."
            raise NightschoolError("the key of the backend openai cannot be sent", where=host, fix=fix)
        if key and parts.scheme == "http" and not loopback:
            fix = "Use https, or set openai.key_env to nothing."
            raise NightschoolError("a key would travel in clear text", where=base_url, fix=fix)
        return cls(base_url.rstrip("/"), host, loopback, key)


def _split(base_url: str) -> tuple[urllib.parse.SplitResult, str]:
    """Return the parts of an address, and its host; "" when it can have none."""
    try:
        parts = urllib.parse.urlsplit(base_url)
        return parts, (parts.hostname or "").lower() if parts.port != 0 else ""
    except ValueError:
        return urllib.parse.urlsplit(""), ""


def post(endpoint: Endpoint, path: str, body: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Post JSON and return the JSON object that comes back, within `timeout` seconds.

    Raises CallError, or NightschoolError for what would fail every question: no access, no credit, no such model.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers |= {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    request = urllib.request.Request(  # noqa: S310  the scheme was checked
        f"{endpoint.base_url}/{path}", json.dumps(body).encode(), headers, method="POST"
    )
    proxies = [urllib.request.ProxyHandler({})] if endpoint.loopback else []
    with _Deadline(timeout) as deadline:
        opener = urllib.request.build_opener(_Stay, _Http(deadline), *proxies)
        try:
            with opener.open(request, timeout=timeout) as response:
                data = _read(response, deadline)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(endpoint, error) from None
        except (OSError, http.client.HTTPException) as error:
            raise _broken(endpoint, TimeoutError() if deadline.over else error) from error
    if len(endpoint.key) >= LONG_KEY:  # an answer is kept
        data = data.replace(endpoint.key.encode(), b"[key]")
    return _object(data)


def _read(response: http.client.HTTPResponse, deadline: _Deadline) -> bytes:
    """Read a body that may come in drops."""
    parts: list[bytes] = []
    size = 0
    while part := response.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise CallError("malformed", f"the reply is over {LARGEST // 2**20} MB")
    if deadline.over:
        raise TimeoutError
    if response.length:  # bytes that were announced and did not come
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(parts)


def _object(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CallError("malformed" if data.strip() else "empty", "the reply is not JSON") from error
    if not isinstance(told, dict):
        raise CallError("malformed", "the reply is not a JSON object")
    return told


def _broken(endpoint: Endpoint, error: OSError | http.client.HTTPException) -> NightschoolError:
    """Tell apart what broke a connection."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return NightschoolError("the endpoint's certificate is not valid", where=endpoint.host, why=reason.reason)
    if isinstance(reason, TimeoutError):
        return CallError("timeout", where=endpoint.host)
    unsent = isinstance(reason, ConnectionRefusedError) or type(reason).__name__ == "gaierror"
    used = 0 if unsent else None  # what never arrived has cost nothing
    why = f"{type(reason).__name__}: {reason}"
    return CallError("unavailable", why, where=endpoint.host, tokens_in=used, tokens_out=used)


def _refusal(endpoint: Endpoint, error: urllib.error.HTTPError) -> NightschoolError:
    """Read a status that is no success."""
    code, said = _said(endpoint, error)
    host, status = endpoint.host, error.code
    if status in {401, 403}:
        fix = "Check the key that openai.key_env or openai.keyring names."
        return NightschoolError("the endpoint does not let us in", where=host, why=said, fix=fix)
    if status == 402 or code == "insufficient_quota":  # noqa: PLR2004
        return NightschoolError("the account cannot pay", where=host, why=said, fix="Add credit.")
    if status == 404:  # noqa: PLR2004
        fix = "Check openai.base_url (it mostly ends in /v1) and --target-model."
        return NightschoolError("the endpoint or the model is not there", where=endpoint.base_url, why=said, fix=fix)
    if 300 <= status < 400:  # noqa: PLR2004
        fix = "Set openai.base_url to the address it really has; a key does not follow redirects."
        return NightschoolError("the endpoint redirects elsewhere", where=host, fix=fix)
    if code in {"content_filter", "content_policy_violation"}:
        return CallError("refused", said, where=host, tokens_out=0)
    kind = _BY_STATUS.get(status, "unavailable" if status >= _SERVERS_OWN else "backend")
    # a request that was found wrong was not worked on; what a server was doing when it failed nobody knows
    used = 0 if kind in {"rate-limit", "backend"} else None
    return CallError(
        kind, f"{status} {said}", where=host, tokens_in=used, tokens_out=used, retry_after=_retry_after(error)
    )


def _said(endpoint: Endpoint, error: IO[bytes]) -> tuple[str, str]:
    """Return the error's code and message, without the key should a server repeat it."""
    code = text = ""
    with contextlib.suppress(OSError, ValueError, RecursionError, http.client.HTTPException):
        text = error.read(_CHUNK).decode(errors="replace")
        told = json.loads(text)
        inner = told.get("error", told) if isinstance(told, dict) else {}
        if isinstance(inner, dict):
            code, text = str(inner.get("code") or inner.get("type") or ""), str(inner.get("message") or text)
    text = " ".join(text.split())
    # before it is cut: a part of a key is known by nobody as one
    return code, (text.replace(endpoint.key, "[key]") if endpoint.key else text)[:300]


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    """Return how many seconds the server asks to wait: it tells seconds, or a date."""
    told = error.headers.get("retry-after", "") if error.headers else ""
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, min(float(told), 1e6))
    with contextlib.suppress(ValueError, TypeError, IndexError):
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
