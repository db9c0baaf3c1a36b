"""What client and server agree on: the protocol revision, by handshake or request by request, and what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nightschool import __version__
from nightschool.mcp.protocol import INVALID_PARAMS, METHOD_NOT_FOUND, UNSUPPORTED_VERSION, Request, RpcError

HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = ("2026-07-28",)
BATCHES = ("2025-03-26",)  # the one revision whose "Base Protocol > Messages > Batching" asks servers to take arrays
FAULTS_ARE_RESULTS_SINCE = "2025-11-25"  # "Tools > Error Handling": wrong arguments moved from errors to results
META = "io.modelcontextprotocol/"
SERVER = {"name": "nightschool", "title": "Nightschool", "version": __version__}
CAPABILITIES: dict[str, Any] = {"tools": {}}
INSTRUCTIONS = (
    "Nightschool learns rules from earlier coding sessions and examines them at night. Begin with sleep_status. "
    "Call sleep_adopt only when the user has decided to adopt."
)
_FRESH = {"ttlMs": 300_000, "cacheScope": "private"}  # the tools change with the installed version alone
_HANDSHAKE_METHODS: tuple[str, ...] = ("initialize", "ping", "tools/list", "tools/call")
_MODERN_METHODS: tuple[str, ...] = ("server/discover", "tools/list", "tools/call")


@dataclass(frozen=True)
class Terms:
    """The terms one request is served under."""

    version: str
    client: Mapping[str, Any] = field(default_factory=dict)  # the client's capabilities

    @property
    def modern(self) -> bool:
        """Say whether the request stands alone, without a handshake."""
        return self.version in MODERN

    @property
    def has_roots(self) -> bool:
        """Say whether the client can be asked for its roots."""
        return isinstance(self.client.get("roots"), dict)

    def result(self, made: dict[str, Any], *, cacheable: bool = False) -> dict[str, Any]:
        """Return a result with the fields its revision wants (2026-07-28 "Base Protocol > Responses", `_meta`)."""
        if not self.modern:
            return made
        full = {"resultType": "complete", "_meta": {META + "serverInfo": SERVER}} | made
        return full | _FRESH if cacheable else full


def handshake(request: Request) -> tuple[Terms, dict[str, Any]]:
    """Answer `initialize`: in their revision if we know it, else in our newest.

    (2025-11-25 "Lifecycle > Version Negotiation".)

    Raises RpcError when the parameters are not those of the schema.
    """
    asked, client = request.params.get("protocolVersion"), request.params.get("capabilities", {})
    if not isinstance(asked, str):
        raise RpcError(INVALID_PARAMS, "protocolVersion is a string", data={"supported": list(HANDSHAKES)})
    if not isinstance(client, dict) or not isinstance(request.params.get("clientInfo", {}), dict):
        raise RpcError(INVALID_PARAMS, "capabilities and clientInfo are objects")
    version = asked if asked in HANDSHAKES else HANDSHAKES[-1]
    told = {
        "protocolVersion": version,
        "capabilities": CAPABILITIES,
        "serverInfo": SERVER,
        "instructions": INSTRUCTIONS,
    }
    return Terms(version, client), told


def discovered() -> dict[str, Any]:
    """Answer `server/discover` (2026-07-28 "Server Features > Discovery")."""
    return {"supportedVersions": list(MODERN), "capabilities": CAPABILITIES, "instructions": INSTRUCTIONS}


def terms_of(request: Request, agreed: Terms | None) -> Terms:
    """Return the terms of a request: those it carries (2026-07-28 "Versioning"), or those agreed on by a handshake.

    Raises RpcError: an unknown method, a revision we do not speak, or neither terms nor handshake.
    """
    if request.method not in _HANDSHAKE_METHODS + _MODERN_METHODS:
        raise RpcError(METHOD_NOT_FOUND, "no such method")
    meta = request.params.get("_meta", {})
    if not isinstance(meta, dict):
        raise RpcError(INVALID_PARAMS, "_meta is an object")
    if META + "protocolVersion" in meta and request.method != "initialize":
        terms, known = _carried(meta), _MODERN_METHODS
    elif agreed is None and request.method not in {"initialize", "ping"}:
        raise RpcError(INVALID_PARAMS, f"initialize first, or give {META}protocolVersion in _meta")
    else:
        terms, known = agreed or Terms(HANDSHAKES[-1]), _HANDSHAKE_METHODS
    if request.method not in known:
        raise RpcError(METHOD_NOT_FOUND, "no such method in this revision")
    return terms


def _carried(meta: Mapping[str, Any]) -> Terms:
    """Read a request's own terms: its version and its client's capabilities are required (`_meta`)."""
    version, client = meta[META + "protocolVersion"], meta.get(META + "clientCapabilities")
    if not isinstance(version, str):
        raise RpcError(INVALID_PARAMS, f"{META}protocolVersion is a string")
    if version not in MODERN:
        data = {"supported": [*MODERN, *reversed(HANDSHAKES)], "requested": version}
        raise RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data=data)
    if not isinstance(client, dict):
        raise RpcError(INVALID_PARAMS, f"{META}clientCapabilities is an object, and required")
    return Terms(version, client)
