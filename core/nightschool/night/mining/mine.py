"""Mine: what keeps coming back across sessions, computed, with no model.

Two kinds come back: requests, and corrections. Both are counted in distinct sessions, never in occurrences. Only what
users wrote (`Turn.prompt`) can originate anything. A correction with checks makes tasks of the requests that it
corrected; once it was given for one kind of request in `min_sessions` sessions, every request of that kind is a task.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from nightschool.events import Instant, Name, Record
from nightschool.night.mining import cluster, told_same
from nightschool.night.mining.gather import gathered
from nightschool.night.mining.identity import Known, Written, mark_of
from nightschool.night.mining.kinds import kinds
from nightschool.night.mining.listen import Said, belongs, listen, without_fences
from nightschool.night.mining.measure import Measure
from nightschool.night.mining.outcomes import lightened
from nightschool.night.rules.screen import foreign
from nightschool.records import Check, Origin, Quote, Recurrence, Session

LONGEST_QUOTE = 300
MOST_QUOTES = 10
MOST_ORIGINS = 1000
MOST_WORDINGS = 30


class Draft(Record):
    """A task without family and split: those are the bank's to decide."""

    id: Name
    recurrence: Name
    request: str
    checks: tuple[Check, ...] = Field(min_length=1)
    projects: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = Field(min_length=1)
    first_seen: Instant
    last_seen: Instant
    intent: str = ""
    context: str = ""
    confidence: float = 0.0
    count: int = 0
    reviewed: bool = True  # False: it came from a file that nobody has marked as reviewed


class Unchecked(Draft):
    """What would be a task had somebody written its check: the words of its correction imply none."""

    checks: tuple[Check, ...] = ()


class Mined(Record):
    """What came back, the costliest first, and the tasks made of it."""

    recurrences: tuple[Recurrence, ...] = ()
    tasks: tuple[Draft, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()


def mine(
    sessions: Iterable[Session], *, project: str | None, scope: Literal["invoked", "all"], min_sessions: int
) -> Mined:
    """Return what comes back in at least `min_sessions` distinct sessions; the order of `sessions` plays no part.

    With `scope` "invoked" and a `project`, only sessions held in it or below it count; a session without a directory
    belongs to no project. Sessions of our own are left out, and a turn that a fork copied counts once.

    The costliest comes first: the sum over its distinct sessions of 0.5^(age / 30 days), with the age counted from the
    newest turn of all, times 1 + what it troubled the user there, times 1 + tokens of the turns concerned / 10,000,
    the latter at most 5. Trouble is 2 for each time a correction was said and 1 for each time a request was corrected,
    at most three times a session, and 1 for each re-asking, interruption, refused call and edit by hand, at most three.
    """
    return mine_as_known(sessions, Known(), project=project, scope=scope, min_sessions=min_sessions)[0]


def mine_as_known(
    sessions: Iterable[Session],
    known: Known,
    *,
    project: str | None,
    scope: Literal["invoked", "all"],
    min_sessions: int,
) -> tuple[Mined, Known]:
    """Mine as `mine` does, giving what is known its id again; return what is known now as well."""
    within = project if scope == "invoked" else None
    held = (s for s in sessions if not s.own and (within is None or belongs(s, within)))
    heard = listen([lightened(s) for s in held], within)
    if not heard.requests and not heard.rules:
        return Mined(), known
    rules, heard = gathered(heard)
    corrections = told_same.joined(rules, known)
    asked = kinds(heard.requests, corrections)
    measure = Measure.of(heard, asked)
    found: list[Recurrence] = []
    drafts: list[Draft] = []
    unchecked: list[Unchecked] = []
    both: tuple[tuple[Literal["request", "correction"], list[list[Said]]], ...] = (
        ("request", asked),
        ("correction", corrections),
    )
    for kind, groups in both:
        back = [group for group in groups if len({said.where for said in group}) >= min_sessions]
        ids, known = known.named(kind[0], [_marks(group) for group in back])
        for name, group in zip(ids, back, strict=True):
            called = told_same.name_of(group, known) if kind == "correction" else ""
            bare = _recurrence(name, kind, group, measure).model_copy(update={"intent": called})
            recurrence = _with_model(bare, known.written.get(name))
            found.append(recurrence)
            tasks = _tasks(recurrence, group, asked, measure.kind_of, min_sessions) if kind == "correction" else []
            drafts += [task for task in tasks if not isinstance(task, Unchecked)]
            unchecked += [task for task in tasks if isinstance(task, Unchecked)]
    found.sort(key=lambda r: (-r.cost, r.id))
    drafts.sort(key=lambda d: d.id)
    unchecked.sort(key=lambda d: d.id)
    return Mined(recurrences=tuple(found), tasks=tuple(drafts), unchecked=tuple(unchecked)), known


def corrections(
    sessions: Iterable[Session], known: Known, *, project: str | None, scope: Literal["invoked", "all"]
) -> list[told_same.Wording]:
    """Return one wording of every correction, said once or often, as `mine` tells them apart; the newest last."""
    within = project if scope == "invoked" else None
    held = [lightened(s) for s in sessions if not s.own and (within is None or belongs(s, within))]
    groups = told_same.joined(gathered(listen(held, within))[0], known)
    return told_same.wordings(sorted(groups, key=lambda group: group[-1].order))


def _marks(group: Sequence[Said]) -> list[str]:
    """Return the marks of what the members say, the earliest first."""
    said = sorted((s.turn.at, " ".join(s.tokens)) for s in group)
    return [mark_of(text) for text in dict.fromkeys(text for _, text in said)]


def _recurrence(
    name: str, kind: Literal["request", "correction"], group: Sequence[Said], measure: Measure
) -> Recurrence:
    typical = _typical(group)
    checks = typical.checks if kind == "correction" else ()
    newest: dict[tuple[str, str], Said] = {said.where: said for said in group}  # ascending, so the last one stays
    shown = sorted(newest.values(), key=lambda s: s.order, reverse=True)[:MOST_QUOTES]
    return Recurrence(
        id=name,
        kind=kind,
        text=typical.text,
        quotes=tuple(_quote(said) for said in shown),
        sessions=len(newest),
        elsewhere=len({said.where for said in group if said.session.elsewhere}),
        projects=tuple(sorted({s.project for s in group if s.project})),
        first_seen=group[0].turn.at,
        last_seen=group[-1].turn.at,
        checks=checks,
        count=len(group),
        confidence=measure.confidence(kind, group),
        cost=measure.cost(kind, group),
        signals=measure.signals(kind, group),
        origins=tuple(_origin(said) for said in reversed(group[-MOST_ORIGINS:])),
        wordings=_wordings(group) if kind == "correction" else {},
    )


def _wordings(group: Sequence[Said]) -> dict[str, tuple[str, ...]]:
    """Return the commonest wordings with the first and the last sessions they were said in."""
    said: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for each in group:
        said[each.text][each.session.id] = None
    common = sorted(said, key=lambda text: (-len(said[text]), text))[:MOST_WORDINGS]
    sessions = {text: list(said[text]) for text in common}
    return {t: tuple(dict.fromkeys([*s[:MOST_WORDINGS], *s[-MOST_WORDINGS:]])) for t, s in sessions.items()}


def _with_model(found: Recurrence, written: Written | None) -> Recurrence:
    """Put in what a model wrote; checks that follow from the words themselves go before its own."""
    if written is None or found.kind == "request":
        return found
    told = {"intent": written.intent, "context": written.context, "checks": found.checks or written.checks}
    return found.model_copy(update=told)


def _origin(s: Said) -> Origin:
    return Origin(platform=s.session.platform, session=s.session.id, turn=s.turn.id, at=s.turn.at, span=s.turn.span)


def _typical(group: Sequence[Said]) -> Said:
    """Return the member said in the most sessions, one that can be checked before others, in its tersest spelling."""
    sessions: defaultdict[cluster.Tokens, set[tuple[str, str]]] = defaultdict(set)
    for said in group:
        sessions[said.tokens].add(said.where)
    return min(group, key=lambda s: (not s.checks, -len(sessions[s.tokens]), len(s.text), s.order))


def _quote(said: Said) -> Quote:
    prompt = said.turn.prompt
    whole = len(prompt) <= LONGEST_QUOTE
    return Quote(
        text=prompt if whole else said.text[:LONGEST_QUOTE],
        beside=() if whole else foreign(without_fences(prompt)),  # a fenced block is not heard
        platform=said.session.platform,
        session=said.session.id,
        turn=said.turn.id,
        at=said.turn.at,
        project=said.session.project,
        span=said.turn.span,
        elsewhere=said.session.elsewhere,
    )


# --- tasks ----------------------------------------------------------------------------------------------------------


def _tasks(
    recurrence: Recurrence,
    rules: Sequence[Said],
    kinds: Sequence[list[Said]],
    kind_of: Mapping[tuple[str, str], int],
    least: int,
) -> list[Draft]:
    """Make tasks of the requests that a correction is about, and of their kind when it was given for the kind often."""
    given: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    asked = [rule.about for rule in rules if rule.about]
    for rule in rules:
        if rule.about and rule.about.key in kind_of:
            given[kind_of[rule.about.key]].add(rule.where)
    for number, where in given.items():
        asked += kinds[number] if len(where) >= least else []
    same: defaultdict[str, dict[tuple[str, str], Said]] = defaultdict(dict)
    for said in sorted(asked, key=lambda s: s.order, reverse=True):
        same[_plain(said.text)][said.key] = said
    return [_draft(recurrence, sorted(group.values(), key=lambda s: s.order)) for group in same.values()]


def task_id(request: str, checks: Sequence[Check]) -> str:
    """Return the id of a task: the same request under the same checks is the same task."""
    told = "\0".join([_plain(request), *sorted(check.model_dump_json() for check in checks)])
    return f"t-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _draft(recurrence: Recurrence, same: Sequence[Said]) -> Draft:
    return (Draft if recurrence.checks else Unchecked)(
        id=task_id(same[0].text, recurrence.checks),
        recurrence=recurrence.id,
        request=same[0].text,
        checks=recurrence.checks,
        projects=tuple(sorted({s.project for s in same if s.project})),
        origins=tuple(_origin(said) for said in same),
        first_seen=same[0].turn.at,
        last_seen=same[-1].turn.at,
        intent=recurrence.intent or recurrence.text,
        context=recurrence.context or same[-1].before[:LONGEST_QUOTE],
        confidence=recurrence.confidence,
        count=len(same),
    )
