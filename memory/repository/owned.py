"""Where in the log the decision records about a principal's own turns stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, or_, select

from memory.models import turns
from memory.statements import Prepared

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_INDEXES: Final = Prepared(
    select(turns.c.log_index)
    .where(
        turns.c.principal_id == bindparam("principal"),
        turns.c.log_index.is_not(None),
        turns.c.log_index < bindparam("before"),
        or_(bindparam("wanted") == "", turns.c.decision == bindparam("wanted")),
    )
    .order_by(turns.c.log_index.desc())
    .limit(bindparam("most"))
)


def record_indexes_of(
    conn: Connection, principal_id: str, *, limit: int, before: int | None = None, decision: str | None = None
) -> tuple[int, ...]:
    """The log indexes of the records that closed the principal's turns, newest first; refused and erased ones too.

    Args:
        conn: the connection.
        principal_id: whose.
        limit: how many at the most.
        before: only smaller indexes than this one.
        decision: only records that decided this.
    """
    values = {
        "principal": principal_id,
        "before": 2**62 if before is None else before,
        "wanted": decision or "",
        "most": limit,
    }
    return tuple(index for (index,) in _INDEXES.rows(conn, values))
