"""Accounts as those see them who run the installation: who is known, by which credentials, since when; closing one.

A closed account keeps everything but is refused at its next request; a person who was erased is no user any more. Day
and role of the last visit are for this list alone: nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, or_, select, update

from memory.models import api_keys, identities, persons, principals

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. Times are milliseconds since 1970; `seen_day` counts days since 1970.

    Attributes:
        names: what his API keys are called; a person known by tokens alone has none.
        roles: of his keys that are not revoked, and the one that his last token gave him.
        methods: `api_key`, `oidc`.
        keys: how many of his keys are neither revoked nor expired.
        refs: under which references records name him when he administrates.
    """

    person_id: str
    created: int
    closed_at: int | None
    names: tuple[str, ...]
    roles: tuple[str, ...]
    methods: tuple[str, ...]
    keys: int
    seen_day: int | None
    refs: tuple[str, ...]


_his = principals.c.person_id == persons.c.id
_one = or_(bindparam("person").is_(None), persons.c.id == bindparam("person"))
_PERSONS: Final = (
    select(persons.c.id, persons.c.created, persons.c.closed_at, persons.c.name)
    .where(persons.c.blind.is_not(None), _one)
    .order_by(persons.c.created, persons.c.id)
)
_PRINCIPALS: Final = (
    select(principals.c.person_id, principals.c.seen_day, principals.c.seen_role, identities.c.ref)
    .select_from(principals)
    .join(persons, _his)
    .outerjoin(identities, identities.c.principal_id == principals.c.id)
    .where(_one)
)
_KEYS: Final = (
    select(
        principals.c.person_id, api_keys.c.key_id, api_keys.c.name, api_keys.c.role, api_keys.c.expires_at,
        api_keys.c.revoked_at,
    )
    .select_from(api_keys)
    .join(principals, principals.c.id == api_keys.c.principal_id)
    .join(persons, _his)
    .where(_one)
    .order_by(api_keys.c.created, api_keys.c.key_id)
)  # fmt: skip
_CLOSE: Final = (
    update(persons)
    .where(persons.c.id == bindparam("person"), persons.c.blind.is_not(None), persons.c.closed_at.is_(None))
    .values(closed_at=bindparam("at"))
)
_REOPEN: Final = (
    update(persons)
    .where(and_(persons.c.id == bindparam("person"), persons.c.blind.is_not(None)))
    .values(closed_at=None)
)
_SEEN: Final = (
    update(principals)
    .where(principals.c.id == bindparam("principal"))
    .values(seen_day=bindparam("on_day"), seen_role=bindparam("with_role"))
)


def list_users(conn: Connection, *, now: int, person_id: str | None = None) -> tuple[User, ...]:
    """Everybody with an account, or one of them, oldest first."""
    whom = {"person": person_id}
    seen: dict[str, list[tuple[int | None, str | None, str | None]]] = {}
    for person, *visit in conn.execute(_PRINCIPALS, whom):
        seen.setdefault(person, []).append((visit[0], visit[1], visit[2]))
    keys: dict[str, list[tuple[str, str, str, int | None, int | None]]] = {}
    for person, *key in conn.execute(_KEYS, whom):
        keys.setdefault(person, []).append((key[0], key[1], key[2], key[3], key[4]))
    users = []
    for person, created, closed_at, name in conn.execute(_PERSONS, whom):
        visits, his = seen.get(person, []), keys.get(person, [])
        roles = [role for *_, role, _, revoked in his if revoked is None] + [
            role for _, role, ref in visits if ref and role
        ]
        known = any(ref for *_, ref in visits)
        users.append(
            User(
                person_id=person,
                created=created,
                closed_at=closed_at,
                names=_unique([*([name] if name else []), *(key[1] for key in his)]),
                roles=_unique(roles),
                methods=(*(("api_key",) if his else ()), *(("oidc",) if known else ())),
                keys=sum(revoked is None and (until is None or until > now) for *_, until, revoked in his),
                seen_day=max((day for day, *_ in visits if day is not None), default=None),
                refs=_unique([*(key[0] for key in his), *(ref for *_, ref in visits if ref)]),
            )
        )
    return tuple(users)


def close_user(conn: Connection, person_id: str, *, now: int) -> None:
    """Close an account, durably; closing twice keeps the first time."""
    conn.execute(_CLOSE, {"person": person_id, "at": now})


def reopen_user(conn: Connection, person_id: str) -> None:
    """Let a closed account in again."""
    conn.execute(_REOPEN, {"person": person_id})


def note_visits(conn: Connection, visits: Mapping[str, str], *, day: int) -> None:
    """Note that principals were here on a day, each with the role it had."""
    for principal_id, role in visits.items():
        conn.execute(_SEEN, {"principal": principal_id, "on_day": day, "with_role": role})


def _unique(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
