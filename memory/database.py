"""One writer thread and a few readers over one SQLite file.

Every job is a plain function of a `Connection`. Jobs that queue up while the writer is busy share one transaction, each
in its own savepoint, so that sixteen callers pay for one commit and one failing job undoes only itself. A batch with a
durable job commits with `synchronous=FULL`; the write-ahead log is one file in commit order, so that commit also makes
durable whatever non-durable ones wrote before it, in this process or another.

Everything that only SQLite understands is in `sqlite`; statements live in `repository`, the schema in `models`, and
`migrate` brings a file to that schema.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy.exc import DBAPIError

from memory.errors import StorageClosed
from memory.sqlite import BUSY_SECONDS, Purge, begin_immediate, driver_of, is_fatal, open_engine, purge_file, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection

T = TypeVar("T")

# The names that `on_step` gets, in order; `memory.job_done` once for each job of a batch.
STEPS: Final = ("memory.begun", "memory.job_done", "memory.before_commit", "memory.committed")
_MAX_BATCH: Final = 128
_READERS: Final = 2


def _no_step(_name: str) -> None:
    """The default step hook: nothing happens between steps."""


@dataclass(slots=True, eq=False)
class _Job:
    run: Callable[[Connection], Any]
    durable: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def report(self) -> None:
        """Hand over the outcome; a caller that was cancelled meanwhile is not there to take it."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Database:
    """The process's way to its database.

    Args:
        url: `sqlite:////absolute/path`, already migrated.
        busy_seconds: how long a write waits for another process's, and a purge for every other connection.
        on_step: called with a stable name between the steps of every batch (crash tests).
    """

    def __init__(
        self, url: str, *, busy_seconds: float = BUSY_SECONDS, on_step: Callable[[str], None] = _no_step
    ) -> None:
        self._url = url
        self._busy_seconds = busy_seconds
        self._on_step = on_step
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._writer: threading.Thread | None = None  # started by the first write: nothing is threaded before a fork
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="memory-read")
        self._reading = threading.local()
        self._open_connections: list[Connection] = []

    async def write(self, fn: Callable[[Connection], T], *, durable: bool) -> T:
        """Run `fn` inside a transaction and return its result after the commit.

        `fn` must act on its connection alone and may run twice (when a neighbour in its batch broke the transaction).
        An exception that it raises undoes it and reaches the caller. The job runs to its end even when the caller is
        cancelled.

        Args:
            fn: a function of this island's `repository`.
            durable: whether a power loss after the return may not undo it.

        Raises:
            StorageBusy: another process held the write lock all the time; nothing was written.
            StorageError: disk full, I/O error: nothing was written, or (only when the commit itself failed) unknown.
        """
        loop = asyncio.get_running_loop()
        job = _Job(fn, durable, loop, loop.create_future())
        with self._lock:
            if self._closed:
                raise StorageClosed("the database is closed")
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_loop, name="memory-write", daemon=True)
                self._writer.start()
            self._jobs.put(job)
        return await job.future  # type: ignore[no-any-return]

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in one consistent, read-only snapshot.

        Raises:
            StorageError: the file cannot be read.
        """
        if self._closed:
            raise StorageClosed("the database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, fn)

    async def purge(self) -> Purge:
        """Leave no deleted byte in the file or its WAL: truncate, VACUUM, truncate again. Blocks writers meanwhile.

        Raises:
            StorageError: disk full (VACUUM needs room for a second copy), I/O error.
        """
        return await asyncio.to_thread(purge_file, self._url, busy_seconds=self._busy_seconds)

    async def aclose(self) -> None:
        """Finish what is queued, then close every connection. Later calls raise `StorageClosed`."""
        with self._lock:
            already, self._closed = self._closed, True
            writer = self._writer
        if already:
            return
        if writer is not None:
            self._jobs.put(None)
            await asyncio.to_thread(writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._open_connections:
            connection.close()
            connection.engine.dispose()

    def _read(self, fn: Callable[[Connection], T]) -> T:
        try:
            connection: Connection | None = getattr(self._reading, "connection", None)
            if connection is None:
                connection = open_engine(self._url, query_only=True).connect()
                self._reading.connection = connection
                with self._lock:
                    self._open_connections.append(connection)
            driver = driver_of(connection)
            driver.execute("BEGIN")
            try:
                return fn(connection)
            finally:
                connection.rollback()  # SQLAlchemy's own state, if `fn` used it
                driver.rollback()
        except (DBAPIError, sqlite3.Error) as error:
            raise translate(error) from error

    def _write_loop(self) -> None:
        writer = _Writer(self._url, self._busy_seconds, self._on_step)
        closing = False
        while not closing:
            job = self._jobs.get()
            batch: list[_Job] = []
            while job is not None:
                batch.append(job)
                if len(batch) == _MAX_BATCH:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            closing = job is None
            if batch:
                writer.run(batch)
                _report(batch)
        writer.close()


class _Writer:
    """The writer thread's connection and the one procedure that commits through it."""

    def __init__(self, url: str, busy_seconds: float, on_step: Callable[[str], None]) -> None:
        self._url = url
        self._busy_seconds = busy_seconds
        self._on_step = on_step
        self._connection: Connection | None = None
        self._synchronous = ""

    def run(self, batch: Sequence[_Job]) -> None:
        """Run the jobs in one transaction and set each one's outcome. Never raises."""
        try:
            connection = self._connect()
            driver = driver_of(connection)
            self._set_synchronous(driver, "FULL" if any(job.durable for job in batch) else "NORMAL")
            begin_immediate(driver, busy_seconds=self._busy_seconds)
            self._on_step("memory.begun")
            with connection.begin():
                for job in batch:
                    self._attempt(connection, job, alone=len(batch) == 1)
                    self._on_step("memory.job_done")
                self._on_step("memory.before_commit")
            self._on_step("memory.committed")
        except _Undone as undone:
            if undone.fatal:
                self.close()
            if len(batch) > 1:
                # The transaction is gone, but only one job broke it: each gets its own chance.
                for job in batch:
                    self.run([job])
        except (DBAPIError, sqlite3.Error, OSError) as error:
            self.close()
            for job in batch:
                job.error = translate(error)
        except BaseException as error:
            # Nobody may wait for ever on a writer that met something unforeseen.
            self.close()
            for job in batch:
                job.error = error

    def close(self) -> None:
        """Drop the connection; the next batch opens a new one."""
        connection, self._connection, self._synchronous = self._connection, None, ""
        if connection is not None:
            with contextlib.suppress(DBAPIError, sqlite3.Error):
                connection.close()
            connection.engine.dispose()

    def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = open_engine(self._url).connect()
            driver_of(self._connection).execute("PRAGMA busy_timeout=0")  # `begin_immediate` waits, more evenly
        return self._connection

    def _set_synchronous(self, driver: sqlite3.Connection, mode: str) -> None:
        if mode != self._synchronous:
            driver.execute(f"PRAGMA synchronous={mode}")
            self._synchronous = mode

    def _attempt(self, connection: Connection, job: _Job, *, alone: bool) -> None:
        """Run one job, in a savepoint unless it is alone.

        Raises:
            _Undone: the whole transaction has to be rolled back; the job's error is set.
        """
        driver = driver_of(connection)
        job.result = job.error = None
        try:
            if not alone:
                driver.execute("SAVEPOINT job")
            job.result = job.run(connection)
            if not alone:
                driver.execute("RELEASE job")
        except BaseException as error:
            if isinstance(error, (DBAPIError, sqlite3.Error)):
                job.error = translate(error)
                job.error.__cause__ = error
            else:
                job.error = error
            if alone or is_fatal(error):
                raise _Undone(fatal=is_fatal(error)) from error
            driver.execute("ROLLBACK TO job")
            driver.execute("RELEASE job")


class _Undone(Exception):
    """The transaction must be rolled back; the jobs know why."""

    def __init__(self, *, fatal: bool) -> None:
        super().__init__()
        self.fatal = fatal


def _report(batch: Sequence[_Job]) -> None:
    """Wake each event loop once for all its jobs."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in batch:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: its callers are gone
            loop.call_soon_threadsafe(_report_all, jobs)


def _report_all(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.report()
