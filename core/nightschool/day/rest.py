"""Holding the day still, for who rewrites what it writes."""

import contextlib
from collections.abc import Iterator

from nightschool.files import single_flight
from nightschool.paths import Home

WAIT = 120.0  # seconds: a drain stays for no more than these, however much there is


@contextlib.contextmanager
def at_rest(home: Home, doing: str) -> Iterator[None]:
    """Journal no event and read no session while the block runs; hooks go on spooling.

    Raises BusyError when a drain or a harvest is not done within WAIT seconds, and then as `single_flight`.
    """
    with (
        single_flight(home.drain_lock, doing, wait=WAIT),
        single_flight(home.sessions_lock, doing, wait=WAIT, sign=home.sessions_wanted),
    ):
        yield
