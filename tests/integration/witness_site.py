"""A log with its witnesses: real log, real keys, real witness processes on loopback, and one that says what it is told."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import generate_latest

from runtime.audit.anchors import Anchored, read_anchored
from runtime.audit.checkpoint import vkey
from runtime.audit.client import InProcessLog
from runtime.audit.cosignature import witness_key
from runtime.audit.notation import VerifierKey
from runtime.evidence_settings import EvidenceSettings, WitnessSettings
from runtime.telemetry import Telemetry
from runtime.witness import store
from runtime.witness_status import StatesFile, WitnessStates, WitnessStatus
from runtime.witnessing import Witnessing
from tests.unit.audit.log_rig import ORIGIN, ROOT, Rig, listed_keys, turn

T = TypeVar("T")
START = 1_800_014_400


class WitnessProcess:
    """`filagent witness serve` in a process of its own; it can be killed and started again on the same state."""

    def __init__(
        self, home: Path, rig: Rig | None = None, *, name: str = "witness.example/w1", crash_at: str = ""
    ) -> None:
        self.home = home
        self.public = store.create(home, name)
        if rig is not None:
            store.add_log(home, ORIGIN, log_vkey(rig))
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.start(crash_at=crash_at)

    def start(self, *words: str, crash_at: str = "") -> None:
        if self.process is not None:
            self.stop()
        command = [sys.executable, "-m", "runtime.witness", "serve", "--dir", str(self.home)]
        command += ["--listen", f"127.0.0.1:{self.port}", *words]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "FILAGENT_CRASH_AT": crash_at}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE)
        stdout = self.process.stdout
        assert stdout is not None
        assert select.select([stdout], [], [], 60)[0], "the witness does not start"
        said = stdout.readline().decode()
        assert " listens on " in said
        self.port = int(said.rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it if it runs; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(60)
        finally:
            self.process.kill()
            if self.process.stdout is not None:
                self.process.stdout.close()
        return code

    @property
    def settings(self) -> WitnessSettings:
        return WitnessSettings(url=f"http://127.0.0.1:{self.port}", key=str(self.public))

    @property
    def size(self) -> int:
        (log,) = store.known_logs(self.home)
        return log.cosigned.size if log.cosigned is not None else 0


@contextmanager
def witness(home: Path, rig: Rig | None = None, **more: Any) -> Iterator[WitnessProcess]:
    made = WitnessProcess(home, rig, **more)
    try:
        yield made
    finally:
        made.stop()


Said = tuple[int, dict[str, str], bytes]


class Liar:
    """A witness that answers what `say(path, body)` says; it keeps what it was asked."""

    def __init__(self, say: Callable[[str, bytes], Said], *, seed: bytes = b"l") -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(seed * 32)
        self.public = witness_key(f"liar.example/{seed.decode()}", self.key)
        self.asked: list[tuple[str, bytes]] = []
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                liar.asked.append((f"{self.command} {self.path}", body))
                status, headers, said = say(self.path, body)
                self.send_response(status)
                for name, value in {"content-length": str(len(said)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            def do_POST(self) -> None:
                self.answer()

            def do_GET(self) -> None:
                self.answer()

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def settings(self) -> WitnessSettings:
        return WitnessSettings(url=f"http://127.0.0.1:{self.port}", key=str(self.public))


@contextmanager
def liar(say: Callable[[str, bytes], Said], **more: Any) -> Iterator[Liar]:
    made = Liar(say, **more)
    try:
        yield made
    finally:
        made.close()


def log_vkey(rig: Rig) -> str:
    """The log's verifier key, as `filagent keys public --role log --format vkey` prints it."""
    return vkey(ORIGIN, next(key for role, _, key in listed_keys(rig.logs) if role == "log"))


@dataclass
class Site:
    """An open log and its rounds; the clock is the test's."""

    rig: Rig
    witnesses: tuple[WitnessSettings, ...]
    more: dict[str, Any] = field(default_factory=dict)
    now: float = START
    telemetry: Telemetry = field(default_factory=Telemetry)
    patience: float = 30

    def __post_init__(self) -> None:
        self.runner = asyncio.Runner()
        self.open()

    def open(self) -> None:
        self.log = InProcessLog(self.rig.open())
        self._begin()

    def restart(self, *witnesses: WitnessSettings) -> None:
        """A new housekeeper, with other witnesses if any are given."""
        self.run(self.witnessing.aclose())
        self.witnesses = witnesses or self.witnesses
        self._begin()

    def _begin(self) -> None:
        self.evidence = EvidenceSettings(witnesses=self.witnesses, **self.more)
        self.witnessing = Witnessing(
            self.evidence,
            logs_dir=self.rig.logs,
            keys_dir=self.rig.keys,
            log=self.log,
            telemetry=self.telemetry,
            clock=lambda: self.now,
            patience=self.patience,
        )

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(what)

    def grow(self, count: int = 1) -> None:
        """Record so many turns."""

        async def append() -> None:
            await asyncio.gather(*(self.log.append(turn()) for _ in range(count)))

        self.run(append())

    def round(self) -> list[WitnessStatus]:
        """One round, a minute after the one before."""
        self.now += 60
        states = self.run(self.witnessing.round())
        assert states is not None
        assert states == self.states
        return list(states.witnesses)

    def close(self) -> None:
        """Close the log in good order; `open` goes on."""
        self.run(self.witnessing.aclose())
        self.run(self.log.aclose())

    @property
    def states(self) -> WitnessStates | None:
        return StatesFile(self.rig.logs).read()

    @property
    def size(self) -> int:
        return len(self.rig.lines())

    def records(self) -> list[dict[str, Any]]:
        """The details of the records about witnesses, in their order."""
        return [record["detail"] for record in self.rig.records() if record["event"] == "anchor"]

    def anchored(self, *keys: VerifierKey) -> list[Anchored]:
        return read_anchored(self.rig.logs, ORIGIN, keys or [witness.public for witness in self.witnesses])

    def metrics(self) -> str:
        return generate_latest(self.telemetry.registry).decode()


@contextmanager
def site(rig: Rig, *witnesses: WitnessSettings, **more: Any) -> Iterator[Site]:
    made = Site(rig, witnesses, more)
    try:
        yield made
    finally:
        made.close()
        made.runner.close()


def copy_of(rig: Rig, home: Path) -> Rig:
    """The same log and keys elsewhere, as a backup or a clone has them; the log must be closed."""
    shutil.copytree(rig.home, home)
    return Rig(home, now=rig.now)


def grown(home: Site, backup: Path, *, before: int = 5, after: int = 5) -> Rig:
    """Let the log grow, be vouched for, be copied, and grow and be vouched for again; the copy."""
    home.grow(before)
    home.round()
    home.close()
    old = copy_of(home.rig, backup)
    home.open()
    home.grow(after)
    home.round()
    return old
