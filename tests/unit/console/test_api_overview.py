"""The periods that can be chosen, and asking again while the log is being counted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from console.api_keys import days_of
from console.api_overview import OWN, PERIODS, PeriodWrong, bounds, buckets, stats
from console.client import Api

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_can_be_shown_in_each_of_its_buckets(period: str) -> None:
    for bucket in buckets(period):
        begin, end = bounds(period, bucket, "", "", NOW)
        assert datetime.fromisoformat(end) == NOW
        assert NOW - datetime.fromisoformat(begin) == PERIODS[period][0]


def test_own_days_are_both_included() -> None:
    assert bounds(OWN, "day", "2026-02-28", " 2026-02-28 ", NOW) == (
        "2026-02-28T00:00:00+00:00",
        "2026-03-01T00:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("first", "last", "bucket", "reason"),
    [
        ("", "", "day", "day"),
        ("2026-02-30", "2026-03-01", "day", "day"),
        ("21.11.2026", "2026-11-22", "day", "day"),
        ("2026-11-02", "2026-11-01", "day", "order"),
        ("2026-01-01", "2026-11-01", "hour", "long"),
        ("2020-01-01", "2026-11-01", "day", "long"),
    ],
)
def test_a_period_that_cannot_be_shown(first: str, last: str, bucket: str, reason: str) -> None:
    with pytest.raises(PeriodWrong) as wrong:
        bounds(OWN, bucket, first, last, NOW)
    assert wrong.value.reason == reason


class Counting:
    """An API that has counted everything at the `whole`th answer."""

    def __init__(self, whole: int) -> None:
        self.whole, self.asked = whole, 0

    async def get(self, path: str, **params: Any) -> Any:
        assert path == "/stats"
        self.asked += 1
        return {"complete": self.asked >= self.whole, "params": params}


@pytest.mark.parametrize(("whole", "asked", "complete"), [(1, 1, True), (2, 2, True), (9, 3, False)])
def test_it_is_asked_again_but_not_for_ever(whole: int, asked: int, complete: bool) -> None:
    api = Counting(whole)
    told = asyncio.run(stats(cast("Api", api), "a", "b", "day"))
    assert (api.asked, told["complete"]) == (asked, complete)
    assert told["params"] == {"from": "a", "to": "b", "bucket": "day"}


@pytest.mark.parametrize(("text", "days"), [("", None), (" ", None), ("1", 1), (" 3650 ", 3650)])
def test_days_of_a_key(text: str, days: int | None) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize("text", ["0", "3651", "-1", "1.5", "1_0", "x", "١", "99999999999999999999"])
def test_no_days_of_a_key(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        days_of(text)
