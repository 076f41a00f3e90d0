"""`filagent serve` and its console: started after everything else, of no consequence when it dies or cannot start."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.settings import DOCUMENTED_VARIABLES, OTHER_VARIABLES
from tests.faults.machine import free_port
from tests.faults.processes import ROOT, Process

from .doors import until

pytestmark = pytest.mark.timeout(400)


@contextlib.contextmanager
def served(home: Path, console_port: int, *words: str, command: str = "serve") -> Iterator[tuple[Process, int]]:
    home.mkdir(exist_ok=True)
    port = free_port()
    left_out = {*DOCUMENTED_VARIABLES, *OTHER_VARIABLES}
    environ = {name: value for name, value in os.environ.items() if name not in left_out} | {
        "FILAGENT_HOME": str(home), "LLM_BACKEND": "scripted", "SERVER_PORT": str(port), "FILAGENT_WORKERS": "1",
        "FILAGENT_CONSOLE_PORT": str(console_port), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    process = Process(["-m", "runtime.cli", command, *words], environ, home / "stderr.txt")
    try:
        yield process, port
    finally:
        process.stop()


def status(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def console_pid(serve: int) -> int | None:
    for word in Path(f"/proc/{serve}/task/{serve}/children").read_text().split():
        with contextlib.suppress(OSError):
            if b"\0console\0" in Path(f"/proc/{word}/cmdline").read_bytes():
                return int(word)
    return None


def test_it_comes_last_says_where_it_is_and_may_die(tmp_path: Path) -> None:
    place = free_port()
    with served(tmp_path / "home", place) as (process, port):
        process.await_word(b"serving on")
        assert status(port, "/health") == 200
        process.await_word(b"console on http://127.0.0.1:%d" % place)
        assert process.said.index(b"serving on") < process.said.index(b"console on")
        until(lambda: status(place, "/signin") == 200, seconds=90)
        first = console_pid(process.pid)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert status(port, "/ready") == 200
        until(lambda: console_pid(process.pid) not in {None, first}, seconds=30)
        until(lambda: status(place, "/signin") == 200, seconds=90)
        assert b"console ended (-9)" in (tmp_path / "home" / "stderr.txt").read_bytes()
        orphan = console_pid(process.pid)
        process.kill()
        until(lambda: not Path(f"/proc/{orphan}").exists() or status(place, "/signin") is None, seconds=60)


def test_a_port_that_is_taken_is_said_and_the_api_goes_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = taken.getsockname()[1]
        with served(tmp_path / "home", place) as (process, port):
            process.await_word(b"cannot listen on 127.0.0.1:%d" % place)
            assert b"the API is not concerned" in process.said
            errors = tmp_path / "home" / "stderr.txt"
            until(lambda: b"the console is not running; everything else goes on" in errors.read_bytes())
            assert status(port, "/ready") == 200
            assert console_pid(process.pid) is None
        alone = tmp_path / "alone"
        with served(alone, place, command="console") as (process, _):
            assert process.wait() == 2


def test_without_a_console_there_is_none(tmp_path: Path) -> None:
    place = free_port()
    with served(tmp_path / "home", place, "--no-console") as (process, port):
        process.await_word(b"    curl -s")
        assert status(port, "/ready") == 200
        assert console_pid(process.pid) is None


def test_it_runs_alone(tmp_path: Path) -> None:
    place = free_port()
    with served(tmp_path / "home", place, command="console") as (process, _):
        process.await_word(b"console on http://127.0.0.1:%d" % place)
        until(lambda: status(place, "/signin") == 200, seconds=90)
        assert process.stop() in {0, -signal.SIGTERM}
