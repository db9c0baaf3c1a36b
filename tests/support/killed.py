"""Adopt or undo in a process that is killed at its n-th touch of the file system, for every n until it is not.

Usage: python killed.py adopt|undo|both FOLDER. World n lies in FOLDER/n: `home`, `project` and, for each, what it began with.
"""

import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path

from tests.support.adoption import CLOCK, edit, proposal, target

from nightschool.morning.adopt import adopt
from nightschool.morning.undo import undo
from nightschool.paths import Home

TOUCHES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.truncate"}
OLD = {"RULES.md": b"# Shop\r\n\r\n\r\nUse tabs.", "LINKED.md": b"a\n\n<!-- nightschool:begin -->\nmine\n"}


def offer(project):
    """Return a proposal for four documents: one of the user's, one behind a link, one to be made, a skill to be made."""
    paths = [project / "RULES.md", project / "link.md", project / "new" / "RULES.md", project / "s" / "x" / "SKILL.md"]
    targets = [target(path, f"t:{at}") for at, path in enumerate(paths)]
    edits = [
        edit(f"{text} {t.key}", document=t.key, id=f"{text}-{t.key[2:]}") for t in targets for text in ("one", "two")
    ]
    return proposal(project, *edits, targets=targets)


def build(folder):
    """Make a world."""
    project = folder / "project"
    project.mkdir(parents=True)
    for name, data in OLD.items():
        (project / name).write_bytes(data)
    (project / "link.md").symlink_to("LINKED.md")
    return Home(folder / "home"), project


def kill_at(number):
    """Kill this process right before its touch of that number."""
    seen = count(1)

    def hook(event, args):
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (event in TOUCHES or writes) and next(seen) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main(what, root):
    """Run `what` in world after world until one is not killed."""
    for number in count(1):
        home, project = build(root / str(number))
        if what == "undo":
            adopt(home, offer(project), clock=CLOCK)
            rules = project / "RULES.md"
            rules.write_bytes(b"mine too\n" + rules.read_bytes())
            shutil.copytree(project, root / str(number) / "began", symlinks=True)
        child = os.fork()
        if child == 0:
            kill_at(number)
            try:
                adopt(home, offer(project), clock=CLOCK) if what == "adopt" else undo(home)
            except BaseException:  # noqa: BLE001  the parent must see that it was not killed
                os._exit(1)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
