"""Forgetting a person, in an order that a crash at any point cannot spoil.

1. **Resolve** the selector to blind indexes: an account by name, a data subject as callers name him, or a value
   (e-mail, phone, number…) by which a third party occurs.
2. **Refuse** when a legal hold covers any of it, or when nothing matches.
3. **Store the intent**, durably: an erasure in state `intent`, with those indexes and the ids of its two records.
4. **Record `erasure.intent`** (the caller's callback). Nothing is destroyed before it has returned.
5. **Destroy**, durably, chunk by chunk; each chunk is one transaction and drops out of the next selection:
   a. turns of the same conversation that only mention a value which a turn about him brought in;
   b. turns that mention the value itself;
   c. turns that list him. Last, because a. is found through them.
   With a chunk go the titles of its conversations and whatever is still running in them.
6. **Unlink**, in the transaction that finds nothing left: the refs and the subject; for an account also every link from
   his turns and conversations to him, and with `close_account` the account itself. State `destroyed`.
7. **Purge**: truncate the write-ahead log and VACUUM, so that no byte stays in the file.
8. **Record `erasure.completed`**, with the counts.
9. **Done**: the selector is dropped, the counts stay.

`resume_erasures` takes up whatever is not done: at 4 from state `intent`, at 7 from `destroyed`. Records are asked for
again under the same ids, so a log that knows a record id answers with the first receipt.

What is left to others: caches and model state (the caller), old backups (`epochs`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from memory.errors import StorageError
from memory.ids import uuid7
from memory.repository import erasing
from memory.repository.erasing import Pending, Targets
from memory.repository.holds import targets_held
from memory.repository.people import find_person_by_subject

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from memory.database import Database
    from memory.keys import KeyRing
    from memory.repository.destroying import Destroyed

INTENT: Final = "erasure.intent"
COMPLETED: Final = "erasure.completed"
# The names that `on_step` gets, in order; `erasure.chunk_destroyed` once for each chunk.
STEPS: Final = (
    "erasure.intent_stored",
    "erasure.intent_recorded",
    "erasure.chunk_destroyed",
    "erasure.destroyed",
    "erasure.purged",
    "erasure.completion_recorded",
    "erasure.done",
)


@dataclass(frozen=True, slots=True)
class Selector:
    """Whom to forget: exactly one of the three.

    Attributes:
        person: the name of an account.
        subject: a data subject as callers name him in `data_subjects`.
        identifier: a value by which somebody occurs in texts, in any spelling.
        close_account: with `person`: also drop his name and his API keys.
    """

    person: str | None = None
    subject: str | None = None
    identifier: str | None = None
    close_account: bool = False

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.person, self.subject, self.identifier)) != 1:
            raise ValueError("exactly one of person, subject and identifier")
        if self.close_account and self.person is None:
            raise ValueError("only a person has an account")


@dataclass(frozen=True, slots=True)
class ErasureEvent:
    """What a record of an erasure may say: ids and counts, nothing about the person.

    Attributes:
        record_id: the id under which the record has to be written, the same after a crash.
        counts: zero in `erasure.intent`.
        purged: whether the file was purged as well; false means that a scheduled purge has to follow.
    """

    erasure_id: str
    record_id: str
    counts: Destroyed
    purged: bool


@dataclass(frozen=True, slots=True)
class ErasureRefused:
    """Not erased. `code` is erasure.legal_hold (`hold` says which) or erasure.no_match."""

    code: str
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """Erased, recorded and done; what the person's receipt is made of."""

    erasure_id: str
    intent_record_id: str
    completed_record_id: str
    counts: Destroyed
    purged: bool


Record = Callable[[str, ErasureEvent], Awaitable[Any]]


def _no_step(_name: str) -> None:
    """The default step hook: nothing happens between steps."""


async def erase(
    db: Database,
    ring: KeyRing,
    selector: Selector,
    *,
    record: Record,
    clock: Callable[[], int],
    on_step: Callable[[str], None] = _no_step,
) -> Erased | ErasureRefused:
    """Forget a person. See the numbered procedure above.

    Args:
        db: the database.
        ring: for the indexes.
        selector: whom.
        record: appends a record and returns when it is durable; what it raises stops the erasure until it is resumed.
        clock: milliseconds since 1970-01-01 UTC.
        on_step: called between every two steps (crash tests).

    Raises:
        StorageError: the database failed; `resume_erasures` finishes what was begun.
    """
    # (1)-(3) in one transaction: what was looked at is what is intended.
    begun = await db.write(partial(_begin, ring=ring, selector=selector, now=clock()), durable=True)
    if isinstance(begun, ErasureRefused):
        return begun
    on_step("erasure.intent_stored")
    return await _carry_out(db, begun, record=record, clock=clock, on_step=on_step)


async def resume_erasures(
    db: Database,
    *,
    record: Record,
    clock: Callable[[], int],
    on_step: Callable[[str], None] = _no_step,
) -> tuple[Erased, ...]:
    """Finish every erasure that is not done, oldest first; call it at start, by one process. Raises as `erase`."""
    pending = await db.read(erasing.pending_erasures)
    return tuple([await _carry_out(db, one, record=record, clock=clock, on_step=on_step) for one in pending])


def _begin(conn: Connection, *, ring: KeyRing, selector: Selector, now: int) -> Pending | ErasureRefused:
    targets = _resolve(conn, ring, selector)  # (1)
    if targets is None or not erasing.matches(conn, targets):
        return ErasureRefused("erasure.no_match")
    hold = targets_held(conn, erasing.affected_conversations(conn, targets), targets.subjects)  # (2)
    if hold is not None:
        return ErasureRefused("erasure.legal_hold", hold)
    return erasing.store_intent(conn, uuid7("E-"), uuid7("DR-"), uuid7("DR-"), targets, now=now)  # (3)


def _resolve(conn: Connection, ring: KeyRing, selector: Selector) -> Targets | None:
    if selector.person is not None:
        index = ring.subject_index(selector.person)
        person = find_person_by_subject(conn, index)
        return None if person is None else Targets((index,), (), person.person_id, selector.close_account)
    if selector.subject is not None:
        return Targets((ring.subject_index(selector.subject),), ())
    value = selector.identifier or ""
    # Somebody may have been named as a data subject by his e-mail.
    return Targets((ring.subject_index(value),), ring.identifier_candidates(value))


async def _carry_out(
    db: Database, pending: Pending, *, record: Record, clock: Callable[[], int], on_step: Callable[[str], None]
) -> Erased:
    if pending.state == "intent":
        # (4)
        nothing = erasing.NOTHING
        await record(INTENT, ErasureEvent(pending.erasure_id, pending.intent_record_id, nothing, purged=False))
        on_step("erasure.intent_recorded")
        # (5), (6)
        while await db.write(partial(erasing.destroy_next, pending=pending, now=clock()), durable=True):
            on_step("erasure.chunk_destroyed")
        on_step("erasure.destroyed")
    # (7)
    purged = await _purge(db)
    on_step("erasure.purged")
    # (8)
    counts = await db.read(partial(erasing.counts_of, erasure_id=pending.erasure_id))
    await record(COMPLETED, ErasureEvent(pending.erasure_id, pending.completed_record_id, counts, purged=purged))
    on_step("erasure.completion_recorded")
    # (9)
    await db.write(partial(erasing.finish, erasure_id=pending.erasure_id, purged=purged, now=clock()), durable=True)
    on_step("erasure.done")
    return Erased(pending.erasure_id, pending.intent_record_id, pending.completed_record_id, counts, purged)


async def _purge(db: Database) -> bool:
    """Whether the file is clean. Keys are destroyed already: a purge that has to wait holds up no completion."""
    try:
        purge = await db.purge()
    except StorageError:
        return False
    return purge.wal_truncated and purge.vacuumed
