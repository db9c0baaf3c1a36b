"""The guard that keeps tests away from the real home is itself tested."""

import pathlib
import sys

import pytest


def test_looking_up_the_real_home_raises(monkeypatch):
    """A test that finds the runner's own home directory fails instead of touching it."""
    guard = sys.modules[pathlib.Path.home.__func__.__module__]
    monkeypatch.setenv("HOME", str(guard.REAL_HOME))

    with pytest.raises(guard.TouchedTheRealHomeError):
        pathlib.Path.home()
