"""Gather what was heard into corrections: which rules are one, what is no rule, and what was one after all.

Words alone do not always show a rule. Two looks at all that was said mend what a look at one message misses:

- A sentence told in passing that comes again and again, each time about another particular thing ("the invoice job
  must have died", "the refund job must have died"), is how a user asks, and no rule.
- A message after an answer that no grammar marks ("please keep every timestamp in UTC") tells a rule again when it is
  as like one heard elsewhere as that rule's own wordings are like each other. And where nothing marked any of its
  wordings, what a user says after an answer in three sessions, in other words and always about the same kind of
  request, is a rule nonetheless.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise

from nightschool.night.mining import cluster, sameness
from nightschool.night.mining.listen import Heard, Said
from nightschool.night.mining.literals import Literal, mask
from nightschool.night.mining.profiles import Asked, Group, profile
from nightschool.night.mining.tokens import gist, normalise, unmarked
from nightschool.records import Check, CheckOp

OPENING = 12  # tokens by which the kind of a request is told: what follows is the case at hand
SAME_CORRECTION = 0.6  # Dice similarity of telling words
_STORY = 24  # words
_COMPOUND = 6  # letters, at least, of a word in two halves
_UNMARKED = 3_000  # messages, the newest, among which rules without a mark are looked for
_STEADY = 0.12  # mean likeness of the requests that a rule without a mark is told about
_CASES = 3  # wordings, each about another thing, that make a pattern
_PATTERN = 0.5  # of the words of a pattern's wordings are the same
_PARTICULAR = re.compile(
    r"(?:^|\s)(?:the|this|that|my|our|your|der|die|das|den|dem|mein\w*|le|la|les|l'|mon|ma|el|los|las|il|lo|gli|o|a|os|as)$",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"\w+(?:\.\w+)+")


def gathered(heard: Heard) -> tuple[list[list[Said]], Heard]:
    """Return the corrections, each as all that was said of it in order of time, and what is left as requests."""
    profiles = _Profiles(heard)
    groups = [group for group in grouped(heard.rules, _same_rules(heard.rules, profiles)) if not _is_form(group)]
    left = _told_again(groups, heard.perhaps, profiles)
    groups += [group for group in _unmarked(left, profiles) if not _is_form(group, anything=True)]
    same = sameness.merged([profiles.of(group) for group in groups])
    groups = [sorted((said for at in each for said in groups[at]), key=lambda one: one.order) for each in same]
    rules = [said for group in groups for said in group]
    taken = {(said.key, said.text) for said in rules}
    asides: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for said in rules:
        if said.aside:
            asides[said.key].append(said.text)
    kept = [request for request in heard.requests if (request.key, request.text) not in taken]
    requests = [_without(each, asides[each.key]) if each.key in asides else each for each in kept]
    left_of = {request.key: request for request in requests if request.key in asides}
    groups = [[_about(said, left_of) for said in group] for group in groups]
    return groups, heard._replace(requests=requests, rules=[said for group in groups for said in group])


def _without(request: Said, asides: Sequence[str]) -> Said:
    """Return a request without the rules that it tells, so that a task does not give its own answer away."""
    text = request.text
    for aside in asides:
        text = text.replace(aside, " ", 1)
    text = " ".join(text.split())
    return replace(request, text=text, tokens=normalise(text)) if text else request


def _about(said: Said, left_of: Mapping[tuple[str, str], Said]) -> Said:
    return replace(said, about=left_of[said.about.key]) if said.about and said.about.key in left_of else said


def grouped(said: Sequence[Said], positions: Iterable[tuple[int, ...]]) -> list[list[Said]]:
    """Return what stands at these positions, each group in order of time."""
    return [sorted((said[at] for at in group), key=lambda s: s.order) for group in positions]


# --- one rule in several wordings -----------------------------------------------------------------------------------


def _same_rules(rules: Sequence[Said], profiles: "_Profiles") -> list[tuple[int, ...]]:
    """Cluster rules: by their words, and by what they ask for; rules with other demands or numbers never meet.

    Rules with one demand in common are the same; of rules with different checks only those that name the same
    literals may be; a rule without checks is told by its words and its numbers.
    """
    gists = [gist(rule.tokens) for rule in rules]
    checks = [frozenset(rule.checks) for rule in rules]
    named = [_named(rule) for rule in rules]
    numbers = [_numbers(rule) for rule in rules]

    def agrees(one: int, other: int) -> bool:
        if cluster.opposed(gists[one], gists[other], SAME_CORRECTION):
            return False
        if not checks[one] or not checks[other]:
            return numbers[one] == numbers[other]
        return not checks[one].isdisjoint(checks[other]) or bool(named[one] and named[one] == named[other])

    alike = cluster.alike(
        [rule.tokens for rule in rules],
        SAME_CORRECTION,
        agrees,
        [_demands(rule.checks) for rule in rules],
        lambda tokens: unmarked(gist(tokens)),
        [[numbers[at], ("named", named[at]), *checks[at]] for at in range(len(rules))],
    )
    same = sameness.merged([profiles.of([rules[at] for at in group]) for group in alike])
    return [tuple(sorted(at for each in groups for at in alike[each])) for groups in same]


def _compounds(rules: Iterable[Said]) -> frozenset[str]:
    """Return words that some write as one and others as two, as `inplace` and "in place" are."""
    words = {token.lstrip("!") for rule in rules for token in rule.tokens}
    pairs = {one.lstrip("!") + other.lstrip("!") for rule in rules for one, other in pairwise(rule.tokens)}
    return frozenset(pair for pair in words & pairs if len(pair) >= _COMPOUND)


def _as_one(tokens: cluster.Tokens, closed: frozenset[str]) -> cluster.Tokens:
    """Return tokens with the two halves of each compound put together."""
    put: list[str] = []
    for token in tokens:
        whole = put[-1].lstrip("!") + token.lstrip("!") if put else ""
        if whole in closed:
            put[-1] = f"!{whole}" if "!" in put[-1] + token else whole
        else:
            put.append(token)
    return tuple(put)


class _Profiles:
    """What groups of what was heard are told by."""

    def __init__(self, heard: Heard) -> None:
        self._compounds = _compounds([*heard.rules, *heard.perhaps])
        about = [said.about for said in (*heard.rules, *heard.perhaps) if said.about]
        asked = {said.key: said.tokens[:OPENING] for said in (*heard.requests, *about)}
        self._asked = Asked(list(asked.values()))

    def of(self, group: Sequence[Said]) -> Group:
        """Return the profile of a group."""
        return profile(
            (
                (said.text, _as_one(said.tokens, self._compounds), _as_one(said.around, self._compounds))
                for said in group
            ),
            (said.about.tokens[:OPENING] for said in group if said.about),
            frozenset().union(*(_numbers(said) for said in group)),
            frozenset().union(*(_named(said) for said in group)),
        )

    def about_one_kind(self, group: Sequence[Said]) -> bool:
        """Tell whether all that a group says follows requests of one kind, as no wish does that comes with any work."""
        about = {said.where: said.about.tokens[:OPENING] for said in group if said.about}
        return self._asked.steady(about.values()) >= _STEADY


def _named(said: Said) -> frozenset[str]:
    """Return the literals that a rule asks for: those marked as such, and those that its checks look for.

    `time.sleep` and `sleep()` both name `sleep`. What it forbids may go by many names: it is told by its words.
    """
    sought = " ".join(check.arg for check in said.checks if not _forbids(check)).casefold()
    banned = " ".join(check.arg for check in said.checks if _forbids(check)).casefold()
    told = [literal for literal in mask(said.text)[1] if literal.quoted or _lived_by(literal, said, sought)]
    names = [literal.text.casefold().removesuffix("()") for literal in told if not _in(literal, banned)]
    return frozenset([*names, *(name.rpartition(".")[2] for name in names if _DOTTED.fullmatch(name))])


def _forbids(check: Check) -> bool:
    return check.op is CheckOp.NOT_CONTAINS or check.arg.startswith(r"\A(?!")


def _in(literal: Literal, args: str) -> bool:
    return (literal.regex or literal.text).casefold() in args


def _lived_by(literal: Literal, said: Said, sought: str) -> bool:
    return f"`{literal.text}`" in said.text or _in(literal, sought) or bool(literal.regex)


def _numbers(said: Said) -> frozenset[str]:
    """Return the numbers that a rule lives by; in a long one they may be part of the story."""
    return frozenset(token for token in said.tokens if token[:1].isdigit() and len(said.tokens) <= _STORY)


def _demands(checks: Sequence[Check]) -> list[Hashable]:
    """Return what marks a rule as the same as another: each thing it demands, or all that it bans."""
    wanted: list[Hashable] = [check for check in checks if check.op is not CheckOp.NOT_CONTAINS]
    return wanted or ([frozenset(checks)] if checks else [])


# --- what is told of the case at hand -------------------------------------------------------------------------------


def _is_form(group: Sequence[Said], *, anything: bool = False) -> bool:
    """Tell whether a group is one sentence told in passing, each time of another particular thing, or of `anything`."""
    if not all(said.passing for said in group):
        return False
    texts = sorted({said.text.casefold() for said in group}, key=lambda text: text.split())
    words = [text.split() for text in texts]
    if len(words) < _CASES:
        return False
    same = words[0]
    for one in words[1:]:
        same = [same[at] for block in SequenceMatcher(None, same, one, autojunk=False).get_matching_blocks()
                for at in range(block.a, block.a + block.size)]  # fmt: skip
    slots = [_slots(one, same) for one in words]
    cases = {tuple(word for word, _ in slot) for slot in slots}
    particular = sum(any(_PARTICULAR.search(before) for _, before in slot) for slot in slots)
    size = sum(map(len, words)) / len(words)
    told_of_one = anything or 2 * particular >= len(words)
    return len(same) >= _PATTERN * size and len(cases) >= _CASES and told_of_one


def _slots(words: Sequence[str], same: Sequence[str]) -> list[tuple[str, str]]:
    """Return the words that are not of the pattern, each with the word before it."""
    kept = iter([*same, ""])
    expected, found = next(kept), []
    for at, word in enumerate(words):
        if word == expected:
            expected = next(kept)
        else:
            found.append((word, words[at - 1] if at else ""))
    return found


# --- what was a rule after all --------------------------------------------------------------------------------------


def _told_again(groups: list[list[Said]], perhaps: Sequence[Said], profiles: _Profiles) -> list[list[Said]]:
    """Put messages that tell one of the groups again into it; return those that are left, the same words together."""
    back = [at for at, group in enumerate(groups) if len({said.where for said in group}) > 1]
    words: defaultdict[cluster.Tokens, list[Said]] = defaultdict(list)
    for said in perhaps:
        words[said.tokens].append(said)
    told, others = [profiles.of(group) for group in groups], [profiles.of(alike) for alike in words.values()]
    known = sameness.Known([told[at] for at in back], among=[*told, *others])
    left = []
    for alike, told_by in zip(words.values(), others, strict=True):
        often = len({said.where for said in alike}) >= _CASES
        aside = all(said.aside for said in alike)
        at = known.likest(told_by, anywhere=not often and not aside, surely=aside)
        if at is None:
            left += [] if aside else [alike]
        else:
            groups[back[at]] += alike
    return left


def _unmarked(left: Sequence[list[Said]], profiles: _Profiles) -> list[list[Said]]:
    """Return what came back in other words, in three sessions and of one kind, though nothing marked it as a rule."""
    newest = sorted(left, key=lambda alike: max(said.order for said in alike))[-_UNMARKED:]
    same = sameness.merged([profiles.of(alike) for alike in newest], shared=2)
    found = [[said for at in each for said in newest[at]] for each in same if len(each) > 1]
    return [
        group for group in found if len({said.where for said in group}) >= _CASES and profiles.about_one_kind(group)
    ]
