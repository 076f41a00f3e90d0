"""Retention of the log: what the database holds for a person holds his records too."""

from __future__ import annotations

from memory import repository
from memory.database import Database
from runtime.audit.client import LogClient


async def prune(database: Database, log: LogClient) -> list[int]:
    """Let segments go whose retention is over and that nothing holds; the indexes of their first records.

    Raises:
        StorageError: the database cannot say what is held: nothing is pruned.
        AuditError: the log cannot.
    """
    held = await database.read(repository.held_refs)
    return await log.prune(held)
