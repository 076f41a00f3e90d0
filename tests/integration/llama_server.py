"""A real llama-server for tests: llama.cpp's own server out of the xllamacpp wheel, in a process of its own.

    with serving(model) as server:                 # the embedded model on a free loopback port
        ... server.url, server.busy(), server.written(), server.kill(), server.start() ...

    python -m tests.integration.llama_server --model-file FILE --port 8090 --slots 4

`start` after `kill` takes the same port again. Requests to the server that are no part of a test's subject (its slots,
its counters) go through `page`. Nothing of ours is in it: what it does is what llama.cpp does.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.models.registry import RegistryError, load_registry, resolve

ROOT = Path(__file__).parents[2]
HOME = Path(os.environ.get("FILAGENT_HOME", ROOT))
START_SECONDS = 60


def embedded_model() -> Path:
    """The embedded model's file; skips the test where it, or the server, is not here."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("no llama-server: there is no xllamacpp wheel for this machine (requirements/dev.in)")
    try:
        return resolve(load_registry(ROOT / "config" / "models.yaml"), HOME).path
    except RegistryError as missing:
        pytest.skip(f"{missing} (python -m runtime.models.fetch)")


class LlamaServer:
    """One server; its options are those of `main`, below."""

    def __init__(self, model: Path, folder: Path, *options: str) -> None:
        self._words = ["--model-file", str(model), *options]
        self._errors = folder / "llama-server.log"
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Return when the model is loaded and the port is open."""
        command = [sys.executable, "-m", "tests.integration.llama_server", "--port", str(self.port), *self._words]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout is not None
        timer = threading.Timer(START_SECONDS, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            code = self._process.wait()
            if code == -signal.SIGILL:
                pytest.skip("no llama-server: the xllamacpp wheel is not built for this processor")
            raise AssertionError(f"llama-server ended with {code}: {self._errors.read_text(errors='replace')[-2000:]}")
        self.port = int(line)

    def kill(self) -> None:
        """Without any warning (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def page(self, path: str, *, key: str | None = None) -> tuple[int, bytes]:
        """Status and body of a GET, from the server's root."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def slots(self) -> list[dict[str, Any]]:
        """Each slot as the server tells of it."""
        found: list[dict[str, Any]] = json.loads(self.page("/slots")[1])
        return found

    def busy(self) -> int:
        """How many slots are at work."""
        return sum(slot["is_processing"] for slot in self.slots())

    def params(self) -> dict[str, Any]:
        """What the first slot draws by at this moment."""
        found: dict[str, Any] = self.slots()[0]["params"]
        return found

    def count(self, name: str) -> float:
        """One of its counters, such as `tokens_predicted_total`."""
        lines = self.page("/metrics")[1].decode().splitlines()
        return next(float(line.split(" ")[1]) for line in lines if line.startswith(f"llamacpp:{name} "))


@contextlib.contextmanager
def serving(model: Path, *options: str) -> Iterator[LlamaServer]:
    """A server for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="fa-") as folder:
        server = LlamaServer(model, Path(folder), *options)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def main(argv: list[str] | None = None) -> int:
    """Serve until standard input ends. The options are llama-server's own, by nearly the same names."""
    parser = argparse.ArgumentParser(prog="tests.integration.llama_server", description="A real llama-server.")
    parser.add_argument("--model-file", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--ctx-size", type=int, default=1024, help="of all slots together")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alias", action="append", default=[])
    parser.add_argument("--api-key", action="append", default=[])
    parser.add_argument("--chat-template", help="instead of the model's own")
    options = parser.parse_args(argv)

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = options.model_file
    params.hostnames, params.port = ["127.0.0.1"], options.port
    params.n_parallel, params.n_ctx = options.slots, options.ctx_size
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.endpoint_slots = params.endpoint_metrics = True
    params.ui = params.warmup = False
    if options.alias:
        params.model_alias = set(options.alias)
    if options.api_key:
        params.api_keys = options.api_key
    if options.chat_template:
        params.chat_template = options.chat_template
    server = xllamacpp.Server(params)
    print(server.listening_address.rpartition(":")[2], flush=True)
    sys.stdin.read()
    os._exit(0)  # there is nothing to put in order: the server's threads hold no file


if __name__ == "__main__":
    sys.exit(main())
