"""A stand-in for the client's executable: it writes down how it was run, then does what its plan says."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """\
#!{python}
import json, os, subprocess, sys, time
HERE = {here!r}
if sys.argv[1:] == ["--version"]:
    print("codex-cli 9.9.9")
    sys.exit()
prompt = sys.stdin.buffer.read().decode()
HOME = os.environ["CODEX_HOME"]

def show(kind, **told):
    print(json.dumps({{"type": kind}} | told), flush=True)

def say(text, **usage):
    use = {{"input_tokens": 12, "cached_input_tokens": 2, "output_tokens": 3, "reasoning_output_tokens": 1}}
    show("thread.started", thread_id="t")
    show("item.completed", item={{"id": "i", "type": "agent_message", "text": text}})
    show("turn.completed", usage=use | usage)

def fail(message):
    show("error", message=message)
    show("turn.failed", error={{"message": message}})
    sys.exit(1)

config = open(os.path.join(HOME, "config.toml"), encoding="utf-8").read()
auth = os.path.join(HOME, "auth.json")
seen = {{
    "argv": sys.argv[1:], "env": dict(os.environ), "prompt": prompt, "config": config, "cwd": os.getcwd(),
    "in_cwd": os.listdir(), "mode": os.stat(os.path.dirname(os.path.dirname(HOME))).st_mode & 0o777,
    "login": os.path.realpath(auth) if os.path.exists(auth) else None,
    "system": open(os.path.join(HOME, "..", "..", "system.md"), encoding="utf-8").read(),
    "pid": os.getpid(), "group": os.getpgid(0), "session": os.getsid(0),
}}
part = os.path.join(HERE, "seen.part")
with open(part, "w", encoding="utf-8") as stream:
    json.dump(seen, stream)
os.replace(part, os.path.join(HERE, "seen.json"))
exec(open(os.path.join(HERE, "plan.py"), encoding="utf-8").read())
"""


@dataclass
class FakeCodex:
    """The executable `codex` in `folder`. Its plan is Python that knows `prompt`, `show`, `say` and `fail`."""

    folder: Path

    def __post_init__(self):
        self.folder.mkdir()
        script = self.folder / "codex"
        script.write_text(_SCRIPT.format(python=sys.executable, here=str(self.folder)), encoding="utf-8")
        script.chmod(0o755)
        self.plan("say('Hello.')")

    def plan(self, code):
        """Set what it does."""
        (self.folder / "plan.py").write_text(code, encoding="utf-8")

    def seen(self):
        """Return how it was run last."""
        return json.loads((self.folder / "seen.json").read_text(encoding="utf-8"))
