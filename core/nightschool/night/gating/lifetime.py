"""The lifetime's budget: how much evidence each edit is asked for, so that few accepted rules are ever useless.

Every edit that meets its first held-out task gets the next place t = 1, 2, … for ever, and with it the level

    level(t) = SHARE * share(t) * (R + 1),       R = rules accepted so far,

where the shares add up to at most 1; edits that come in the same night share theirs evenly. It is accepted at an
e-value of 1/level(t) or more. Then the expected share of useless rules among all that were ever accepted is at most
SHARE, whatever the dependence between edits (they share tasks and baselines), and however often one looks: e-LOND, Xu
and Ramdas, "Online multiple testing with e-values", AISTATS 2024. R may grow while an edit waits: the proof only
needs it to count the acceptances before this one.

The first place has half of the budget: the very first edit is asked for e = 20, like an edit examined alone. The
other half is spread so thin that it never ends.

Places are kept in one file of the home, written before an edit's first question is asked: a night that is killed has
spent the place it took, the same edit under the same examiner finds its place again, and one whose evidence was taken
away takes a new one. All projects of a home spend from the same budget. A rehearsal spends from a budget of its own.

Machines that share what they learn share the budget too, also while they do not hear of each other: of M machines each
takes 1/M of what its places would have, and its places come after all it knows of, its own and the others'. Places of
one machine never have the same number, so each spends at most 1/M of what was left when the last machine joined, and
all together at most that. R counts the acceptances this home has made: of all machines' it may be too small a number,
never too large a one.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log

from pydantic import ValidationError

from nightschool.errors import NightschoolError
from nightschool.events import Name, Record
from nightschool.files import write_whole
from nightschool.paths import Home
from nightschool.records import Evidence, Ruling
from nightschool.versions import Version, stored

SHARE = 0.10  # of useless rules among all accepted, in expectation
FIRST = 0.5  # what the first place may spend of it
_HORIZON = 400  # places over which half of the rest is spread evenly
_EARLY = 1.31  # more than the sum of 1 / (t log(t + 1) ** 2) over t = 2, 3, …: 1.2374 up to 2e6, under 0.069 after


class Place(Record):
    """One edit's place. `met` is how many pairs it was known to have: fewer later means they were taken away."""

    place: int
    share: float  # of the budget
    edit: Name
    examiner: str = ""
    met: int = 0


class Lifetime(Record):
    """Every place that was ever taken, and every rule that was ever accepted, as `<edit> <examiner>`."""

    version: Version = 1
    places: tuple[Place, ...] = ()
    accepted: tuple[str, ...] = ()


def share(place: int) -> float:
    """Return what a place may spend of the budget; over all places from 1 on this adds up to at most 1."""
    return FIRST if place == 1 else (1 - FIRST) * _weight(place)


def even_share(first: int, count: int) -> float:
    """Return what each of `count` edits of one night may spend, when the first of them takes the place `first`."""
    return sum(share(place) for place in range(first, first + count)) / count


def level(share: float, accepted: int, budget: float = SHARE) -> float:
    """Return an edit's level when `accepted` rules were accepted before; an e-value of 1/level accepts it."""
    return budget * share * (accepted + 1)


def _weight(place: int) -> float:
    """Half of it thins out slowly from the second place on, for few edits; the other half is even, for many."""
    early = 1 / (place * log(place + 1) ** 2)
    return early / _EARLY / 2 + (1 / (_HORIZON - 1) / 2 if place <= _HORIZON else 0.0)


def load(home: Home) -> Lifetime:
    """Read what was spent. Raises NightschoolError when the file was damaged: what is spent cannot be guessed."""
    try:
        return stored(Lifetime, home.lifetime)
    except FileNotFoundError:
        return Lifetime()
    except (OSError, ValidationError) as error:
        fix = "Restore it from a backup; moved away, the budget is worked out anew from the evidence."
        raise NightschoolError("the budget of rules cannot be read", where=home.lifetime, why=error, fix=fix) from error


def taken(home: Home, known: Iterable[Evidence], wanted: Sequence[Evidence]) -> dict[str, float]:
    """Return {edit: share} for edits that are about to be examined; new places are on disk before this returns.

    `known` is all evidence there is: edits of it that have no place yet, from before there were any, get theirs first,
    the oldest first. An edit with less evidence than it once had gets a new place, because what it had showed is known.
    """
    spent = load(home)
    asked = {_key(found) for found in wanted}
    before = sorted((e for e in known if e.pairs and _key(e) not in asked), key=lambda e: (e.first_seen, e.edit.id))
    parts = machines(home)
    after = _settled(_placed(_placed(spent, before, parts), wanted, parts), [*before, *wanted])
    if after != spent:
        write_whole(home.lifetime, after.model_dump_json(indent=1).encode())
    at = _newest(after)
    return {found.edit.id: at[_key(found)].share for found in wanted}


def keep(home: Home, found: Iterable[Evidence]) -> None:
    """Note how much evidence there is by now, and what was accepted."""
    spent = load(home)
    after = _settled(spent, list(found))
    if after != spent:
        write_whole(home.lifetime, after.model_dump_json(indent=1).encode())


def once_a_rule(held: Sequence[Evidence], known: Sequence[Evidence]) -> list[Evidence]:
    """Leave acceptances out that say in another document what was accepted already: a rule earns for others once."""
    ours = {found.edit.id for found in held}
    said = {_rule_of(found) for found in known if _passed(found) and found.edit.id not in ours}
    told = []
    for found in held:
        again = _passed(found) and _rule_of(found) in said
        said |= {_rule_of(found)} if _passed(found) else set()
        told.append(found.model_copy(update={"verdict": None}) if again else found)
    return told


def _rule_of(found: Evidence) -> str:
    return " ".join(found.edit.text.split()).casefold()


def _passed(found: Evidence) -> bool:
    return found.verdict is not None and found.verdict.ruling is Ruling.ACCEPT


def accepted(spent: Lifetime, examiner: str) -> int:
    """Count the rules accepted so far that count for this examiner: those of its budget."""
    return sum(_budget(name.partition(" ")[2]) == _budget(examiner) for name in spent.accepted)


def machines(home: Home) -> int:
    """Count the machines that spend from this budget: this one, and all that were ever met through a shared home."""
    return 1 + sum(1 for _ in (home.sync / "machines").glob("*.json"))


def left(spent: Lifetime, examiner: str = "", budget: float = SHARE, parts: int = 1) -> dict[str, float | int]:
    """Say what is left: places taken, rules accepted, the unspent share, and the e-value the next edit is asked for.

    `parts` is the number of machines that spend from it.
    """
    places = sum(_budget(p.examiner) == _budget(examiner) for p in spent.places)
    known = accepted(spent, examiner)
    rest = 1.0 - sum(share(place) for place in range(1, places + 1))
    return {
        "edits": places,
        "accepted": known,
        "left": rest,
        "next_e": max(20.0, 1 / level(share(places + 1) / parts, known, budget)),
    }


def _budget(examiner: str) -> str:
    """A rehearsal's rules are nobody's: they neither cost nor earn anything."""
    return "rehearsal" if examiner.startswith("mock") else ""


def _key(found: Evidence) -> tuple[str, str]:
    return found.edit.id, found.examiner


def _newest(spent: Lifetime) -> Mapping[tuple[str, str], Place]:
    return {(p.edit, p.examiner): p for p in spent.places}


def _placed(spent: Lifetime, found: Sequence[Evidence], parts: int) -> Lifetime:
    at = _newest(spent)
    new = [one for one in found if _key(one) not in at or len(one.pairs) < at[_key(one)].met]
    places = list(spent.places)
    for budget in ("", "rehearsal"):
        coming = {_key(one): one for one in new if _budget(one.examiner) == budget}.values()
        first = 1 + sum(_budget(p.examiner) == budget for p in places)
        part = even_share(first, len(coming)) / parts if coming else 0.0
        for number, one in enumerate(coming, first):
            places.append(Place(place=number, edit=one.edit.id, examiner=one.examiner, share=part))
    return spent.model_copy(update={"places": tuple(places)})


def _settled(spent: Lifetime, found: Sequence[Evidence]) -> Lifetime:
    at = _newest(spent)
    met = {id(at[_key(one)]): len(one.pairs) for one in found if _key(one) in at}
    passed = [" ".join(_key(e)) for e in found if _passed(e) and not e.elsewhere]  # a word that anybody can write
    return spent.model_copy(
        update={
            "places": tuple(p.model_copy(update={"met": met.get(id(p), p.met)}) for p in spent.places),
            "accepted": tuple(dict.fromkeys((*spent.accepted, *passed))),
        }
    )
