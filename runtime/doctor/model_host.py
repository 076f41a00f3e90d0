"""QW-03, and what questions need: the model host that runs, or one started for the check and ended after it."""

from __future__ import annotations

import asyncio
import os
import selectors
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.backends.base import BackendError, Timeouts
from runtime.backends.llama_cpp import LlamaCppBackend
from runtime.doctor.report import Fact, Part, failed, passed
from runtime.models.registry import ModelFile
from runtime.peak_memory import process_behind
from runtime.settings import Settings
from runtime.supervisor import host_arguments

_START_SECONDS = 180.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Host:
    """A model host that answers.

    Attributes:
        own: it was started for the check.
    """

    backend: LlamaCppBackend
    socket: Path
    pid: int
    own: bool


@contextmanager
def model_host(settings: Settings, model: ModelFile) -> Iterator[tuple[Host | None, str]]:
    """The host that serves this home, else one for as long as the block lasts; or None and why there is none."""
    pid = process_behind(settings.model_socket)
    if pid is not None:
        yield Host(_client(settings, model, settings.model_socket), settings.model_socket, pid, own=False), ""
        return
    with tempfile.TemporaryDirectory(prefix="filagent-") as folder:
        path = Path(folder) / "model.sock"
        complaints = Path(folder) / "stderr"
        with complaints.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, *host_arguments(settings, model, path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        try:
            if _says_ready(process):
                yield Host(_client(settings, model, path), path, process.pid, own=True), ""
            else:
                said = complaints.read_text("utf-8", "replace").strip().splitlines()
                yield None, said[-1] if said else "it said nothing in time"
        finally:
            _end(process)


def answers(host: Host) -> Part:
    """It runs as this user, serves these weights, and listens on a Unix socket that nobody else may open."""
    facts: dict[str, Fact] = {"socket": str(host.socket), "pid": host.pid}
    try:
        asyncio.run(host.backend.health())
    except BackendError as error:
        return failed("host_wrong", detail=error.detail, **facts)
    mode = stat.S_IMODE(os.stat(host.socket).st_mode)
    if mode & 0o077:
        return failed("host_open", mode=f"{mode:04o}", **facts)
    return passed("host_own" if host.own else "host", **facts)


def _client(settings: Settings, model: ModelFile, path: Path) -> LlamaCppBackend:
    upstream = settings.upstream
    timeouts = Timeouts(upstream.connect_seconds, upstream.first_token_seconds, upstream.total_seconds)
    return LlamaCppBackend(path, model=model.id, weights_sha256=model.sha256, timeouts=timeouts)


def _says_ready(process: subprocess.Popen[bytes]) -> bool:
    out = process.stdout
    assert out is not None  # noqa: S101 - it was asked for
    deadline = time.monotonic() + _START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if selector.select(timeout=1.0):
                return out.readline() == b"ready\n"
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
