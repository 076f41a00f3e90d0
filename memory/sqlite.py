"""What only SQLite understands: opening a file, pragmas, taking the write lock, its errors, and leaving no trace.

A file is opened 0600, in WAL mode, with `secure_delete` (a deleted cell is overwritten with zeros) and foreign keys.
`database` decides when any of this happens. Nothing else in a process that has the database open may open and close
its file (to copy or to hash it): see `prepare_file`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from memory.errors import StorageBusy, StorageError
from memory.keyfiles import sync_folder

BUSY_SECONDS: Final = 10.0
_CHECKPOINT_PAGES: Final = 2_000
# After these SQLite itself may have undone the whole transaction; no savepoint helps.
_FATAL: Final = frozenset({
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge achieved. Both false: other connections were in the way for the whole waiting time."""

    wal_truncated: bool
    vacuumed: bool


def database_path(url: str) -> Path:
    """The file behind `url`.

    Raises:
        StorageError: the URL is not that of an SQLite file, the only database supported today.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StorageError("the database URL must name an SQLite file: sqlite:////absolute/path")
    return Path(parsed.database)


def prepare_file(path: Path) -> None:
    """Make the file (0600) and its folder (0700) before SQLite does; its WAL inherits the mode.

    A file that exists is not opened: closing a descriptor of it would drop every lock that this process holds on it
    (POSIX), and another process, believing itself alone, would delete the write-ahead log that we still write to.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            sync_folder(path.parent)
        path.chmod(0o600)
    except OSError as error:
        raise StorageError(f"the database file cannot be opened: {error.strerror}") from error


def open_engine(url: str, *, query_only: bool = False) -> Engine:
    """An engine without a pool: each thread here keeps the one connection that it opens."""
    path = database_path(url)
    prepare_file(path)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})

    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun here, never by the driver
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "trusted_schema=OFF",
            f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", configure)
    return engine


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection beneath SQLAlchemy's."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise StorageError("not an SQLite connection")
    return driver


def translate(error: Exception) -> StorageError:
    """The driver's error as ours, without its text, which may hold values."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    name = getattr(cause, "sqlite_errorname", type(cause).__name__)
    if code in _BUSY:
        return StorageBusy("the database stayed locked by another process")
    return StorageError(f"the database failed: {name}")


def is_fatal(error: BaseException) -> bool:
    """Whether the whole transaction must be given up, not only the statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in _FATAL


def begin_immediate(driver: sqlite3.Connection, *, busy_seconds: float = BUSY_SECONDS) -> None:
    """Take the write lock, polling.

    SQLite's own busy handler sleeps up to 100 ms between tries, which starves one of two busy processes; here the
    pause never exceeds 2 ms.

    Raises:
        sqlite3.OperationalError: still locked after `busy_seconds`.
    """
    deadline = time.monotonic() + busy_seconds
    pause = 0.0002
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 0.002)


def purge_file(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Purge:
    """Leave no deleted byte in the file or its WAL: truncate, VACUUM, truncate again. Blocks writers meanwhile.

    Raises:
        StorageError: disk full (VACUUM needs room for a second copy), I/O error.
    """
    try:
        engine = open_engine(url)
        with contextlib.closing(engine.connect()) as connection:
            driver = driver_of(connection)
            driver.execute(f"PRAGMA busy_timeout={int(busy_seconds * 1000)}")
            truncated = _truncate_wal(driver)
            vacuumed = _vacuum(driver)
            return Purge(_truncate_wal(driver) if vacuumed else truncated, vacuumed)
    except (DBAPIError, sqlite3.Error) as error:
        raise translate(error) from error


def _vacuum(driver: sqlite3.Connection) -> bool:
    try:
        driver.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _BUSY:
            raise
        return False
    return True


def _truncate_wal(driver: sqlite3.Connection) -> bool:
    busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
