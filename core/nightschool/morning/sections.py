"""The parts of a night's page behind its rules: what was slept on, the hours, the cost, the way to the rules."""

from collections.abc import Sequence
from pathlib import Path

from nightschool.morning.facts import NightFacts, one_line
from nightschool.morning.markup import Child, Safe, el, foreign
from nightschool.records import Funnel, Night, NightStatus, QueueResult

SHOWN = 10  # skipped questions; the rest is counted
_OUTCOMES = {
    "done": "",
    "time-boxed": "time-boxed",
    "failed": "failed",
    "waiting": "waits for answers",
    "again": "not done",
}


def slept(night: Night) -> Child:
    """List what came of the queue, with links to the results, and what deep sleep found."""
    rows = [_result(one) for one in night.queue.results]
    rows += [foreign("li", one_line(note)) for note in night.queue.notes]
    deep = night.deep_sleep.replace("](<", ": ").replace(">)", "").replace("[the plan", "the plan").replace("`", "")
    return [
        el("section", el("h2", "Slept on"), el("ul", rows)) if rows else None,
        el("section", el("h2", "Deep sleep"), foreign("p", one_line(deep, 600))) if deep else None,
    ]


def _result(one: QueueResult) -> Safe:
    title, outcome = one_line(one.title, 80), _OUTCOMES.get(one.outcome, one.outcome)
    path = Path(one.path)  # as it lies from the page: the home may be moved
    linked = el("a", title, href=f"../../{path.parent.name}/{path.name}") if one.path else title
    why = f" ({one_line(one.reason)})" if one.reason else ""
    return el("li", f"{outcome}: " if outcome else "", linked, why, dir="auto")


def numbers(facts: NightFacts) -> Child:
    """Say what happened when, what it cost, the way from transcripts to rules, and what else is to be known."""
    night, spent = facts.night, facts.spent
    events = [el("li", el("span", f"{at:%Y-%m-%d %H:%M:%S} ", class_="when"), told) for at, told in facts.timeline]
    cost = "not told by the backend" if spent.cost is None else f"${spent.cost:.4f}"
    paid = f"{spent.calls} call(s) paid for, {spent.failed} failed attempt(s), {spent.tokens:,} tokens, cost {cost}"
    whole = night.status is NightStatus.DONE
    limits = dict(night.config.get("budget") or {}) | night.budget
    budget = [f"{key}: {value}" for key, value in limits.items() if value]
    faults = [f"{name}: {why}" for name, why in sorted(night.funnel.broken.items())]
    faults += [f"{count} attempt(s): {kind}" for kind, count in sorted(facts.errors.items())]
    faults += [f"{night.left} trial(s) left for a later night"] if night.left else []
    return [
        el("section", el("h2", "The night, hour by hour"), el("ol", events, class_="time")),
        el("section", el("h2", "What it cost"), el("p", paid),
           foreign("p", f"Budget: {', '.join(budget)}", class_="meta") if budget else None),
        _skipped(night),
        el("section", el("h2", "From transcripts to rules"), _funnel(night.funnel, whole=whole)),
        _listed("What else is to be known", night.notes),
        _listed("What failed, or waits", faults),
    ]  # fmt: skip


def _funnel(funnel: Funnel, *, whole: bool) -> Safe:
    tasks = ", ".join(f"{count} {split}" for split, count in sorted(funnel.tasks.items())) or "none"
    skipped = ", ".join(f"{count} {one_line(why, 60)}" for why, count in sorted(funnel.skipped.items()))
    rows = [
        ("transcripts known", f"{funnel.transcripts:,}"),
        ("with news", f"{funnel.read:,} ({funnel.new_bytes:,} bytes)"),
        ("left for a later night", f"{funnel.backlog:,}"),
        ("sessions in scope", f"{funnel.sessions:,}"),
        ("requests", f"{funnel.turns:,}"),
        ("lines left out", skipped or "none"),
    ]
    counted = [  # by a night that came to its end
        ("recurring requests", f"{funnel.recurrences:,}"),
        ("recurring corrections", f"{funnel.corrections:,}"),
        ("tasks in the bank", tasks),
        ("candidate rules", f"{funnel.candidates:,}"),
    ]
    rows += counted if whole else []
    return el("table", el("tbody", [el("tr", el("th", name, scope="row"), el("td", told)) for name, told in rows]))


def _listed(name: str, lines: Sequence[str]) -> Child:
    return el("section", el("h2", name), el("ul", [foreign("li", one_line(line)) for line in lines])) if lines else None


def _skipped(night: Night) -> Child:
    """Say what a budget left unasked, and the most it would have cost."""
    if not night.skipped:
        return None
    tokens = sum(one.tokens for one in night.skipped)
    rows = [f"{one.kind}, at most {one.tokens:,} tokens: {one_line(one.what, 100)}" for one in night.skipped[:SHOWN]]
    rows += [f"… and {len(night.skipped) - SHOWN} more"] if len(night.skipped) > SHOWN else []
    told = f"This would have cost at most {tokens:,} tokens:"
    return el("section", el("h2", "Skipped"), el("p", told), el("ul", [foreign("li", row) for row in rows]))
