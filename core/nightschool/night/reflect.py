"""Reflect: from what came back to edits worth an exam.

Without a model the one candidate for a correction is the user's own words: measured against a small model's
rewriting they pass more held-out tasks. The words are taken from sessions whose tasks are in `train`, so a candidate
never quotes its own exam. What was rejected is remembered and not proposed again, unless evidence changed: the user
has given the correction in `REOPENS` sessions since. Then it starts anew, at a new place in the lifetime's budget.
"""

import hashlib
from collections.abc import Iterable, Sequence

from nightschool.night.mining.cluster import near
from nightschool.night.mining.signals import content, directive, normalise
from nightschool.night.rules.screen import reasons
from nightschool.records import Edit, Evidence, RealTask, Recurrence, Ruling, Target, Task

REOPENS = 3  # sessions


def edit_id(op: str, path: str, text: str) -> str:
    """Return the id of an edit: the same operation, file and text is the same edit on every night."""
    plain = " ".join(text.split()).casefold()
    return "r" + hashlib.sha256(f"{op}\0{path}\0{plain}".encode()).hexdigest()[:10]


def candidates(
    recurrences: Iterable[Recurrence],
    tasks: Sequence[Task],
    known: Sequence[Evidence],
    targets: Sequence[Target],
    rules: Sequence[str],
    preferences: str = "",
) -> list[Edit]:
    """Return the edits to examine, the costliest recurrence first.

    `known` is all evidence so far, `rules` the texts that the documents hold already. A recurrence that has an
    edit on probation or accepted keeps that edit, so that its evidence goes on growing instead of starting over.
    Among several wordings of one correction, one that shares words with `preferences` comes first.
    """
    present = {_plain(rule) for rule in rules}
    here = [found for found in known if targets and found.edit.path == targets[0].path]
    dropped = {_plain(f.edit.replaces) for f in here if f.edit.op == "delete" and _right(f)}
    here = [found for found in here if found.edit.op != "delete"]
    edits = []
    for recurrence in recurrences:
        if recurrence.kind != "correction" or not targets:
            continue
        tried = _tried(recurrence, here)
        edit = _kept(tried, recurrence) if tried else _proposed(recurrence, tasks, targets[0], preferences)
        refused = not tried and edit is not None and _near_rejected(edit, [f for f in here if _stays(f, recurrence)])
        if edit is not None and not refused and _plain(edit.text) not in present | dropped:
            edits.append(edit)
    return edits


def _tried(recurrence: Recurrence, here: Sequence[Evidence]) -> list[Evidence]:
    """Find what was tried for a recurrence: by its id, or, should an older session have changed that, by its words."""
    words = {_plain(directive(quote.text) or quote.text) for quote in recurrence.quotes}
    return [f for f in here if f.edit.recurrence == recurrence.id or _plain(f.edit.text) in words]


def _kept(tried: Sequence[Evidence], recurrence: Recurrence) -> Edit | None:
    alive = [f for f in tried if f.verdict is None or f.verdict.ruling is not Ruling.REJECT]
    alive = alive or [f for f in tried if not _stays(f, recurrence)]
    return alive[0].edit.model_copy(update={"recurrence": recurrence.id}) if alive else None


def _stays(found: Evidence, recurrence: Recurrence) -> bool:
    """Tell whether a rejection stands: until the correction was given again in `REOPENS` sessions after it."""
    at = found.ruled
    return at is None or len({(q.platform, q.session) for q in recurrence.quotes if q.at > at}) < REOPENS


def reopened(found: Evidence) -> Evidence:
    """Return rejected evidence as that of an edit that starts anew: it meets only tasks that it has not met."""
    met = (*found.set_aside, *(pair.family for pair in found.pairs))
    anew = found.model_copy(update={"pairs": (), "one_sided": {}, "verdict": None, "ruled": None})
    return anew.model_copy(update={"set_aside": tuple(sorted(set(met)))})


def _proposed(recurrence: Recurrence, tasks: Sequence[Task], target: Target, preferences: str) -> Edit | None:
    said = _open_to_all(recurrence, [t for t in tasks if isinstance(t, RealTask) and t.recurrence == recurrence.id])
    text = _clearest([directive(words) or words for words in said], preferences)
    if not text:
        return None
    name = edit_id("add", target.path, text)
    return Edit(id=name, document=target.key, path=target.path, text=text, recurrence=recurrence.id)


def _open_to_all(recurrence: Recurrence, tasks: Sequence[RealTask]) -> list[str]:
    """Return the wordings of sessions whose tasks are in `train`, else of those that no held-out task comes from.

    Of a recurrence with no exam it is its own text.
    """
    trained = {origin.session for task in tasks if task.split == "train" for origin in task.origins}
    held = {origin.session for task in tasks if task.split != "train" for origin in task.origins}
    everyone = {quote.session for quote in recurrence.quotes}.union(*recurrence.wordings.values())
    said: list[str] = []
    for sessions in (trained, everyone - held):
        said = said or [quote.text for quote in recurrence.quotes if quote.session in sessions]
        said = said or [text for text, there in recurrence.wordings.items() if not sessions.isdisjoint(there)]
    return said or ([] if any(task.split != "train" for task in tasks) else [recurrence.text])


def _clearest(texts: Sequence[str], preferences: str) -> str:
    """Choose among the user's wordings: one that passes the screen, is preferred, frequent, short."""
    plain = [_plain(text) for text in texts]
    liked = content(normalise(preferences))
    shared = {t: len(content(normalise(t)) & liked) for t in texts}
    ranked = sorted(texts, key=lambda t: (bool(reasons(t)), -shared[t], -plain.count(_plain(t)), len(t), t))
    return " ".join(ranked[0].split()) if ranked else ""


def _near_rejected(edit: Edit, here: Sequence[Evidence]) -> bool:
    """Tell whether an edit says what an exam has rejected, in nearly the same words and whatever it answers."""
    told = normalise(edit.text)
    rejected = [f.edit.text for f in here if f.verdict is not None and f.verdict.ruling is Ruling.REJECT]
    return any(near(told, normalise(text)) for text in rejected)


def _right(found: Evidence) -> bool:
    return found.verdict is not None and (found.verdict.ruling is Ruling.ACCEPT or found.verdict.by_hand)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".! ")
