"""Closing and reopening accounts, each with its `admin` record: recorded before anybody is refused or let in."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from memory import repository
from memory.database import Database
from memory.repository import User
from runtime.audit.client import LogClient
from runtime.errors import NotFound
from runtime.evidence import system_draft

_DAY_SECONDS = 86_400


async def list_users(database: Database, *, now: int) -> tuple[User, ...]:
    """Everybody with an account, oldest first, closed ones too; `now` is in milliseconds since 1970."""
    return await database.read(lambda conn: repository.list_users(conn, now=now))


async def close_user(database: Database, log: LogClient, person_id: str, *, actor: dict[str, str], now: int) -> None:
    """Close an account: its keys and tokens are refused at the next request, in every worker.

    Raises:
        NotFound: `user.not_found`.
        AuditError: it could not be recorded, and was not done.
    """
    await _known(database, person_id, now)
    await _record(log, person_id, "user.closed", actor)
    await database.write(lambda conn: repository.close_user(conn, person_id, now=now), durable=True)


async def reopen_user(database: Database, log: LogClient, person_id: str, *, actor: dict[str, str], now: int) -> None:
    """Let a closed account in again, with the keys that are neither revoked nor expired. Raises as `close_user`."""
    await _known(database, person_id, now)
    await _record(log, person_id, "user.reopened", actor)
    await database.write(lambda conn: repository.reopen_user(conn, person_id), durable=True)


def told(user: User) -> dict[str, Any]:
    """A user as doors and the command show him."""
    seen = user.seen_day
    return {
        "user_id": user.person_id,
        "names": list(user.names),
        "roles": list(user.roles),
        "auth_methods": list(user.methods),
        "keys": user.keys,
        "refs": list(user.refs),
        "state": "active" if user.closed_at is None else "closed",
        "created_ms": user.created,
        "closed_ms": user.closed_at,
        "last_seen": None if seen is None else datetime.fromtimestamp(seen * _DAY_SECONDS, UTC).date().isoformat(),
    }


async def _known(database: Database, person_id: str, now: int) -> None:
    if not await database.read(lambda conn: repository.list_users(conn, now=now, person_id=person_id)):
        raise NotFound("user.not_found", "There is no such account.")


async def _record(log: LogClient, person_id: str, action: str, actor: dict[str, str]) -> None:
    subject = ("user", hashlib.sha256(person_id.encode()).hexdigest())
    await log.append(system_draft("admin", subject=subject, actor=actor, detail={"action": action}))
