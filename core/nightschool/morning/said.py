"""Who says it: what stands on a page by another machine's word is not told as if this home had seen it."""

from collections.abc import Mapping, Sequence

from nightschool.records import ProposedRule, Quote, Ruling


def said(rule: ProposedRule) -> str:
    """Say in how many sessions a rule was said, and who says so; "" when no session is named."""
    if rule.by:
        return f"By the word of {rule.by}, which nobody here has looked at, it was said in {rule.sessions} session(s)"
    own = rule.sessions - rule.elsewhere
    if not rule.elsewhere:
        return f"You said it in {own} session(s)"
    others = f"another machine, not known to be yours, says it was said in {rule.elsewhere} session(s)"
    return f"You said it in {own} session(s); {others}" if own else f"None of your sessions here holds it; {others}"


def told_by(rule: ProposedRule, quote: Quote) -> str:
    """Return what to put behind a quote that this machine has not read for itself; "" for the user's own."""
    return ", by another's word" if rule.by or quote.elsewhere else ""


def examined_by(rule: ProposedRule) -> str:
    """Return what goes before a verdict that was not reached in this home."""
    return f"By the word of {rule.by}: " if rule.by else ""


def tally(rules: Sequence[ProposedRule], words: Mapping[Ruling, str]) -> str:
    """Count rules by what came of them: "3 accepted (1 quarantined; 2 by another's word), 1 on probation"."""
    told = []
    for ruling, word in words.items():
        these = [rule for rule in rules if rule.verdict.ruling is ruling]
        held, theirs = sum(bool(rule.quarantine) for rule in these), sum(bool(rule.by) for rule in these)
        notes = [f"{held} quarantined"] if held else []
        notes += [f"{theirs} by another's word"] if theirs else []
        told += [f"{len(these)} {word}" + (f" ({'; '.join(notes)})" if notes else "")] if these else []
    return ", ".join(told)
