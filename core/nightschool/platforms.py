"""Load the platforms, isolate them from each other, and ask them typed questions.

Platforms come in by entry point, one by one: a broken or misspelt one is named in `broken` and stops nobody else.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from nightschool import hookspecs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nightschool.events import Event
    from nightschool.records import EvalSuite, HeadlessRunner, NightRequest, PlatformNight, RealTask, Session


@dataclass
class Platforms:
    """The platforms that loaded, and why others did not or failed when asked (`broken`: name -> one line)."""

    manager: pluggy.PluginManager
    broken: dict[str, str] = field(default_factory=dict)
    guests: dict[str, str] = field(default_factory=dict)  # those that others have made: name -> distribution, version

    def names(self) -> list[str]:
        """Return the names of the platforms that loaded, sorted."""
        return sorted(name for name, _ in self.manager.list_name_plugin())

    def title(self, name: str) -> str:
        """Return how a person calls the platform."""
        return str(self.answer(name, "title", otherwise=name))

    def on_session_end(self, event: Event, known: Session | None) -> Session | None:
        """Ask the event's platform to read on; raises what that platform raises."""
        from nightschool.records import Session

        found = self._caller("on_session_end", event.platform)(event=event, known=known)
        return None if found is None else Session.model_validate(found)

    def on_error_spike(self, event: Event, session: Session) -> list[int]:
        """Return the turns behind a spike; empty when the platform has nothing to say or fails."""
        answers = self._isolated("on_error_spike", event.platform, event=event, session=session)
        return sorted({int(index) for answer in answers for index in answer})

    def on_milestone_commit(self, event: Event, session: Session) -> list[str]:
        """Return the commands that may have committed; empty when the platform has nothing to say or fails."""
        answers = self._isolated("on_milestone_commit", event.platform, event=event, session=session)
        return [str(command) for answer in answers for command in answer]

    def on_night(self, request: NightRequest) -> list[PlatformNight]:
        """Ask every platform by itself; one that raises is named in `broken` and left out."""
        from nightschool.records import PlatformNight

        nights = []
        for name in self.names():
            answers = self._isolated("on_night", name, request=request)
            try:
                told = [PlatformNight.model_validate(answer) for answer in answers]
            except ValueError as error:
                self.broken[name] = f"on_night: its answer is not a PlatformNight: {error}"
                continue
            if strange := [spoken for night in told for spoken in _spoken_for(night) if spoken != name]:
                self.broken[name] = f"on_night: it answers in the name of {strange[0]!r}"
                continue
            nights += told
        return nights

    def backends(self) -> dict[str, Callable[[], HeadlessRunner]]:
        """Return the backends that platforms bring, by name.

        One that two of them bring is of the one that came with us, else of the first by name.
        """
        found: dict[str, Callable[[], HeadlessRunner]] = {}
        for platform in sorted(self.names(), key=lambda name: name in self.guests):
            brought = self.answer(platform, "backends", otherwise={})
            if isinstance(brought, dict):
                found = {str(name): make for name, make in brought.items()} | found
            else:
                self.broken[platform] = "backends: its answer is no dict"
        return found

    def answer(self, name: str, what: str, *asked: Any, otherwise: Any) -> Any:
        """Return what a platform tells, by an attribute or a method; `otherwise` when it tells nothing or fails."""
        try:
            found = getattr(self.manager.get_plugin(name), what, None)
            found = found(*asked) if callable(found) else found
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a plugin raises is its own
            self.broken[name] = f"{what}: {type(error).__name__}: {error}"
            return otherwise
        return otherwise if found is None else found

    def evaluators(self) -> list[str]:
        """Return the platforms whose client has a harness of its own for held-out tasks."""
        return [name for name in self.names() if callable(getattr(self.manager.get_plugin(name), "eval_suite", None))]

    def eval_suite(self, name: str, tasks: Sequence[RealTask], rules: Sequence[str]) -> EvalSuite:
        """Ask a platform for the tasks as cases of its client's harness; raises what the platform raises."""
        from nightschool.records import EvalSuite

        make = getattr(self.manager.get_plugin(name), "eval_suite")  # noqa: B009  a plugin's attribute, found by name
        return EvalSuite.model_validate(make(tasks, rules))

    def _caller(self, hook: str, platform: str) -> Callable[..., Any]:
        others = [plugin for name, plugin in self.manager.list_name_plugin() if name != platform]
        return self.manager.subset_hook_caller(hook, others)

    def _isolated(self, hook: str, platform: str, **question: Any) -> list[Any]:
        try:
            answers: list[Any] = self._caller(hook, platform)(**question)
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a plugin raises is its own
            self.broken[platform] = f"{hook}: {type(error).__name__}: {error}"
            return []
        return answers


def load(found: Iterable[EntryPoint] | None = None) -> Platforms:
    """Load every platform that is installed, or those given."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    platforms = Platforms(manager)
    every = entry_points(group=hookspecs.PROJECT) if found is None else found
    for entry in sorted(every, key=lambda entry: (bool(maker(entry)), entry)):
        if manager.has_plugin(entry.name):
            platforms.broken[f"{entry.name} of {maker(entry)}"] = "there is a platform of this name already"
            continue
        try:
            _register(manager, entry)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a broken plugin may raise anything, or try to end us
            platforms.broken[entry.name] = f"{type(error).__name__}: {error}"
            if manager.has_plugin(entry.name):
                manager.unregister(name=entry.name)
        if maker(entry):
            platforms.guests[entry.name] = maker(entry)
    return platforms


def maker(entry: EntryPoint) -> str:
    """Return the distribution and version a platform comes with; "" for those that came with us."""
    if entry.dist is None:
        return "a distribution without a name"
    own = entry.dist.name.casefold() == hookspecs.PROJECT
    return "" if own else f"{entry.dist.name} {entry.dist.version}"


def guests() -> dict[str, str]:
    """Return the distribution of each installed platform that others have made, by name, without loading any."""
    return {entry.name: told for entry in entry_points(group=hookspecs.PROJECT) if (told := maker(entry))}


def _spoken_for(night: PlatformNight) -> list[str]:
    """Return the platforms an answer speaks of."""
    targets = [name for target in night.targets for name in (target.platform, target.key.partition(":")[0])]
    return [night.platform, *(ref.platform for ref in night.transcripts), *targets]


@functools.cache
def installed() -> Platforms:
    """Return the installed platforms, loaded once."""
    return load()


def _register(manager: pluggy.PluginManager, entry: EntryPoint) -> None:
    plugin = entry.load()
    if getattr(plugin, "name", None) != entry.name:
        raise TypeError(f"its `name` is {getattr(plugin, 'name', None)!r}, its entry point {entry.name!r}")
    misspelt = [name for name in dir(plugin) if name.startswith("on_") and not hasattr(hookspecs, name)]
    if misspelt:
        raise TypeError(f"it implements {', '.join(misspelt)}, which no hook specification has")
    manager.register(plugin, entry.name)
    manager.check_pending()
