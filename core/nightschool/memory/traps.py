"""Traps: states in which sessions go round without progress.

A state is a failing call and its normalised error. A session is caught in it when the state comes back three times
with no file edited and no check passed in between, or when two states take turns (A, B, A) with no check passed: each
mending brings the other back. How many of the sessions that met the state were caught is the confidence.
"""

from collections import defaultdict

from nightschool.memory.cases import Case, found, percent
from nightschool.memory.rates import chance, passing
from nightschool.memory.steps import LONGEST
from nightschool.records import Block, BlockKind, Place, Step

State = tuple[str, str]  # step, error
TIMES = 3  # that a state comes back before it is a trap
_CERTAIN = 0.05


def caught(case: Case) -> dict[State, Place]:
    """Return the states a session was caught in, and where."""
    traps: dict[State, Place] = {}
    repeats: dict[State, int] = defaultdict(int)
    states: list[State] = []  # failures since a check passed, one entry for a run of the same
    for step, observation in case.calls:
        state = _state(step)
        if state is None:
            if step.ok and step.checks:
                states, repeats = [], defaultdict(int)
            elif step.ok and step.edits:
                repeats = defaultdict(int)
            elif step.ok:  # the call itself works now
                states = [s for s in states if s[0] != step.name]
                repeats.pop(next((s for s in repeats if s[0] == step.name), ("", "")), None)
            continue
        repeats[state] += 1
        if not states or states[-1] != state:
            states.append(state)
        swings = len(states) >= TIMES and states[-1] == states[-3] and states[-1][0] == states[-2][0]
        if repeats[state] >= TIMES or swings:
            traps.setdefault(states[-2] if swings and states[-2] in traps else state, case.place(observation))
    return traps


def _state(step: Step) -> State | None:
    return (step.name, step.error) if step.ok is False else None


def traps(project: str, cases: list[Case], least: int, confidence: float) -> list[Block]:
    """Return the states that caught at least `least` sessions and a share of `confidence` of those that met them."""
    met: dict[State, set[int]] = defaultdict(set)
    stuck: dict[State, dict[int, Place]] = defaultdict(dict)
    for number, case in enumerate(cases):
        for step, _ in case.calls:
            if state := _state(step):
                met[state].add(number)
        for state, place in caught(case).items():
            stuck[state][number] = place
    all_met, all_stuck = sum(map(len, met.values())), sum(map(len, stuck.values()))
    tried = [s for s in sorted(stuck) if len(stuck[s]) >= least and len(stuck[s]) >= confidence * len(met[s])]
    chances = []
    for state in tried:
        others = all_met - len(met[state])
        base = all_stuck - len(stuck[state])
        chances.append(chance(len(stuck[state]), len(met[state]), base, others) if others else 0.0)
    kept = passing(chances, _CERTAIN)
    return [
        _block(project, s, stuck[s], len(met[s]), _base(all_stuck - len(stuck[s]), all_met - len(met[s])))
        for at, s in enumerate(tried)
        if at in kept
    ]


def _base(hits: int, of: int) -> float | None:
    return hits / of if of else None


def _block(project: str, state: State, stuck: dict[int, Place], met: int, base: float | None) -> Block:
    step, error = state
    usual = f"; of other failures {percent(base)}" if base is not None else ""
    return found(
        BlockKind.TRAP,
        project,
        state,
        stuck.values(),
        (len(stuck), met),
        base,
        title=f"`{step}` goes round in circles: {error or 'no message'}"[:LONGEST],
        text=(
            f"`{step}` failed again and again with the same error and nothing changed in between, or took turns with "
            f"another failure: {len(stuck)} of {met} sessions that met it were caught{usual}.\nError: {error}"
        ),
        not_when="A single failure that the next edit or check clears is no trap.",
    )
