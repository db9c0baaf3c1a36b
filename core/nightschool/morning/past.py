"""The history page: all nights, the score of the bank over time, the lives of rules, and what was spent."""

from pathlib import Path
from statistics import fmean

from nightschool.files import write_whole
from nightschool.models.ledger import Ledger
from nightschool.morning import charts
from nightschool.morning.facts import one_line
from nightschool.morning.markup import Child, Safe, document, el, foreign, heading
from nightschool.morning.receipts import active, all_receipts
from nightschool.morning.style import STYLE
from nightschool.night import decisions, evidence
from nightschool.night.steps import all_nights
from nightschool.paths import Home
from nightschool.records import Evidence, Night, Ruling, Verdict


def write(home: Home) -> Path:
    """Write the history page to `history.html` in the home and return its path."""
    path = home.history
    data = page(home).encode()
    if not path.exists() or path.read_bytes() != data:
        write_whole(path, data)
    return path


def page(home: Home) -> str:
    """Return the history page."""
    nights, known = all_nights(home), evidence.everything(home)
    body = [
        el("header", el("h1", "All nights"), el("p", _headline(home, nights), class_="lead")),
        el("main", _pictures(home, nights, known), _nights(home, nights), _lives(home, known)),
        el("footer", el("p", "Nothing on this page was sent anywhere; it loads nothing and runs nothing.")),
    ]
    return document("Nightschool: all nights", STYLE, body)


def _headline(home: Home, nights: list[Night]) -> str:
    adopted = sum(len(active(receipt)) for receipt in all_receipts(home))
    return f"{len(nights)} night(s); {adopted} rule(s) are adopted now." if nights else "There has been no night yet."


def _pictures(home: Home, nights: list[Night], known: list[Evidence]) -> Child:
    if not nights:
        return None
    scores = []
    for night in nights:
        met = {(found.examiner, pair.task): pair.without for found in known for pair in found.pairs
               if pair.night == night.id}  # fmt: skip
        if met:
            scores.append((night.id, 100 * fmean(met.values())))
    spent = _spent(home, nights)
    score: list[Safe] = [el("figcaption", "No held-out task has been tried yet: the bank has no score.")]
    if scores:
        told = "Score of the held-out tasks met each night, with the documents as they were"
        score = [charts.bars(scores, "%", most=100), el("figcaption", told)]
    tokens = [charts.bars(spent, "tokens"), el("figcaption", "Tokens spent each night")]
    return el("div", el("figure", score), el("figure", tokens), class_="charts")


def _spent(home: Home, nights: list[Night]) -> list[tuple[str, float]]:
    if not home.ledger.exists():
        return [(night.id, float(night.tokens)) for night in nights]
    ledger = Ledger(home, check=False)
    try:
        return [(night.id, float(ledger.spent(night.id).tokens)) for night in nights]
    finally:
        ledger.close()


def _nights(home: Home, nights: list[Night]) -> Child:
    rows = []
    for night in reversed(nights):
        there = (home.nights / night.id / "report.html").exists()
        name = el("a", night.id, href=f"nights/{night.id}/report.html") if there else night.id
        rows.append(
            el("tr", el("td", name),
               el("td", f"{night.started:%Y-%m-%d %H:%M}"), el("td", night.status.value, class_="word"),
               foreign("td", one_line(night.project or "all projects", 120)),
               el("td", str(night.funnel.candidates), class_="num"), el("td", f"{night.tokens:,}", class_="num"))
        )  # fmt: skip
    words = ("Night", "began (UTC)", "state", "project", "rules", "tokens")
    return _table("Nights", words, rows)


def _lives(home: Home, known: list[Evidence]) -> Child:
    """Return the lives of rules: first examined, what the gate says now, what the user did."""
    took = {edit.id: receipt for receipt in all_receipts(home) for edit in active(receipt)}
    texts = {edit.id: edit.text or edit.replaces for receipt in took.values() for edit in receipt.edits}
    down = decisions.turned_down(home)
    begun = {found.edit.id: found for found in known}
    texts |= {name: found.edit.text or found.edit.replaces for name, found in begun.items()}
    texts |= {name: found.edit.text or found.edit.replaces for name, found in down.items()}
    rows = []
    for name in sorted(texts.keys() & (took.keys() | down.keys() | begun.keys())):
        found = begun.get(name)
        first = f"{found.first_seen:%Y-%m-%d}" if found else "not examined"
        says = _says(found.verdict) if found and found.verdict else "nothing yet"
        yours = f"adopted {took[name].at:%Y-%m-%d}" if name in took else ""
        if not yours and name in down:
            yours = f"{'reworded' if down[name].did == 'edited' else 'turned down'} {down[name].at:%Y-%m-%d}"
        rows.append(el("tr", foreign("td", one_line(texts[name], 200)), el("td", first), el("td", says),
                       el("td", yours or ("" if found and _over(found) else "waits"))))  # fmt: skip
    return _table("Rules and their lives", ("Rule", "first examined", "the gate says", "you"), rows)


def _over(found: Evidence) -> bool:
    return found.verdict is not None and found.verdict.ruling is Ruling.REJECT


def _says(verdict: Verdict) -> str:
    return f"{verdict.ruling.value}, e = {verdict.e_value:.3g}, {verdict.tasks} task(s)"


def _table(title: str, words: tuple[str, ...], rows: list[Safe]) -> Child:
    if not rows:
        return None
    head = el("tr", [heading(word) for word in words])
    return el("section", el("h2", title), el("table", el("thead", head), el("tbody", rows)))
