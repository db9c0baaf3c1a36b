"""Nightschool: a night's sleep for coding agents."""

from typing import Any

__version__ = "0.1.0"  # declared here alone: reading the installed metadata costs 70 ms of CPU

__all__ = ["__version__", "hookimpl"]


def __getattr__(name: str) -> Any:
    """Look `hookimpl` up only when it is asked for: importing the package stays cheap."""
    if name == "hookimpl":
        from nightschool.hookspecs import hookimpl

        return hookimpl
    raise AttributeError(name)
