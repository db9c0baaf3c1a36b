"""The server as a process: it owns stdin and stdout, and ends, with all it has started, when either is gone."""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from nightschool.errors import NightschoolError
from nightschool.mcp.protocol import Wire, lines
from nightschool.mcp.session import Session, World

GRACE = 2.0  # seconds that running calls have once stdin has ended: short ones are still answered
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class _Stop(BaseException):
    """Somebody wants the server to end now."""


def serve(world: World) -> None:
    """Serve the client on stdin and stdout until one of them closes, or SIGTERM, SIGINT or SIGHUP comes.

    "Lifecycle > Shutdown > stdio": closing stdin is how a client says goodbye. Raises NightschoolError when there is
    no stdout.
    """
    # a closed one is the null device by now
    if sys.stdout is None or os.path.samestat(os.fstat(sys.stdout.fileno()), Path(os.devnull).stat()):
        fix = "Start nightschool mcp from a client: it speaks on stdin and stdout."
        raise NightschoolError("stdout is closed", fix=fix)
    source, sink = _taken()
    main = threading.main_thread().ident or 0
    session = Session(world, Wire(sink, lambda: signal.pthread_kill(main, signal.SIGTERM)).send)
    grace = GRACE
    try:
        for number in _SIGNALS:
            signal.signal(number, _stop)
        for line in lines(source):
            session.take(line)
    except _Stop:
        grace = 0.0
    with contextlib.suppress(_Stop):
        session.end(grace)
    _deaf()
    session.end(0.0)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


def _deaf() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _taken() -> tuple[int, int]:
    """Return stdin and stdout for messages alone; what anything else prints goes to stderr."""
    sink = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(2 if sys.stderr is not None else null, 1)
    return 0 if sys.stdin is not None else null, sink
