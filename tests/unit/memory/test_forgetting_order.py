"""Erasure: its order, after which crash it is resumed, and what is left in the file."""

from __future__ import annotations

import pytest

from memory import erasure, repository
from memory.database import Database
from memory.erasure import Erased, ErasureEvent, ErasureRefused, Selector, erase, resume_erasures
from memory.repository.destroying import Destroyed
from tests.unit.memory.forgetting import JO, Log, bytes_left, forget, forms, fragments, gone
from tests.unit.memory.household import Household

pytestmark = pytest.mark.anyio


class CrashError(Exception):
    """The process ends here."""


# --- order and crashes -----------------------------------------------------------------------------------------------


async def test_the_intent_is_recorded_before_anything_is_destroyed(house: Household) -> None:
    house.turn(house.person("alice"))
    log = Log(house)
    done = await forget(house, Selector(person="alice"), record=log)
    assert [event for event, _ in log.events] == [erasure.INTENT, erasure.COMPLETED]
    assert log.contents_at == [2, 0]
    assert [detail.record_id for _, detail in log.events] == [done.intent_record_id, done.completed_record_id]
    assert [detail.counts.turns for _, detail in log.events] == [0, 1]
    assert log.events[1][1].purged


async def test_without_its_record_nothing_is_destroyed(house: Household) -> None:
    async def log_is_down(_event: str, _detail: ErasureEvent) -> None:
        raise ConnectionError

    turn = house.turn(house.person("alice"))
    with pytest.raises(ConnectionError):
        await forget(house, Selector(person="alice"), record=log_is_down)
    assert not gone(house, turn)
    assert house.do(repository.counters, 0).pending_erasures == 1
    db, log = Database(house.url), Log(house)
    (done,) = await resume_erasures(db, record=log, clock=house.clock)
    await db.aclose()
    assert gone(house, turn)
    assert [event for event, _ in log.events] == [erasure.INTENT, erasure.COMPLETED]
    assert done.counts.turns == 1
    assert house.do(repository.counters, 0).pending_erasures == 0


@pytest.mark.parametrize("step", erasure.STEPS)
async def test_a_crash_at_any_step_is_resumed_to_the_same_end(house: Household, step: str) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    about = house.turn(alice, subjects=["client 1"], values={"<E_1>": JO})
    turns = [
        about,
        house.turn(alice, conversation_id=about.conversation_id, mentions=[JO]),
        house.turn(bob, subjects=["client 1"]),
    ]
    kept = house.turn(bob)

    def crash(name: str) -> None:
        if name == step:
            raise CrashError

    log = Log(house)
    with pytest.raises(CrashError):
        await forget(house, Selector(subject="client 1"), record=log, on_step=crash)
    db = Database(house.url)
    resumed = await resume_erasures(db, record=log, clock=house.clock)
    assert await resume_erasures(db, record=log, clock=house.clock) == ()
    await db.aclose()
    assert len(resumed) == (0 if step == "erasure.done" else 1)
    assert all(gone(house, turn) for turn in turns)
    assert not gone(house, kept)
    ids = {(event, detail.record_id) for event, detail in log.events}
    assert len(ids) == 2, "a record asked for again has the same id"
    final = [detail.counts for event, detail in log.events if event == erasure.COMPLETED]
    assert set(final) == {Destroyed(turns=3, contents=6, vault_entries=1, blind_indexes=2)}
    assert house.sql("SELECT state, selector FROM erasures") == [("done", None)]


async def test_erasing_twice_finds_nothing_the_second_time(house: Household) -> None:
    house.turn(house.person("alice"), values={"<E_1>": JO})
    assert isinstance(await forget(house, Selector(identifier="jo@ex.ca")), Erased)
    assert await forget(house, Selector(identifier="jo@ex.ca")) == ErasureRefused("erasure.no_match")


# --- what is left in the file ----------------------------------------------------------------------------------------


async def test_no_byte_of_what_was_erased_stays_in_any_file(house: Household) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    secret = "jo.secret@ex.ca"
    erased = [
        house.turn(
            alice, f"text {number} " + "x" * 3000, "answer " * 200, subjects=["client 1"],
            values={f"<E_{number}>": ("EMAIL_ADDRESS", secret)},
        )
        for number in range(30)
    ]  # fmt: skip
    kept = house.turn(bob)
    needles = fragments(blob for turn in erased for blob in turn.blobs)
    index = house.ring.identifier_index("EMAIL_ADDRESS", secret)
    assert bytes_left(house, [index]), "before, the search finds what it looks for"
    assert len(bytes_left(house, needles)) > len(needles) * 0.9
    await forget(house, Selector(subject="client 1"))
    assert bytes_left(house, [*needles, index, house.ring.subject_index("client 1"), *forms(secret)]) == []
    assert bytes_left(house, fragments(kept.blobs))
    assert not gone(house, kept)


async def test_while_somebody_reads_the_erasure_completes_and_says_that_it_is_not_purged(house: Household) -> None:
    turn = house.turn(house.person("alice"))
    db = Database(house.url, busy_seconds=0.05)
    house.close()
    reader = house.do(lambda conn: conn.engine).raw_connection()
    reader.driver_connection.execute("BEGIN")
    reader.driver_connection.execute("SELECT * FROM turns").fetchone()
    log = Log(house)
    done = await erase(db, house.ring, Selector(person="alice"), record=log, clock=house.clock)
    assert isinstance(done, Erased)
    assert not done.purged
    assert not log.events[1][1].purged
    assert gone(house, turn)
    reader.driver_connection.execute("ROLLBACK")
    reader.close()
    purge = await db.purge()
    assert (purge.wal_truncated, purge.vacuumed) == (True, True)
    await db.aclose()
    assert bytes_left(house, fragments(turn.blobs)) == []
