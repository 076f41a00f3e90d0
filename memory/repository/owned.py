"""What in the log is somebody's: where the records about a principal's own turns stand, a data subject's references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, or_, select

from memory.models import subject_refs, subjects, turns
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

_REFS: Final = (
    select(subject_refs.c.ref)
    .join(subjects, subjects.c.id == subject_refs.c.subject_id)
    .where(subjects.c.blind == bindparam("blind"))
    .order_by(subject_refs.c.ref)
)


def refs_of_subject(conn: Connection, blind: bytes) -> tuple[str, ...]:
    """The references under which records know the data subject of that blind index; none once he was erased."""
    return tuple(ref for (ref,) in conn.execute(_REFS, {"blind": blind}))


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
