"""Platforms take their installations back, each by itself."""

import types

import pluggy

from nightschool import hookspecs
from nightschool.morning.unwire import unwire
from nightschool.platforms import Platforms
from nightschool.records import NightRequest

REQUEST = NightRequest(user_home="/home/u", project=None)


def platforms(**asked):
    """Return platforms of these names that answer so."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    for name, answer in asked.items():
        manager.register(types.SimpleNamespace(name=name, **({"unwire": answer} if answer else {})), name)
    return Platforms(manager)


def test_each_platform_is_asked_by_itself():
    """What one has taken back is told; one that raises or answers nonsense is a failure under its name; none is skipped."""

    def works(request, *, dry_run):
        return [{"path": f"{request.user_home}/x", "action": "restored" if dry_run else "removed", "notes": ("n",)}]

    def breaks(request, *, dry_run):
        raise RuntimeError("out of order")

    def lies(request, *, dry_run):
        return [{"path": "p", "action": "eaten"}]

    loaded = platforms(a=breaks, b=works, c=None, d=lies)
    told = [(file.path, file.action) for file in unwire(loaded, REQUEST, dry_run=True)]
    assert told == [("a", "failed"), ("/home/u/x", "restored"), ("d", "failed")]
    assert "out of order" in unwire(loaded, REQUEST, dry_run=False)[0].notes[0]
    assert unwire(loaded, REQUEST, dry_run=False)[1].action == "removed"
