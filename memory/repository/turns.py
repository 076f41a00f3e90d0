"""A turn after it was opened: input committed, answer stored, closed; leases, and what housekeeping takes over."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from memory.errors import TokenTaken, TurnNotOpen
from memory.models import blind_indexes, contents, turns, vault_entries
from memory.repository.limits import spend_tokens
from memory.repository.reading import TURN_COLUMNS, TURN_TABLES, turn_row
from memory.rows import Sealed, TurnRow, TurnState, Usage, WrappedKey
from memory.statements import ConstraintViolated, Prepared

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

_THIS_TURN = turns.c.id == bindparam("turn")
_SET_KEY: Final = Prepared(
    update(turns)
    .where(_THIS_TURN, turns.c.state == TurnState.OPEN.value, turns.c.erased_at.is_(None))
    .values(wrapped_key=bindparam("wrapped"), epoch=bindparam("in_epoch"))
    .returning(turns.c.conversation_id)
)
_NEW_CONTENT: Final = Prepared(insert(contents), ("turn_id", "name", "ciphertext", "sha256", "size"))
_NEW_VAULT_ENTRY: Final = Prepared(
    insert(vault_entries), ("conversation_id", "token", "entity", "turn_id", "ciphertext", "blind")
)
_NEW_BLIND: Final = Prepared(insert(blind_indexes), ("blind", "turn_id"))
_BLINDS_OF_TURN: Final = Prepared(select(blind_indexes.c.blind).where(blind_indexes.c.turn_id == bindparam("turn")))
_CLAIM: Final = Prepared(
    update(turns)
    .where(_THIS_TURN, turns.c.state == TurnState.OPEN.value)
    .values(
        state=TurnState.CLOSING.value,
        worker=bindparam("claimant"),
        prompt_tokens=bindparam("prompt"),
        completion_tokens=bindparam("completion"),
        model=bindparam("by_model"),
        degraded=bindparam("is_degraded"),
    )
    .returning(turns.c.conversation_id, turns.c.principal_id, turns.c.erased_at)
)
_OWNER: Final = Prepared(select(turns.c.principal_id, turns.c.state).where(_THIS_TURN))
_CLOSE: Final = Prepared(
    update(turns)
    .where(_THIS_TURN, turns.c.closed_at.is_(None))
    .values(
        state=TurnState.CLOSED.value,
        closed_at=bindparam("at"),
        decision=bindparam("with_decision"),
        record_id=bindparam("record"),
        log_index=bindparam("leaf"),
        receipt=bindparam("proof"),
        released=bindparam("characters"),
    )
)
_SET_USAGE: Final = Prepared(
    update(turns).where(_THIS_TURN).values(prompt_tokens=bindparam("prompt"), completion_tokens=bindparam("completion"))
)
_FORGET_REQUEST: Final = Prepared(update(turns).where(_THIS_TURN).values(idempotency=None, request_mac=None))
_RENEW: Final = Prepared(
    update(turns)
    .where(turns.c.closed_at.is_(None), turns.c.worker == bindparam("of_worker"))
    .values(lease_expires=bindparam("until"))
)
# Few rows through a partial index; in order by id SQLite would walk the whole table instead.
_UNCLOSED: Final = Prepared(select(*TURN_COLUMNS).select_from(TURN_TABLES).where(turns.c.closed_at.is_(None)))
_TAKE_OVER: Final = Prepared(
    update(turns)
    .where(
        _THIS_TURN,
        turns.c.closed_at.is_(None),
        turns.c.worker == bindparam("seen_worker"),
        turns.c.lease_expires == bindparam("seen_lease"),
    )
    .values(state=TurnState.CLOSING.value, worker=bindparam("claimant"), lease_expires=bindparam("until"))
)


def commit_input(conn: Connection, turn_id: str, key: WrappedKey, sealed: Sealed) -> None:
    """Store the turn's key and everything sealed under it so far. Commit it durably, before `model.intent`.

    Raises:
        TurnNotOpen: taken over, closed or erased meanwhile.
        TokenTaken: another turn of the conversation gave one of these tokens first.
    """
    row = _SET_KEY.row(conn, {"turn": turn_id, "wrapped": key.wrapped, "in_epoch": key.epoch})
    if row is None:
        raise TurnNotOpen("the turn is no longer open")
    _store(conn, turn_id, row[0], sealed)


def store_answer(
    conn: Connection,
    turn_id: str,
    sealed: Sealed,
    *,
    claimant: str,
    now: int,
    usage: Usage | None = None,
    model: str | None = None,
    degraded: bool = False,
) -> bool:
    """Claim the closing of an open turn, store its answer and settle its tokens. Commit it durably.

    Exactly one closer gets True; whoever gets False must not write the turn's record. What was sealed for a turn that
    was erased meanwhile is dropped.

    Raises:
        TokenTaken: as in `commit_input`; the claim is undone too.
    """
    row = _CLAIM.row(
        conn,
        {
            "turn": turn_id, "claimant": claimant, "by_model": model, "is_degraded": degraded,
            "prompt": None if usage is None else usage.prompt_tokens,
            "completion": None if usage is None else usage.completion_tokens,
        },
    )  # fmt: skip
    if row is None:
        return False
    conversation_id, principal_id, erased_at = row
    if erased_at is None:
        _store(conn, turn_id, conversation_id, sealed)
    if usage is not None and principal_id is not None:
        spend_tokens(conn, principal_id, usage.total, now)
    return True


def close_turn(
    conn: Connection,
    turn_id: str,
    *,
    now: int,
    decision: str,
    record_id: str | None,
    log_index: int | None,
    receipt_json: str | None,
    released: int | None = None,
    usage: Usage | None = None,
) -> bool:
    """Note the turn's record. Need not be durable: the log is authoritative and the database catches up from it.

    Args:
        conn: of a write.
        turn_id: open or closing; an open one is closed without an answer.
        now: ms.
        decision: as in the record; after `error` the idempotency key is free again, so that a retry may succeed.
        record_id: of the `turn` record.
        log_index: its leaf.
        receipt_json: what the caller got, without salts (those live inside the ciphertext).
        released: characters handed to the caller, where known.
        usage: tokens of a turn that ended without `store_answer`.

    Returns:
        False when it was closed already; nothing changes then.
    """
    if usage is not None:
        owner, state = _OWNER.row(conn, {"turn": turn_id}) or (None, None)
        if state == TurnState.OPEN.value:
            _SET_USAGE.run(
                conn,
                {"turn": turn_id, "prompt": usage.prompt_tokens, "completion": usage.completion_tokens},
            )
            if owner is not None:
                spend_tokens(conn, owner, usage.total, now)
    closed = _CLOSE.run(
        conn,
        {
            "turn": turn_id, "at": now, "with_decision": decision, "record": record_id, "leaf": log_index,
            "proof": receipt_json, "characters": released,
        },
    )  # fmt: skip
    if closed and decision == "error":
        _FORGET_REQUEST.run(conn, {"turn": turn_id})
    return bool(closed)


def abandon(conn: Connection, turn_id: str, *, now: int, decision: str = "deny", record_id: str | None = None) -> bool:
    """Close a turn that was refused before anything of it was stored; its reservation and its key are free again."""
    _FORGET_REQUEST.run(conn, {"turn": turn_id})
    return close_turn(conn, turn_id, now=now, decision=decision, record_id=record_id, log_index=None, receipt_json=None)


def renew_leases(conn: Connection, worker: str, until: int) -> int:
    """Extend the leases of all unclosed turns of `worker`; how many they are."""
    return _RENEW.run(conn, {"of_worker": worker, "until": until})


def expired_turns(conn: Connection, now: int, *, limit: int = 100) -> tuple[TurnRow, ...]:
    """Unclosed turns whose lease ended before `now`, oldest first."""
    return tuple(turn for turn in _unclosed_turns(conn) if turn.lease_expires < now)[:limit]


def turns_of_dead_workers(conn: Connection, alive: Collection[str]) -> tuple[TurnRow, ...]:
    """Unclosed turns of every worker that is not among `alive`, whatever their leases say; oldest first."""
    return tuple(turn for turn in _unclosed_turns(conn) if turn.worker not in alive)


def take_over(conn: Connection, seen: TurnRow, *, claimant: str, until: int) -> bool:
    """Claim the closing of a turn that `expired_turns` or `turns_of_dead_workers` returned.

    False when its worker renewed the lease, another closer was faster, or it is closed.
    """
    return bool(
        _TAKE_OVER.run(
            conn,
            {
                "turn": seen.turn_id, "seen_worker": seen.worker, "seen_lease": seen.lease_expires,
                "claimant": claimant, "until": until,
            },
        )
    )  # fmt: skip


def _unclosed_turns(conn: Connection) -> list[TurnRow]:
    return sorted((turn_row(conn, row) for row in _UNCLOSED.rows(conn, {})), key=attrgetter("turn_id"))


def _store(conn: Connection, turn_id: str, conversation_id: str, sealed: Sealed) -> None:
    if sealed.contents:
        _NEW_CONTENT.run_many(
            conn,
            [
                {
                    "turn_id": turn_id, "name": content.name, "ciphertext": content.ciphertext,
                    "sha256": bytes.fromhex(content.sha256), "size": content.size,
                }
                for content in sealed.contents
            ],
        )  # fmt: skip
    if sealed.vault:
        entries: list[dict[str, Any]] = [
            {
                "conversation_id": conversation_id, "token": entry.token, "entity": entry.entity, "turn_id": turn_id,
                "ciphertext": entry.ciphertext, "blind": entry.blind,
            }
            for entry in sealed.vault
        ]  # fmt: skip
        try:
            _NEW_VAULT_ENTRY.run_many(conn, entries)
        except ConstraintViolated as error:
            raise TokenTaken("another turn of the conversation took a token") from error
    values = dict.fromkeys((*(entry.blind for entry in sealed.vault), *sealed.blinds))
    if values:
        already = {row[0] for row in _BLINDS_OF_TURN.rows(conn, {"turn": turn_id})}
        _NEW_BLIND.run_many(conn, [{"blind": blind, "turn_id": turn_id} for blind in values if blind not in already])
