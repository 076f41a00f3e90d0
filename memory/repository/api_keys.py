"""API keys: 256 random bits, kept as a MAC; the grant around them MACed too, so that an edited role is refused.

The text of a key is `fa_<key id>_<secret>`; the key id is public and random. Both MACs are keyed with the pepper, which
is not in the database: whoever can write to the database alone can neither make a key nor widen one.
"""

from __future__ import annotations

import hmac
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from memory.ids import random_ref
from memory.models import api_keys, persons, principals
from memory.statements import Prepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from memory.keys import KeyRing

_TEXT: Final = re.compile(r"fa_([a-z2-7]{26})_([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key. Nothing in it is to be believed before `accepts` said so."""

    key_id: str
    principal_id: str
    person_id: str
    name: str
    role: str
    created: int
    expires_at: int | None
    revoked_at: int | None
    secret_mac: bytes = field(repr=False)
    grant_mac: bytes = field(repr=False)
    closed_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made; `text` exists nowhere else and is shown once."""

    key_id: str
    text: str = field(repr=False)


_KEY_COLUMNS: Final = (
    api_keys.c.key_id, api_keys.c.principal_id, principals.c.person_id, api_keys.c.name, api_keys.c.role,
    api_keys.c.created, api_keys.c.expires_at, api_keys.c.revoked_at, api_keys.c.secret_mac, api_keys.c.grant_mac,
    persons.c.closed_at,
)  # fmt: skip
_keys = (
    select(*_KEY_COLUMNS)
    .join(principals, principals.c.id == api_keys.c.principal_id)
    .join(persons, persons.c.id == principals.c.person_id)
)
_BY_ID: Final = Prepared(_keys.where(api_keys.c.key_id == bindparam("key")))
_ALL: Final = _keys.order_by(api_keys.c.created, api_keys.c.key_id)
_NEW: Final = insert(api_keys)
_REVOKE: Final = (
    update(api_keys)
    .where(api_keys.c.key_id == bindparam("key"))
    .values(revoked_at=bindparam("at"), grant_mac=bindparam("mac"))
)


def parse_api_key(text: str) -> tuple[str, str] | None:
    """(key id, secret) of a key's text; None for anything that is not exactly one."""
    match = _TEXT.fullmatch(text)
    return None if match is None else (match[1], match[2])


def create_api_key(
    conn: Connection, ring: KeyRing, *, principal_id: str, name: str, role: str, now: int, expires_at: int | None
) -> NewApiKey:
    """Make a key for a principal. Commit it durably before showing it."""
    key_id, secret = random_ref(""), os.urandom(32).hex()
    secret_mac = _secret_mac(ring, key_id, secret)
    grant_mac = _grant_mac(ring, key_id, principal_id, name, role, now, expires_at, None, secret_mac)
    conn.execute(
        _NEW,
        {
            "key_id": key_id, "principal_id": principal_id, "name": name, "role": role, "secret_mac": secret_mac,
            "created": now, "expires_at": expires_at, "grant_mac": grant_mac,
        },
    )  # fmt: skip
    return NewApiKey(key_id, f"fa_{key_id}_{secret}")


def find_api_key(conn: Connection, key_id: str) -> ApiKey | None:
    """The stored key of that id, expired and revoked ones too."""
    row = _BY_ID.row(conn, {"key": key_id})
    return None if row is None else _key(row)


def list_api_keys(conn: Connection) -> tuple[ApiKey, ...]:
    """All keys, oldest first."""
    return tuple(_key(row) for row in conn.execute(_ALL))


def revoke_api_key(conn: Connection, ring: KeyRing, key_id: str, *, now: int) -> bool:
    """Revoke a key, durably; False when there is none of that id. Revoking twice keeps the first time."""
    key = find_api_key(conn, key_id)
    if key is None:
        return False
    if key.revoked_at is None:
        mac = _grant_mac(
            ring, key_id, key.principal_id, key.name, key.role, key.created, key.expires_at, now, key.secret_mac
        )
        conn.execute(_REVOKE, {"key": key_id, "at": now, "mac": mac})
    return True


def accepts(ring: KeyRing, key: ApiKey, secret: str, *, now: int) -> str | None:
    """None when `secret` opens `key` now, else why not: a word for counters, never for the caller.

    Pure but for the pepper. Returns bad_secret, altered (a grant field was edited in the database), revoked, expired or
    closed (the account).
    """
    if not hmac.compare_digest(_secret_mac(ring, key.key_id, secret), key.secret_mac):
        return "bad_secret"
    expected = _grant_mac(
        ring, key.key_id, key.principal_id, key.name, key.role, key.created, key.expires_at, key.revoked_at,
        key.secret_mac,
    )  # fmt: skip
    if not hmac.compare_digest(expected, key.grant_mac):
        return "altered"
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return None if key.closed_at is None else "closed"


def _key(row: Sequence[Any]) -> ApiKey:
    return ApiKey(*row)


def _secret_mac(ring: KeyRing, key_id: str, secret: str) -> bytes:
    return ring.mac("api-key.secret", key_id, secret)


def _grant_mac(ring: KeyRing, *fields: str | int | bytes | None) -> bytes:
    parts = (b"" if part is None else part if isinstance(part, bytes) else str(part) for part in fields)
    return ring.mac("api-key.grant", *parts)
