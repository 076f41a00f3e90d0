"""Hundreds of random honest histories, and not one false alarm.

FILAGENT_TEST_HISTORIES=N plays N of them, the same ones first. A history that fails is named by its seed;
`play(tmp_path, seed)` plays it again.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.client import SocketLog
from runtime.audit.keys import load_private, load_root_public
from runtime.audit.record import Appended
from runtime.audit.rotation import Succession
from runtime.audit.verify import verify_log
from tests.attacks.log_histories import STEPS, Handed, History
from tests.attacks.log_oracle import OtherVerifier
from tests.attacks.log_process import Served, insist
from tests.attacks.log_verdicts import assert_receipts, assert_whole
from tests.unit.audit.log_rig import ORIGIN, Rig, intent, make_rig, turn

HISTORIES = int(os.environ.get("FILAGENT_TEST_HISTORIES", "200"))
EACH = 40  # histories in one test
WRITERS = 8


def play(home: Path, seed: int) -> Counter[str]:
    """One history, every fourth of them long enough for segments to be pruned; what happened in it."""
    history = History(home, seed, long=seed % 4 == 3)
    history.play(24 if history.long else 16)
    assert_whole(history)
    return history.happened


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, HISTORIES, EACH))
def test_random_histories_raise_no_alarm(first: int, tmp_path: Path) -> None:
    happened: Counter[str] = Counter()
    for seed in range(first, min(first + EACH, HISTORIES)):
        home = tmp_path / str(seed)
        try:
            happened += play(home, seed)
        except BaseException as error:
            error.add_note(f"seed {seed}, left in {home}")
            raise
        shutil.rmtree(home)
    missing = {
        *("append", "repeat", "erase", "hold", "export", "closed", "killed", "killed_at_start", "power_lost"),
        *("keys_changed_at_rest", "rotate_keys", "change_approvers", "killed_while_changing_keys", "full_disk"),
        *("broken_disk", "refused", "segments_pruned"),
    } - happened.keys()
    assert not missing or first + EACH > HISTORIES, f"too tame: {missing}"


# With the real server in a process of its own


def served(
    home: Path, *, segment: int, days: int, during: Callable[[Rig, Served, SocketLog], Coroutine[Any, Any, None]]
) -> Rig:
    """A log that eight connections write to while `during` does something to it; judged at the end."""
    rig = make_rig(home)
    process = Served(rig, segment=segment, days=days)
    process.start()
    acknowledged = asyncio.run(_write_while(rig, process, during))
    process.stop()
    assert verify_log(rig.logs, load_root_public(rig.keys), jobs=1).whole
    other = OtherVerifier(rig.logs, load_root_public(rig.keys))
    assert not other.faults, other.faults
    assert_receipts([Handed(receipt, b"") for receipt in acknowledged], other)
    ids = [receipt.record_id for receipt in acknowledged]
    assert len({receipt.index for receipt in acknowledged}) == len(set(ids)) == len(ids)
    return rig


async def _write_while(
    rig: Rig, process: Served, during: Callable[[Rig, Served, SocketLog], Coroutine[Any, Any, None]]
) -> list[Appended]:
    acknowledged: list[Appended] = []
    enough = asyncio.Event()

    async def write() -> None:
        log = SocketLog(rig.socket)
        while not enough.is_set():
            draft = turn(len(acknowledged), legal={"retain_until": "2027-01-01"}) if len(acknowledged) % 5 else intent()
            acknowledged.append(await insist(log, draft))
        await log.aclose()

    writers = [asyncio.create_task(write()) for _ in range(WRITERS)]
    operator = SocketLog(rig.socket)
    try:
        await during(rig, process, operator)
    finally:
        enough.set()
        if process.dead:
            process.start()
        await asyncio.gather(*writers)
        await operator.aclose()
    return acknowledged


async def grown(rig: Rig, operator: SocketLog, by: int) -> None:
    """Wait until the log has so many records more."""
    wanted = int((await operator.status())["size"]) + by
    while int((await operator.status())["size"]) < wanted:
        await asyncio.sleep(0.01)


def test_a_log_in_use_is_whole_whenever_it_is_looked_at(tmp_path: Path) -> None:
    async def during(rig: Rig, process: Served, operator: SocketLog) -> None:
        root = load_root_public(rig.keys)
        for _ in range(6):
            report = await asyncio.to_thread(verify_log, rig.logs, root, jobs=1)
            assert report.whole, report.problems
            await grown(rig, operator, 50)

    rig = served(tmp_path, segment=30_000, days=1, during=during)
    assert len(rig.segments()) > 3


def test_segments_are_pruned_while_eight_write(tmp_path: Path) -> None:
    async def during(rig: Rig, process: Served, operator: SocketLog) -> None:
        pruned: list[int] = []
        while len(pruned) < 6:
            await grown(rig, operator, 150)
            pruned += await operator.prune(frozenset())

    rig = served(tmp_path, segment=30_000, days=20, during=during)
    assert len(list((rig.logs / "kept").iterdir())) >= 6


def test_keys_change_while_eight_write(tmp_path: Path) -> None:
    async def during(rig: Rig, process: Served, operator: SocketLog) -> None:
        root = load_private(rig.keys / "root.pem", None)
        for version, roles in enumerate([("record",), ("log",), ("record", "log")], 2):
            await grown(rig, operator, 40)
            size = int((await operator.status())["size"])
            Succession(rig.keys, rig.logs, root).rotate(roles, origin=ORIGIN, size=size)
            await grown(rig, operator, 20)
            assert await operator.reload_keys() == version
        await grown(rig, operator, 40)

    served(tmp_path, segment=1 << 27, days=0, during=during)


@pytest.mark.parametrize("seed", range(3))
def test_the_writer_is_killed_while_eight_write(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)

    async def during(rig: Rig, process: Served, operator: SocketLog) -> None:
        for _ in range(3):
            await grown(rig, operator, 30)
            process.kill()
            process.start(crash_at=f"{chance.choice(STEPS)}:{chance.randint(1, 20)}")
            while not process.dead:  # it dies by itself
                await asyncio.sleep(0.01)
            process.kill()
            process.start()

    served(tmp_path, segment=30_000, days=chance.choice([0, 2]), during=during)
