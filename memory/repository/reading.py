"""Reading turns and conversations back, still sealed; only their owner's."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, false, or_, select

from memory.models import contents, conversations, subject_refs, turn_subjects, turns, vault_entries
from memory.rows import Content, History, HistoryTurn, StoredTurn, TurnRow, TurnState, Usage, VaultRow, WrappedKey
from memory.statements import Prepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

TURN_TABLES: Final = turns.outerjoin(conversations, conversations.c.id == turns.c.conversation_id)
TURN_COLUMNS: Final = (
    turns.c.id, turns.c.ref, turns.c.conversation_id, conversations.c.ref, turns.c.principal_id, turns.c.principal_ref,
    turns.c.state, turns.c.worker, turns.c.lease_expires, turns.c.created, turns.c.closed_at, turns.c.wrapped_key,
    turns.c.epoch, turns.c.decision, turns.c.record_id, turns.c.log_index, turns.c.receipt, turns.c.prompt_tokens,
    turns.c.completion_tokens, turns.c.model, turns.c.degraded, turns.c.released, turns.c.erased_at,
)  # fmt: skip

_turn = select(*TURN_COLUMNS).select_from(TURN_TABLES)
_TURN: Final = Prepared(_turn.where(turns.c.id == bindparam("turn")))
_TURN_BY_REF: Final = Prepared(_turn.where(turns.c.ref == bindparam("ref")))
_RECORDS: Final = Prepared(
    select(turns.c.record_id)
    .where(turns.c.principal_id == bindparam("principal"), turns.c.record_id.is_not(None))
    .order_by(turns.c.created.desc(), turns.c.id.desc())
    .limit(bindparam("most"))
)
_SUBJECT_REFS: Final = Prepared(
    select(subject_refs.c.ref)
    .join(
        turn_subjects,
        and_(
            turn_subjects.c.subject_id == subject_refs.c.subject_id,
            turn_subjects.c.turn_id == bindparam("turn"),
        ),
    )
    .where(subject_refs.c.conversation_id == bindparam("conversation"))
    .order_by(subject_refs.c.ref)
)
_CONTENTS: Final = Prepared(
    select(contents.c.name, contents.c.ciphertext, contents.c.sha256, contents.c.size)
    .where(contents.c.turn_id == bindparam("turn"))
    .order_by(contents.c.name)
)
_VAULT: Final = Prepared(
    select(
        vault_entries.c.token, vault_entries.c.entity, vault_entries.c.turn_id, vault_entries.c.ciphertext,
        turns.c.epoch, turns.c.wrapped_key,
    )
    .join(turns, turns.c.id == vault_entries.c.turn_id)
    .where(vault_entries.c.conversation_id == bindparam("conversation"))
    .order_by(vault_entries.c.turn_id, vault_entries.c.token)
)  # fmt: skip
_OWN: Final = Prepared(
    select(conversations.c.id).where(
        conversations.c.id == bindparam("conversation"),
        conversations.c.owner_id == bindparam("principal"),
        conversations.c.deleted_at.is_(None),
    )
)
_NEWEST: Final = (
    select(turns.c.id)
    .where(
        turns.c.conversation_id == bindparam("conversation"),
        turns.c.state == TurnState.CLOSED.value,
        or_(turns.c.decision == "allow", turns.c.decision == "redact"),
        turns.c.wrapped_key.is_not(None),
    )
    .order_by(turns.c.position.desc())
    .limit(bindparam("most"))
    .subquery()
)


@cache
def _history(names: int) -> Prepared:
    """The statement for that many names of contents."""
    wanted = or_(false(), *(contents.c.name == bindparam(f"name_{number}") for number in range(names)))
    return Prepared(
        select(
            turns.c.id, turns.c.position, turns.c.epoch, turns.c.wrapped_key,
            contents.c.name, contents.c.ciphertext, contents.c.sha256, contents.c.size,
        )
        .join(_NEWEST, _NEWEST.c.id == turns.c.id)
        .join(contents, and_(contents.c.turn_id == turns.c.id, wanted))
        .order_by(turns.c.position.desc())
    )  # fmt: skip


def find_turn(conn: Connection, turn_id: str) -> TurnRow | None:
    """The turn, whoever owns it (for the pipeline and housekeeping, not for doors)."""
    row = _TURN.row(conn, {"turn": turn_id})
    return None if row is None else turn_row(conn, row)


def find_turn_by_ref(conn: Connection, turn_ref: str) -> TurnRow | None:
    """The turn that a record's `turn_ref` names (to catch up from the log, or to see whose decision it is)."""
    row = _TURN_BY_REF.row(conn, {"ref": turn_ref})
    return None if row is None else turn_row(conn, row)


def records_of(conn: Connection, principal_id: str, *, limit: int = 10_000) -> tuple[str, ...]:
    """The ids of the decision records about the principal's own turns, newest first, refusals too."""
    return tuple(record for (record,) in _RECORDS.rows(conn, {"principal": principal_id, "most": limit}))


def read_turn(conn: Connection, turn_id: str, principal_id: str) -> StoredTurn | None:
    """The turn with its contents and its conversation's vault; None for anybody but its owner."""
    row = _TURN.row(conn, {"turn": turn_id})
    if row is None or row[4] is None or row[4] != principal_id:
        return None
    turn = turn_row(conn, row)
    return StoredTurn(
        turn,
        tuple(_content(*item) for item in _CONTENTS.rows(conn, {"turn": turn_id})),
        () if turn.conversation_id is None else _vault(conn, turn.conversation_id),
    )


def load_conversation(
    conn: Connection,
    conversation_id: str,
    principal_id: str,
    *,
    max_turns: int,
    names: Sequence[str] = ("view", "output"),
) -> History | None:
    """The newest answered turns with the named contents, and every token; None when it is not the principal's."""
    if _OWN.row(conn, {"conversation": conversation_id, "principal": principal_id}) is None:
        return None
    bound = {f"name_{number}": name for number, name in enumerate(names)}
    rows = _history(len(names)).rows(conn, {"conversation": conversation_id, "most": max_turns, **bound})
    grouped: dict[str, tuple[int, WrappedKey, list[Content]]] = {}
    for turn_id, position, epoch, wrapped, *content in rows:
        _, _, parts = grouped.setdefault(turn_id, (position, WrappedKey(epoch, wrapped), []))
        parts.append(_content(*content))
    return History(
        conversation_id,
        tuple(HistoryTurn(turn_id, at, key, tuple(parts)) for turn_id, (at, key, parts) in grouped.items()),
        _vault(conn, conversation_id),
    )


def turn_row(conn: Connection, row: Sequence[Any]) -> TurnRow:
    """A row of `TURN_COLUMNS` as a value, with the refs of its data subjects."""
    (
        turn_id, turn_ref, conversation_id, conversation_ref, principal_id, principal_ref, state, worker, lease_expires,
        created, closed_at, wrapped, epoch, decision, record_id, log_index, receipt, prompt, completion, model,
        degraded, released, erased_at,
    ) = row  # fmt: skip
    refs = _SUBJECT_REFS.rows(conn, {"turn": turn_id, "conversation": conversation_id})
    return TurnRow(
        turn_id=turn_id,
        turn_ref=turn_ref,
        conversation_id=conversation_id,
        conversation_ref=conversation_ref,
        principal_id=principal_id,
        principal_ref=principal_ref,
        subject_refs=tuple(ref for (ref,) in refs),
        state=TurnState(state),
        worker=worker,
        lease_expires=lease_expires,
        created=created,
        closed_at=closed_at,
        key=None if wrapped is None else WrappedKey(epoch, wrapped),
        decision=decision,
        record_id=record_id,
        log_index=log_index,
        receipt=receipt,
        usage=None if prompt is None or completion is None else Usage(prompt, completion),
        model=model,
        degraded=bool(degraded),
        released=released,
        erased_at=erased_at,
    )


def _vault(conn: Connection, conversation_id: str) -> tuple[VaultRow, ...]:
    return tuple(
        VaultRow(token, entity, turn_id, ciphertext, None if wrapped is None else WrappedKey(epoch, wrapped))
        for token, entity, turn_id, ciphertext, epoch, wrapped in _VAULT.rows(conn, {"conversation": conversation_id})
    )


def _content(name: str, ciphertext: bytes, sha256: bytes, size: int) -> Content:
    return Content(name, ciphertext, sha256.hex(), size)
