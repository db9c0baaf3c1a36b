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
    print("9.9.9 (Claude Code)")
    sys.exit()
prompt = sys.stdin.buffer.read().decode()
path = sys.argv[sys.argv.index("--system-prompt-file") + 1]
system = open(path, encoding="utf-8").read()

def say(text, **told):
    use = {{"inputTokens": 5, "outputTokens": 3, "cacheReadInputTokens": 2, "costUSD": 0.01, "costBasis": "list"}}
    base = {{"type": "result", "subtype": "success", "is_error": False, "num_turns": 1, "stop_reason": "end_turn"}}
    base |= {{"result": text, "total_cost_usd": 0.01, "modelUsage": {{"fake-1": use}}, "api_error_status": None}}
    print(json.dumps(base | told))

seen = {{
    "argv": sys.argv[1:], "env": dict(os.environ), "prompt": prompt, "system": system, "system_path": path,
    "cwd": os.getcwd(), "in_cwd": os.listdir(), "mode": os.stat(os.path.dirname(path)).st_mode & 0o777,
    "pid": os.getpid(), "group": os.getpgid(0), "session": os.getsid(0),
}}
part = os.path.join(HERE, f"seen.{{os.getpid()}}.part")
with open(part, "w", encoding="utf-8") as stream:
    json.dump(seen, stream)
os.replace(part, os.path.join(HERE, "seen.json"))
with open(os.path.join(HERE, "calls"), "a", encoding="utf-8") as stream:
    stream.write(json.dumps(prompt) + "\\n")
exec(open(os.path.join(HERE, "plan.py"), encoding="utf-8").read())
"""


@dataclass
class FakeClaude:
    """The executable `claude` in `folder`. Its plan is Python that knows `prompt`, `system` and `say(text, **fields)`."""

    folder: Path

    def __post_init__(self):
        self.folder.mkdir()
        script = self.folder / "claude"
        script.write_text(_SCRIPT.format(python=sys.executable, here=str(self.folder)), encoding="utf-8")
        script.chmod(0o755)
        self.plan("say('Hello.')")

    def plan(self, code):
        """Set what it does."""
        (self.folder / "plan.py").write_text(code, encoding="utf-8")

    def seen(self):
        """Return how it was run last."""
        return json.loads((self.folder / "seen.json").read_text(encoding="utf-8"))

    def calls(self):
        """Return every prompt it got."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
