"""How it goes and how it stands: `/stats`, `/admin/system`, `/admin/backends`, and the periods that can be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from console.client import Api

OWN = "own"
#: Each period with its length and the buckets that it can be shown in, the usual one first: few enough to tell apart.
PERIODS: Mapping[str, tuple[timedelta, tuple[str, ...]]] = MappingProxyType(
    {
        "hour": (timedelta(hours=1), ("minute",)),
        "day": (timedelta(days=1), ("hour",)),
        "week": (timedelta(days=7), ("day", "hour")),
        "month": (timedelta(days=30), ("day", "hour")),
        "quarter": (timedelta(days=90), ("day",)),
        "year": (timedelta(days=365), ("day",)),
    }
)
_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MOST = 750  # bars that a chart can hold
_TRIES = 3  # each reads the log for a second at most


class PeriodWrong(Exception):
    """A period that cannot be shown. `reason`: the end of a key `overview.period_wrong.…`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def buckets(period: str) -> tuple[str, ...]:
    """What a period can be shown in."""
    return ("day", "hour") if period == OWN else PERIODS[period][1]


def bounds(period: str, bucket: str, first: str, last: str, now: datetime) -> tuple[str, str]:
    """Begin and end of a period, as `/stats` takes them. `first` and `last` are days, of `own` only, both included.

    Raises:
        PeriodWrong: no days, in the wrong order, or too many bars.
    """
    if period == OWN:
        begin, end = _day(first), _day(last) + timedelta(days=1)
        if begin >= end:
            raise PeriodWrong("order")
    else:
        begin, end = now - PERIODS[period][0], now
    if (end - begin) / _LENGTHS[bucket] > _MOST:
        raise PeriodWrong("long")
    return begin.isoformat(), end.isoformat()


async def stats(api: Api, begin: str, end: str, bucket: str) -> dict[str, Any]:
    """The numbers of a period; asked again a few times while the log is still being counted.

    Raises:
        ApiFailure, ApiDown: as the API says it.
    """
    told: dict[str, Any] = {}
    for _ in range(_TRIES):
        told = await api.get("/stats", **{"from": begin, "to": end, "bucket": bucket})
        if told["complete"]:
            break
    return told


async def system(api: Api) -> dict[str, Any]:
    """Disk, log, witnesses, versions, alarms. Raises: ApiFailure, ApiDown."""
    told: dict[str, Any] = await api.get("/admin/system")
    return told


async def backends(api: Api) -> list[dict[str, Any]]:
    """Each backend, asked now whether it can be asked. Raises: ApiFailure, ApiDown."""
    told: list[dict[str, Any]] = (await api.get("/admin/backends"))["backends"]
    return told


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise PeriodWrong("day") from None
