"""Where the hooks find the engine: a link in Nightschool's home, for they may run with a PATH that lacks it."""

import contextlib
import os
import sys
from pathlib import Path

from nightschool.files import private_dir
from nightschool.paths import Home


def leave_word(home: Home) -> None:
    """Link `bin/nightschool` in the home to the command that is running; a home that cannot be written stays as it is.

    Run as a module, it is the command beside the interpreter. Without such a command nothing is linked.
    """
    called = Path(sys.argv[0]).absolute()
    command = called if called.name == "nightschool" else Path(sys.executable).with_name("nightschool")
    link = home.root / "bin" / "nightschool"
    with contextlib.suppress(OSError):
        if not os.access(command, os.X_OK) or (link.is_symlink() and link.readlink() == command):
            return
        private_dir(link.parent)
        fresh = link.with_name(f".nightschool.{os.getpid()}.tmp")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(command)
        fresh.replace(link)
