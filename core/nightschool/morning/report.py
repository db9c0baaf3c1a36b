"""The morning's page as Markdown: what changed in one sentence, each rule with its evidence, the night in numbers.

Everything a page quotes comes from outside: control characters go, and so does whatever would read as markup.
"""

import re
from collections.abc import Sequence

from nightschool.files import write_whole
from nightschool.morning.facts import came_from
from nightschool.morning.fielded import field_claim, field_sentence
from nightschool.morning.said import examined_by, said, tally, told_by
from nightschool.morning.ways import way
from nightschool.night.mining.mine import Mined
from nightschool.night.rules import block
from nightschool.night.steps import Steps
from nightschool.paths import Home
from nightschool.records import (
    Edit,
    Night,
    NightStatus,
    Proposal,
    ProposedRule,
    Recurrence,
    Ruling,
    Verdict,
)

GOES_ON = "the same command with a larger budget goes on"
SHOWN = 10  # recurrences on the page; the rest is in `nightschool mine`
_WORD = {
    Ruling.ACCEPT: "accepted",
    Ruling.PROBATION: "on probation",
    Ruling.UNEXAMINED: "unexamined",
    Ruling.REJECT: "rejected",
}  # in the order they are told
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
# a `#` is markup at the start alone, a `_` not between letters: what is no markup stays as it was said
_MARKUP = re.compile(r"([\\`*\[\]<>|]|^#|(?<![^\W_])_|_(?![^\W_]))")


def write(home: Home, night: Night) -> str:
    """Write a night's page to `nights/<id>/report.md` and return its text."""
    text = page(home, night)
    path = home.nights / night.id / "report.md"
    if not path.exists() or path.read_bytes() != text.encode():
        write_whole(path, text.encode())
    return text


def page(home: Home, night: Night) -> str:
    """Return a night's page."""
    steps = Steps(home, night.id)
    proposal = steps.found("proposal", Proposal)
    mined = steps.found("mined", Mined)
    parts = [f"# Night {night.id}: {plain(night.project or 'all projects')}", _when(night), _headline(night, proposal)]
    if any(rule.verdict.examiner.startswith("mock") for rule in proposal.rules) if proposal else False:
        parts.append(
            "*A rehearsal: the model of this night is scripted (`mock`). Its figures show how a night works; "
            "they say nothing about a real model.*"
        )
    rules = proposal.rules if proposal else ()
    parts += [lifetime_sentence(night, rules), how_to_read(rules), _slept_on(night)]
    for ruling in _WORD:
        parts += [_rule(rule, proposal, night) for rule in rules if rule.verdict.ruling is ruling]
    if mined:
        parts.append(recurring(mined.recurrences))
    parts += [_skipped(night), _numbers(night)]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str, limit: int = 300) -> str:
    """Return foreign text as one line that no reader takes for markup, cut at `limit` characters."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    return _MARKUP.sub(r"\\\1", line)


_OUTCOME = {"time-boxed": "time-boxed: ", "failed": "failed: ", "waiting": "waits for answers: ", "again": "not done: "}


def _slept_on(night: Night) -> str:
    """List what came of the queue, with links, and what deep sleep found."""
    rows = []
    for result in night.queue.results:
        title = plain(result.title, 80)
        linked = f"[{title}](<{result.path.replace('<', '').replace('>', '')}>)" if result.path else title
        why = f" ({plain(result.reason)})" if result.reason else ""
        rows.append(f"- {_OUTCOME.get(result.outcome, '')}{linked}{why}")
    rows += [f"- {plain(note)}" for note in night.queue.notes]
    deep = f"\n\n## Deep sleep\n\n{night.deep_sleep}" if night.deep_sleep else ""
    return (("## Slept on\n\n" + "\n".join(rows) if rows else "") + deep).strip()


def _when(night: Night) -> str:
    if night.status is NightStatus.WAITING:
        return f"Begun {night.started:%Y-%m-%d %H:%M} UTC; it waits for answers."
    if night.status is NightStatus.BUDGET:
        return f"Begun {night.started:%Y-%m-%d %H:%M} UTC, backend `{plain(night.backend)}`; stopped at its budget."
    ended = f" to {night.ended:%H:%M}" if night.ended else ", not finished"
    return f"{night.started:%Y-%m-%d %H:%M}{ended} UTC, backend `{plain(night.backend)}`."


def _headline(night: Night, proposal: Proposal | None) -> str:
    if night.status is NightStatus.FAILED:
        return "**This night failed: too many model calls got no answer.** Nothing was measured, nothing is claimed."
    if night.status is NightStatus.BUDGET:
        return f"**Stopped at its budget.** Everything so far is kept; {GOES_ON}."
    if night.status is NightStatus.MARATHON:
        return "**A marathon had this night for itself.** Mining, the exam and deep sleep wait for the next one."
    rules = proposal.rules if proposal else ()
    told = tally(rules, _WORD)
    if not told:
        told = f"no rule to propose from {night.funnel.sessions} session(s)"
    return f"**{told[0].upper()}{told[1:]}.** Nothing live has changed: only `nightschool adopt` does that."


def lifetime_sentence(night: Night, rules: Sequence[ProposedRule]) -> str:
    """Say what is bounded over all nights, on a page that accepts something the gate has let through."""
    share = night.config.get("exam", {}).get("lifetime")
    passed = [r for r in rules if r.verdict.ruling is Ruling.ACCEPT and r.verdict.e_value >= r.verdict.threshold]
    if not passed or share is None:
        return ""
    return (
        f"Of all rules that this gate ever accepts, at most {share:.0%} are expected to make no difference (e-LOND); "
        "`nightschool status` tells what is left of that."
    )


def how_to_read(rules: Sequence[ProposedRule]) -> str:
    """Explain the words of the figures, on a page that has any."""
    if not any(rule.verdict.effect is not None for rule in rules):
        return ""
    return (
        "How to read it: a held-out task is an earlier request of yours that no rule was made from. It is answered "
        "with the rule and without (each answer is a rollout), and checked; e says how strongly the differences speak "
        "for the rule: 1 is not at all."
    )


def _rule(rule: ProposedRule, proposal: Proposal | None, night: Night) -> str:
    target = next((t for t in proposal.targets if t.key == rule.edit.document), None) if proposal else None
    lines = [f"## {_WORD[rule.verdict.ruling].capitalize()}: `{rule.edit.id}`", _words(rule.edit)]
    lines += [
        f"{plain(examined_by(rule))} {sentence(rule.verdict)}".strip(),
        way(rule.verdict, rule.edit.recurrence, night.config),
    ]
    lines.append(on_sealed(rule.verdict))
    if rule.verdict.field is not None:
        lines.append(field_sentence(rule.verdict.field))
    if rule.quarantine:
        why = ", ".join(plain(reason) for reason in rule.quarantine)
        stands = "; ".join(plain(place) for place in came_from(rule.quotes)) or "no session of yours"
        lines.append(f"**Quarantined** ({why}): it is never adopted unless you name it. It comes from {stands}.")
    where = f" Goes to {plain(target.title)} (`{plain(target.path)}`)." if target else ""
    lines.append(f"{plain(said(rule))}.{where}{crossing(rule)}")
    quotes = [(q, f"{q.at:%Y-%m-%d}, session {q.session[:8]}{told_by(rule, q)}") for q in rule.quotes]
    lines.append("\n".join(f"- “{plain(q.text)}” ({stands})" for q, stands in quotes))
    if block.fits(rule.edit) and rule.verdict.ruling in {Ruling.ACCEPT, Ruling.UNEXAMINED, Ruling.PROBATION}:
        by_hand = "" if rule.verdict.ruling is Ruling.ACCEPT else " by hand"
        lines.append(f"To adopt it{by_hand}: `nightschool adopt --rule {rule.edit.id}`")
    return "\n\n".join(line for line in lines if line)


def _words(edit: Edit) -> str:
    """Return what a rule says, or what it takes out."""
    gone = f"Delete: {plain(edit.replaces, 1000)}"
    return f"> {gone if edit.op == 'delete' else plain(edit.text, 1000)}"


def crossing(rule: ProposedRule) -> str:
    """Say of a rule learned in one client and proposed for another where it was learned and by whom it was examined."""
    learned = sorted({quote.platform for quote in rule.quotes})
    goes = rule.edit.document.partition(":")[0]
    if not learned or learned == [goes]:
        return ""
    by = f"examined by {plain(rule.verdict.examiner)}" if rule.verdict.effect is not None else "not examined yet"
    return f" Learned in {plain(', '.join(learned))}, proposed for {plain(goes)}, {by}."


def sentence(verdict: Verdict) -> str:
    """Say in one plain sentence what a verdict rests on. Nothing that was not measured is given a number."""
    if verdict.effect is None or verdict.interval is None:
        claim = field_claim(verdict)
        return f"{claim}{verdict.reason}" if claim or verdict.by_hand else f"Not measured. {verdict.reason}"
    low, high = verdict.interval
    claim = field_claim(verdict)
    if verdict.ruling is Ruling.ACCEPT and verdict.e_value >= verdict.threshold:
        claim = f"Accepted: a rule that makes no difference gets this far with at most {100 / verdict.threshold:.2g} % "
        claim += "chance. "
    wide = " The interval asks how large the effect is, which needs more tasks." if claim and low <= 0 < high else ""
    return (
        f"{claim}{verdict.reason} {verdict.tasks} held-out task(s) of {verdict.nights} night(s), {verdict.rollouts} "
        f"rollouts: {verdict.wins} better, {verdict.losses} worse; mean effect {verdict.effect:+.2f} "
        f"(95 % interval {low:+.2f} to {high:+.2f}); e = {verdict.e_value:.3g}, accepted from {verdict.threshold:.3g}."
        + wide
    )


def on_sealed(verdict: Verdict) -> str:
    """Say what the sealed tasks showed; "" when none were asked."""
    told = verdict.sealed
    if told is None:
        return ""
    return (
        f"On {told.tasks} sealed test task(s), which decided nothing: {told.without:.2f} of them pass without it, "
        f"{told.with_:.2f} with it."
    )


def recurring(recurrences: Sequence[Recurrence]) -> str:
    """List the first of what keeps coming back; "" when nothing does."""
    rows = [
        f"- {r.sessions} session(s), {'corrected' if r.kind == 'correction' else 'asked'}: “{plain(r.text, 160)}”"
        for r in recurrences[:SHOWN]
    ]
    if not rows:
        return ""
    more = f"\n- … and {len(recurrences) - SHOWN} more: `nightschool mine`" if len(recurrences) > SHOWN else ""
    return "## What keeps coming back\n\n" + "\n".join(rows) + more


def _skipped(night: Night) -> str:
    """List what a budget left unasked, and the most it would have cost."""
    if not night.skipped:
        return ""
    tokens = sum(one.tokens for one in night.skipped)
    known = [one.usd for one in night.skipped if one.usd is not None]
    usd = f", {sum(known):.4f} USD" if len(known) == len(night.skipped) else ""
    rows = [f"- {one.kind}, at most {one.tokens:,} tokens: {plain(one.what, 100)}" for one in night.skipped[:SHOWN]]
    rows += [f"- … and {len(night.skipped) - SHOWN} more"] if len(night.skipped) > SHOWN else []
    return f"## Skipped\n\nThis would have cost at most {tokens:,} tokens{usd}:\n\n" + "\n".join(rows)


def _numbers(night: Night) -> str:
    funnel = night.funnel
    tasks = ", ".join(f"{count} {split}" for split, count in sorted(funnel.tasks.items())) or "none"
    sessions = f"{funnel.sessions} session(s) in scope, {funnel.turns} request(s)"
    recurring = f"{funnel.recurrences} recurring request(s), {funnel.corrections} recurring correction(s)"
    read = f"{funnel.transcripts} transcript(s) known, {funnel.read} with news ({funnel.new_bytes:,} bytes), {sessions}"
    # a night that has not come to its end has not counted these
    mined = [f"- {recurring}, {funnel.candidates} candidate rule(s)", f"- task bank: {tasks}"]
    rows = [
        f"- {read}",
        *(mined if night.status is NightStatus.DONE else []),
        f"- model calls: {night.calls} paid for, {night.failed_calls} failed, {night.tokens:,} tokens{_price(night)}",
    ]
    weights = night.config.get("exam", {}).get("reward", {})
    counted = ", ".join(f"{plain(str(name))} {weight:g}" for name, weight in weights.items())
    rows += [f"- what counts in the exam: {counted}"] if set(weights) - {"correctness"} else []
    rows += [f"- left for a later night: {funnel.backlog} transcript(s)"] if funnel.backlog else []
    rows += [f"- {night.left} trial(s) left for a later night"] if night.left else []
    rows += [f"- lines left out: {_counts(funnel.skipped)}"] if funnel.skipped else []
    rows += [f"- failed: {plain(name)}: {plain(why)}" for name, why in sorted(funnel.broken.items())]
    rows += [f"- {plain(note)}" for note in night.notes]
    return "## The night in numbers\n\n" + "\n".join(rows)


def _price(night: Night) -> str:
    usd = "" if night.cost is None else f", {night.cost:.4f} USD"
    return f"{usd}, {night.minutes:.1f} minutes" if night.calls + night.failed_calls else ""


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {plain(reason)}" for reason, count in sorted(counts.items()))
