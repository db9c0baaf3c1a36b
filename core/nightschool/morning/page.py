"""The morning's page as one HTML file: no script, nothing loaded; what the Markdown page says, with pictures."""

from collections.abc import Sequence
from pathlib import Path

from nightschool.files import write_whole
from nightschool.morning import charts
from nightschool.morning.facts import Moved, NightFacts, RuleFacts, came_from, gather, one_line
from nightschool.morning.fielded import field_sentence
from nightschool.morning.markup import Child, Safe, command, document, el, foreign, heading
from nightschool.morning.report import crossing, how_to_read, lifetime_sentence, on_sealed, sentence
from nightschool.morning.said import examined_by, said, tally, told_by
from nightschool.morning.sections import numbers, slept
from nightschool.morning.style import STYLE
from nightschool.morning.ways import way
from nightschool.paths import Home
from nightschool.records import Night, NightStatus, ProposedRule, Recurrence, Ruling

# what is more is counted, and told where to find
SHOWN_TASKS, SHOWN_RECURRENCES, DIFF_LINES = 60, 30, 200
OPEN_TASKS = 8  # so few that they are shown without asking
_LABELS = {
    Ruling.ACCEPT: "accepted",
    Ruling.PROBATION: "on probation",
    Ruling.UNEXAMINED: "unexamined",
    Ruling.REJECT: "rejected",
}
_NOTHING = "Nothing came back often enough, in words that can be checked, to become a rule."
_UNDONE = {  # what to say of a night without a proposal, and what next
    NightStatus.WAITING: (
        "This night waits for answers; nothing has changed.",
        "Answer its questions with the handoff skill; the same command then goes on.",
    ),
    NightStatus.OPEN: ("This night was cut short; nothing has changed.", "The same command goes on where it stopped."),
    NightStatus.BUDGET: (
        "Stopped at its budget; everything so far is kept, and nothing has changed.",
        "The same command with a larger budget goes on.",
    ),
    NightStatus.FAILED: (
        "This night failed: too many model calls got no answer. Nothing was measured, and nothing has changed.",
        "When the backend answers again, the same command goes on.",
    ),
    NightStatus.MARATHON: (
        "A marathon had this night for itself: mining, the exam and deep sleep wait for the next one.",
        "The next night takes up what has waited.",
    ),
}
_KINDS = {"correction": "corrected", "request": "asked"}
_STATES = {"adopted": "adopted by you", "rejected": "turned down by you", "edited": "reworded by you",
           "skipped": "left for later by you"}  # fmt: skip


def write(home: Home, night: Night) -> Path:
    """Write a night's page to `nights/<id>/report.html` and return its path."""
    path = home.nights / night.id / "report.html"
    data = page(gather(home, night)).encode()
    if not path.exists() or path.read_bytes() != data:
        write_whole(path, data)
    return path


def page(facts: NightFacts) -> str:
    """Return a night's page."""
    night = facts.night
    title = f"Night {night.id}"
    body = [
        el("a", "Skip to the rules", href="#rules", class_="skip"),
        el("header", _head(facts)),
        el("main", _rules(facts), slept(facts.night), _recurring(facts.mined.recurrences if facts.mined else ()),
           numbers(facts)),
        el("footer", el("p", el("a", "All nights", href="../../history.html"), " · nothing on this page was sent "
           "anywhere; it loads nothing and runs nothing.")),
    ]  # fmt: skip
    return document(f"{title}: {one_line(night.project or 'all projects', 80)}", STYLE, body)


def headline(facts: NightFacts) -> str:
    """Say in one sentence what changed."""
    adopted = sum(one.item.state == "adopted" for one in facts.rules)
    told = tally([one.rule for one in facts.rules], _LABELS)
    if facts.night.status in _UNDONE:
        return _UNDONE[facts.night.status][0]
    if not told:
        return f"A quiet night: {facts.night.funnel.sessions} session(s), and no rule to propose. Nothing has changed."
    live = f"you have adopted {adopted}" if adopted else "nothing live has changed"
    rules = "1 rule" if len(facts.rules) == 1 else f"{len(facts.rules)} rules"
    return f"{rules}: {told}; {live}."


def next_step(facts: NightFacts) -> tuple[str, str]:
    """Say what to do next, and the command for it."""
    night = facts.night
    if night.status in _UNDONE:
        return _UNDONE[night.status][1], "nightschool run"
    waiting = [one for one in facts.rules if one.item.state in {"open", "skipped"}]
    decided = [one for one in waiting if one.rule.verdict.ruling is not Ruling.PROBATION]
    if decided:
        many = "1 rule waits for your decision:" if len(decided) == 1 else ""
        return many or f"{len(decided)} rules wait for your decision, one by one:", "nightschool review"
    if waiting:
        return "Rules on probation wait for more held-out tasks, not for you.", "nightschool run"
    return "Nothing waits for you.", "nightschool status"


def _head(facts: NightFacts) -> Child:
    night = facts.night
    ended = f" to {night.ended:%H:%M}" if night.ended else ", not finished"
    words, told = next_step(facts)
    bounded = lifetime_sentence(night, [one.rule for one in facts.rules])
    rehearsal = el("p", "A rehearsal: the model of this night is scripted. Its figures show how a night works; they "
                   "say nothing about a real model.", class_="note")  # fmt: skip
    model = f"{night.backend} {night.target_model}".strip()
    return [
        foreign("p", one_line(night.project or "all projects"), class_="where"),
        el("h1", f"Night {night.id}"),
        foreign("p", f"{night.started:%Y-%m-%d %H:%M}{ended} UTC, backend {one_line(model, 80)}", class_="where"),
        el("p", headline(facts), class_="lead"),
        rehearsal if facts.rehearsed else None,
        el("p", bounded.replace("`", "")) if bounded else None,
        el("p", words, " ", command(told), class_="next"),
    ]


def _rules(facts: NightFacts) -> Child:
    count = len(facts.rules)
    contents = [
        el("li", _badge(one), el("a", foreign("span", one_line(one.rule.edit.text or one.rule.edit.replaces, 120)),
           href=f"#rule-{one.item.number}"))
        for one in facts.rules
    ]  # fmt: skip
    return el(
        "section",
        el("h2", "Rules" if count else "No rule tonight", id="rules"),
        el("p", _NOTHING) if not count and facts.night.status is NightStatus.DONE else None,
        el("nav", el("ol", contents, class_="toc"), aria_label="Rules of this night") if count > 1 else None,
        el("p", told, class_="meta") if (told := how_to_read([one.rule for one in facts.rules])) else None,
        [_rule(one, facts.night) for one in facts.rules],
        aria_labelledby="rules",
    )


def _badge(one: RuleFacts) -> Safe:
    ruling = one.rule.verdict.ruling
    return el("span", _LABELS[ruling], class_=f"badge {ruling.value}")


def _rule(one: RuleFacts, night: Night) -> Safe:
    edit, verdict = one.rule.edit, one.rule.verdict
    state = _STATES.get(one.item.state, "")
    reason = one.item.decision.reason if one.item.decision and one.item.state != "adopted" else ""
    name = f"rule-{one.item.number}"
    gone = [el("p", "In place of:"), foreign("blockquote", edit.replaces)] if edit.op == "replace" else None
    return el(
        "article",
        el("h3", f"Rule {one.item.number} ", _badge(one), state and el("span", state, class_="badge"), id=name),
        el("p", "To be deleted:") if edit.op == "delete" else foreign("blockquote", edit.text),
        gone,
        foreign("p", f"Your reason: {reason}") if reason else None,
        foreign("p", _held_back(one.rule), class_="reject") if one.rule.quarantine else None,
        foreign("p", examined_by(one.rule) + sentence(verdict) + crossing(one.rule)),
        el("p", told.replace("`", "")) if (told := way(verdict, edit.recurrence, night.config)) else None,
        el("p", on_sealed(verdict)) if verdict.sealed else None,
        el("p", field_sentence(verdict.field)) if verdict.field else None,
        _charts(one),
        _tasks(one.tasks),
        foreign("h4", said(one.rule)) if one.rule.quotes else None,
        el("ul", [_quote(q.text, f"{q.at:%Y-%m-%d}, session {q.session[:8]}{told_by(one.rule, q)}")
                  for q in one.rule.quotes], class_="quotes") if one.rule.quotes else None,
        _diff(one),
        _commands(one),
        aria_labelledby=name,
    )  # fmt: skip


def _charts(one: RuleFacts) -> Child:
    verdict = one.rule.verdict
    if verdict.effect is None or verdict.interval is None:
        return None
    cost = f"{verdict.rollouts} rollouts over {verdict.nights} night(s)"
    return el(
        "div",
        el("figure", charts.effect(verdict.effect, *verdict.interval),
           el("figcaption", "Mean effect on held-out tasks, with its 95 % interval")),
        el("figure", charts.evidence(one.path or (verdict.e_value,), verdict.threshold),
           el("figcaption", f"Evidence that it helps (logarithmic), task by task; {cost}")),
        class_="charts",
    )  # fmt: skip


def _tasks(tasks: Sequence[Moved]) -> Child:
    if not tasks:
        return None
    ordered = sorted(tasks, key=lambda one: -abs(one.pair.difference))
    rows = []
    for one in ordered[:SHOWN_TASKS]:
        moved = one.pair.difference
        word = "better" if moved > 0 else "worse" if moved < 0 else "same"
        rows.append(
            el("tr", foreign("td", one.request), el("td", f"{one.pair.without:.2f}", class_="num"),
               el("td", f"{one.pair.with_:.2f}", class_="num"), el("td", word, class_=f"word {word}"))
        )  # fmt: skip
    head = el("tr", [heading(word) for word in ("Held-out task", "without", "with", "moved")])
    more = f" The {len(tasks) - SHOWN_TASKS} that moved least are left out." if len(tasks) > SHOWN_TASKS else ""
    moved_ = sum(one.pair.difference != 0 for one in tasks)
    return el(
        "details",
        el("summary", f"{moved_} of {len(tasks)} task(s) moved.{more}"),
        el("table", el("thead", head), el("tbody", rows)),
        open=moved_ > 0 and len(tasks) <= OPEN_TASKS,
    )


def _held_back(rule: ProposedRule) -> str:
    stands = "; ".join(came_from(rule.quotes)) or "no session of yours"
    return f"Quarantined ({', '.join(rule.quarantine)}): it is adopted only when you name it. It comes from {stands}."


def _quote(text: str, where: str) -> Safe:
    return el("li", foreign("q", one_line(text, 300)), " ", el("span", where, class_="meta"))


def _diff(one: RuleFacts) -> Child:
    lines = one.diff.split("\n")
    title = f"{one_line(one.target.title, 80)}, {one_line(one.target.path)}" if one.target else "no document"
    if not one.diff.startswith("--- "):
        return [el("h4", "What it would change"), foreign("p", f"{title}: {one.diff}", class_="meta")]
    kinds = {"+": "plus", "-": "minus"}
    shown = [el("span", line, class_=kinds.get(line[:1]) if at > 1 else "meta") for at, line in enumerate(lines)]
    cut = [el("span", f"… {len(lines) - DIFF_LINES} more lines", class_="meta")] if len(lines) > DIFF_LINES else []
    return [
        el("h4", "What it would change"),
        foreign("p", title, class_="meta"),
        el("pre", shown[:DIFF_LINES], cut),
    ]


def _commands(one: RuleFacts) -> Child:
    number, state = one.item.number, one.item.state
    if state == "failed":
        return None
    if state == "adopted":
        return el("p", "To take it back: ", command(f"nightschool undo --rule {one.rule.edit.id}"))
    if state in {"rejected", "edited"}:
        return el("p", "To decide anew: ", command(f"nightschool review --reopen {number}"))
    by_hand = "" if one.rule.verdict.ruling is Ruling.ACCEPT else " by hand"
    return el(
        "p", f"To adopt it{by_hand}: ", command(f"nightschool review --accept {number}"),
        "; to turn it down: ", command(f"nightschool review --reject {number} --reason WHY"),
    )  # fmt: skip


def _recurring(found: Sequence[Recurrence]) -> Child:
    if not found:
        return None
    rows = [
        el("tr", foreign("td", one_line(one.text, 200)), el("td", _KINDS[one.kind], class_="word"),
           el("td", str(one.sessions), class_="num"))
        for one in found[:SHOWN_RECURRENCES]
    ]  # fmt: skip
    head = el("tr", [heading(word) for word in ("In your words", "kind", "sessions")])
    left = len(found) - SHOWN_RECURRENCES
    more = el("p", f"{left} more: ", command("nightschool mine")) if left > 0 else None
    return el("section", el("h2", "What keeps coming back"), el("table", el("thead", head), el("tbody", rows)), more)
