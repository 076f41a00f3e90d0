"""The writer thread and the readers: batching, isolation of jobs, durability, failures, cancellation, closing."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import stat
import threading
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from memory import sqlite
from memory.database import STEPS, Database
from memory.errors import StorageBusy, StorageClosed, StorageError
from memory.sqlite import driver_of
from tests.unit.memory.household import Household

pytestmark = pytest.mark.anyio


def put(name: str, value: bytes = b"v") -> Any:
    def job(conn: Connection) -> str:
        driver_of(conn).execute("INSERT INTO installation VALUES (?, ?)", (name, value))
        return name

    return job


def names(conn: Connection) -> set[str]:
    return {row[0] for row in driver_of(conn).execute("SELECT name FROM installation")}


class Gate:
    """A job that holds the writer until released, so that what follows it forms one batch."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, _conn: Connection) -> None:
        self.entered.set()
        assert self.go.wait(30)


async def batch(db: Database, *jobs: Any, durable: bool = False) -> list[Any]:
    """Run jobs so that they share one transaction."""
    gate = Gate()
    first = asyncio.create_task(db.write(gate, durable=False))
    await asyncio.to_thread(gate.entered.wait, 30)
    tasks = [asyncio.create_task(db.write(job, durable=durable)) for job in jobs]
    await asyncio.sleep(0)
    gate.go.set()
    await first
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_write_is_seen_by_the_next_read(house: Household) -> None:
    db = Database(house.url)
    assert await db.write(put("a"), durable=True) == "a"
    assert await db.read(names) == {"a"}
    await db.aclose()


async def test_queued_jobs_share_one_transaction(house: Household) -> None:
    steps: list[str] = []
    db = Database(house.url, on_step=steps.append)
    assert await batch(db, *(put(f"n{i}") for i in range(20))) == [f"n{i}" for i in range(20)]
    assert steps.count("memory.committed") == 2
    assert steps.count("memory.job_done") == 21
    assert set(steps) == set(STEPS)
    await db.aclose()


async def test_a_failing_job_undoes_only_itself(house: Household) -> None:
    def fail_late(conn: Connection) -> None:
        put("lost")(conn)
        raise KeyError("mine")

    db = Database(house.url)
    one, two, three = await batch(db, put("a"), fail_late, put("b"))
    assert (one, three) == ("a", "b")
    assert isinstance(two, KeyError)
    assert await db.read(names) == {"a", "b"}
    with pytest.raises(KeyError):
        await db.write(fail_late, durable=True)
    assert await db.read(names) == {"a", "b"}
    await db.aclose()


async def test_a_job_that_breaks_the_transaction_leaves_its_neighbours_theirs(house: Household) -> None:
    def disk_full(conn: Connection) -> None:
        put("partial")(conn)
        driver_of(conn).execute("ROLLBACK")  # as SQLite does by itself on a full disk
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
        raise error

    db = Database(house.url)
    one, two, three = await batch(db, put("a"), disk_full, put("b"), durable=True)
    assert (one, three) == ("a", "b")
    assert isinstance(two, StorageError)
    assert "SQLITE_FULL" in str(two)
    assert await db.read(names) == {"a", "b"}
    await db.aclose()


async def test_an_error_never_carries_the_values_of_its_statement(house: Household) -> None:
    db = Database(house.url)
    await db.write(put("secret-name"), durable=True)
    with pytest.raises(StorageError) as raised:
        await db.write(put("secret-name"), durable=True)
    assert "secret" not in str(raised.value)
    await db.aclose()


@pytest.mark.parametrize(("durable", "expected"), [(False, 1), (True, 2)], ids=["normal", "full"])
async def test_durability_sets_how_the_commit_synchronises(house: Household, durable: bool, expected: int) -> None:
    def level(conn: Connection) -> int:
        return int(driver_of(conn).execute("PRAGMA synchronous").fetchone()[0])

    db = Database(house.url)
    assert await db.write(level, durable=not durable) == 3 - expected
    assert await db.write(level, durable=durable) == expected
    await db.aclose()


async def test_one_durable_job_makes_its_whole_batch_durable(house: Household) -> None:
    levels: list[int] = []

    def level(conn: Connection) -> None:
        levels.append(int(driver_of(conn).execute("PRAGMA synchronous").fetchone()[0]))

    db = Database(house.url)
    gate = Gate()
    first = asyncio.create_task(db.write(gate, durable=False))
    await asyncio.to_thread(gate.entered.wait, 30)
    rest = [asyncio.create_task(db.write(level, durable=flag)) for flag in (False, True, False)]
    await asyncio.sleep(0)
    gate.go.set()
    await asyncio.gather(first, *rest)
    assert levels == [2, 2, 2]
    await db.aclose()


async def test_a_cancelled_caller_does_not_lose_its_job(house: Household) -> None:
    db = Database(house.url)
    gate = Gate()
    first = asyncio.create_task(db.write(gate, durable=False))
    await asyncio.to_thread(gate.entered.wait, 30)
    doomed = asyncio.create_task(db.write(put("kept"), durable=True))
    await asyncio.sleep(0)
    doomed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doomed
    gate.go.set()
    await first
    await db.write(put("next"), durable=False)
    assert await db.read(names) == {"kept", "next"}
    await db.aclose()


async def test_closing_finishes_what_is_queued_and_refuses_what_follows(house: Household) -> None:
    db = Database(house.url)
    tasks = [asyncio.create_task(db.write(put(f"n{i}"), durable=False)) for i in range(50)]
    await asyncio.sleep(0)
    await db.aclose()
    assert len(await asyncio.gather(*tasks)) == 50
    for late in (db.write(put("late"), durable=False), db.read(names)):
        with pytest.raises(StorageClosed):
            await late
    await db.aclose()
    assert len(house.do(names)) == 50


async def test_a_lock_held_too_long_is_busy_and_nothing_is_written(house: Household) -> None:
    db = Database(house.url, busy_seconds=0.05)
    await db.write(put("before"), durable=False)
    other = sqlite3.connect(house.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageBusy):
        await db.write(put("blocked"), durable=True)
    other.execute("ROLLBACK")
    other.close()
    await db.write(put("after"), durable=True)
    assert await db.read(names) == {"before", "after"}
    await db.aclose()


async def test_a_read_cannot_write(house: Household) -> None:
    db = Database(house.url)
    with pytest.raises(StorageError):
        await db.read(put("x"))
    assert await db.read(names) == set()
    await db.aclose()


async def test_a_read_sees_one_snapshot(house: Household) -> None:
    db = Database(house.url)
    await db.write(put("a"), durable=False)
    inside, go = threading.Event(), threading.Event()

    def twice(conn: Connection) -> tuple[set[str], set[str]]:
        first = names(conn)
        inside.set()
        assert go.wait(30)
        return first, names(conn)

    reading = asyncio.create_task(db.read(twice))
    await asyncio.to_thread(inside.wait, 30)
    await db.write(put("b"), durable=False)
    go.set()
    assert await reading == ({"a"}, {"a"})
    assert await db.read(names) == {"a", "b"}
    await db.aclose()


async def test_the_files_are_private(house: Household) -> None:
    db = Database(house.url)
    await db.write(put("a"), durable=True)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in house.path.parent.iterdir()}
    assert modes.keys() >= {"filagent.sqlite", "filagent.sqlite-wal"}
    assert set(modes.values()) == {0o600}
    await db.aclose()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://localhost/x"], ids=["anonymous", "memory", "other"]
)
def test_only_files_are_databases(url: str) -> None:
    with pytest.raises(StorageError):
        sqlite.database_path(url)


async def test_a_damaged_file_is_a_storage_error(house: Household) -> None:
    house.path.write_bytes(b"this is no database" * 500)
    db = Database(house.url)
    with pytest.raises(StorageError):
        await db.write(put("a"), durable=True)
    with pytest.raises(StorageError):
        await db.read(names)
    await db.aclose()


@pytest.mark.faults
def test_a_file_that_cannot_grow_fails_the_write_and_keeps_what_was_committed(house: Household) -> None:
    """In a child whose files may not grow, as on a full disk; afterwards the parent finds the database whole."""
    child = os.fork()
    if child == 0:  # pragma: no cover - the other process

        async def fill() -> None:
            db = Database(house.url)
            await db.write(put("before"), durable=True)
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            limit = max(path.stat().st_size for path in house.path.parent.iterdir()) + 20_000
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            with pytest.raises(StorageError):
                await db.write(put("big", os.urandom(400_000)), durable=True)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            await db.write(put("after"), durable=True)
            await db.aclose()

        try:
            asyncio.run(fill())
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert house.do(names) == {"before", "after"}
    assert house.sql("PRAGMA integrity_check") == [("ok",)]
