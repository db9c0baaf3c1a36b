"""Plugins of third parties, installed as real distributions."""

import pytest

GOOD = """
from nightschool import hookimpl
from nightschool.records import PlatformNight, Target

class Good:
    name = "good"
    title = "A good one"

    @hookimpl
    def on_night(self, request):
        target = Target(key="good:x", platform="good", kind="block", scope="user", path="/x/RULES.md", title="its rules")
        return PlatformNight(platform="good", targets=(target,))

platform = Good()
"""
RAISES = "raise RuntimeError('broken on import')\n"
MISSPELT = GOOD.replace("on_night", "on_nite").replace('"good"', '"misspelt"')
AT_NIGHT = GOOD.replace('"good"', '"at-night"').replace(
    "        target =", "        raise OSError('at night')\n        target ="
)
GARBAGE = GOOD.replace('"good"', '"garbage"').replace("return PlatformNight(", "return dict(extra=1, ")


@pytest.fixture
def install(world):
    """Return a function that installs a plugin as pip would: a module and its metadata on the path."""
    site = world.root / "site"
    site.mkdir()

    def make(name, code):
        module = f"plugin_{name.replace('-', '_')}"
        (site / f"{module}.py").write_text(code)
        info = site / f"{module}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[nightschool]\n{name} = {module}:platform\n")
        world.env["PYTHONPATH"] = f"{site}:{world.environment().get('PYTHONPATH', '')}".rstrip(":")

    return make


def test_a_good_plugin_takes_part(world, install):
    """A third party's platform comes in through the same door as ours."""
    install("good", GOOD)
    out, _ = world.run("doctor", code=0)

    assert "target good:x: its rules (/x/RULES.md)" in out


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("raises", RAISES, "broken on import"),
        ("misspelt", MISSPELT, "on_nite"),
        ("absent", "", "platform"),
        ("at-night", AT_NIGHT, "at night"),
        ("garbage", GARBAGE, "not a PlatformNight"),
    ],
)
def test_a_broken_plugin_is_named_and_stops_nobody(queries, install, name, code, why):
    """`doctor` names it with the reason and exits 1; the night of the others is as it is without it."""
    whole = queries.json("run")
    install(name, code)
    queries.env["NIGHTSCHOOL_HOME"] = str(queries.root / "another")
    out, _ = queries.run("doctor", code=1)

    assert [line for line in out.splitlines() if line.startswith("fault") and name in line and why in line]
    again = queries.json("run")
    assert again["rules"] == whole["rules"]
    if name in {"at-night", "garbage"}:
        assert why in again["night"]["funnel"]["broken"][name]


def test_a_plugin_that_ends_the_process_stops_nobody(queries, install):
    """SystemExit at import or at night is a fault like any other."""
    install("ends", "import sys\nsys.exit(3)\n")
    install(
        "ends-at-night", AT_NIGHT.replace("at-night", "ends-at-night").replace("OSError('at night')", "SystemExit(5)")
    )
    out, _ = queries.run("doctor", code=1)

    assert "SystemExit" in out
    assert queries.json("run")["rules"]


SHADOW = GOOD.replace('"good"', '"codex"').replace("good:x", "codex:x")
WRITES = GOOD.replace('"good"', '"writes"').replace("good:x", "writes:x").replace(
    'title = "A good one"', 'title = "\\x1b]0;owned\\x07A \\u202etitle"\n    install_hint = "\\x1b[2Jcurl evil"'
).replace("its rules", "\\x1b[31mrules\\x9b2J")  # fmt: skip


def test_a_plugin_of_somebody_else_is_named_as_one(queries, install):
    """`doctor` and `status` say which distribution it comes from, and what it says of itself moves no cursor."""
    install("writes", WRITES)
    queries.run("run")
    for verb in ("doctor", "status"):
        out, err = queries.run(verb)
        assert "from plugin_writes 1: it runs with all your rights" in out
        assert [sign for sign in out + err if not sign.isprintable() and sign not in "\n\t"] == []
    assert queries.json("status")["plugins"] == {"writes": "plugin_writes 1"}


def test_a_plugin_takes_nobodys_place(queries, install):
    """One with the name of a platform of ours is not loaded and is named; ours goes on."""
    install("codex", SHADOW)
    out, _ = queries.run("doctor", code=1)

    assert "platform codex of plugin_codex 1 fails: there is a platform of this name already" in out
    assert "/x/RULES.md" not in out
    assert queries.json("run")["rules"]
