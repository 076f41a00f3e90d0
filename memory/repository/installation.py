"""Which pepper this database was made with: with another one every key is refused and erasure would find nobody."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, select

from memory.errors import KeysUnavailable
from memory.models import installation

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from memory.keys import KeyRing

_PEPPER: Final = "pepper"
_READ: Final = select(installation.c.value).where(installation.c.name == bindparam("which"))
_NEW: Final = insert(installation)


def bind_pepper(conn: Connection, ring: KeyRing) -> None:
    """Tie a new database to the ring's pepper, or check that it is the same. Call it at every start, durably.

    Raises:
        KeysUnavailable: the database belongs to another pepper.
    """
    fingerprint = ring.mac("pepper.fingerprint")
    stored = conn.execute(_READ, {"which": _PEPPER}).scalar_one_or_none()
    if stored is None:
        conn.execute(_NEW, {"name": _PEPPER, "value": fingerprint})
    elif not hmac.compare_digest(stored, fingerprint):
        raise KeysUnavailable("the pepper is not the one that this database was made with")
