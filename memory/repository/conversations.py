"""One's own conversations: list, read, rename, delete. Another owner's does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, or_, select, update

from memory.models import conversations, turns
from memory.repository.destroying import destroy_title, destroy_tokens, destroy_turns
from memory.repository.holds import conversation_held
from memory.rows import ConversationRow, WrappedKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deleted conversation and how many turns lost their keys with it."""

    conversation_ref: str
    turns: int


@dataclass(frozen=True, slots=True)
class Held:
    """Not deleted: a legal hold forbids it; `code` is the hold's."""

    code: str


_CONVERSATION_COLUMNS: Final = (
    conversations.c.id, conversations.c.ref, conversations.c.turns, conversations.c.created, conversations.c.updated,
    conversations.c.title, conversations.c.epoch, conversations.c.wrapped_key, conversations.c.classification,
)  # fmt: skip
_own = and_(conversations.c.owner_id == bindparam("principal"), conversations.c.deleted_at.is_(None))
_ONE: Final = select(*_CONVERSATION_COLUMNS).where(_own, conversations.c.id == bindparam("conversation"))
_LIST: Final = (
    select(*_CONVERSATION_COLUMNS)
    .where(
        _own,
        or_(
            conversations.c.updated < bindparam("before"),
            and_(conversations.c.updated == bindparam("before"), conversations.c.id < bindparam("before_id")),
        ),
    )
    .order_by(conversations.c.updated.desc(), conversations.c.id.desc())
    .limit(bindparam("most"))
)
_RENAME: Final = (
    update(conversations)
    .where(_own, conversations.c.id == bindparam("conversation"))
    .values(
        title=bindparam("sealed_title"), wrapped_key=bindparam("wrapped"), epoch=bindparam("in_epoch"),
        updated=bindparam("at"),
    )
)  # fmt: skip
_DELETE: Final = (
    update(conversations)
    .where(_own, conversations.c.id == bindparam("conversation"))
    .values(deleted_at=bindparam("at"))
    .returning(conversations.c.ref)
)
_TURNS: Final = select(turns.c.id).where(turns.c.conversation_id == bindparam("conversation"))


def list_conversations(
    conn: Connection, principal_id: str, *, limit: int, before: tuple[int, str] | None = None
) -> tuple[ConversationRow, ...]:
    """The principal's conversations, latest first; `before` is (updated, id) of the last one of the page before."""
    updated, last = before or (2**62, "")
    rows = conn.execute(_LIST, {"principal": principal_id, "before": updated, "before_id": last, "most": limit}).all()
    return tuple(_row(row) for row in rows)


def read_conversation(conn: Connection, conversation_id: str, principal_id: str) -> ConversationRow | None:
    """The conversation without its turns (`load_conversation` reads those)."""
    row = conn.execute(_ONE, {"conversation": conversation_id, "principal": principal_id}).one_or_none()
    return None if row is None else _row(row)


def rename_conversation(
    conn: Connection, conversation_id: str, principal_id: str, *, title: bytes, key: WrappedKey, now: int
) -> bool:
    """Set the title, sealed under a key of its own bound to the conversation's id; False when it is not his."""
    return bool(
        conn.execute(
            _RENAME,
            {
                "conversation": conversation_id, "principal": principal_id, "sealed_title": title,
                "wrapped": key.wrapped, "in_epoch": key.epoch, "at": now,
            },
        ).rowcount
    )  # fmt: skip


def delete_conversation(
    conn: Connection, conversation_id: str, principal_id: str, *, now: int
) -> Deleted | Held | None:
    """Destroy the keys of its turns and everything sealed under them, durably; None when it is not his."""
    if read_conversation(conn, conversation_id, principal_id) is None:
        return None
    code = conversation_held(conn, conversation_id)
    if code is not None:
        return Held(code)
    ref = conn.execute(_DELETE, {"conversation": conversation_id, "principal": principal_id, "at": now}).scalar_one()
    ids = tuple(conn.scalars(_TURNS, {"conversation": conversation_id}))
    destroy_turns(conn, ids, now=now)
    destroy_tokens(conn, conversation_id)
    destroy_title(conn, conversation_id)
    return Deleted(ref, len(ids))


def _row(row: Sequence[Any]) -> ConversationRow:
    conversation_id, ref, count, created, updated, title, epoch, wrapped, classification = row
    key = None if wrapped is None else WrappedKey(epoch, wrapped)
    return ConversationRow(conversation_id, ref, count, created, updated, title, key, classification)
