"""Several processes on one file: nothing lost, limits kept, one closer; and kills that leave the file whole."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import pytest

from memory import repository, vault
from memory.database import STEPS, Database
from memory.keys import KeyRing
from memory.repository import OpenedTurn, OpenTurn, Refused, TurnLimits
from memory.rows import Sealed
from memory.sqlite import open_engine, prepare_file
from tests.unit.memory.household import PLENTY, START, Household

FORK = multiprocessing.get_context("fork")


def together(house: Household, count: int, work: Callable[..., Any], *args: Any) -> list[Any]:
    """Run `work(database, ring, number, *args)` in `count` processes at once; what each returned."""
    house.close()
    barrier, results = FORK.Barrier(count), FORK.SimpleQueue()
    processes = [
        FORK.Process(target=_member, args=(house, number, barrier, results, work, args)) for number in range(count)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join(60)
    return found


def _member(house: Household, number: int, barrier: Any, results: Any, work: Callable[..., Any], args: Any) -> None:
    async def run() -> Any:
        db = Database(house.url)
        await db.read(lambda conn: None)
        barrier.wait()
        try:
            return await work(db, KeyRing(house.home / "keys"), number, *args)
        finally:
            await db.aclose()

    try:
        results.put(asyncio.run(run()))
    except BaseException as error:
        results.put(repr(error))
        raise


def request(principal_id: str, **changes: Any) -> OpenTurn:
    fields: dict[str, Any] = {
        "principal_id": principal_id, "conversation_id": None, "idempotency_key": None, "request_mac": None,
        "worker": "w", "lease_until": START + 10**6, "now": START, "limits": PLENTY, "reserve_tokens": 10,
    }  # fmt: skip
    return OpenTurn(**(fields | changes))


async def write_turns(db: Database, ring: KeyRing, number: int, principal_id: str) -> list[str]:
    async def one() -> str:
        opened = await db.write(partial(repository.open_turn, request=request(principal_id)), durable=False)
        key, wrapped = ring.new_turn_key(opened.turn_id)
        sealed = Sealed((vault.seal_content(key, "view", b"x" * 500),))
        await db.write(lambda conn: repository.commit_input(conn, opened.turn_id, wrapped, sealed), durable=True)
        return str(opened.turn_id)

    return [turn_id for _ in range(10) for turn_id in await asyncio.gather(*(one() for _ in range(8)))]


def test_two_processes_write_at_once_and_lose_nothing(house: Household) -> None:
    alice = house.person("alice")
    written = [turn_id for ids in together(house, 2, write_turns, alice.principal_id) for turn_id in ids]
    assert len(set(written)) == 160
    assert {row[0] for row in house.sql("SELECT turn_id FROM contents")} == set(written)
    assert house.sql("PRAGMA integrity_check") == [("ok",)]


async def open_many(db: Database, _ring: KeyRing, _number: int, wanted: OpenTurn) -> list[str]:
    outcomes = await asyncio.gather(
        *(db.write(partial(repository.open_turn, request=wanted), durable=False) for _ in range(12))
    )
    return [outcome.code if isinstance(outcome, Refused) else type(outcome).__name__ for outcome in outcomes]


LIMITS = {
    "requests": (TurnLimits(7, 10**6, 100), "limit.requests", 7),
    "concurrent": (TurnLimits(1_000, 10**6, 5), "limit.concurrent", 5),
    "tokens": (TurnLimits(1_000, 65, 100), "limit.tokens", 6),
}


@pytest.mark.parametrize(("limits", "code", "allowed"), LIMITS.values(), ids=LIMITS.keys())
def test_workers_share_one_budget(house: Household, limits: TurnLimits, code: str, allowed: int) -> None:
    alice = house.person("alice")
    found = together(house, 3, open_many, request(alice.principal_id, limits=limits))
    outcomes = [outcome for outcomes in found for outcome in outcomes]
    assert sorted(outcomes) == sorted(["OpenedTurn"] * allowed + [code] * (36 - allowed))


def test_one_idempotency_key_opens_one_turn(house: Household) -> None:
    alice = house.person("alice")
    wanted = request(alice.principal_id, idempotency_key=b"k" * 32, request_mac=b"m" * 32)
    outcomes = [outcome for outcomes in together(house, 3, open_many, wanted) for outcome in outcomes]
    assert sorted(outcomes) == sorted(["OpenedTurn"] + ["idempotency.in_progress"] * 35)


async def close_all(db: Database, _ring: KeyRing, number: int, turn_ids: list[str]) -> list[str]:
    won = []
    for turn_id in turn_ids:
        job = partial(repository.store_answer, turn_id=turn_id, sealed=Sealed(), claimant=f"w{number}", now=START)
        if await db.write(job, durable=False):
            won.append(turn_id)
    return won


def test_exactly_one_of_many_closers_wins_each_turn(house: Household) -> None:
    alice = house.person("alice")
    turns = [house.open(alice).turn_id for _ in range(40)]
    won = [turn_id for ids in together(house, 3, close_all, turns) for turn_id in ids]
    assert sorted(won) == sorted(turns)


def test_a_second_connection_here_does_not_give_up_the_locks_of_the_first(house: Household) -> None:
    """Were they given up, the other process, closing last as it believes, would delete the log written to here."""
    house.person("alice")
    prepare_file(house.path)
    open_engine(house.url).connect().close()

    visit = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('SELECT * FROM persons'); d.close()"
    # Not a fork: a copy of this process would inherit SQLite's own idea of who holds what.
    subprocess.run([sys.executable, "-c", visit, str(house.path)], check=True, timeout=60)
    assert house.path.with_name("filagent.sqlite-wal").exists()
    bob = house.person("bob")
    other = sqlite3.connect(house.path)
    assert other.execute("SELECT count(*) FROM principals WHERE id = ?", (bob.principal_id,)).fetchone() == (1,)
    other.close()


# --- kills -----------------------------------------------------------------------------------------------------------


def _write_until_killed(url: str, keys: Path, principal_id: str, die_at: str, on: int, durable: Pipe) -> None:
    """Write turns, telling the parent of each durable one; die at the `on`-th time that step comes."""
    seen = 0

    def step(name: str) -> None:
        nonlocal seen
        seen += name == die_at
        if seen == on:
            os.kill(os.getpid(), signal.SIGKILL)

    async def run() -> None:
        db, ring = Database(url, on_step=step), KeyRing(keys)

        async def client() -> None:
            while True:
                opened = await db.write(partial(repository.open_turn, request=request(principal_id)), durable=False)
                assert isinstance(opened, OpenedTurn)
                key, wrapped = ring.new_turn_key(opened.turn_id)
                sealed = Sealed((vault.seal_content(key, "view", b"x" * 300),))
                job = partial(repository.commit_input, turn_id=opened.turn_id, key=wrapped, sealed=sealed)
                await db.write(job, durable=True)
                durable.send(opened.turn_id)

        await asyncio.gather(*(client() for _ in range(4)))

    asyncio.run(run())


@pytest.mark.faults
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("on", [1, 17, 60])
def test_after_a_kill_everything_that_was_confirmed_is_there_and_whole(house: Household, step: str, on: int) -> None:
    alice = house.person("alice")
    house.close()
    here, there = FORK.Pipe(duplex=False)
    victim = FORK.Process(
        target=_write_until_killed, args=(house.url, house.home / "keys", alice.principal_id, step, on, there)
    )
    victim.start()
    there.close()
    confirmed = set()
    try:
        while True:
            confirmed.add(here.recv())
    except EOFError:
        victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    assert house.sql("PRAGMA integrity_check") == [("ok",)]
    assert house.sql("PRAGMA foreign_key_check") == []
    stored = dict(house.sql("SELECT t.id, c.size FROM turns t LEFT JOIN contents c ON c.turn_id = t.id"))
    assert confirmed <= {turn_id for turn_id, size in stored.items() if size is not None}
    torn = house.sql(
        "SELECT t.id FROM turns t LEFT JOIN contents c ON c.turn_id = t.id"
        " WHERE (t.wrapped_key IS NULL) <> (c.turn_id IS NULL)"
    )
    assert torn == [], "a job is there as a whole or not at all"
    assert isinstance(house.open(alice), OpenedTurn), "the next process goes on"


def test_a_process_that_dies_with_the_lock_does_not_keep_it(house: Household) -> None:
    house.person("alice")
    house.close()
    here, there = FORK.Pipe(duplex=False)

    def hold() -> None:
        driver = sqlite3.connect(house.path, isolation_level=None)
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("DELETE FROM persons")
        there.send("held")
        signal.pause()

    victim = FORK.Process(target=hold)
    victim.start()
    assert here.recv() == "held"
    victim.kill()
    victim.join(60)
    assert house.person("alice").name == "alice"
    assert house.sql("SELECT count(*) FROM persons") == [(1,)]
