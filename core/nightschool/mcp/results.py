"""What a tool's caller reads: one document, told in words too, or the reason why there is none.

MCP 2025-11-25 "Tools > Error Handling": what the caller can act on is a result with `isError`, not a protocol error.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from nightschool.errors import BUDGET, DONE, USAGE, WAITING
from nightschool.mcp.calls import LARGEST, Ended

STRUCTURED_SINCE = "2025-06-18"  # the first revision with `structuredContent`
_MEANING = {
    WAITING: "The night waits for answers; that is no fault. Answer the questions in the files, then run it again",
    BUDGET: "A budget is reached; all work so far is kept, and the next run goes on with it",
}


def failure(why: str) -> dict[str, Any]:
    """Return a result that tells the caller what went wrong and what to do."""
    return {"content": [{"type": "text", "text": why}], "isError": True}


def result(name: str, ended: Ended, version: str, *, notes: bool) -> dict[str, Any]:
    """Return what a verb's end means. `notes` adds its remarks on stderr to the text."""
    told = [line.removeprefix("nightschool: ") for line in ended.told if line.startswith("nightschool: ")]
    if ended.code in _MEANING:
        states = {WAITING: "waiting", BUDGET: "budget reached"}
        text = f"{_MEANING[ended.code]} (exit code {ended.code}). {' '.join(told)}".strip()
        return _told(text, {"state": states[ended.code], "exit_code": ended.code, "told": told}, version)
    found, document = _document(ended.out)
    if not found:
        return failure(_fault(ended, told))
    remarks = [line.removeprefix("· ") for line in ended.told if line.startswith("· ")] if notes else []
    remarks += told
    text = "\n".join([_words(name, document, version), *remarks])
    return _told(text, document, version, remarks) | ({} if ended.code == DONE else {"isError": True})


def _fault(ended: Ended, told: Sequence[str]) -> str:
    """Say why there is no document: the verb's own line, or how it died."""
    if ended.code < 0:
        return f"the command was ended by signal {-ended.code} before it was done; the same call goes on"
    if told and ended.code != DONE:
        return "\n".join(told) + (" (exit code 2: not understood)" if ended.code == USAGE else "")
    if len(ended.out) > LARGEST:
        return "the answer is too large to pass on; ask for less"
    last = ended.told[-1] if ended.told else "it said nothing"
    return f"the command gave no document (exit code {ended.code}): {last}. See: nightschool doctor"


def _document(out: bytes) -> tuple[bool, Any]:
    if len(out) > LARGEST:
        return False, None
    try:
        return True, json.loads(out.decode("utf-8"))
    except (ValueError, RecursionError):
        return False, None


def _told(text: str, document: Any, version: str, remarks: Sequence[str] = ()) -> dict[str, Any]:
    """Return text and, where the revision has it, the document; before 2026-07-28 that has to be an object.

    Remarks stand in both: some clients pass on only the text, others only the document.
    """
    made: dict[str, Any] = {"content": [{"type": "text", "text": text}]}
    if version >= STRUCTURED_SINCE:
        whole = document if isinstance(document, dict) else {"items": document}
        made["structuredContent"] = whole | ({"remarks": list(remarks)} if remarks else {})
    return made


def _words(name: str, document: Any, version: str) -> str:
    """Tell a document in words; as JSON where nobody wrote the words, or where the text is all there is.

    Clients that pass on both would pay twice for the same JSON.
    """
    as_json = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if name not in _PROSE:
        return as_json
    try:
        text = _PROSE[name](document)
    except (KeyError, TypeError, AttributeError):
        return as_json
    return text if version >= STRUCTURED_SINCE else f"{text}\n{as_json}"


def _status(told: Any) -> str:
    last = told["last_night"]
    rules = [f"{word}: {', '.join(ids)}" for word, ids in told["proposed"].items()]
    return "\n".join([
        f"last night: {last['id']}, {last['status']}, {last['started']}" if last else "no night yet",
        *(rules or ["no rule waits"]),
        f"adopted: {', '.join(told['adopted']) or 'none'}",
        f"spent: {told['spent']['calls']} model calls, {told['spent']['tokens']} tokens",
        f"next: {told['next']}",
    ])  # fmt: skip


def _harvest(told: Any) -> str:
    lines = [f"{told['transcripts']} transcripts known, {told['read']} read now ({told['new_bytes']} new bytes)"]
    lines += [f"{told['backlog']} left for the next harvest"] if told["backlog"] else []
    return "\n".join(lines + [f"failed: {name}: {why}" for name, why in told["broken"].items()])


def _plan(told: Any) -> str:
    return "\n".join([
        f"{told['funnel']['sessions']} sessions, {len(told['recurrences'])} things that keep coming back",
        f"{told['held_out']} held-out tasks; at most {told['calls']} model calls",
        *(f"candidate {edit['id']}: {edit['text']}" for edit in told["edits"]),
    ])  # fmt: skip


def _night(told: Any) -> str:
    night = told["night"]
    head = f"night {night['id']}: {night['status']}" + ("" if told["new"] else ", nothing new since")
    rules = [f"{rule['verdict']['ruling']} {rule['edit']['id']}: {rule['edit']['text']}" for rule in told["rules"]]
    return "\n".join([head, *(rules or ["no rule proposed"]), *night["notes"], f"page: {told['report']}"])


def _adopted(told: Any) -> str:
    if not told["edits"]:
        return "nothing to adopt: no rule is accepted, or all are adopted or turned down already"
    return "\n".join([
        *(f"adopted {edit['id']}: {edit['text']}" for edit in told["edits"]),
        *(f"changed {file['path']}" for file in told["files"]),
        f"sleep_undo with night {told['night']} takes it back",
    ])  # fmt: skip


def _undone(told: Any) -> str:
    paths = dict.fromkeys(file["path"] for receipt in told for file in receipt["files"])
    return "\n".join(f"restored {path}" for path in paths) or "nothing was changed"


def _audited(told: Any) -> str:
    if "findings" not in told:
        return f"{told['finding']}: {told['choice']}"
    rows = [
        f"{one['id']}: {one['text']} ({one['sessions']} sessions, last {one['last'][:10]}; {', '.join(one['options'])})"
        for one in told["findings"]
    ]
    return "\n".join(rows) or "nothing keeps going wrong that was not decided about"


_PROSE: dict[str, Callable[[Any], str]] = {
    "sleep_status": _status,
    "sleep_harvest": _harvest,
    "sleep_dry_run": _plan,
    "sleep_run": _night,
    "sleep_adopt": _adopted,
    "sleep_undo": _undone,
    "self_audit": _audited,
    "sleep_report": lambda told: str(told["markdown"]),
}
