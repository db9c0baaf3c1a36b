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


@pytest.fixture
def entry():
    """Return a function that makes an entry point of an object, as an installed distribution would."""
    made = []

    def make(name, thing):
        module = f"planted_{len(made)}_{name.replace('-', '_')}"
        sys.modules[module] = type(sys)(module)
        sys.modules[module].platform = thing
        made.append(module)
        return EntryPoint(name, f"{module}:platform", "nightschool")

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
