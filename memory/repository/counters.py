"""A few numbers for metrics, each cheap whatever the size of the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, select

from memory.models import api_keys, erasures, turns, usage_days
from memory.repository.limits import DAY_MS
from memory.rows import TurnState

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class Counters:
    """How things stand now. `expired_turns`: unclosed turns whose lease is over; above zero for long is a fault."""

    open_turns: int
    closing_turns: int
    expired_turns: int
    tokens_today: int
    live_api_keys: int
    pending_erasures: int


_COUNTERS: Final = select(
    select(func.count())
    .select_from(turns)
    .where(turns.c.closed_at.is_(None), turns.c.state == TurnState.OPEN.value)
    .scalar_subquery(),
    select(func.count())
    .select_from(turns)
    .where(turns.c.closed_at.is_(None), turns.c.state == TurnState.CLOSING.value)
    .scalar_subquery(),
    select(func.count())
    .select_from(turns)
    .where(turns.c.closed_at.is_(None), turns.c.lease_expires < bindparam("now"))
    .scalar_subquery(),
    select(func.coalesce(func.sum(usage_days.c.tokens), 0))
    .where(usage_days.c.day == bindparam("day"))
    .scalar_subquery(),
    select(func.count()).select_from(api_keys).where(api_keys.c.revoked_at.is_(None)).scalar_subquery(),
    select(func.count()).select_from(erasures).where(erasures.c.state != "done").scalar_subquery(),
)


def counters(conn: Connection, now: int) -> Counters:
    """Read them all in one statement."""
    return Counters(*conn.execute(_COUNTERS, {"now": now, "day": now // DAY_MS}).one())
