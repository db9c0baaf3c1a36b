"""What keeps coming back and what a night would do, as Markdown: read before a night is slept."""

from collections.abc import Mapping, Sequence
from typing import Any

from nightschool.morning.facts import came_from
from nightschool.morning.report import plain, recurring
from nightschool.morning.ways import without_check
from nightschool.night.plan import Planned
from nightschool.night.rules.screen import beside, reasons
from nightschool.night.stage import given_elsewhere
from nightschool.records import Recurrence


def mined_page(recurrences: Sequence[Recurrence], config: Mapping[str, Any]) -> str:
    """Return everything that keeps coming back, with quotes and checks, or what could write them under `config`."""
    if not recurrences:
        return "Nothing has come back yet: a correction counts when it was given in several sessions.\n"
    return "\n\n".join(_recurrence(recurrence, config) for recurrence in recurrences) + "\n"


def _recurrence(found: Recurrence, config: Mapping[str, Any]) -> str:
    kind = "corrected" if found.kind == "correction" else "asked"
    where = ", ".join(plain(project) for project in found.projects) or "no project"
    checks = "; ".join(plain(" ".join(filter(None, (c.op, c.arg, c.extra)))) for c in found.checks)
    quotes = "\n".join(f"- “{plain(q.text)}” ({q.at:%Y-%m-%d}, session {q.session[:8]})" for q in found.quotes[:5])
    seen = f"{found.first_seen:%Y-%m-%d} to {found.last_seen:%Y-%m-%d}"
    check = (
        f"check: {checks}" if checks else f"no check can be derived from the words. {without_check(found.id, config)}"
    )
    tail = f"\n\n{check}" if found.kind == "correction" else ""
    happened = "".join(f", {name} {count}x" for name, count in found.signals.items() if name != "corrected")
    said = f"said {found.count}x, confidence {found.confidence:.2f}, cost {found.cost:.1f}{happened}"
    own = (*reasons(found.text), *beside(found.quotes), *given_elsewhere(found))
    why = own if found.kind == "correction" else ()
    held = f"\n\nWould be quarantined ({', '.join(why)}); {'; '.join(came_from(found.quotes[:5]))}." if why else ""
    head = f"## {found.sessions} session(s), {kind}: {plain(found.text, 160)}"
    return f"{head}\n\n{seen}, {where}; {said}\n\n{quotes}{tail}{held}"


def plan_page(planned: Planned) -> str:
    """Return what a night would do."""
    funnel = planned.funnel
    tasks = ", ".join(f"{count} {split}" for split, count in sorted(funnel.tasks.items())) or "none"
    read = f"{funnel.transcripts} transcript(s) known, {funnel.read} with new bytes"
    exam = f"{planned.held_out} held-out task(s), at most {planned.calls} model call(s)"
    lines = [
        f"{read}, {funnel.sessions} session(s) in scope",
        f"task bank of all projects after this night: {tasks}",
        f"{len(planned.edits)} candidate rule(s), {exam}",
    ]
    lines += _fitting(planned)
    rules = [f"`{edit.id}` {plain(edit.text, 300)}" for edit in planned.edits]
    rules += [f"{planned.waiting} more wait for a later night"] if planned.waiting else []
    parts = ["# A dry run: nothing is written, no model is called", "\n".join(f"- {line}" for line in lines)]
    parts += ["## Candidate rules\n\n" + "\n".join(f"- {rule}" for rule in rules)] if rules else []
    return "\n\n".join([*parts, recurring(planned.recurrences)]).rstrip() + "\n"


def _fitting(planned: Planned) -> list[str]:
    """Say what the budget allows; nothing when there is nobody to ask."""
    rows = []
    for fit in planned.fits:
        usd = "cost not known" if fit.usd is None else f"{fit.usd:.4f} USD"
        nights = "not one call fits into the budget" if fit.nights is None else f"{fit.nights} night(s)"
        rows.append(
            f"{fit.rollouts_k} rollout(s) a task: at most {fit.calls} call(s), {fit.tokens:,} tokens, {usd}; "
            f"{fit.a_night} call(s) a night for certain: {nights}"
        )
    return rows
