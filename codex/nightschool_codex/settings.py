"""The client's `config.toml` with our server entry in it, and without. Comments, order and everything else stay.

Edited with tomlkit, which keeps them; it comes with the extra `nightschool[codex]`. Nothing is removed by comment
markers: the client itself moves and drops comments.
"""

import importlib
import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from nightschool.errors import NightschoolError

SERVER = "nightschool"


def with_ours(data: bytes | None, server: Mapping[str, Any], trusted: Mapping[str, str], where: object) -> bytes:
    """Return the file with `mcp_servers.nightschool`, and with `trusted` (hook key -> hash) written as trusted.

    With nothing to change the bytes stay as they are. Raises NightschoolError when the file does not parse, or tomlkit
    is missing.
    """
    text = _text(data, where)
    now = tomllib.loads(text)
    state = _at(now, "hooks", "state")
    missing = {key: value for key, value in trusted.items() if _at(state, key).get("trusted_hash") != value}
    if _at(now, "mcp_servers").get(SERVER) == dict(server) and not missing:
        return data or b""
    kit = _kit()
    document = kit.parse(text)
    if _at(now, "mcp_servers").get(SERVER) != dict(server):
        _table(kit, document, "mcp_servers")[SERVER] = _as_table(kit, server)
    for key, value in missing.items():
        _table(kit, document, "hooks", "state", key)["trusted_hash"] = value
    return _checked(kit.dumps(document), where)


def without_ours(data: bytes, keys: Collection[str], where: object, *, server: bool = True) -> bytes:
    """Return the file without our entry and without what was decided about the hooks `keys`; tables left empty go too.

    `server`: whether the entry is ours to take.
    """
    text = _text(data, where)
    now = tomllib.loads(text)
    state = _at(now, "hooks", "state")
    if not (server and SERVER in _at(now, "mcp_servers")) and not set(keys) & set(state):
        return data
    kit = _kit()
    document = kit.parse(text)
    if server:
        _drop(document, "mcp_servers", SERVER)
    for key in keys:
        _drop(document, "hooks", "state", key)
    return _checked(kit.dumps(document), where)


def _text(data: bytes | None, where: object) -> str:
    try:
        text = (data or b"").decode()
        tomllib.loads(text)
    except ValueError as error:
        fix = "Mend it first; nothing was changed."
        raise NightschoolError("the client's settings do not parse", where=where, why=error, fix=fix) from error
    return text


def _checked(text: str, where: object) -> bytes:
    """Never write what does not parse."""
    try:
        tomllib.loads(text)
    except ValueError as error:
        raise NightschoolError("the client's settings cannot be edited", where=where, why=error) from error
    return text.encode()


def _kit() -> Any:
    try:
        return importlib.import_module("tomlkit")
    except ImportError:
        fix = (
            "Nothing was changed. Install it beside Nightschool: pip install tomlkit, or the extra nightschool[codex]."
        )
        why = "only it edits config.toml without losing your comments"
        raise NightschoolError("the package tomlkit is missing", why=why, fix=fix) from None


def _at(told: object, *names: str) -> dict[str, Any]:
    for name in names:
        told = told.get(name) if isinstance(told, dict) else None
    return told if isinstance(told, dict) else {}


def _as_table(kit: Any, told: Mapping[str, Any]) -> Any:
    table = kit.table()
    for name, value in told.items():
        table[name] = value
    return table


def _table(kit: Any, document: Any, *names: str) -> Any:
    """Return the table of that name, made where it is missing; without a header when it only holds others."""
    for place, name in enumerate(names):
        if name not in document:
            document[name] = kit.table(is_super_table=place < len(names) - 1 or name == "mcp_servers")
        document = document[name]
    return document


def _drop(document: Any, *names: str) -> None:
    tables = [document]
    for name in names[:-1]:
        if name not in tables[-1]:
            return
        tables.append(tables[-1][name])
    for table, name in zip(reversed(tables), reversed(names), strict=True):
        if name in table and (name == names[-1] or not table[name]):
            del table[name]
