"""Limits of a principal: requests in any 60 seconds, tokens a UTC day, turns at a time.

Everything is in the database, so that N workers share one budget. Open turns and what they reserved are counted from
the turns themselves: a killed worker leaves nothing to repair, its turn stops counting when housekeeping closes it.
Requests are counted per second and a second counts whole until it is 60 seconds old, so no window of 60 seconds ever
holds more than the limit. A request refused for its rate is not counted, or a client that retries would never come
back; every other one is, replays too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, func, insert, select, update

from memory.models import persons, principals, request_windows, turns, usage_days
from memory.rows import TurnState
from memory.statements import Prepared

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

DAY_MS: Final = 86_400_000
_WINDOW_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """What the policy allows one principal; zero allows nothing."""

    requests_per_minute: int
    tokens_per_day: int
    concurrent_turns: int


@dataclass(frozen=True, slots=True)
class LimitReached:
    """`code` is limit.requests, limit.tokens or limit.concurrent; `retry_after` is in seconds, at least 1."""

    code: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a principal has used at one instant. `person_blind` rides along to save a statement."""

    requests: tuple[tuple[int, int], ...] | None
    tokens_today: int
    open_turns: int
    reserved: int
    person_blind: bytes | None


_open = and_(
    turns.c.principal_id == bindparam("principal"), turns.c.closed_at.is_(None), turns.c.state == TurnState.OPEN.value
)
_STANDING: Final = Prepared(
    select(
        select(request_windows.c.counts)
        .where(request_windows.c.principal_id == bindparam("principal"))
        .scalar_subquery(),
        select(usage_days.c.tokens)
        .where(usage_days.c.principal_id == bindparam("principal"), usage_days.c.day == bindparam("day"))
        .scalar_subquery(),
        select(func.count()).select_from(turns).where(_open).scalar_subquery(),
        select(func.coalesce(func.sum(turns.c.reserved), 0)).where(_open).scalar_subquery(),
        select(persons.c.blind)
        .join(principals, principals.c.person_id == persons.c.id)
        .where(principals.c.id == bindparam("principal"))
        .scalar_subquery(),
    )
)
_UPDATE_WINDOW: Final = Prepared(
    update(request_windows)
    .where(request_windows.c.principal_id == bindparam("principal"))
    .values(counts=bindparam("new_counts"))
)
_INSERT_WINDOW: Final = Prepared(insert(request_windows), ("principal_id", "counts"))
_ADD_TOKENS: Final = Prepared(
    update(usage_days)
    .where(usage_days.c.principal_id == bindparam("principal"), usage_days.c.day == bindparam("on_day"))
    .values(tokens=usage_days.c.tokens + bindparam("more"))
)
_INSERT_TOKENS: Final = Prepared(insert(usage_days), ("principal_id", "day", "tokens"))


def standing(conn: Connection, principal_id: str, now: int) -> Standing:
    """What the principal has used; one statement."""
    row = _STANDING.row(conn, {"principal": principal_id, "day": now // DAY_MS})
    counts, tokens, open_turns, reserved, blind = row or (None, 0, 0, 0, None)
    first = now // 1000 - _WINDOW_SECONDS
    requests = None if counts is None else tuple((at, n) for at, n in json.loads(counts) if at >= first)
    return Standing(requests, tokens or 0, open_turns, reserved, blind)


def check_rate(standing: Standing, limits: TurnLimits, *, now: int) -> LimitReached | None:
    """Whether one more request is within the rate. Pure."""
    seconds = standing.requests or ()
    excess = sum(n for _, n in seconds) + 1 - limits.requests_per_minute
    if excess > 0:
        return LimitReached("limit.requests", _seconds_until_freed(seconds, excess, now // 1000))
    return None


def check_room(standing: Standing, limits: TurnLimits, *, reserve: int, now: int) -> LimitReached | None:
    """Whether one more turn that may use `reserve` tokens has room beside the open ones. Pure."""
    if standing.open_turns >= limits.concurrent_turns:
        return LimitReached("limit.concurrent", 1)
    if standing.tokens_today + standing.reserved + reserve > limits.tokens_per_day:
        return LimitReached("limit.tokens", max(1, (DAY_MS - now % DAY_MS + 999) // 1000))
    return None


def count_request(conn: Connection, principal_id: str, standing: Standing, now: int) -> None:
    """Count one request of this second."""
    second = now // 1000
    seconds = list(standing.requests or ())
    if seconds and seconds[-1][0] >= second:  # also when the clock stepped back: never lose a count
        at, n = seconds[-1]
        seconds[-1] = (at, n + 1)
    else:
        seconds.append((second, 1))
    text = json.dumps(seconds, separators=(",", ":"))
    if standing.requests is None:
        _INSERT_WINDOW.run(conn, {"principal_id": principal_id, "counts": text})
    else:
        _UPDATE_WINDOW.run(conn, {"principal": principal_id, "new_counts": text})


def spend_tokens(conn: Connection, principal_id: str, tokens: int, now: int) -> None:
    """Add `tokens` to the principal's UTC day."""
    day = now // DAY_MS
    if _ADD_TOKENS.run(conn, {"principal": principal_id, "on_day": day, "more": tokens}) == 0:
        _INSERT_TOKENS.run(conn, {"principal_id": principal_id, "day": day, "tokens": tokens})


def _seconds_until_freed(seconds: tuple[tuple[int, int], ...], excess: int, now_second: int) -> int:
    freed = 0
    for at, n in seconds:
        freed += n
        if freed >= excess:
            return max(1, at + _WINDOW_SECONDS + 1 - now_second)
    return _WINDOW_SECONDS + 1  # a limit of zero
