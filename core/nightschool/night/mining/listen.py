"""Listen to sessions: what was asked in them, and which rules the user stated. Only `Turn.prompt` is ever read."""

import functools
import posixpath
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from nightschool.night.mining.cluster import Tokens
from nightschool.night.mining.idle import asks
from nightschool.night.mining.lists import listed_rules
from nightschool.night.mining.signals import (
    LONGEST,
    content,
    correcting_rule,
    derive_checks,
    directive,
    is_nod,
    normalise,
    sentences,
    standing_rule,
    without_directive,
)
from nightschool.night.rules.pasted import without_pasted
from nightschool.records import OWN_MARK, Check, Session, Turn

SHORT = 300  # characters of a prompt that may well come again
LENGTHY = 120  # words; of a longer request no sentence is looked at by itself
SHORTLY = 60  # words; a longer message is a job, not a rule
_WRAPPER = re.compile(
    r"\s*<(?:[a-z]+[-_][\w-]+|[A-Z_]{4,}|system|instructions)\b[^>]*>|\s*<([\w-]+)[^>]*>.*</\1>\s*\Z", re.DOTALL
)
_COMMAND = re.compile(r"\s*[/!$][\w:-]+\s*\Z")
_FENCED = re.compile(r"^[ \t]{0,16}(```+|~~~+)[^\n]*\n.*?(?:^[ \t]{0,16}\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_PASTED = re.compile(
    r"^[ \t]*(?:>|\[?\d{1,4}[:-]\d\d[:-]\d\d|\[\d\d:\d\d|\[?(?:DEBUG|INFO|WARN|ERROR|FATAL)\b)[^\n]*$", re.MULTILINE
)
_POLITELY = re.compile(r"\W*(?:and |so |but )?(?:can|could|would|will) (?:you|we)\b", re.IGNORECASE)
_MORE = re.compile(r"[?!.]\s+\w[^?]*\w\W*\Z")  # a sentence after a question that is none itself
_BLANKS = re.compile(r"(?<=[^\s])[ \t\u00a0]{2,}(?=\S)")
_LISTED = re.compile(r"^[ \t]*(?:[-*+#]|\d+[.)])[ \t#]", re.MULTILINE)
_LIST_FOLLOWS = re.compile(r"[ \t:.]*\n\s*(?:[-*+#]|\d+[.)])[ \t#]")
_ACKNOWLEDGED = frozenset(
    """
    yes y yep yeah no nope ok okay sure thank thanks thx great good nice perfect cool awesome lgtm excellent
    correct right fine works work ship go ahead proceed continue carry done ready sound look try retry well
    amazing super hi hello hey one sec second moment minute wait hold on hang
    ja nein gut danke weiter oui merci non bien sí si gracias sim obrigado obrigada bom
    grazie sì bene
    """.split()  # noqa: SIM905  a list would take a line a word
)


@dataclass(frozen=True)
class Said:
    """One thing a user said: a request, or a rule with the request it is about."""

    text: str
    tokens: Tokens
    session: Session
    turn: Turn
    project: str
    about: "Said | None" = None
    checks: tuple[Check, ...] = ()
    around: Tokens = ()  # of the whole prompt that a rule stands in
    before: str = ""  # what was asked before a request in the same session
    passing: bool = False  # a rule that no refusal or reminder opens and no order states
    aside: bool = False  # one sentence of a request, which may tell a rule

    @property
    def where(self) -> tuple[str, str]:
        """Name the session."""
        return self.session.platform, self.session.id

    @property
    def key(self) -> tuple[str, str]:
        """Name the turn, whichever fork holds it."""
        return self.session.platform, self.turn.id or f"{self.session.id} {self.turn.at}"

    @property
    def order(self) -> tuple[datetime, str, tuple[str, str], str]:
        """Sort by time, then by text; no two compare equal unless they are the same turn of the same session."""
        return self.turn.at, self.text, self.where, self.turn.id


class Heard(NamedTuple):
    """What was said in all sessions."""

    requests: list[Said]
    rules: list[Said]
    perhaps: list[Said]  # requests that may tell a rule again: told in short after an answer


def belongs(session: Session, project: str) -> bool:
    """Tell whether a session was held in `project` or below it."""
    if not session.project:
        return False
    here, there = _path(session.project), _path(project)
    return here == there or here.startswith(there.rstrip("/") + "/")


def _path(text: str) -> str:
    plain = posixpath.normpath(text.replace("\\", "/"))
    return plain.casefold() if re.match(r"[A-Za-z]:", plain) else plain


def listen(sessions: list[Session], within: str | None) -> Heard:
    """Take requests and rules out of sessions, the oldest session first, so that a fork's copies come second."""
    heard = Heard([], [], [])
    known: set[tuple[str, str]] = set()
    for session in sorted(sessions, key=_began):
        if any(OWN_MARK in turn.prompt for turn in session.turns):
            continue
        about: Said | None = None
        previous: Turn | None = None
        for turn in session.turns:
            request, rules, perhaps = _take(session, turn, previous, about, within)
            if (session.platform, turn.id) not in known or not turn.id:
                heard.requests.extend([request] if request else [])
                heard.rules.extend(rules)
                heard.perhaps.extend(perhaps)
                known.add((session.platform, turn.id))
            about = request or (about if len(turn.prompt) <= LONGEST else None)
            previous = turn
    return heard


def _began(session: Session) -> tuple[datetime | str, ...]:
    first = session.started or (session.turns[0].at if session.turns else None)
    return (
        first.isoformat() if first else "",
        session.ended.isoformat() if session.ended else "",
        session.platform,
        session.id,
    )


class _Meant(NamedTuple):
    """What a prompt says by itself. `asked` is "" when it asks for nothing, `words` when it states no rule."""

    corrects: bool  # what the agent did before
    asked: str
    asked_tokens: Tokens
    words: str
    word_tokens: Tokens
    checks: tuple[Check, ...]
    around: Tokens = ()  # of all that was said
    listed: tuple[tuple[str, Tokens, tuple[Check, ...]], ...] = ()  # rules stated as a list, instead of `words`
    passing: bool = False  # only its grammar makes `words` a rule
    exactly: Tokens = ()  # of what is asked, when that may tell a rule again
    asides: tuple[tuple[str, Tokens], ...] = ()  # sentences of a request


def _take(
    session: Session, turn: Turn, previous: Turn | None, about: Said | None, within: str | None
) -> tuple[Said | None, list[Said], list[Said]]:
    """Return the request and the rules that a prompt holds, and the request once more if it may be a rule."""
    if _is_noise(turn.prompt):
        return None, [], []
    project = within or session.project
    # the same short words come again and again; what they mean does not change
    meant = (_known if len(turn.prompt) <= SHORT else _meant)(turn.prompt, previous is not None)
    before = about.text if about else ""
    asked = Said(meant.asked, meant.asked_tokens, session, turn, project, before=before)
    request = asked if meant.asked else None
    subject = about if meant.corrects else request
    stated = [(meant.words, meant.word_tokens, meant.checks)] if meant.words else meant.listed
    rules = [
        Said(words, tokens, session, turn, project, subject, checks, meant.around, passing=meant.passing)
        for words, tokens, checks in stated
    ]
    perhaps = [Said(meant.asked, meant.exactly, session, turn, project, about, passing=True)] if meant.exactly else []
    perhaps += [
        Said(text, tokens, session, turn, project, request, passing=True, aside=True) for text, tokens in meant.asides
    ]
    return request, rules, perhaps


def _meant(prompt: str, follows: bool) -> _Meant:
    typed = own_words(prompt)
    prompt = _BLANKS.sub(" ", without_pasted(typed).strip() or typed)
    items = listed_rules(prompt, follows=follows)
    if items:
        return _listed(items, follows)
    corrects = follows and bool(correcting_rule(prompt))
    words = _whole(directive(prompt) if corrects else standing_rule(prompt), prompt)
    asked = "" if corrects else without_directive(prompt)
    asked = asked if _is_request(asked) else ""
    checks = derive_checks(words) if words else ()
    around = normalise(prompt, exact=True) if corrects else ()
    passing = corrects and not correcting_rule(prompt, in_passing=False)
    may_be = follows and bool(asked) and not words and len(asked.split()) <= SHORTLY and not _only_asks(asked)
    exactly = normalise(asked, exact=True) if may_be else ()
    told = normalise(words, exact=True)
    asides = _asides(asked) if asked and not words and not may_be else ()
    return _Meant(
        corrects, asked, normalise(asked), words, told, checks, around, passing=passing, exactly=exactly, asides=asides
    )


def _listed(items: tuple[str, ...], follows: bool) -> _Meant:
    """Return what a prompt says that states rules as a list; such a prompt asks for nothing else."""
    rules = tuple((item, normalise(item, exact=True), derive_checks(item)) for item in items)
    return _Meant(follows, "", (), "", (), (), listed=rules)


_known = functools.lru_cache(maxsize=4096)(_meant)


def _whole(words: str, prompt: str) -> str:
    """Return a rule that was cut out of a list or off from one as "": half of what was said is not what was said."""
    found = prompt.find(words)
    cut_out = found < 0 and bool(_LISTED.search(prompt))
    cut_off = found >= 0 and bool(_LIST_FOLLOWS.match(prompt, found + len(words)))
    return "" if cut_out or cut_off else words


def own_words(prompt: str) -> str:
    """Return a prompt without what was pasted into it: quoted lines, fenced blocks, lines of a log."""
    return _PASTED.sub("", without_fences(prompt)).strip()


def without_fences(prompt: str) -> str:
    """Return a prompt without its fenced blocks."""
    return _FENCED.sub("", prompt)


def _is_noise(prompt: str) -> bool:
    return len(prompt) > LONGEST or bool(_WRAPPER.match(prompt) or _COMMAND.match(prompt)) or is_nod(prompt)


def _asides(asked: str) -> tuple[tuple[str, Tokens], ...]:
    """Return the sentences of a request of several, each with its tokens; () for a long one."""
    told = sentences(asked) if len(asked.split()) <= LENGTHY else []
    return tuple((one, normalise(one, exact=True)) for one in told) if len(told) > 1 else ()


def _only_asks(text: str) -> bool:
    """Tell whether a text is one question and wants nothing: "could we get rid of the float" wants something."""
    return asks(text) and not (_POLITELY.match(text) or _MORE.search(text))


def _is_request(text: str) -> bool:
    """Tell whether a text asks for something: at least two telling words that are not nods."""
    return len(content(normalise(text)) - _ACKNOWLEDGED) > 1
