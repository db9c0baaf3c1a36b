"""`nightschool mcp`: the Model Context Protocol server, for clients that start it themselves."""

import argparse
import os
import sys

from nightschool.cli.options import tell
from nightschool.errors import DONE

DESCRIPTION = (
    "Serve an agent's client over stdin and stdout (Model Context Protocol). The client starts this and ends it; each "
    "of its tools is a verb of this command."
)


def arguments(_parser: argparse.ArgumentParser) -> None:
    """Declare no flag."""


def call(_args: argparse.Namespace) -> int:
    """Serve until the client has gone."""
    from nightschool.cli import VERBS
    from nightschool.mcp.serve import serve
    from nightschool.mcp.session import World

    if sys.stdin is not None and sys.stdin.isatty():
        tell("this waits for a client's messages, one JSON object a line; Ctrl-D ends it")
    # -P: what lies in the directory a client happens to start us in is not imported
    command = [sys.executable, "-P", "-m", "nightschool.cli.leash"]
    serve(World(VERBS, command, os.environ | {"PYTHONIOENCODING": "utf-8"}))
    return DONE
