"""A model file of the user's, served on loopback by llama.cpp (extra `local`) while a block runs.

`python -m nightschool.models.llama FILE` is the server's own process; it ends when its stdin is closed, so nothing
outlives whoever started it, however that ended.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import import_module, util
from pathlib import Path
from select import select

from nightschool.errors import NightschoolError

START = 120.0  # seconds a model may take to load
CONTEXT, AT_ONCE = 4096, 2
_QUIET = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
}  # spinning threads are many times slower on a busy machine


@contextlib.contextmanager
def serving(model: Path) -> Iterator[str]:
    """Serve a GGUF file while the block runs; give the base URL. Raises NightschoolError when that cannot be."""
    if util.find_spec("xllamacpp") is None:
        fix = "Install the extra: pip install 'nightschool[local]', or name a running endpoint with --base-url."
        raise NightschoolError("no llama.cpp here to serve a model file", where=model, fix=fix)
    if not model.is_file():
        raise NightschoolError("no such model file", where=model, fix="Name a GGUF file.")
    process = subprocess.Popen(
        [sys.executable, "-m", "nightschool.models.llama", str(model)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | _QUIET, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None  # noqa: S101  it was asked for
        ready = select([process.stdout], [], [], START)[0]
        url = process.stdout.readline().decode().strip() if ready else ""
        if not url.startswith("http://127.0.0.1:"):
            raise NightschoolError("the model file cannot be served", where=model, why=url or "it did not load in time")
        yield f"{url}/v1"
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _serve(model: str) -> None:
    """Be the server: tell the address, then wait until nobody is there any more."""
    llama = import_module("xllamacpp")
    params = llama.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = model, CONTEXT * AT_ONCE, AT_ONCE
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count() or 1
    params.hostnames, params.port = ["127.0.0.1"], 0
    server = llama.Server(params)
    sys.stdout.write(f"{str(server.listening_address).rstrip('/')}\n")
    sys.stdout.flush()
    gone = threading.Thread(target=sys.stdin.read)
    gone.start()
    gone.join()
    os._exit(0)  # the server's threads do not end by themselves


if __name__ == "__main__":
    _serve(sys.argv[1])
