"""What a recurrence costs, how sure it is, and what happened in the turns it concerns."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from nightschool.memory.rates import wilson
from nightschool.night.mining.cluster import dice
from nightschool.night.mining.listen import Heard, Said
from nightschool.night.mining.outcomes import SIGNALS, TROUBLE, outcomes_of
from nightschool.night.mining.tokens import content

HALF_LIFE = 30.0  # days after which a session weighs half
AGAIN = 0.6  # Dice similarity of telling words from which a request is one asked before in the session
_OFTEN = 3  # times a session, at most, that the same trouble counts
_TELLING = 3  # words that a request must have to be known again

Kind = Literal["request", "correction"]
Where = tuple[str, str]


@dataclass(frozen=True)
class Measure:
    """What is known of all that was heard."""

    now: datetime  # the newest turn of all
    corrected: Counter[Where]  # turn -> corrections about it
    reasked: frozenset[Where]  # turns whose request was made again in the same session
    kind_of: dict[Where, int]  # turn -> which kind its request is of
    sessions: dict[int, set[Where]]  # kind -> sessions in which it was asked

    @classmethod
    def of(cls, heard: Heard, kinds: Sequence[Sequence[Said]]) -> Self:
        """Take the measure of what was heard."""
        return cls(
            now=max(said.turn.at for said in (*heard.requests, *heard.rules)),
            corrected=Counter(rule.about.key for rule in heard.rules if rule.about and rule.about.turn != rule.turn),
            reasked=_reasked(heard.requests),
            kind_of={said.key: number for number, kind in enumerate(kinds) for said in kind},
            sessions={number: {said.where for said in kind} for number, kind in enumerate(kinds)},
        )

    def signals(self, kind: Kind, group: Sequence[Said]) -> dict[str, int]:
        """Count what happened in the turns that a group concerns, each turn once."""
        counts: Counter[str] = Counter()
        for said in {s.key: s for s in self._concerned(group)}.values():
            counts.update(self._happened(said))
        if kind == "correction":
            counts["corrected"] = len(group)
        return {name: counts[name] for name in SIGNALS if counts[name]}

    def cost(self, kind: Kind, group: Sequence[Said]) -> float:
        """Return what a group costs the user; see `mine.mine` for the formula."""
        tokens: Counter[Where] = Counter()
        newest: dict[Where, datetime] = {}
        said_in: Counter[Where] = Counter()
        trouble: Counter[Where] = Counter()
        for said in group:
            tokens[said.where] += said.turn.tokens + (said.about.turn.tokens if said.about else 0)
            newest[said.where] = max(said.turn.at, newest.get(said.where, said.turn.at))
            happened = self._happened(said.about or said)
            said_in[said.where] += 2 if kind == "correction" else min(1, happened["corrected"])
            trouble[said.where] += sum(happened[name] for name in TROUBLE)
        cost = 0.0
        for where in sorted(newest):
            days = (self.now - newest[where]).total_seconds() / 86_400
            most = 2 * _OFTEN if kind == "correction" else _OFTEN
            weight = 1 + min(most, said_in[where]) + min(_OFTEN, trouble[where])
            cost += weight * math.pow(0.5, days / HALF_LIFE) * (1 + min(5.0, tokens[where] / 10_000))
        return cost

    def confidence(self, kind: Kind, group: Sequence[Said]) -> float:
        """Return the lower bound (95 %) of the share of the sessions concerned in which it was said.

        Of a correction those are the sessions that asked for one of the kinds of requests it was about.
        """
        said = {s.where for s in group}
        about = {self.kind_of[s.about.key] for s in group if s.about and s.about.key in self.kind_of}
        concerned = said.union(*(self.sessions[number] for number in about)) if kind == "correction" else said
        return round(wilson(len(said), len(concerned))[0], 3)

    def _concerned(self, group: Sequence[Said]) -> list[Said]:
        return [said.about or said for said in group] + [said for said in group if said.about]

    def _happened(self, said: Said) -> Counter[str]:
        counts = Counter(outcomes_of(said.turn))
        counts["corrected"] += self.corrected[said.key]
        counts["reasked"] += said.key in self.reasked
        return counts


def _reasked(requests: Sequence[Said]) -> frozenset[Where]:
    """Return the turns whose request came again later in the same session, in nearly the same words."""
    by_session: defaultdict[Where, list[Said]] = defaultdict(list)
    for said in requests:
        by_session[said.where].append(said)
    again = set()
    for held in by_session.values():
        held.sort(key=lambda s: s.order)
        words = [content(s.tokens) for s in held]
        for at in range(1, len(held)):
            for before in range(max(0, at - 5), at):  # what was asked long ago is another matter
                if len(words[before]) >= _TELLING and dice(words[before], words[at]) >= AGAIN:
                    again.add(held[before].key)
    return frozenset(again)
