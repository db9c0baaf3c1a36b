"""Escalate: from a mistake that came back to a drafted rule. Nothing live changes; adopting it is the user's."""

from dataclasses import dataclass

from nightschool.errors import NightschoolError
from nightschool.morning.audit import RECURRING, named_after
from nightschool.morning.facts import diff
from nightschool.morning.review import Item
from nightschool.night import bank, drafts, evidence, reflect
from nightschool.night.mining.mine import Mined
from nightschool.night.prepare import Setting, held_out, of_examiner
from nightschool.night.rules import block, screen
from nightschool.night.rules.documents import Documents
from nightschool.night.stage import NO_CHECK, NO_MODEL, NO_TASK, given_elsewhere
from nightschool.night.steps import Steps, newest_proposal_night
from nightschool.records import Edit, Finding, Proposal, ProposedRule, Recurrence, Ruling, Target, Verdict


@dataclass(frozen=True)
class Words:
    """What the user says about the rule; "" leaves it to the draft."""

    rule: str = ""
    not_when: str = ""
    verify: str = ""


@dataclass(frozen=True)
class Escalated:
    """A draft, kept, and what adopting it would do as a unified diff."""

    rule: ProposedRule
    target: Target
    diff: str


def escalate(setting: Setting, finding: Finding, words: Words) -> Escalated:
    """Draft a rule from a finding and keep the draft. No model is called, and no text of a tool is in it.

    A correction is drafted in the user's own words; a failure has none, so its rule is `words.rule`. Raises
    NightschoolError when it did not come back, has no words, or a rule of the document speaks of it already.
    """
    if finding.sessions < RECURRING and finding.kind != "broken_rule":
        why = "it was seen in one session: a rule is for what comes back"
        fix = f"To put it on record: nightschool audit --decide {finding.id} --choice log."
        raise NightschoolError("there is nothing to escalate yet", where=finding.id, why=why, fix=fix)
    documents = _documents(setting, finding)
    if not documents.targets:
        raise NightschoolError("there is no document for rules here", fix="nightschool doctor names what is missing.")
    target = documents.targets[0]
    source = _source(setting, finding)
    said = words.rule.strip() or (_own_words(setting, source, target) if source else "")
    if not said:
        why = "a failure has no words of yours, and what a tool printed is never made a rule"
        fix = f"Say what to do instead: nightschool escalate {finding.id} --rule 'TEXT'."
        raise NightschoolError("the rule has to be worded by you", where=finding.text, why=why, fix=fix)
    if held := drafts.covering(documents, said):
        fix = f"Mend that rule, say more with --rule, or guard it: nightschool guard add --finding {finding.id}."
        raise NightschoolError("a rule speaks of it already", where=target.path, why=held[:200], fix=fix)
    text = block.canonical(drafts.worded(said, words.not_when, words.verify, source.checks if source else ()))
    name = reflect.edit_id("add", target.path, text)
    about = source.id if source else finding.id
    edit = Edit(id=name, document=target.key, path=target.path, text=text, recurrence=about)
    rule = ProposedRule(
        edit=edit,
        verdict=_verdict(setting, edit, source),
        quotes=source.quotes[:5] if source else (),
        elsewhere=min(source.elsewhere, finding.sessions) if source else 0,
        sessions=finding.sessions,
        quarantine=(*screen.reasons(text), *given_elsewhere(source)),
    )
    proposal = Proposal(night=f"escalated-{name}", at=setting.clock.now(), targets=(target,), rules=(rule,))
    drafts.keep(setting.home, proposal)
    return Escalated(rule, target, diff(setting.home, Item(1, rule, "open"), target))


def _documents(setting: Setting, finding: Finding) -> Documents:
    busiest = list(dict.fromkeys(place.partition("/")[0] for place in finding.places))
    scope = "project" if setting.scope_project else "user"
    nights = setting.platforms.on_night(setting.request)
    return Documents.of(nights, setting.config.adopt.target, scope=scope, busiest=busiest)


def _source(setting: Setting, finding: Finding) -> Recurrence | None:
    """Return what the newest night mined for a finding of the user's words."""
    night = newest_proposal_night(setting.home, setting.request.project or "")
    mined = Steps(setting.home, night.id).found("mined", Mined) if night else None
    return next((r for r in mined.recurrences if named_after(r.id) == finding.id), None) if mined else None


def _own_words(setting: Setting, source: Recurrence, target: Target) -> str:
    edits = reflect.candidates([source], bank.tasks(setting.home), [], [target], [])
    return edits[0].text if edits else ""


def _verdict(setting: Setting, edit: Edit, source: Recurrence | None) -> Verdict:
    """Return what exams of real models have shown of these words, or why there is nothing yet."""
    known = of_examiner(evidence.everything(setting.home), "")
    shown = next((found.verdict for found in known if found.edit.id == edit.id), None)
    if shown is not None:
        return shown
    tasks = [t for t in held_out(bank.tasks(setting.home), setting.scope_project) if t.recurrence == edit.recurrence]
    waiting = f"{NO_MODEL} {len(tasks)} held-out task(s) wait for it."
    bare = source is not None and not source.checks
    return Verdict(ruling=Ruling.UNEXAMINED, reason=waiting if tasks else NO_CHECK if bare else f"{NO_TASK}.")
