"""Persons (who may sign in) and principals (what owns conversations and has limits)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, select

from memory.ids import uuid7
from memory.models import persons, principals

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from memory.keys import KeyRing

LOCAL: Final = "local"  # the issuer of API keys


@dataclass(frozen=True, slots=True)
class Person:
    """A person and the principal that he is for one issuer of credentials. A closed account has no name."""

    person_id: str
    principal_id: str
    name: str | None
    closed_at: int | None


_person = select(persons.c.id, principals.c.id, persons.c.name, persons.c.closed_at).join(
    principals, principals.c.person_id == persons.c.id
)
_BY_NAME: Final = _person.where(persons.c.name == bindparam("named"), principals.c.issuer == bindparam("by"))
_BY_PRINCIPAL: Final = _person.where(principals.c.id == bindparam("principal"))
_BY_SUBJECT: Final = _person.where(persons.c.blind == bindparam("index")).order_by(principals.c.id).limit(1)
_ALL: Final = _person.order_by(persons.c.created, persons.c.id)
_NEW_PERSON: Final = insert(persons)
_NEW_PRINCIPAL: Final = insert(principals)


def ensure_person(conn: Connection, ring: KeyRing, name: str, *, now: int, issuer: str = LOCAL) -> Person:
    """The person of that name, made when there is none. Names are unique, whatever their case and spaces."""
    known = find_person(conn, name, issuer=issuer) or find_person_by_subject(conn, ring.subject_index(name))
    if known is not None:
        return known
    person = Person(uuid7("P-"), uuid7("A-"), name, None)
    conn.execute(_NEW_PERSON, {"id": person.person_id, "name": name, "blind": ring.subject_index(name), "created": now})
    conn.execute(
        _NEW_PRINCIPAL, {"id": person.principal_id, "person_id": person.person_id, "issuer": issuer, "created": now}
    )
    return person


def find_person(conn: Connection, name: str, *, issuer: str = LOCAL) -> Person | None:
    """The person of exactly that name."""
    row = conn.execute(_BY_NAME, {"named": name, "by": issuer}).one_or_none()
    return None if row is None else Person(*row)


def find_person_by_subject(conn: Connection, index: bytes) -> Person | None:
    """The person whose subject index that is (case and spaces of his name do not matter)."""
    row = conn.execute(_BY_SUBJECT, {"index": index}).one_or_none()
    return None if row is None else Person(*row)


def find_principal(conn: Connection, principal_id: str) -> Person | None:
    """The person behind a principal."""
    row = conn.execute(_BY_PRINCIPAL, {"principal": principal_id}).one_or_none()
    return None if row is None else Person(*row)


def list_persons(conn: Connection) -> tuple[Person, ...]:
    """Everybody, oldest first."""
    return tuple(Person(*row) for row in conn.execute(_ALL))
