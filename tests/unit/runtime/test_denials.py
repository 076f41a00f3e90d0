"""Requests without a record of their own are counted, and the count is recorded, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime.audit.errors import LogUnavailable
from runtime.audit.record import Appended, Draft, prepare
from runtime.denials import Denials

pytestmark = pytest.mark.anyio


class Log:
    """Takes what the real log would take; refuses while it is broken."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.broken = False

    async def append(self, draft: Draft) -> Appended:
        if self.broken:
            raise LogUnavailable("gone")
        prepare(draft)
        assert draft.event == "denials.counted"
        self.taken.append(draft.predicate["detail"])
        return Appended(draft.record_id, 0, "", "", 1, (), "")

    async def status(self) -> dict[str, Any]:
        return {}

    async def aclose(self) -> None: ...


async def test_what_was_counted_is_recorded_once() -> None:
    log = Log()
    denials = Denials(log, 60)
    for code in ("auth.missing", "request.invalid", "auth.missing"):
        denials.count(code)
    await denials.flush()
    await denials.flush()
    assert log.taken == [{"auth.missing": 2, "request.invalid": 1}]


async def test_nothing_counted_is_nothing_recorded() -> None:
    log = Log()
    await Denials(log, 60).flush()
    assert log.taken == []


async def test_what_cannot_be_recorded_stays_counted() -> None:
    log = Log()
    denials = Denials(log, 60)
    denials.count("auth.invalid")
    log.broken = True
    await denials.flush()
    denials.count("auth.invalid")
    log.broken = False
    await denials.flush()
    assert log.taken == [{"auth.invalid": 2}]


async def test_any_number_of_codes_fits_a_record() -> None:
    log = Log()
    denials = Denials(log, 60)
    for number in range(40):
        for _ in range(40 - number):
            denials.count(f"guard.kind_{number}")
    await denials.flush()
    (detail,) = log.taken
    assert len(detail) <= 16
    assert detail["guard.kind_0"] == 40
    assert sum(detail.values()) == sum(range(1, 41))


async def test_it_goes_on_by_itself() -> None:
    log = Log()
    denials = Denials(log, 0.001)
    task = asyncio.create_task(denials.run())
    try:
        for expected in (1, 2):
            denials.count("auth.missing")
            async with asyncio.timeout(20):
                while len(log.taken) < expected:
                    await asyncio.sleep(0)
    finally:
        task.cancel()
    assert log.taken == [{"auth.missing": 1}] * 2
