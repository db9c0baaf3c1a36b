"""A verb on a leash: it ends when whoever started it lets go of its stdin, however that one ended.

`python -m nightschool.cli.leash VERB …` is how the MCP server runs verbs.
"""

import os
import signal
import sys
import threading
import time

_SECONDS = 2.0  # to end as after Ctrl-C, which keeps what is done; then the whole group is killed


def main() -> int:
    """Run the verb of argv with its stdin watched, and return its exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell had it ignored
    held = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    threading.Thread(target=_watch, args=(held,), daemon=True).start()
    from nightschool.cli import main as verbs

    return verbs(sys.argv[1:])


def _watch(held: int) -> None:
    """Wait until the other end is closed; then end as after Ctrl-C, and then for good."""
    while os.read(held, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
