"""Platforms are loaded one by one and asked one by one."""

import sys
from importlib.metadata import EntryPoint

import pytest

from nightschool import platforms
from nightschool.hookspecs import hookimpl
from nightschool.records import NightRequest, PlatformNight


class Good:
    name = "good"
    title = "Good"

    @hookimpl
    def on_night(self, request):
        return PlatformNight(platform="good")


class Raising:
    name = "raising"

    @hookimpl
    def on_night(self, request):
        raise RuntimeError("its own fault")


class Misspelt:
    name = "misspelt"

    @hookimpl
    def on_nite(self, request):
        return None


class WrongArgument:
    name = "wrong-argument"

    @hookimpl
    def on_night(self, requests):
        return None


class Lying:
    name = "lying"

    @hookimpl
    def on_night(self, request):
        return {"platform": "../x"}


class Speaking:
    """Answers `on_night` with what it was given."""

    def __init__(self, name, answer):
        self.name, self.answer = name, answer

    @hookimpl
    def on_night(self, request):
        return self.answer


class Made:
    """A distribution, as far as an entry point tells of it."""

    version = "1.0"

    def __init__(self, name):
        self.name = name


@pytest.fixture
def entry():
    """Return a function that makes an entry point of an object, as an installed distribution would."""
    made = []

    def make(name, thing, made_by="third-party"):
        module = f"planted_{len(made)}_{name.replace('-', '_')}"
        sys.modules[module] = type(sys)(module)
        sys.modules[module].platform = thing
        made.append(module)
        return EntryPoint(name, f"{module}:platform", "nightschool")._for(Made(made_by))

    yield make
    for module in made:
        del sys.modules[module]


REQUEST = NightRequest(user_home="/nowhere", project=None)


def test_a_broken_platform_is_named_and_stops_nobody(entry):
    """One that cannot be imported, one that is misspelt, one that asks for an unknown argument: others still load."""
    broken = EntryPoint("absent", "no_such_module_here:platform", "nightschool")
    found = platforms.load(
        [entry("good", Good()), broken, entry("misspelt", Misspelt()), entry("wrong-argument", WrongArgument())]
    )

    assert found.names() == ["good"]
    assert "No module named" in found.broken["absent"]
    assert "on_nite" in found.broken["misspelt"]
    assert "requests" in found.broken["wrong-argument"]
    assert [night.platform for night in found.on_night(REQUEST)] == ["good"]


def test_a_platform_that_raises_is_asked_alone(entry):
    """What one platform raises at night is reported under its name; the others answer."""
    found = platforms.load([entry("raising", Raising()), entry("good", Good())])

    assert [night.platform for night in found.on_night(REQUEST)] == ["good"]
    assert found.broken == {"raising": "on_night: RuntimeError: its own fault"}


def test_an_answer_that_is_not_a_record_is_the_platforms_fault(entry):
    """A wrong answer is reported under its platform's name and stops nobody."""
    found = platforms.load([entry("lying", Lying()), entry("good", Good())])

    assert [night.platform for night in found.on_night(REQUEST)] == ["good"]
    assert "lying" in found.broken


def test_a_platforms_name_is_its_entry_points(entry):
    """One spelling of an identity: a platform that calls itself otherwise is refused."""
    found = platforms.load([entry("other", Good())])

    assert found.names() == []
    assert "'good'" in found.broken["other"]


def test_the_three_platforms_are_installed():
    """The bundle brings Claude Code, Codex and Copilot."""
    assert platforms.installed().names() == ["claude-code", "codex", "copilot"]


TARGET = {"kind": "block", "scope": "user", "path": "/x", "title": "x"}
FILE = {"session": "s", "path": "/x", "size": 1, "mtime_ns": 1}


@pytest.mark.parametrize(
    "answer",
    [
        {"platform": "good"},
        {"platform": "posing", "transcripts": [{"platform": "good", **FILE}]},
        {"platform": "posing", "targets": [{"key": "posing:x", "platform": "good", **TARGET}]},
        {"platform": "posing", "targets": [{"key": "good:x", "platform": "posing", **TARGET}]},
    ],
)
def test_a_platform_speaks_for_itself_alone(entry, answer):
    """What a plugin answers in the name of another is not used, and it is named."""
    found = platforms.load([entry("posing", Speaking("posing", answer)), entry("good", Good())])

    assert [night.platform for night in found.on_night(REQUEST)] == ["good"]
    assert "in the name of 'good'" in found.broken["posing"]


@pytest.mark.parametrize("order", [1, -1])
def test_nobody_takes_the_place_of_one_of_ours(entry, order):
    """Of two platforms with one name the one that came with us is loaded, and the other is named with who made it."""
    ours, other = Speaking("good", None), Speaking("good", None)
    both = [entry("good", ours, "nightschool"), entry("good", other, "evil")][::order]
    found = platforms.load(both)

    assert found.manager.get_plugin("good") is ours
    assert found.broken == {"good of evil 1.0": "there is a platform of this name already"}
    assert found.guests == {}


def test_a_backend_of_ours_keeps_its_name(entry):
    """A plugin that brings a backend of the same name does not get the questions."""
    ours, other = Speaking("z", None), Speaking("a", None)
    ours.backends = lambda: {"client": "ours"}
    other.backends = lambda: {"client": "another", "own": "its own"}
    found = platforms.load([entry("a", other, "evil"), entry("z", ours, "nightschool")])

    assert found.backends() == {"client": "ours", "own": "its own"}
    assert found.guests == {"a": "evil 1.0"}


def test_whatever_a_platform_is_asked_it_fails_alone(entry):
    """A title, a method or backends that raise or end the process are a fault under its name."""

    class Ending:
        name = "ending"

        @property
        def title(self):
            raise SystemExit(3)

        def backends(self):
            raise SystemExit(4)

        def unread(self, request):
            raise SystemExit(5)

    found = platforms.load([entry("ending", Ending())])

    assert found.title("ending") == "ending"
    assert "SystemExit: 3" in found.broken["ending"]
    assert found.backends() == {}
    assert "SystemExit: 4" in found.broken["ending"]
    assert found.answer("ending", "unread", REQUEST, otherwise=0) == 0
