"""The statements of an erasure; `memory.erasure` has the procedure and its order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BindParameter, and_, bindparam, delete, func, insert, select, union, update

from memory.models import (
    api_keys,
    blind_indexes,
    conversations,
    erasures,
    identities,
    persons,
    principals,
    request_windows,
    subject_refs,
    subjects,
    turn_subjects,
    turns,
    usage_days,
    vault_entries,
)
from memory.repository.destroying import Destroyed, destroy_title, destroy_tokens, destroy_turns
from memory.rows import TurnState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

NOTHING: Final = Destroyed()
_CHUNK: Final = 200  # turns per transaction: other writers wait no longer than for these


@dataclass(frozen=True, slots=True)
class Targets:
    """Whom an erasure is about, as indexes: data subjects, values in texts, and the account that is his."""

    subjects: tuple[bytes, ...] = field(repr=False)
    values: tuple[bytes, ...] = field(repr=False)
    person_id: str | None = None
    close_account: bool = False

    def to_json(self) -> str:
        return json.dumps(
            {
                "subjects": [blind.hex() for blind in self.subjects],
                "values": [blind.hex() for blind in self.values],
                "person_id": self.person_id,
                "close_account": self.close_account,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Targets:
        found = json.loads(text)
        return cls(
            tuple(bytes.fromhex(blind) for blind in found["subjects"]),
            tuple(bytes.fromhex(blind) for blind in found["values"]),
            found["person_id"],
            found["close_account"],
        )

    @property
    def bound(self) -> dict[str, list[bytes]]:
        return {"subjects": list(self.subjects), "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class Pending:
    """An erasure that is not done."""

    erasure_id: str
    state: str
    intent_record_id: str
    completed_record_id: str
    targets: Targets


_subjects: Final[BindParameter[Any]] = bindparam("subjects", expanding=True)
_values: Final[BindParameter[Any]] = bindparam("values", expanding=True)

_listing = (
    select(turn_subjects.c.turn_id)
    .join(subjects, subjects.c.id == turn_subjects.c.subject_id)
    .where(subjects.c.blind.in_(_subjects))
)
_LISTING: Final = _listing.limit(_CHUNK)
_about_him = turns.alias("about_him")
# Found through the vault: a value that a turn about him brought into the conversation, mentioned in a turn that is not.
_MENTIONING: Final = (
    select(blind_indexes.c.turn_id)
    .distinct()
    .select_from(_about_him)
    .join(
        vault_entries,
        and_(
            vault_entries.c.conversation_id == _about_him.c.conversation_id, vault_entries.c.turn_id == _about_him.c.id
        ),
    )
    .join(blind_indexes, blind_indexes.c.blind == vault_entries.c.blind)
    .join(
        turns,
        and_(turns.c.id == blind_indexes.c.turn_id, turns.c.conversation_id == vault_entries.c.conversation_id),
    )
    .where(_about_him.c.id.in_(_listing), blind_indexes.c.turn_id.not_in(_listing))
    .limit(_CHUNK)
)
_holding = select(blind_indexes.c.turn_id).where(blind_indexes.c.blind.in_(_values))
_HOLDING: Final = _holding.where(blind_indexes.c.turn_id.not_in(_listing)).distinct().limit(_CHUNK)

_these: Final[BindParameter[Any]] = bindparam("these", expanding=True)
_CONVERSATIONS_OF: Final = (
    select(turns.c.conversation_id).where(turns.c.id.in_(_these), turns.c.conversation_id.is_not(None)).distinct()
)
_RUNNING_IN: Final = select(turns.c.id).where(
    turns.c.conversation_id.in_(_these),
    turns.c.closed_at.is_(None),
    turns.c.state == TurnState.OPEN.value,
    turns.c.erased_at.is_(None),
)
_AFFECTED: Final = (
    select(turns.c.conversation_id)
    .where(turns.c.id.in_(union(_listing, _holding)), turns.c.conversation_id.is_not(None))
    .distinct()
)
_KNOWN_SUBJECT: Final = select(func.count()).select_from(subjects).where(subjects.c.blind.in_(_subjects))
_KNOWN_VALUE: Final = select(func.count()).select_from(blind_indexes).where(blind_indexes.c.blind.in_(_values))

_NEW: Final = insert(erasures)
_PENDING: Final = (
    select(
        erasures.c.id, erasures.c.state, erasures.c.intent_record_id, erasures.c.completed_record_id,
        erasures.c.selector,
    )
    .where(erasures.c.state != "done")
    .order_by(erasures.c.id)
)  # fmt: skip
_COUNTS: Final = select(
    erasures.c.turns, erasures.c.contents, erasures.c.vault_entries, erasures.c.blind_indexes
).where(erasures.c.id == bindparam("erasure"))
_ADD_COUNTS: Final = (
    update(erasures)
    .where(erasures.c.id == bindparam("erasure"))
    .values(
        turns=erasures.c.turns + bindparam("more_turns"),
        contents=erasures.c.contents + bindparam("more_contents"),
        vault_entries=erasures.c.vault_entries + bindparam("more_entries"),
        blind_indexes=erasures.c.blind_indexes + bindparam("more_indexes"),
    )
)
_SET_STATE: Final = update(erasures).where(erasures.c.id == bindparam("erasure")).values(state=bindparam("new_state"))
_FINISH: Final = (
    update(erasures)
    .where(erasures.c.id == bindparam("erasure"))
    .values(state="done", selector=None, purged=bindparam("is_purged"), finished=bindparam("at"))
)

_subject_ids = select(subjects.c.id).where(subjects.c.blind.in_(_subjects))
_DROP_REFS: Final = delete(subject_refs).where(subject_refs.c.subject_id.in_(_subject_ids))
_DROP_SUBJECTS: Final = delete(subjects).where(subjects.c.blind.in_(_subjects))
_his_principals = select(principals.c.id).where(principals.c.person_id == bindparam("person"))
_UNLINK_TURNS: Final = (
    update(turns).where(turns.c.principal_id.in_(_his_principals)).values(principal_id=None, principal_ref=None)
)
_HIS_CONVERSATIONS: Final = select(conversations.c.id).where(conversations.c.owner_id.in_(_his_principals))
_UNLINK_CONVERSATIONS: Final = (
    update(conversations)
    .where(conversations.c.owner_id.in_(_his_principals))
    .values(owner_id=None, principal_ref=None, title=None, wrapped_key=None, epoch=None, deleted_at=bindparam("at"))
)
_CLOSE_ACCOUNT: Final = (
    delete(api_keys).where(api_keys.c.principal_id.in_(_his_principals)),
    delete(request_windows).where(request_windows.c.principal_id.in_(_his_principals)),
    delete(usage_days).where(usage_days.c.principal_id.in_(_his_principals)),
)
# The index alone stays for a while, so that a token that is still valid does not make him anew (`identities`).
_CUT_IDENTITY: Final = (
    update(identities)
    .where(identities.c.principal_id.in_(_his_principals))
    .values(principal_id=None, ref=None, mac=None, erased_at=bindparam("at"))
)
_FORGET_VISITS: Final = (
    update(principals).where(principals.c.person_id == bindparam("person")).values(seen_day=None, seen_role=None)
)
_CLOSE_PERSON: Final = (
    update(persons).where(persons.c.id == bindparam("person")).values(name=None, blind=None, closed_at=bindparam("at"))
)


def matches(conn: Connection, targets: Targets) -> bool:
    """Whether the database holds anything of them: an account, a subject, a value."""
    return (
        targets.person_id is not None
        or conn.execute(_KNOWN_SUBJECT, {"subjects": list(targets.subjects)}).scalar_one() > 0
        or conn.execute(_KNOWN_VALUE, {"values": list(targets.values)}).scalar_one() > 0
    )


def affected_conversations(conn: Connection, targets: Targets) -> tuple[str, ...]:
    """The conversations in which the erasure would destroy turns."""
    return tuple(conn.scalars(_AFFECTED, targets.bound))


def store_intent(
    conn: Connection, erasure_id: str, intent_record_id: str, completed_record_id: str, targets: Targets, *, now: int
) -> Pending:
    """Enter an erasure in state `intent`."""
    conn.execute(
        _NEW,
        {
            "id": erasure_id, "state": "intent", "selector": targets.to_json(), "intent_record_id": intent_record_id,
            "completed_record_id": completed_record_id, "turns": 0, "contents": 0, "vault_entries": 0,
            "blind_indexes": 0, "purged": False, "started": now,
        },
    )  # fmt: skip
    return Pending(erasure_id, "intent", intent_record_id, completed_record_id, targets)


def pending_erasures(conn: Connection) -> tuple[Pending, ...]:
    """Every erasure that is not done, oldest first."""
    return tuple(
        Pending(erasure_id, state, intent, completed, Targets.from_json(selector))
        for erasure_id, state, intent, completed, selector in conn.execute(_PENDING)
    )


def destroy_next(conn: Connection, *, pending: Pending, now: int) -> bool:
    """Steps 5 and 6: destroy the next chunk of turns, or, when none is left, unlink the person.

    Returns:
        Whether there may be more to do; False once the state is `destroyed`.
    """
    bound = pending.targets.bound
    for statement in (_MENTIONING, _HOLDING, _LISTING):
        ids = tuple(conn.scalars(statement, bound))
        if ids:
            destroyed = _destroy(conn, ids, now=now)
            conn.execute(
                _ADD_COUNTS,
                {
                    "erasure": pending.erasure_id, "more_turns": destroyed.turns,
                    "more_contents": destroyed.contents, "more_entries": destroyed.vault_entries,
                    "more_indexes": destroyed.blind_indexes,
                },
            )  # fmt: skip
            return True
    _unlink(conn, pending.targets, now=now)
    conn.execute(_SET_STATE, {"erasure": pending.erasure_id, "new_state": "destroyed"})
    return False


def counts_of(conn: Connection, *, erasure_id: str) -> Destroyed:
    """What the erasure has destroyed so far."""
    return Destroyed(*conn.execute(_COUNTS, {"erasure": erasure_id}).one())


def finish(conn: Connection, *, erasure_id: str, purged: bool, now: int) -> None:
    """Step 9."""
    conn.execute(_FINISH, {"erasure": erasure_id, "is_purged": purged, "at": now})


def _destroy(conn: Connection, ids: Sequence[str], *, now: int) -> Destroyed:
    places = tuple(conn.scalars(_CONVERSATIONS_OF, {"these": list(ids)}))
    # A running turn has recalled what is destroyed here and would store it again.
    running = tuple(conn.scalars(_RUNNING_IN, {"these": list(places)}))
    for conversation_id in places:
        destroy_title(conn, conversation_id)
    return destroy_turns(conn, tuple(dict.fromkeys((*ids, *running))), now=now)


def _unlink(conn: Connection, targets: Targets, *, now: int) -> None:
    of_subjects = {"subjects": list(targets.subjects)}
    conn.execute(_DROP_REFS, of_subjects)
    conn.execute(_DROP_SUBJECTS, of_subjects)
    if targets.person_id is None:
        return
    person = {"person": targets.person_id}
    conn.execute(_UNLINK_TURNS, person)
    for conversation_id in tuple(conn.scalars(_HIS_CONVERSATIONS, person)):
        destroy_tokens(conn, conversation_id)
    conn.execute(_UNLINK_CONVERSATIONS, {**person, "at": now})
    if targets.close_account:
        for statement in _CLOSE_ACCOUNT:
            conn.execute(statement, person)
        conn.execute(_CUT_IDENTITY, {**person, "at": now})
        conn.execute(_FORGET_VISITS, person)
        conn.execute(_CLOSE_PERSON, {**person, "at": now})
