"""Whom a token of an OpenID provider stands for: the only link from (issuer, subject) to a person here.

The link is a keyed index, so that a copy of the database tells neither who is known nor under which name, and it is
MACed with what it leads to: a row edited by hand leads nowhere. Erasing the account cuts it. What is left for a while
is the index alone, with the time: tokens issued before the erasure are refused, and do not make the person anew.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, insert, select

from memory.ids import random_ref, uuid7
from memory.models import identities, persons, principals
from memory.statements import Prepared

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from memory.keys import KeyRing

OIDC: Final = "oidc"  # the issuer of such principals
# A token issued so long after an erasure, by a clock that may go before ours, counts as issued before it.
_CLOCKS_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Identity:
    """A stored link. Nothing in it is to be believed before `admits` said so."""

    principal_id: str | None
    person_id: str | None
    ref: str | None
    mac: bytes | None = field(repr=False)
    erased_at: int | None
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """The references of somebody who is seen for the first time, all of them random."""

    person_id: str
    principal_id: str
    ref: str


_BY_INDEX: Final = Prepared(
    select(
        identities.c.principal_id, principals.c.person_id, identities.c.ref, identities.c.mac, identities.c.erased_at,
        persons.c.closed_at,
    )
    .select_from(identities)
    .outerjoin(principals, principals.c.id == identities.c.principal_id)
    .outerjoin(persons, persons.c.id == principals.c.person_id)
    .where(identities.c.blind == bindparam("index"))
)  # fmt: skip
_NEW_PERSON: Final = insert(persons)
_NEW_PRINCIPAL: Final = insert(principals)
_NEW: Final = insert(identities)
_DROP: Final = delete(identities).where(identities.c.blind == bindparam("index"))
_DROP_ERASED: Final = delete(identities).where(identities.c.erased_at < bindparam("before"))


def identity_index(ring: KeyRing, issuer: str, subject: str) -> bytes:
    """The blind index of a subject of an issuer; both exactly as tokens name them."""
    return ring.mac("oidc.identity", issuer, subject)


def new_identity() -> NewIdentity:
    """References for somebody new."""
    return NewIdentity(uuid7("P-"), uuid7("A-"), random_ref(""))


def find_identity(conn: Connection, index: bytes) -> Identity | None:
    """The link under an index; of somebody erased it leads nowhere."""
    row = _BY_INDEX.row(conn, {"index": index})
    return None if row is None else Identity(*row)


def admits(ring: KeyRing, index: bytes, identity: Identity | None, *, issued: int) -> str | None:
    """None when a token issued at `issued` (milliseconds) lets its bearer in as `identity`, else why not.

    Returns `unknown` (he may be made known), or for good: `erased`, `altered` (edited in the database) or `closed`.
    """
    if identity is None:
        return "unknown"
    if identity.erased_at is not None:
        return "erased" if issued <= identity.erased_at + _CLOCKS_MS else "unknown"
    if identity.mac is None or not hmac.compare_digest(_mac(ring, index, identity), identity.mac):
        return "altered"
    return None if identity.closed_at is None else "closed"


def admit_identity(
    conn: Connection, ring: KeyRing, index: bytes, new: NewIdentity, *, issued: int, now: int
) -> Identity | None:
    """Make `new` known under `index`, durably; whoever is known by then stays. None: nobody may be."""
    known = find_identity(conn, index)
    if admits(ring, index, known, issued=issued) != "unknown":
        return known
    conn.execute(_DROP, {"index": index})
    # He is a data subject under his own reference: no name of him is known here.
    blind = ring.subject_index(new.person_id)
    conn.execute(_NEW_PERSON, {"id": new.person_id, "name": None, "blind": blind, "created": now})
    conn.execute(_NEW_PRINCIPAL, {"id": new.principal_id, "person_id": new.person_id, "issuer": OIDC, "created": now})
    made = Identity(new.principal_id, new.person_id, new.ref, None, None, None)
    mac = _mac(ring, index, made)
    conn.execute(_NEW, {"blind": index, "principal_id": new.principal_id, "ref": new.ref, "mac": mac, "created": now})
    return Identity(new.principal_id, new.person_id, new.ref, mac, None, None)


def drop_erased_identities(conn: Connection, *, before: int) -> int:
    """Forget whom erasures before a time cut off; how many. No token of that time may still be valid."""
    return conn.execute(_DROP_ERASED, {"before": before}).rowcount


def _mac(ring: KeyRing, index: bytes, identity: Identity) -> bytes:
    return ring.mac("oidc.link", index, identity.principal_id or "", identity.person_id or "", identity.ref or "")
