"""Housekeeping of epoch keys: so that what was erased from the database dies in its backups too.

A backup holds the wrapped keys of turns that were erased later. It becomes useless for them when the epoch key that
wraps them is destroyed: at the first run of `rewrap` more than `older_than_days` days after the day on which the turn's
key was last wrapped. The delay that a receipt of erasure has to state is therefore `older_than_days` + 1 days + the
interval between runs, provided that copies of the key folder (escrow) are thinned out likewise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, union, update

from memory.errors import Unreadable
from memory.keys import epoch_day, utc_today
from memory.models import conversations, turns
from memory.rows import WrappedKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from memory.database import Database
    from memory.keys import KeyRing

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What a run did.

    Attributes:
        keys: moved under today's epoch key.
        unreadable: wrapped keys that do not open; their epochs stay until somebody looks.
        epochs: destroyed.
    """

    keys: int
    unreadable: int
    epochs: tuple[str, ...]


# Both are full scans, once a day; an index on `epoch` would be paid for by every turn.
_IN_USE: Final = union(
    select(turns.c.epoch).where(turns.c.epoch.is_not(None)),
    select(conversations.c.epoch).where(conversations.c.epoch.is_not(None)),
)


async def rewrap(
    db: Database, ring: KeyRing, *, older_than_days: int, today: Callable[[], date] = utc_today
) -> Rewrapped:
    """Move living keys of old epochs under today's, durably; then destroy the old epochs that nothing refers to.

    Interrupted anywhere, it is simply run again: a file is destroyed only after nothing needs it.

    Args:
        db: the database.
        ring: the keys.
        older_than_days: at least 1, for a turn that began before midnight is committed after it.
        today: the clock.

    Raises:
        ValueError: `older_than_days` below 1.
        StorageError: the database or the key folder failed.
    """
    if older_than_days < 1:
        raise ValueError("an epoch is kept for at least one day")
    last = today() - timedelta(days=older_than_days)
    old = tuple(epoch for epoch in ring.epochs() if epoch_day(epoch) < last)
    moved = unreadable = 0
    for table in (turns, conversations):
        after: str | None = ""
        while old and after is not None:
            page = await db.write(_Page(table, ring, old, after), durable=True)
            moved, unreadable, after = moved + page.moved, unreadable + page.unreadable, page.next_after
    in_use = await db.read(_epochs_in_use) if old else frozenset()
    done = tuple(epoch for epoch in old if epoch not in in_use)
    for epoch in done:
        ring.destroy_epoch(epoch)
    return Rewrapped(moved, unreadable, done)


def _epochs_in_use(conn: Connection) -> frozenset[str]:
    """The epochs whose keys some wrapped key still needs."""
    return frozenset(conn.scalars(_IN_USE))


@dataclass(frozen=True, slots=True)
class _PageDone:
    moved: int
    unreadable: int
    next_after: str | None


@dataclass(frozen=True, slots=True)
class _Page:
    """One write job: rewrap the next rows of `table` after id `after`."""

    table: Table
    ring: KeyRing
    epochs: tuple[str, ...]
    after: str

    def __call__(self, conn: Connection) -> _PageDone:
        columns = self.table.c
        rows = conn.execute(
            select(columns.id, columns.epoch, columns.wrapped_key)
            .where(columns.epoch.in_(self.epochs), columns.id > self.after)
            .order_by(columns.id)
            .limit(_PAGE)
        ).all()
        changes: list[dict[str, Any]] = []
        for row_id, epoch, wrapped in rows:
            try:
                fresh = self.ring.rewrap(WrappedKey(epoch, wrapped))
            except Unreadable:
                continue
            changes.append({"row": row_id, "was": epoch, "new_epoch": fresh.epoch, "new_key": fresh.wrapped})
        if changes:
            conn.execute(
                update(self.table)
                .where(columns.id == bindparam("row"), columns.epoch == bindparam("was"))
                .values(epoch=bindparam("new_epoch"), wrapped_key=bindparam("new_key")),
                changes,
            )
        return _PageDone(len(changes), len(rows) - len(changes), rows[-1][0] if len(rows) == _PAGE else None)
