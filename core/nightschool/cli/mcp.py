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


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flag."""
    told = "this directory is no project: calls name theirs (for clients that start servers in a plugin's directory)"
    parser.add_argument("--ask-project", action="store_true", help=told)


def call(args: argparse.Namespace) -> int:
    """Serve until the client has gone."""
    from nightschool.cli import VERBS
    from nightschool.mcp.serve import serve
    from nightschool.mcp.session import World

    if sys.stdin is not None and sys.stdin.isatty():
        tell("this waits for a client's messages, one JSON object a line; Ctrl-D ends it")
    # -P: what lies in the directory a client happens to start us in is not imported
    command = [sys.executable, "-P", "-m", "nightschool.cli.leash"]
    env = os.environ | {"PYTHONIOENCODING": "utf-8"}
    serve(World(VERBS, command, env, asks_project=args.ask_project))
    return DONE
