"""What a group of wordings is told by: stems, what it asks for and forbids, and the requests it is said about."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from nightschool.night.mining.tokens import content, gist

Profile = dict[str, float]
Tokens = tuple[str, ...]
Wording = tuple[str, Tokens, Tokens]  # a rule, its tokens, and those of the message around it

_BEGINNING = 5  # letters; of longer words the beginning tells what they are about
_AROUND = 0.5  # what a stem counts that stands only around the rule
_EXCEPT = re.compile(  # "never X unless Y" asks for Y and forbids X no more than half
    r"\b(?:unless|without|before|until|except|ohne|bevor|außer|sans|avant|sauf|sin|antes|salvo|senza|prima|tranne|sem"
    r"|again|do (?:that|this|it|so))\b",
    re.IGNORECASE,
)


@dataclass
class Group:
    """Wordings of one rule: how often each holds a stem, and what no other demand may be joined with."""

    stems: Profile
    signs: Profile  # above 0 for a stem that is asked for, below 0 for one that is forbidden
    size: int = 1
    numbers: frozenset[str] = frozenset()
    named: frozenset[Hashable] = frozenset()
    members: list[int] = field(default_factory=list)
    asked: Profile = field(default_factory=dict)  # stems of the requests it is said about
    length: float = 0.0  # of `stems` and of `asked`, as vectors, once it is weighed
    asked_length: float = 0.0


def profile(
    wordings: Iterable[Wording], asked: Iterable[Tokens], numbers: frozenset[str], named: frozenset[Hashable]
) -> Group:
    """Return the group of some wordings of one rule, said about these requests; the same wording counts once."""
    distinct = dict.fromkeys(wordings)
    stems: defaultdict[str, float] = defaultdict(float)
    signs: defaultdict[str, float] = defaultdict(float)
    for text, tokens, around in distinct:
        told = gist(tokens)
        for stem in {stem: 0 for word in told for stem in _parts(word)}:
            stems[stem] += 1
        for word in () if _EXCEPT.search(text) else told:
            signs[_short(word)] += -1 if word.startswith("!") else 1
        for stem in {_short(word): 0 for word in gist(around)}.keys() - {_short(word) for word in told}:
            stems[stem] += _AROUND
    about = Counter(stem for tokens in dict.fromkeys(asked) for stem in _stems(tokens))
    return Group(dict(stems), dict(signs), len(distinct), numbers, named, asked=dict(about))


def _parts(word: str) -> list[str]:
    """Return what a word is told by, and for `time.sleep` or `notes.md` what its parts are told by as well."""
    parts = [part for part in re.split(r"[._]", word.lstrip("!")) if len(part) > 2 and part.isalpha()]  # noqa: PLR2004
    return list(dict.fromkeys([_short(word), *map(_short, parts)]))


def _short(word: str) -> str:
    """Return what a word is told by: without accents, and of a long one the beginning."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word.lstrip("!")) if not unicodedata.combining(c))
    return plain[:_BEGINNING] if plain.isalpha() else plain


class Asked:
    """Requests that anything was said about; a word that all of them hold counts nothing."""

    def __init__(self, requests: Sequence[Tokens]) -> None:
        held = Counter(stem for tokens in requests for stem in _stems(tokens))
        self._weight = {stem: math.log(len(requests) / often) for stem, often in held.items()}

    def steady(self, some: Iterable[Tokens]) -> float:
        """Return how alike some of these requests are: their mean cosine in pairs, in [0, 1]; 0 for fewer than two."""
        total: Counter[str] = Counter()
        count = 0
        for tokens in some:
            stems = {stem: self._weight[stem] for stem in _stems(tokens)}
            if length := math.sqrt(sum(value**2 for value in stems.values())):
                count += 1
                total.update({stem: value / length for stem, value in stems.items()})
        return (sum(value**2 for value in total.values()) - count) / (count * (count - 1)) if count > 1 else 0.0


def _stems(tokens: Tokens) -> set[str]:
    return {_short(word) for word in content(tokens)}
