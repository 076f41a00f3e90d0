"""What each backend cost on a UTC day, for all processes together: reserved before a request, settled after it.

A reservation counts as spent until it is settled. A process that dies in between therefore leaves the most that its
request can have cost, never less, and nothing needs repair. Amounts are billionths of the budget's currency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, select, update

from memory.models import spending_days
from memory.statements import Prepared

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_THIS_DAY = (spending_days.c.backend == bindparam("of_backend")) & (spending_days.c.day == bindparam("on_day"))
_SPENT: Final = Prepared(select(spending_days.c.nanos).where(_THIS_DAY))
_ADD: Final = Prepared(
    update(spending_days).where(_THIS_DAY).values(nanos=spending_days.c.nanos + bindparam("difference"))
)
_INSERT: Final = Prepared(insert(spending_days), ("backend", "day", "nanos"))


def spent_on(conn: Connection, backend: str, day: int) -> int:
    """Spent or set aside on that day."""
    row = _SPENT.row(conn, {"of_backend": backend, "on_day": day})
    return 0 if row is None else int(row[0])


def reserve_spending(conn: Connection, backend: str, day: int, *, nanos: int, budget: int) -> bool:
    """Set `nanos` aside if that day's budget still holds them. Commit it durably, before anything is sent."""
    spent = _SPENT.row(conn, {"of_backend": backend, "on_day": day})
    if (0 if spent is None else int(spent[0])) + nanos > budget:
        return False
    if spent is None:
        _INSERT.run(conn, {"backend": backend, "day": day, "nanos": nanos})
    else:
        _ADD.run(conn, {"of_backend": backend, "on_day": day, "difference": nanos})
    return True


def settle_spending(conn: Connection, backend: str, day: int, difference: int) -> None:
    """Add what a request cost beyond its reservation; below zero when it cost less. Need not be durable."""
    _ADD.run(conn, {"of_backend": backend, "on_day": day, "difference": difference})
