"""The pages in a real Chromium: nothing runs, leaves or overflows, and axe finds nothing to complain of."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support import nights
from tests.support.clients import ROOT, npm

from nightschool.morning import page, past
from nightschool.paths import Home

pytestmark = pytest.mark.smoke
LOOK = Path(__file__).parents[1] / "support" / "look.mjs"
PACKAGES = ("playwright-core@1.57.0", "axe-core@4.11.0")


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Return what the browser saw of every page; screenshots go to NIGHTSCHOOL_SHOTS, or nowhere that lasts."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or shutil.which("node") is None:
        pytest.skip("needs Debian's chromium, and node")
    folder = ROOT / ".ci-clients" / "browser"
    for package in PACKAGES:
        modules = npm(package, folder / package.split("@")[0])
    root = tmp_path_factory.mktemp("pages")
    pages = []
    for name, rules, words in (
        ("quiet", 0, "plain"), ("one", 1, "always end the query with LIMIT 100"), ("thirty", 30, nights.SCRIPTS),
        ("four", 4, "never print in library code, use the logger"), ("long", 4, nights.LONG), ("hostile", 6, nights.HOSTILE),
    ):  # fmt: skip
        home = Home(root / name)
        pages.append({"name": name, "url": page.write(home, nights.night(home, rules, 12, words)).as_uri()})
        pages.append({"name": f"{name}-history", "url": past.write(home).as_uri()})
    together = root / "modules"
    together.mkdir()
    for package in PACKAGES:
        bare = package.split("@")[0]
        (together / bare).symlink_to(folder / bare / "node_modules" / bare)
    (together / "node_modules").symlink_to(together)
    shots = Path(os.environ.get("NIGHTSCHOOL_SHOTS", root / "shots"))
    shots.mkdir(parents=True, exist_ok=True)
    job = root / "job.json"
    job.write_text(json.dumps({"modules": str(together), "chromium": chromium, "shots": str(shots), "pages": pages}))
    ran = subprocess.run(["node", str(LOOK), str(job)], capture_output=True, text=True, timeout=400, check=False)
    assert ran.returncode == 0, ran.stderr
    assert modules.is_dir()
    looks = json.loads(ran.stdout)
    assert len(looks) == 4 * len(pages)
    return looks


def test_nothing_runs_and_nothing_leaves(seen):
    """One request, for the page itself; no log line, which a blocked style or script would leave; the title is ours."""
    for look in seen:
        assert len(look["requests"]) == 1, look
        assert look["requests"][0].startswith("file://")
        assert look["logged"] == [], look
        assert look["title"] != "owned"


def test_nothing_overflows(seen):
    """At 1280 and at 390 px no element reaches beyond the window."""
    assert {f"{look['name']} {look['width']}: {look['wide']}" for look in seen if look["wide"]} == set()


def test_axe_finds_nothing(seen):
    """No violation in light or dark, and axe did look."""
    assert {
        f"{look['name']} {look['colorScheme']}: {look['violations']}" for look in seen if look["violations"]
    } == set()
    assert all(look["passes"] > 10 for look in seen)


def test_light_dark_and_the_keyboard(seen):
    """The paper follows the reader's scheme; on a night's page the first Tab goes to the rules."""
    papers = {scheme: {look["paper"] for look in seen if look["colorScheme"] == scheme} for scheme in ("light", "dark")}
    assert papers["light"].isdisjoint(papers["dark"])
    assert all(look["skip"] == "Skip to the rules" for look in seen if not look["name"].endswith("history"))
