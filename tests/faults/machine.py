"""One home under test and the real processes on it, each with a crash point of its own where a test wants one.

Processes are started one by one (`writer`, `housekeeper`, `worker`), with the very commands that the supervisor uses, or
all at once under a real `filagent serve`. Crash points are armed in a single process: whoever dies is replaced by one
that is not armed, as after a repair. What the evidence must then look like is `evidence.py`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from memory.database import Database
from memory.keys import KeyRing
from runtime.audit.client import InProcessLog
from runtime.audit.writer import LogWriter
from runtime.bootstrap import first_records, prepare_home
from runtime.keys_admin import OPERATOR, create_key
from runtime.ledger import now_ms
from runtime.settings import DOCUMENTED_VARIABLES, OTHER_VARIABLES, Settings, load_settings
from runtime.software import software
from runtime.supervisor import Supervisor
from tests.faults.asking import NoReplyError, get, until
from tests.faults.processes import ROOT, Fork, Process, Worker, await_end, children, command, keep_house

F = TypeVar("F", bound=Fork)


@dataclass(frozen=True, slots=True)
class Served:
    """A running `filagent serve`."""

    process: Process
    port: int

    def ready(self) -> bool:
        try:
            return get(self.port, "/ready").status == 200
        except NoReplyError:
            return False


class Machine:
    """A prepared home with API keys for `people` (role user; `admin` is there always) and whatever runs on it."""

    def __init__(
        self, home: Path, *people: str, backend_url: str | None = None, upstream: Mapping[str, Any] | None = None
    ) -> None:
        self.home = home
        self._errors = home / "stderr.txt"
        self._running: list[Process | Fork] = []
        config, policies = short_leases(home, upstream or {}), home / "policies.yaml"
        policies.write_text(yaml.safe_dump(_policies()))
        self.environ = {
            name: value for name, value in os.environ.items() if name not in (*DOCUMENTED_VARIABLES, *OTHER_VARIABLES)
        } | {
            "FILAGENT_HOME": str(home),
            "FILAGENT_CONFIG": str(config),
            "FILAGENT_POLICIES": str(policies),
            "LLM_BACKEND": "scripted" if backend_url is None else "vllm",
            "PYTHONUNBUFFERED": "1",
        }
        if backend_url is not None:
            self.environ["VLLM_BASE_URL"] = backend_url
        self.settings: Settings = load_settings(self.environ)
        self.keys: dict[str, str] = {}
        asyncio.run(self._prepare(people))
        self._commands = Supervisor(self.settings)

    async def _prepare(self, people: Sequence[str]) -> None:
        settings = self.settings
        prepare_home(settings)
        log = InProcessLog(LogWriter(settings.logs_dir, settings.keys_dir, software=software()))
        database, ring = Database(settings.database_url), KeyRing(settings.keys_dir)
        try:
            first = await first_records(settings, log, None)
            assert first is not None
            self.keys["admin"] = first.text
            for name in people:
                made = await create_key(
                    database, ring, log, name=name, role="user", actor=OPERATOR, expires_at=None, now=now_ms()
                )
                self.keys[name] = made.text
        finally:
            await log.aclose()
            await database.aclose()

    # processes ---------------------------------------------------------------------------------------------------

    def writer(self, crash: str | None = None, *, ready: bool = True) -> Process:
        process = self.run(self._commands.writer().arguments, crash)
        return process.await_word(b"ready\n") if ready else process

    def housekeeper(self, crash: str | None = None) -> Fork:
        return self._fork(Fork(keep_house, self.environ, self._errors, crash, "the housekeeper"))

    def worker(self, crash: str | None = None) -> Worker:
        return self._fork(Worker(self.environ, self._errors, crash)).await_ready()

    def command(self, *words: str, crash: str | None = None) -> int:
        """Run `filagent …` to its end: the exit code."""
        return Fork(partial(command, *words), self.environ, self._errors, crash, f"filagent {' '.join(words)}").wait()

    def serve(
        self, *, workers: int = 1, crash: str | None = None, port: int | None = None, ready: bool = True
    ) -> Served:
        port = free_port() if port is None else port
        arguments = ["-m", "runtime.cli", "serve", "--workers", str(workers)]
        process = self.run(arguments, crash, SERVER_PORT=str(port))
        if ready:
            process.await_word(b"serving on")
        return Served(process, port)

    def run(self, arguments: Sequence[str], crash: str | None = None, **environ: str) -> Process:
        """Start a Python process on this home."""
        armed = {"FILAGENT_CRASH_AT": crash} if crash else {}
        process = Process(arguments, {**self.environ, **environ, **armed}, self._errors)
        self._running.append(process)
        return process

    def stop(self) -> None:
        """Stop everything that runs, the last one first."""
        while self._running:
            process = self._running.pop()
            orphans = [pid for pids in children(process.pid).values() for pid in pids]
            process.stop()
            await_end(orphans)

    def _fork(self, process: F) -> F:
        self._running.append(process)
        return process

    # the database --------------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return rows(self.settings, sql, *values)

    def unclosed(self) -> int:
        return int(self.rows("SELECT count(*) FROM turns WHERE closed_at IS NULL")[0][0])

    def settle(self) -> None:
        """Wait until every turn is closed."""
        until(lambda: self.unclosed() == 0, "housekeeping closes every turn")

    def turns_of(self, name: str) -> list[tuple[str, str, str | None]]:
        """(turn_ref, state, decision) of a person's turns, oldest first."""
        return [
            (ref, state, decision)
            for ref, state, decision in self.rows(
                "SELECT t.ref, t.state, t.decision FROM turns t JOIN api_keys k ON k.principal_id = t.principal_id "
                "WHERE k.name = ? ORDER BY t.id",
                name,
            )
        ]


@contextlib.contextmanager
def machine(*people: str, disks: Mapping[str, str] | None = None, **options: Any) -> Iterator[Machine]:
    """A fresh home in a short path (its sockets live in it), gone afterwards with all that ran there.

    Args:
        people: see `Machine`.
        disks: directories of the home that are small disks of their own, by name, with their sizes ("4m"); needs root.
        options: see `Machine`.
    """
    home = Path(tempfile.mkdtemp(prefix="filagent-faults-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        for name, size in (disks or {}).items():
            stack.enter_context(small_disk(home / name, size))
        made = Machine(home, *people, **options)
        stack.callback(made.stop)
        yield made


@contextlib.contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    path.mkdir(mode=0o700)
    if mount("-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(path)) != 0:
        pytest.skip("a small disk cannot be mounted here: full and read-only disks are tested as root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=False, capture_output=True)


def mount(*words: str) -> int:
    return subprocess.run(["mount", *words], check=False, capture_output=True).returncode


def rows(settings: Settings, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a home's database says to one question."""
    path = settings.home / "data" / "filagent.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(sql, values).fetchall()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def short_leases(home: Path, upstream: Mapping[str, Any] | None = None) -> Path:
    """A settings file in `home`: as shipped, but housekeeping does not let one wait, and names are not looked for."""
    values: dict[str, Any] = yaml.safe_load((ROOT / "config" / "agent.yaml").read_text("utf-8"))
    values["masking"]["ner"] = False
    values["console"]["enabled"] = False
    values["housekeeping"] |= {"lease_seconds": 3, "interval_seconds": 0.1}
    values["upstream"] |= upstream or {}
    path = home / "agent.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def _policies() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((ROOT / "config" / "policies.yaml").read_text("utf-8"))
    for role in ("admin", "user"):
        values["roles"][role]["limits"] |= {
            "requests_per_minute": 100_000, "tokens_per_day": 1_000_000_000, "concurrent_turns": 1000,
        }  # fmt: skip
    return values
