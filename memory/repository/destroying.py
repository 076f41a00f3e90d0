"""The destructive statements, used by deletion and erasure: what it means for a turn to be gone.

Gone is: its key, its contents, the values of the vault that it created (their tokens stay reserved, so that no later
value inherits them), its blind indexes, its list of data subjects, its request's MACs and its receipt. Kept is a row
that says that a turn was there, under which reference, and which record tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BindParameter, bindparam, delete, select, update

from memory.models import blind_indexes, contents, conversations, subject_refs, turn_subjects, turns, vault_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

_CHUNK: Final = 500  # ids per statement: every database bounds the number of parameters


@dataclass(frozen=True, slots=True)
class Destroyed:
    """How many rows lost what they held."""

    turns: int = 0
    contents: int = 0
    vault_entries: int = 0
    blind_indexes: int = 0

    def __add__(self, other: Destroyed) -> Destroyed:
        return Destroyed(
            self.turns + other.turns,
            self.contents + other.contents,
            self.vault_entries + other.vault_entries,
            self.blind_indexes + other.blind_indexes,
        )


_these: Final[BindParameter[Any]] = bindparam("these", expanding=True)
_CONTENTS: Final = delete(contents).where(contents.c.turn_id.in_(_these))
_places = select(turns.c.conversation_id).where(turns.c.id.in_(_these), turns.c.conversation_id.is_not(None))
_VAULT: Final = (
    update(vault_entries)
    .where(
        vault_entries.c.conversation_id.in_(_places),
        vault_entries.c.turn_id.in_(_these),
        vault_entries.c.ciphertext.is_not(None),
    )
    .values(ciphertext=None, blind=None)
)
_BLINDS: Final = delete(blind_indexes).where(blind_indexes.c.turn_id.in_(_these))
_SUBJECTS: Final = delete(turn_subjects).where(
    turn_subjects.c.subject_id.in_(
        select(subject_refs.c.subject_id).where(subject_refs.c.conversation_id.in_(_places))
    ),
    turn_subjects.c.turn_id.in_(_these),
)
_TURNS: Final = (
    update(turns)
    .where(turns.c.id.in_(_these))
    .values(
        wrapped_key=None, epoch=None, receipt=None, idempotency=None, request_mac=None, erased_at=bindparam("at")
    )
)  # fmt: skip
_TOKENS: Final = delete(vault_entries).where(vault_entries.c.conversation_id == bindparam("conversation"))
_TITLE: Final = (
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"))
    .values(title=None, wrapped_key=None, epoch=None)
)


def destroy_turns(conn: Connection, turn_ids: Sequence[str], *, now: int) -> Destroyed:
    """Make these turns unreadable for ever. Turns that run meanwhile find out when they store (`TurnNotOpen`)."""
    total = Destroyed()
    for start in range(0, len(turn_ids), _CHUNK):
        these = {"these": list(turn_ids[start : start + _CHUNK])}
        removed_contents = conn.execute(_CONTENTS, these).rowcount
        removed_vault = conn.execute(_VAULT, these).rowcount
        removed_blinds = conn.execute(_BLINDS, these).rowcount
        conn.execute(_SUBJECTS, these)
        conn.execute(_TURNS, {**these, "at": now})
        total += Destroyed(len(these["these"]), removed_contents, removed_vault, removed_blinds)
    return total


def destroy_tokens(conn: Connection, conversation_id: str) -> None:
    """Drop every token of a conversation that nobody will read again, the reserved ones too."""
    conn.execute(_TOKENS, {"conversation": conversation_id})


def destroy_title(conn: Connection, conversation_id: str) -> None:
    """Drop the conversation's title and the key of it."""
    conn.execute(_TITLE, {"conversation": conversation_id})
