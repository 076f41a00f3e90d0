"""Times in queries: RFC 3339 with its offset, or a day, which begins at midnight UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from runtime.errors import Invalid

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2}))?"
)
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)


def instant(text: str, name: str) -> datetime:
    """A point in time, in UTC. Raises: Invalid, which names the field."""
    try:
        if _TIME.fullmatch(text) is None:
            raise ValueError(name)
        found = datetime.fromisoformat(text.upper())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("request.invalid", f"{name}: a time as 2026-11-21T09:00:00Z, or a day") from error
    if found < _FIRST or found.year > 9000:
        raise Invalid("request.invalid", f"{name}: out of range")
    return found


def stamp(moment: datetime) -> str:
    """A time as records write it, rounded down to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
