"""The night's step for memory: what the user stated is heard by mining's rules, the rest is the memory room's."""

from nightschool.errors import NightschoolError
from nightschool.memory import dose
from nightschool.memory.blocks import BlockStore
from nightschool.memory.consolidate import doses, remember
from nightschool.memory.settle import Remembered
from nightschool.memory.worth import earns, harms
from nightschool.night.hear import hear, milestones
from nightschool.night.prepare import Setting
from nightschool.night.steps import Steps
from nightschool.paths import Home
from nightschool.records import Block


def consolidate(setting: Setting, night: str) -> tuple[str, ...]:
    """Consolidate memory once a night and return what a person should know of it."""

    def made() -> Remembered:
        setting.say("consolidating memory")
        return remember(setting.home, setting.config.memory, setting.clock, hear, setting.say, milestones(setting.home))

    told = notes(Steps(setting.home, night).once("remembered", Remembered, made))
    return (*told, *dosed(setting.home))


def dosed(home: Home) -> tuple[str, ...]:
    """Say what sessions with memory differed in from those without; nothing when that is not measured."""
    observed = doses(home)
    given, without = dose.waiting(home, observed)
    found = [
        f"memory, dose control: {one.difference:+.3g} {one.what} per session with memory (95 % interval "
        f"{one.interval[0]:+.3g} to {one.interval[1]:+.3g}; {one.with_memory} stretches of time with it, "
        f"{one.without} without)"
        for one in dose.differences(home, observed)
    ]
    if not found and (given or without):
        found = [
            f"memory, dose control: {given} stretch(es) with memory, {without} without: 2 of each show a difference"
        ]
    credit = dose.credit(home, observed)
    known = [block for name in sorted(credit) if (block := _loaded(home, name)) is not None]
    better, worse = [b.id for b in known if earns(b)], [b.id for b in known if harms(b)]
    if better:
        found.append(f"memory: sessions told of it had less trouble than those without: {_some(tuple(better))}")
    if worse:
        found.append(f"memory: sessions told of it had more trouble, so it is told no more: {_some(tuple(worse))}")
    return tuple(found)


def notes(told: Remembered) -> tuple[str, ...]:
    """Say what changed in memory: nothing is forgotten without a word."""
    lines = []
    if told.new or told.changed:
        lines.append(f"memory: {told.blocks} block(s), {len(told.new)} new, {told.changed} changed")
    if told.put_away or told.purged:
        lines.append(
            f"memory: {len(told.put_away)} block(s) put away, {len(told.purged)} purged: {_some(told.put_away)} "
            f"(nightschool forget --undo {told.forgetting} takes it back)"
        )
    if told.withheld:
        lines.append(
            f"memory: {len(told.withheld)} block(s) withheld, the lines they cite have changed: {_some(told.withheld)}"
        )
    if told.emptied:
        lines.append(f"memory: the text of {told.emptied} session(s) was dropped for their age (memory.session_days)")
    return tuple(lines)


def _loaded(home: Home, name: str) -> Block | None:
    try:
        return BlockStore(home).load(name)
    except NightschoolError:
        return None


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")  # noqa: PLR2004
