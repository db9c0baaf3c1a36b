"""One file per verb: argv, a call, an exit code. Only this room prints.

A verb's module is imported when its verb is called, and brings `DESCRIPTION`, `arguments(parser)` and `call(args)`.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from nightschool import __version__
from nightschool.cli.newer import admit
from nightschool.errors import DONE, FAILED, USAGE, NewerVersion, NightschoolError
from nightschool.paths import Home

VERBS = {
    "run": "sleep: harvest, mine, examine, and stage a proposal",
    "dry-run": "say what a night would do; no model call, no proposal",
    "report": "read the newest night's page",
    "review": "decide on a night's rules, one by one",
    "adopt": "apply accepted rules, all or one by one",
    "undo": "take an adoption back, byte for byte",
    "schedule": "sleep every night by itself",
    "unschedule": "no more nights by themselves",
    "status": "where things stand",
    "setup": "say where this home is shared, and try it",
    "sync": "exchange with your other machines",
    "queue": "leave a question for the night to sleep on",
    "conflicts": "find what contradicts itself in rules and memory, and plan what to do",
    "graph-check": "check that references between rules and memory lead somewhere",
    "harvest": "read new sessions now",
    "mine": "list what keeps coming back, with counts and quotes",
    "audit": "what keeps going wrong, worst first, and what you decide about it",
    "escalate": "draft a rule from a mistake that came back, shown as one diff",
    "guard": "hooks of yours that block, warn or remind before a tool is used",
    "search": "find what is remembered",
    "show": "one block of memory, and what it rests on",
    "blame": "from a rule or a block to the session and line",
    "forget": "let memory go, take that back, or erase it with proof",
    "brief": "what a session here is told at its start",
    "cases": "your own commits as exams: build, list, show, run, export",
    "import": "take in what other tools remember, after a look at it",
    "doctor": "check the installation and name what is missing",
    "config": "show or set what you can choose",
    "export": "give the exam or the text of your rules to a client's own harness or memory",
    "bench": "measure the gate by simulation, or a rule's lift with a real model",
    "uninstall": "take back everything outside Nightschool's home, and say what stays",
    "mcp": "serve an agent's client over stdin and stdout",
    "scheduled": "run a scheduled night (a scheduler calls this)",
    "drain": "file what the hooks have dropped (the hooks call this)",
}
USAGE_LINE = "usage: nightschool VERB [options]   (nightschool VERB --help explains one)"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code (design §9)."""
    _open_closed()
    try:
        return _called(list(sys.argv[1:] if argv is None else argv))
    finally:
        _let_go()


def _called(words: list[str]) -> int:
    if words[:1] in (["--version"], ["-V"]):
        print(f"nightschool {__version__}")
        return DONE
    if not words or words[0] in {"--help", "-h", "help"}:
        print(f"{USAGE_LINE}\n\n" + "\n".join(f"  {verb:<11} {told}" for verb, told in VERBS.items()))
        return DONE if words else USAGE
    if words[0] not in VERBS:
        print(f"nightschool: no such verb ({words[0]!r}). {USAGE_LINE}", file=sys.stderr)
        return USAGE
    return _guarded(words[0], words[1:])


def _open_closed() -> None:
    """Open the null device where stdin, stdout or stderr was closed: no file of ours may take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def _let_go() -> None:
    """Forget what stdout does not take, for its reader has gone or its disk is full: Python would say so at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused(error: OSError) -> str:
    """Say what the disk refused. Asked for the directory we are in, it names none when that is gone."""
    if error.filename is None and isinstance(error, FileNotFoundError):
        return "the directory you are in is gone. Go to another (cd), then run the same command again."
    where = f" ({error.filename})" if error.filename else ""
    return f"the disk refuses{where}: {error.strerror or error}. Check the path."


def _flushed(code: int) -> int:
    """Return the code once all of stdout is out: a reader that has gone shows only then."""
    sys.stdout.flush()
    return code


def _leave(code: int) -> None:
    """End now if a model is still being waited for: what was answered is recorded, and no client is left behind."""
    import threading
    import time

    waiting = [thread for thread in threading.enumerate() if thread.name.startswith("model-call")]
    if waiting:
        sys.stdout.flush()
        sys.stderr.flush()
        os.closerange(3, 2**16)  # a client ends, with all it has started, when our end of its pipe closes
        until = time.monotonic() + 2
        for thread in waiting:
            thread.join(max(0.0, until - time.monotonic()))
        os._exit(code)


def _guarded(verb: str, words: list[str]) -> int:
    """Call a verb; what can be expected to go wrong ends as one line on stderr."""
    import argparse

    from nightschool.cli.owner import refuse_for_root

    module = import_module(f"nightschool.cli.{verb.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"nightschool {verb}", description=module.DESCRIPTION)
    module.arguments(parser)
    args = parser.parse_args(words)
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a letter shows a question mark
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        refuse_for_root()
        if verb != "mcp" and not getattr(args, "sample", False):  # the one starts verbs, the other has its own home
            admit(Home.from_env())
        return _flushed(int(module.call(args)))
    except (NightschoolError, NewerVersion) as error:
        told = error.told() if isinstance(error, NewerVersion) else error
        print(f"nightschool: {told}", file=sys.stderr)
        return told.exit_code
    except KeyboardInterrupt:
        print("nightschool: interrupted; nothing is lost, the same command goes on", file=sys.stderr)
        _leave(130)
        return 130
    except BrokenPipeError:
        return DONE  # the reader of stdout has gone
    except OSError as error:
        print(f"nightschool: {_refused(error)}", file=sys.stderr)
        return FAILED
    except Exception as error:  # noqa: BLE001  a fault of ours: leave a log that can be pasted, not a trace on screen
        from nightschool.cli.crash import leave_log

        print(f"nightschool: a fault of ours ({type(error).__name__}: {error}). {leave_log(verb)}", file=sys.stderr)
        return FAILED
