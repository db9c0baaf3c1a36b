"""A loopback endpoint that speaks the protocol and does to each request what its plan says."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Remembers what it was asked: `seen` holds (path, headers, body)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, plan):
        self.plan, self.seen, self.guard = plan, [], threading.Lock()
        self.busy = self.most = 0
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        """Return its base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request, client_address):
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    """Answers what `plan(nth request, body)` returns: (status, headers, dict or bytes)."""

    def do_POST(self):
        """Ask the plan."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.guard:
            self.server.seen.append((self.path, dict(self.headers), body))
            count = len(self.server.seen)
            self.server.busy += 1
            self.server.most = max(self.server.most, self.server.busy)
        try:
            status, headers, told = self.server.plan(count, body)
        finally:
            with self.server.guard:
                self.server.busy -= 1
        data = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        for name, value in ({"content-length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Print nothing."""


def chat(text, *, tokens=(10, 5), reason="stop", **message):
    """Return a reply of chat/completions."""
    usage = {} if tokens is None else {"usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}}
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": text} | message}
    return {"model": "tiny-1", "choices": [choice]} | usage


@contextmanager
def serving(plan):
    """Serve while the block runs."""
    server = Server(plan)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
