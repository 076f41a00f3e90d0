"""Opening a turn: the one place where idempotency, limits, ownership and references are decided, in one transaction.

Every outcome but a replay leaves a row, a refusal too: its record needs references, and its owner may read it later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, insert, select, update

from memory.ids import random_ref, uuid7
from memory.models import conversations, subject_refs, subjects, turn_subjects, turns
from memory.repository import limits as _limits
from memory.repository.limits import TurnLimits
from memory.rows import TurnState
from memory.statements import Prepared

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """What a door asks for.

    Attributes:
        principal_id: who asks; his person is always one of the turn's data subjects.
        conversation_id: one of his own, or None for a new one.
        idempotency_key: `KeyRing.mac("idempotency", key)`, or None.
        request_mac: `KeyRing.mac("request", body)`: the same key with another body is a mismatch.
        worker: the name under which leases are renewed.
        lease_until: ms; after it housekeeping may close the turn.
        now: ms.
        reserve_tokens: the most that this turn may consume; settled by `store_answer`.
        data_subjects: `KeyRing.subject_index(name)` of everyone else whom the turn is about.
        classification: how confidential the conversation is said to be, one of `levels`, or None.
        levels: lowest first; a conversation that nobody classified stands at `default_level`.
    """

    principal_id: str
    conversation_id: str | None
    idempotency_key: bytes | None
    request_mac: bytes | None
    worker: str
    lease_until: int
    now: int
    limits: TurnLimits
    reserve_tokens: int
    data_subjects: tuple[bytes, ...] = ()
    classification: str | None = None
    levels: tuple[str, ...] = ()
    default_level: str = ""


@dataclass(frozen=True, slots=True)
class OpenedTurn:
    """A turn under lease. `is_new`: its conversation was made with it. Refs are what records carry.

    `classification` is the conversation's from now on; None where nobody ever classified it.
    """

    turn_id: str
    turn_ref: str
    conversation_id: str
    conversation_ref: str
    principal_ref: str
    subject_refs: tuple[str, ...]
    position: int
    is_new: bool
    classification: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A turn that may not run. Its row waits in state closing for `close_turn` with the refusal's record.

    Attributes:
        code: conversation.not_found (absent, deleted, another's), limit.requests, limit.tokens, limit.concurrent,
            idempotency.in_progress, idempotency.mismatch.
        retry_after: seconds, or None where waiting does not help.
        conversation_ref: None when no conversation of his is concerned.
    """

    code: str
    retry_after: int | None
    turn_id: str
    turn_ref: str
    conversation_ref: str | None
    principal_ref: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The request was served before: read that turn instead (`read_turn`)."""

    turn_id: str


_BY_IDEMPOTENCY: Final = Prepared(
    select(turns.c.id, turns.c.request_mac, turns.c.state).where(
        turns.c.principal_id == bindparam("principal"), turns.c.idempotency == bindparam("key")
    )
)
_own_conversation = and_(
    conversations.c.id == bindparam("conversation"),
    conversations.c.owner_id == bindparam("principal"),
    conversations.c.deleted_at.is_(None),
)
_CONVERSATION_REFS: Final = Prepared(
    select(conversations.c.ref, conversations.c.principal_ref).where(_own_conversation)
)
_NEXT_POSITION: Final = Prepared(
    update(conversations)
    .where(_own_conversation)
    .values(turns=conversations.c.turns + 1, updated=bindparam("at"))
    .returning(
        conversations.c.ref, conversations.c.principal_ref, conversations.c.turns, conversations.c.classification
    )
)
_CLASSIFY: Final = Prepared(
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"))
    .values(classification=bindparam("level"))
)
_NEW_CONVERSATION: Final = Prepared(
    insert(conversations), ("id", "owner_id", "ref", "principal_ref", "turns", "created", "updated", "classification")
)
_REFUSED_COLUMNS: Final = (
    "id", "ref", "conversation_id", "principal_id", "principal_ref", "state", "worker", "lease_expires", "reserved",
    "created",
)  # fmt: skip
_NEW_TURN: Final = Prepared(insert(turns), (*_REFUSED_COLUMNS, "position", "idempotency", "request_mac"))
_NEW_REFUSED_TURN: Final = Prepared(insert(turns), _REFUSED_COLUMNS)
_SUBJECT: Final = Prepared(
    select(subjects.c.id, subject_refs.c.ref)
    .select_from(subjects)
    .outerjoin(
        subject_refs,
        and_(subject_refs.c.subject_id == subjects.c.id, subject_refs.c.conversation_id == bindparam("conversation")),
    )
    .where(subjects.c.blind == bindparam("index"))
)
_NEW_SUBJECT: Final = Prepared(insert(subjects), ("id", "blind"))
_NEW_SUBJECT_REF: Final = Prepared(insert(subject_refs), ("conversation_id", "subject_id", "ref"))
_NEW_TURN_SUBJECT: Final = Prepared(insert(turn_subjects), ("turn_id", "subject_id"))


def open_turn(conn: Connection, request: OpenTurn) -> OpenedTurn | Refused | Replay:
    """Decide whether the turn may run and, if so, open it under a lease.

    Not durable by itself: the durable commit of `commit_input` covers it, and before that nothing has left.
    """
    standing = _limits.standing(conn, request.principal_id, request.now)
    reached = _limits.check_rate(standing, request.limits, now=request.now)
    if reached is not None:
        return _refuse(conn, request, reached.code, reached.retry_after)
    _limits.count_request(conn, request.principal_id, standing, request.now)
    served = _served_before(conn, request)
    if isinstance(served, Replay):
        return served
    if served is not None:
        return _refuse(conn, request, served, 1 if served == "idempotency.in_progress" else None)
    reached = _limits.check_room(standing, request.limits, reserve=request.reserve_tokens, now=request.now)
    if reached is not None:
        return _refuse(conn, request, reached.code, reached.retry_after)
    place = _enter_conversation(conn, request)
    if place is None:
        return _refuse(conn, request, "conversation.not_found", None)
    conversation_id, conversation_ref, principal_ref, position, classification = place
    turn_id, turn_ref = uuid7("T-"), random_ref("t_")
    _NEW_TURN.run(
        conn,
        {
            "id": turn_id, "ref": turn_ref, "conversation_id": conversation_id, "position": position,
            "principal_id": request.principal_id, "principal_ref": principal_ref, "state": TurnState.OPEN.value,
            "worker": request.worker, "lease_expires": request.lease_until, "reserved": request.reserve_tokens,
            "created": request.now, "idempotency": request.idempotency_key, "request_mac": request.request_mac,
        },
    )  # fmt: skip
    blinds = (standing.person_blind, *request.data_subjects)
    refs = _list_subjects(conn, turn_id, conversation_id, tuple(dict.fromkeys(b for b in blinds if b is not None)))
    return OpenedTurn(
        turn_id, turn_ref, conversation_id, conversation_ref, principal_ref, refs, position, position == 1,
        classification,
    )  # fmt: skip


def _served_before(conn: Connection, request: OpenTurn) -> Replay | str | None:
    """A replay, the code of a refusal, or None for a request seen for the first time."""
    if request.idempotency_key is None:
        return None
    row = _BY_IDEMPOTENCY.row(conn, {"principal": request.principal_id, "key": request.idempotency_key})
    if row is None:
        return None
    turn_id, request_mac, state = row
    if request_mac != request.request_mac:
        return "idempotency.mismatch"
    return Replay(turn_id) if state == TurnState.CLOSED.value else "idempotency.in_progress"


def _enter_conversation(conn: Connection, request: OpenTurn) -> tuple[str, str, str, int, str | None] | None:
    """(id, ref, principal_ref, position of the turn, classification), or None when it is not his."""
    if request.conversation_id is not None:
        row = _NEXT_POSITION.row(
            conn, {"conversation": request.conversation_id, "principal": request.principal_id, "at": request.now}
        )
        if row is None:
            return None
        level = _raised(request, row[3])
        if level != row[3]:
            _CLASSIFY.run(conn, {"conversation": request.conversation_id, "level": level})
        return request.conversation_id, row[0], row[1], row[2], level
    place = (uuid7("C-"), random_ref("c_"), random_ref("p_"), 1, request.classification)
    _NEW_CONVERSATION.run(
        conn,
        {
            "id": place[0], "owner_id": request.principal_id, "ref": place[1], "principal_ref": place[2], "turns": 1,
            "created": request.now, "updated": request.now, "classification": place[4],
        },
    )  # fmt: skip
    return place


def _raised(request: OpenTurn, stored: str | None) -> str | None:
    """The higher one of what is stored and what is asked for; a level that is not known any more is the highest."""
    wanted, levels = request.classification, request.levels
    standing = request.default_level if stored is None else stored
    if wanted is None or standing not in levels or levels.index(wanted) <= levels.index(standing):
        return stored
    return wanted


def _list_subjects(conn: Connection, turn_id: str, conversation_id: str, blinds: tuple[bytes, ...]) -> tuple[str, ...]:
    """Enter the turn's data subjects; their refs in this conversation, in the order given."""
    refs: list[str] = []
    listed: list[dict[str, str]] = []
    for blind in blinds:
        subject_id, ref = _SUBJECT.row(conn, {"index": blind, "conversation": conversation_id}) or (None, None)
        if subject_id is None:
            subject_id = uuid7("S-")
            _NEW_SUBJECT.run(conn, {"id": subject_id, "blind": blind})
        if ref is None:
            ref = random_ref("s_")
            _NEW_SUBJECT_REF.run(conn, {"conversation_id": conversation_id, "subject_id": subject_id, "ref": ref})
        refs.append(ref)
        listed.append({"turn_id": turn_id, "subject_id": subject_id})
    _NEW_TURN_SUBJECT.run_many(conn, listed)
    return tuple(refs)


def _refuse(conn: Connection, request: OpenTurn, code: str, retry_after: int | None) -> Refused:
    known = None
    if request.conversation_id is not None:
        known = _CONVERSATION_REFS.row(
            conn, {"conversation": request.conversation_id, "principal": request.principal_id}
        )
    conversation_ref, principal_ref = known or (None, random_ref("p_"))
    turn_id, turn_ref = uuid7("T-"), random_ref("t_")
    _NEW_REFUSED_TURN.run(
        conn,
        {
            "id": turn_id, "ref": turn_ref,
            "conversation_id": None if known is None else request.conversation_id,
            "principal_id": request.principal_id, "principal_ref": principal_ref,
            "state": TurnState.CLOSING.value, "worker": request.worker, "lease_expires": request.lease_until,
            "reserved": 0, "created": request.now,
        },
    )  # fmt: skip
    return Refused(code, retry_after, turn_id, turn_ref, conversation_ref, principal_ref)
