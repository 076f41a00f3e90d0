"""`filagent serve`: starts and keeps the processes of one machine.

    log writer   the only holder of the log's lock and of the signing keys
    model host   one copy of the weights, when generation is local
    housekeeper  leases, erasures to resume, key epochs
    workers      N stateless processes that accept on one shared socket
    console      the operators' page, a client of the API; started when everything else is ready

Nothing is forked: each child is a fresh interpreter, and each ends by itself when this process disappears (its
standard input closes). A child that dies is started again, with a growing pause; the others fail closed meanwhile.
What a child does is its own module's business.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from runtime import console_command
from runtime.errors import SettingsError
from runtime.evidence import retain_days
from runtime.models.registry import ModelFile, load_registry
from runtime.models.resources import detect, gpu_build
from runtime.models.selection import layers_on_gpu
from runtime.settings import Settings
from runtime.software import software

_START_SECONDS = 180.0
_STOP_SECONDS = 15.0
_PAUSES = (0.2, 1.0, 3.0, 10.0)


@dataclass
class Child:
    """One supervised process and how to start it again.

    Attributes:
        name: as messages call it.
        arguments: of the interpreter.
        says_ready: whether it prints `ready`, and is waited for.
        pass_fds: what it inherits.
        environ: its environment; None: the same as everybody's.
        gives_up: an exit 2 of it (it cannot start as configured) is final, and nobody else's concern.
    """

    name: str
    arguments: Sequence[str]
    says_ready: bool = True
    pass_fds: tuple[int, ...] = ()
    environ: dict[str, str] | None = None
    gives_up: bool = False
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    due: float = 0.0
    started: float = field(default=0.0)

    def start(self, environ: dict[str, str]) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if self.says_ready else None,
            env=environ if self.environ is None else self.environ,
            pass_fds=self.pass_fds,
            start_new_session=True,
        )


class Supervisor:
    """Owns the home's lock and the children of one `serve`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = False
        self._children: list[Child] = []
        metrics = settings.run_dir / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(mode=0o700)
        self._environ = {
            **os.environ,
            "FILAGENT_HOME": str(settings.home),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "PYTHONUNBUFFERED": "1",
            "OPENBLAS_NUM_THREADS": "1",  # masking's matrices are small: more threads only get in each other's way
        }

    def writer(self) -> Child:
        s = self._settings
        arguments = [
            "-m",
            "runtime.audit.writer",
            "--logs",
            str(s.logs_dir),
            "--keys",
            str(s.keys_dir),
            "--socket",
            str(s.writer_socket),
            "--software",
            json.dumps(software()),
            "--parent-pipe",
        ]
        if s.secret_key_file is not None:
            arguments += ["--passphrase-file", str(s.secret_key_file)]
        arguments += ["--retain-days", str(retain_days(s))]
        if s.mode == "production":
            arguments.append("--immutable")
        return Child("log writer", arguments)

    def model_host(self, model: ModelFile) -> Child:
        return Child("model host", host_arguments(self._settings, model, self._settings.model_socket))

    def housekeeper(self) -> Child:
        return Child("housekeeper", ["-m", "runtime.housekeeping", "--parent-pipe"])

    def worker(self, number: int, listener: socket.socket) -> Child:
        descriptor = listener.fileno()
        return Child(
            f"worker {number}",
            ["-m", "runtime.worker", "--fd", str(descriptor), "--parent-pipe"],
            pass_fds=(descriptor,),
        )

    def console(self, port: int) -> Child:
        """The operator console for the API on this port: a client like any other, which may die without harm."""
        environ = console_command.environment(self._settings, port)
        arguments = [*console_command.ARGUMENTS, "--parent-pipe"]
        return Child("console", arguments, says_ready=False, environ=environ, gives_up=True)

    def start(self, *children: Child) -> None:
        """Start children side by side and wait until each says `ready`.

        Raises:
            SettingsError: one ended or stayed silent instead.
        """
        for child in children:
            child.start(self._environ)
            self._children.append(child)
        for child in children:
            self._await_ready(child)

    def run(self) -> int:
        """Keep the children alive until a signal; then stop them, the log writer last."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self._stopping:
            self._revive()
            time.sleep(0.2)
        self.stop()
        return 0

    def stop(self) -> None:
        """End the children, the log writer (started first) after all others: what they finish needs its records."""
        for children in (self._children[:0:-1], self._children[:1]):
            self._stop(children)

    def _stop(self, children: Sequence[Child]) -> None:
        """End these together, each finishing what it has begun."""
        for child in children:
            process = child.process
            if process is None or process.poll() is not None:
                continue
            process.send_signal(signal.SIGTERM)
        for child in children:
            if child.process is None:
                continue
            try:
                child.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                _say(f"{child.name} did not stop in time and is ended")
                child.process.kill()
                child.process.wait()
            _close(child.process)

    def _on_signal(self, *_: object) -> None:
        self._stopping = True

    def _revive(self) -> None:
        now = time.monotonic()
        for child in list(self._children):
            process = child.process
            if process is not None and process.poll() is not None:
                if child.gives_up and process.returncode == 2:
                    _say(f"the {child.name} is not running; everything else goes on")
                    _close(process)
                    self._children.remove(child)
                    continue
                if now - child.started > 60:
                    child.restarts = 0
                pause = _PAUSES[min(child.restarts, len(_PAUSES) - 1)]
                _say(f"{child.name} ended ({process.returncode}); starting it again in {pause:g} s")
                child.process, child.due, child.restarts = None, now + pause, child.restarts + 1
                _close(process)
                self._forget_gauges(process.pid)
            if child.process is None and now >= child.due:
                child.start(self._environ)

    def _forget_gauges(self, pid: int) -> None:
        """What a process that is no more said of its present state counts no longer; its counters do."""
        for path in Path(self._environ["PROMETHEUS_MULTIPROC_DIR"]).glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)

    def _await_ready(self, child: Child) -> None:
        if not child.says_ready or child.process is None:
            return
        out: IO[bytes] | None = child.process.stdout
        assert out is not None  # noqa: S101 - says_ready opened it
        deadline = time.monotonic() + _START_SECONDS
        waited_out, said = False, b""
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                if not selector.select(timeout=1.0):
                    if child.process.poll() is not None:
                        break
                    continue
                # Not `readline`: lines that came together would wait in its buffer, where no selector sees them.
                more = os.read(out.fileno(), 4096)
                if not more:
                    break
                *lines, said = (said + more).split(b"\n")
                for line in lines:
                    if line.strip() == b"ready":
                        return
                    _say(f"{child.name}: {line.decode('utf-8', 'replace').rstrip()}")
            else:
                waited_out = True
        reason = "said nothing in time" if waited_out else f"ended ({child.process.poll()})"
        raise SettingsError(f"the {child.name} {reason}; its messages stand above")


def host_arguments(settings: Settings, model: ModelFile, socket_path: Path) -> list[str]:
    """What a model host for these settings is started with."""
    llama = settings.llama_cpp
    arguments = [
        "-m",
        "runtime.models.host",
        "--socket",
        str(socket_path),
        "--model-file",
        str(model.path),
        "--sha256",
        model.sha256,
        "--model",
        model.id,
        "--context",
        str(llama.context_size),
        "--gpu-layers",
        str(_gpu_layers(settings, model)),
        "--queue",
        str(llama.queue),
        "--wait",
        str(llama.wait_seconds),
        "--parent-pipe",
    ]
    if model.chat_template is not None:
        arguments += ["--chat-template", model.chat_template]
    if llama.threads is not None:
        arguments += ["--threads", str(llama.threads)]
    return arguments


def _gpu_layers(settings: Settings, model: ModelFile) -> int:
    """As many layers as were asked for; where that is left open, as many as the cards of this machine hold."""
    llama = settings.llama_cpp
    if llama.n_gpu_layers is not None or not gpu_build():
        return llama.n_gpu_layers or 0
    entry = load_registry(settings.models_file).find(model.id)
    weights = model.path.stat().st_size
    per_token, layers = (None, None) if entry is None else (entry.kv_bytes_per_token, entry.layers)
    return layers_on_gpu(detect(), weights, per_token or 0, llama.context_size, layers)


def lock_home(settings: Settings) -> IO[str]:
    """Hold this home for one server; the lock lives as long as the returned file.

    Raises:
        SettingsError: another server holds it.
    """
    handle = (settings.home / "data" / "serve.lock").open("a")
    os.fchmod(handle.fileno(), 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise SettingsError("another FilAgent already serves this home (FILAGENT_HOME)") from error
    return handle


def listen(settings: Settings) -> socket.socket:
    """The shared listening socket.

    Raises:
        SettingsError: the address is taken or not ours.
    """
    server = settings.server
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server.host, server.port))
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on {server.host}:{server.port}: {error.strerror}") from error
    listener.listen(1024)
    listener.set_inheritable(True)
    return listener


def _close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _say(text: str) -> None:
    print(f"filagent: {text}", file=sys.stderr, flush=True)  # noqa: T201 - the operator's terminal
