"""Legal holds: what they name may be neither erased nor deleted until they are released."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, or_, select, union, update

from memory.ids import uuid7
from memory.models import conversations, holds, subject_refs, subjects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a subject (by index) or on a conversation. `code` is the operator's stable word for why."""

    hold_id: str
    conversation_id: str | None
    on_subject: bool
    code: str
    placed: int
    released_at: int | None


_NEW: Final = insert(holds)
_RELEASE: Final = (
    update(holds)
    .where(holds.c.id == bindparam("hold"), holds.c.released_at.is_(None))
    .values(released_at=bindparam("at"), subject_blind=None)
)
_ALL: Final = select(
    holds.c.id, holds.c.conversation_id, holds.c.subject_blind, holds.c.code, holds.c.placed, holds.c.released_at
).order_by(holds.c.placed, holds.c.id)
# A conversation is held by itself, or by a held subject whom one of its turns lists.
_ON_CONVERSATION: Final = (
    select(holds.c.code)
    .where(
        holds.c.released_at.is_(None),
        or_(
            holds.c.conversation_id == bindparam("conversation"),
            holds.c.subject_blind.in_(
                select(subjects.c.blind)
                .join(subject_refs, subject_refs.c.subject_id == subjects.c.id)
                .where(subject_refs.c.conversation_id == bindparam("conversation"))
            ),
        ),
    )
    .order_by(holds.c.placed)
    .limit(1)
)
_ON_SUBJECTS: Final = (
    select(holds.c.code)
    .where(holds.c.released_at.is_(None), holds.c.subject_blind.in_(bindparam("blinds", expanding=True)))
    .limit(1)
)


# How records name what is held: the conversations, held by themselves or by somebody in them, and these persons there.
_HELD_SUBJECTS: Final = (
    select(subject_refs.c.conversation_id, subject_refs.c.ref)
    .join(subjects, subjects.c.id == subject_refs.c.subject_id)
    .join(holds, holds.c.subject_blind == subjects.c.blind)
    .where(holds.c.released_at.is_(None))
)
_HELD_REFS: Final = union(
    select(conversations.c.ref)
    .join(holds, holds.c.conversation_id == conversations.c.id)
    .where(holds.c.released_at.is_(None)),
    select(conversations.c.ref).where(conversations.c.id.in_(select(_HELD_SUBJECTS.subquery().c.conversation_id))),
    select(_HELD_SUBJECTS.subquery().c.ref),
)


def place_hold(
    conn: Connection, *, code: str, now: int, subject: bytes | None = None, conversation_id: str | None = None
) -> str:
    """Place a hold on a subject (`KeyRing.subject_index`) or a conversation, durably; the hold's id."""
    hold_id = uuid7("H-")
    conn.execute(
        _NEW,
        {"id": hold_id, "subject_blind": subject, "conversation_id": conversation_id, "code": code, "placed": now},
    )
    return hold_id


def release_hold(conn: Connection, hold_id: str, *, now: int) -> bool:
    """Release a hold, durably; False when it is not in force."""
    return bool(conn.execute(_RELEASE, {"hold": hold_id, "at": now}).rowcount)


def list_holds(conn: Connection) -> tuple[Hold, ...]:
    """All holds, oldest first."""
    return tuple(
        Hold(hold_id, conversation_id, blind is not None, code, placed, released_at)
        for hold_id, conversation_id, blind, code, placed, released_at in conn.execute(_ALL)
    )


def conversation_held(conn: Connection, conversation_id: str) -> str | None:
    """The code of a hold in force on the conversation or on somebody whom it is about."""
    return conn.execute(_ON_CONVERSATION, {"conversation": conversation_id}).scalar_one_or_none()


def held_refs(conn: Connection) -> frozenset[str]:
    """The references by which records name conversations and persons under a hold in force."""
    return frozenset(conn.execute(_HELD_REFS).scalars())


def targets_held(conn: Connection, conversation_ids: Sequence[str], subject_blinds: Sequence[bytes]) -> str | None:
    """The code of a hold in force on one of these subjects, or on one of these conversations as `conversation_held`."""
    code: str | None = conn.execute(_ON_SUBJECTS, {"blinds": list(subject_blinds)}).scalar_one_or_none()
    if code is not None:
        return code
    return next((code for code in (conversation_held(conn, one) for one in conversation_ids) if code), None)
