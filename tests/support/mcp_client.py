"""A bare client of the MCP server: bytes in, messages out, each wait with an end."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bare", "version": "0"}}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "bare", "version": "0"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
WAIT = 60  # seconds; only a hang takes so long


class Bare:
    """A server's process and what it has said."""

    def __init__(self, env, cwd, command=(sys.executable, "-m", "nightschool", "mcp")):
        self.process = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.lines = queue.Queue()
        self.passed = []  # messages read on the way to another
        self.number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(ValueError):  # a test has closed it
            for line in self.process.stdout:
                self.lines.put(line)
        self.lines.put(None)

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, document):
        self.write(json.dumps(document).encode() + b"\n")

    def ask(self, method, params=None, **more):
        """Send a request and return its id."""
        self.number += 1
        params = {} if params is None else {"params": params}
        made = {"jsonrpc": "2.0", "id": self.number, "method": method} | params | more
        self.send(made)
        return made["id"]

    def tell(self, method, **params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def read(self, wait=WAIT):
        """Return the next message; None at the end. Every line has to be one JSON document."""
        line = self.lines.get(timeout=wait)
        return None if line is None else json.loads(line)

    def answer(self, to):
        """Return the response to a request; what comes before it is kept in `passed`."""
        end = time.monotonic() + WAIT
        while True:
            assert time.monotonic() < end, "it never answered"
            found = self.read()
            assert found is not None, "the server has ended"
            if isinstance(found, dict) and found.get("id") == to and "method" not in found:
                return found
            self.passed.append(found)

    def call(self, name, meta=None, **arguments):
        """Call a tool and return its result."""
        params = {"name": name, "arguments": arguments} | ({"_meta": meta} if meta else {})
        return self.answer(self.ask("tools/call", params))["result"]

    def hello(self, **more):
        """Shake hands and return the result."""
        made = self.answer(self.ask("initialize", HELLO | more))["result"]
        self.tell("notifications/initialized")
        return made

    def end(self):
        """Close stdin; return the exit code, what was still said, and stderr."""
        self.process.stdin.close()
        code = self.process.wait(WAIT)
        left = []
        while (line := self.lines.get(timeout=WAIT)) is not None:
            left.append(json.loads(line))
        err = self.process.stderr.read().decode()
        self.process.stderr.close()
        self.process.stdout.close()
        return code, left, err


def until(true, seconds=WAIT):
    """Wait until something is so, and fail when it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)
