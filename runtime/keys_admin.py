"""Making and revoking API keys, each with its `admin` record: recorded before the key is shown or refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from memory import repository
from memory.database import Database
from memory.keys import KeyRing
from memory.repository import ApiKey
from runtime.audit.client import LogClient
from runtime.errors import Conflict, NotFound
from runtime.evidence import system_draft

ISSUED_BY_SYSTEM = {"type": "system", "ref": "bootstrap", "role": "system", "auth_method": "none"}
OPERATOR = {"type": "system", "ref": "operator.shell", "role": "admin", "auth_method": "shell"}


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `text` is shown once and stored nowhere."""

    key_id: str
    name: str
    role: str
    expires_at: int | None
    text: str = field(repr=False)


async def create_key(
    database: Database,
    ring: KeyRing,
    log: LogClient,
    *,
    name: str,
    role: str,
    actor: dict[str, str],
    expires_at: int | None,
    now: int,
) -> NewKey:
    """Make a key for the person `name`; times are milliseconds since 1970.

    The key works once the database has it, and nobody knows it before this returns: its record comes in between.

    Raises:
        Conflict: `user.closed`: the account of that name is closed.
    """
    person = await database.write(lambda conn: repository.ensure_person(conn, ring, name, now=now), durable=True)
    if person.closed_at is not None:
        raise Conflict("user.closed", "The account of this name is closed: reopen it first.")
    made = await database.write(
        lambda conn: repository.create_api_key(
            conn, ring, principal_id=person.principal_id, name=name, role=role, now=now, expires_at=expires_at
        ),
        durable=True,
    )
    await log.append(
        system_draft(
            "admin",
            subject=_subject(made.key_id),
            actor=actor,
            detail={"action": "api_key.created", "key_id": made.key_id, "role": role},
        )
    )
    return NewKey(made.key_id, name, role, expires_at, made.text)


async def revoke_key(
    database: Database, ring: KeyRing, log: LogClient, key_id: str, *, actor: dict[str, str], now: int
) -> None:
    """Revoke a key; it is refused at the next request, in every worker.

    Raises:
        NotFound: `key.not_found`.
    """
    if await database.read(lambda conn: repository.find_api_key(conn, key_id)) is None:
        raise NotFound("key.not_found", "There is no such key.")
    await log.append(
        system_draft(
            "admin",
            subject=_subject(key_id),
            actor=actor,
            detail={"action": "api_key.revoked", "key_id": key_id},
        )
    )
    await database.write(lambda conn: repository.revoke_api_key(conn, ring, key_id, now=now), durable=True)


async def list_keys(database: Database) -> tuple[ApiKey, ...]:
    """All keys, oldest first, revoked ones too."""
    return await database.read(repository.list_api_keys)


def _subject(key_id: str) -> tuple[str, str]:
    return ("api_key", hashlib.sha256(key_id.encode()).hexdigest())
