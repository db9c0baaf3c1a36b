"""Nightschool: a night's sleep for coding agents."""

from typing import Any

__all__ = ["__version__", "hookimpl"]


def __getattr__(name: str) -> Any:
    """`__version__` and `hookimpl`, looked up only when asked for: importing the package stays cheap."""
    if name == "__version__":
        from importlib.metadata import version

        return version("nightschool")
    if name == "hookimpl":
        from nightschool.hookspecs import hookimpl

        return hookimpl
    raise AttributeError(name)
