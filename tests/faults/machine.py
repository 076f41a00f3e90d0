"""One home under test and the real processes on it, each with a crash point of its own where a test wants one.

Processes are started with the very commands that the supervisor uses, one by one (`writer`, `housekeeper`) or all at
once under a real `filagent serve`; a single `worker` or `command` is forked from a process that has imported it already,
for there are many of them. Crash points are armed in a single process: whoever dies is replaced by one that is not armed, as after
a repair. What the evidence must then look like is `evidence.py`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import multiprocessing
import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from runtime.supervisor import Child, Supervisor

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds until something that must happen counts as not happening
T = TypeVar("T")


def until(condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """The first true value of `condition`; fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)
    return found


class NoReplyError(Exception):
    """The connection ended before a whole answer was there; `partial` is what came."""

    def __init__(self, partial: bytes = b"") -> None:
        super().__init__("no whole answer")
        self.partial = partial


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def events(self) -> list[tuple[str, Any]]:
        return events_of(self.raw)


def events_of(raw: bytes) -> list[tuple[str, Any]]:
    """The whole Server-Sent Events in `raw`; one that was cut is not there."""
    found = []
    for block in raw.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def question(text: str, **fields: Any) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}], **fields}).encode()


def ask(
    port: int, key: str, body: bytes, *, once: str | None = None, path: str = "/chat", timeout: float = PATIENCE
) -> Reply:
    """POST `body`; `once` is an Idempotency-Key. Raises: NoReplyError."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if once is not None:
        headers["Idempotency-Key"] = once
    return _exchange(port, "POST", path, body, headers, timeout)


def get(port: int, path: str, key: str | None = None) -> Reply:
    return _exchange(port, "GET", path, None, {"Authorization": f"Bearer {key}"} if key else {}, PATIENCE)


def _exchange(port: int, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        try:
            raw = response.read()
        except http.client.IncompleteRead as cut:
            raise NoReplyError(cut.partial) from cut
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, raw)
    except (http.client.HTTPException, ConnectionError) as error:
        raise NoReplyError from error
    finally:
        connection.close()


class Process:
    """A child of this test. Ended by its own pid, never by a name."""

    def __init__(
        self, arguments: Sequence[str], environ: Mapping[str, str], errors: Path, pass_fds: tuple[int, ...] = ()
    ) -> None:
        self.errors = errors
        with errors.open("ab") as stderr:
            self._popen = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=dict(environ),
                cwd=ROOT,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        self.said = b""

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def code(self) -> int | None:
        """Its exit code; negative: the signal that ended it; None: it runs."""
        return self._popen.poll()

    def await_word(self, word: bytes) -> Process:
        """Wait until it has said `word` on its standard output."""
        stdout = self._popen.stdout
        assert stdout is not None
        deadline = time.monotonic() + PATIENCE
        while word not in self.said:
            assert time.monotonic() < deadline, f"it does not say {word!r}: {self.complaint()}"
            if select.select([stdout], [], [], 0.5)[0]:
                piece = os.read(stdout.fileno(), 65536)
                assert piece, f"it ended ({self._popen.wait()}) and never said {word!r}: {self.complaint()}"
                self.said += piece
        return self

    def complaint(self) -> str:
        return self.errors.read_text("utf-8", "replace")[-2000:]

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        until(lambda: self.code is not None, f"the end of {self._popen.args}")
        return self._let_go()

    def signal(self, number: int) -> None:
        if self.code is None:
            self._popen.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def signal_child(self, pid: int, number: int) -> None:
        """Signal a child of this process; nothing that is not (any more) its child."""
        if any(pid in pids for pids in children(self.pid).values()):
            os.kill(pid, number)

    def stop(self) -> int:
        """Ask it to end, as the supervisor does."""
        self.signal(signal.SIGTERM)
        try:
            self._popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
        return self._let_go()

    def _let_go(self) -> int:
        code = self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        return code


_MODULES = {"writer": b"runtime.audit.writer", "housekeeper": b"runtime.housekeeping", "worker": b"runtime.worker"}


def children(pid: int) -> dict[str, list[int]]:
    """The pids of a process's children by what they are: writer, housekeeper, worker."""
    found: dict[str, list[int]] = {"writer": [], "housekeeper": [], "worker": []}
    with contextlib.suppress(OSError):
        for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{word}/cmdline").read_bytes()
                for name, module in _MODULES.items():
                    if module in command:
                        found[name].append(int(word))
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["runtime.worker", "runtime.cli", "runtime.privacy_command"])


class Worker:
    """A worker process with a listening socket of its own."""

    def __init__(self, environ: Mapping[str, str], errors: Path, crash: str | None) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self.port: int = listener.getsockname()[1]
            self.errors = errors
            self._process = _FORKS.Process(
                target=_work, args=(listener, dict(environ), str(errors), crash or ""), daemon=True
            )
            self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    def await_ready(self) -> Worker:
        def answers() -> bool:
            assert self.code is None, f"the worker ended: {self.errors.read_text('utf-8', 'replace')[-2000:]}"
            try:
                return get(self.port, "/health").status == 200
            except NoReplyError:
                return False

        until(answers, "a worker that answers")
        return self

    def signal(self, number: int) -> None:
        if self.code is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        self._process.join(PATIENCE)
        assert self.code is not None, "the worker lives on"
        return self.code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        self._process.join(PATIENCE)
        self._process.kill()
        self._process.join()
        return self.code or 0


def _work(listener: socket.socket, environ: dict[str, str], errors: str, crash: str) -> None:
    """In the fork: what `python -m runtime.worker --fd N` does."""
    from runtime import worker

    _become(environ, errors, crash)
    sys.argv = ["runtime.worker", "--fd", str(listener.detach())]
    sys.exit(worker.main())


def _command(words: Sequence[str], environ: dict[str, str], errors: str, crash: str) -> None:
    """In the fork: what `filagent …` does."""
    from runtime import cli

    _become(environ, errors, crash)
    sys.exit(cli.main(words))


def _become(environ: dict[str, str], errors: str, crash: str) -> None:
    """Take on an environment, with a crash point, and nobody's terminal."""
    from runtime import crashpoints

    os.environ.clear()
    os.environ.update(environ)
    crashpoints._NAME, _, crashpoints._COUNT = crash.partition(":")
    with open(errors, "ab", buffering=0) as stream, open(os.devnull, "wb") as nothing:
        os.dup2(stream.fileno(), 2)
        os.dup2(nothing.fileno(), 1)


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
        self._running: list[Process | Worker] = []
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
        return self._start(self._commands.writer(), crash, ready=ready)

    def housekeeper(self, crash: str | None = None, *, ready: bool = True) -> Process:
        return self._start(self._commands.housekeeper(), crash, ready=ready)

    def worker(self, crash: str | None = None) -> Worker:
        worker = Worker(self.environ, self.home / "stderr.txt", crash)
        self._running.append(worker)
        return worker.await_ready()

    def serve(
        self, *, workers: int = 1, crash: str | None = None, port: int | None = None, ready: bool = True
    ) -> Served:
        port = free_port() if port is None else port
        arguments = ["-m", "runtime.cli", "serve", "--workers", str(workers)]
        process = self.run(arguments, crash, SERVER_PORT=str(port))
        if ready:
            process.await_word(b"serving on")
        return Served(process, port)

    def run(
        self, arguments: Sequence[str], crash: str | None = None, pass_fds: tuple[int, ...] = (), **environ: str
    ) -> Process:
        """Start a Python process on this home."""
        armed = {"FILAGENT_CRASH_AT": crash} if crash else {}
        process = Process(arguments, {**self.environ, **environ, **armed}, self.home / "stderr.txt", pass_fds)
        self._running.append(process)
        return process

    def command(self, *words: str, crash: str | None = None) -> int:
        """Run `filagent …` to its end: the exit code."""
        errors = str(self.home / "stderr.txt")
        process = _FORKS.Process(target=_command, args=(words, self.environ, errors, crash or ""), daemon=True)
        process.start()
        process.join(PATIENCE)
        assert process.exitcode is not None, f"filagent {' '.join(words)} does not end"
        return process.exitcode

    def stop(self) -> None:
        """Stop everything that runs, the last one first."""
        while self._running:
            process = self._running.pop()
            orphans = [pid for pids in children(process.pid).values() for pid in pids]
            process.stop()
            until(lambda orphans=orphans: not any(map(is_alive, orphans)), "children that end with their parent")

    def _start(self, child: Child, crash: str | None, *, ready: bool) -> Process:
        process = self.run(child.arguments, crash, child.pass_fds)
        return process.await_word(b"ready\n") if ready else process

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
