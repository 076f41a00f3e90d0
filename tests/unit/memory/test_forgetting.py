"""Erasure: whom it finds, what it destroys, in which order, after which crash, and what is left in the file."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import pytest

from memory import erasure, repository, vault
from memory.database import Database
from memory.erasure import Erased, ErasureEvent, ErasureRefused, Selector, erase, resume_erasures
from memory.errors import TurnNotOpen
from memory.recall import recall
from memory.repository.destroying import Destroyed
from memory.rows import Sealed
from tests.unit.memory.household import Household, Turn

pytestmark = pytest.mark.anyio
JO = ("EMAIL_ADDRESS", "jo@ex.ca")
AL = ("EMAIL_ADDRESS", "al@ex.ca")


class CrashError(Exception):
    """The process ends here."""


class Log:
    """What the caller's callback would have written."""

    def __init__(self, house: Household) -> None:
        self.house = house
        self.events: list[tuple[str, ErasureEvent]] = []
        self.contents_at: list[int] = []

    async def __call__(self, event: str, detail: ErasureEvent) -> None:
        self.events.append((event, detail))
        self.contents_at.append(self.house.sql("SELECT count(*) FROM contents")[0][0])


async def forget(house: Household, selector: Selector, **options: Any) -> Any:
    db = Database(house.url)
    try:
        return await erase(
            db, house.ring, selector, record=options.pop("record", None) or Log(house), clock=house.clock, **options
        )
    finally:
        await db.aclose()


def gone(house: Household, turn: Turn) -> bool:
    row = house.do(repository.find_turn, turn.turn_id)
    assert row is not None
    left = house.sql(
        "SELECT (SELECT count(*) FROM contents WHERE turn_id = ?1) + (SELECT count(*) FROM blind_indexes WHERE"
        " turn_id = ?1) + (SELECT count(*) FROM turn_subjects WHERE turn_id = ?1) + (SELECT count(*) FROM"
        " vault_entries WHERE turn_id = ?1 AND ciphertext IS NOT NULL)",
        turn.turn_id,
    )[0][0]
    assert (row.key is None) == (row.erased_at is not None) == (left == 0), "all or nothing"
    return row.key is None


def bytes_left(house: Household, needles: Iterable[bytes]) -> list[str]:
    """Which files of the data folder hold one of these."""
    house.close()
    found = []
    for path in sorted(house.path.parent.iterdir()):
        data = path.read_bytes()
        found += [f"{path.name}: {needle[:20]!r}" for needle in needles if needle in data]
    return found


def fragments(blobs: Iterable[bytes]) -> list[bytes]:
    """Pieces of stored blobs, short enough to lie within one page: a long blob is spread over several."""
    pieces = []
    for blob in blobs:
        body = blob.rsplit(b"..", 1)[-1]
        pieces += [body[at : at + 30] for at in range(0, len(body) - 29, 97)]
    return pieces


def forms(value: str) -> list[bytes]:
    raw = value.encode()
    return [raw, base64.b64encode(raw)[:-4], value.encode("utf-16-le"), raw.hex().encode()]


# --- whom it finds ---------------------------------------------------------------------------------------------------


async def test_a_person_loses_every_turn_and_nobody_else_does(house: Household) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    first = house.turn(alice, values={"<E_1>": JO})
    his = [first, house.turn(alice, conversation_id=first.conversation_id), house.turn(alice)]
    about = house.turn(bob, subjects=["ALICE"])
    other = house.turn(bob)
    done = await forget(house, Selector(person="alice"))
    assert isinstance(done, Erased)
    assert done.counts == Destroyed(turns=4, contents=8, vault_entries=1, blind_indexes=1)
    assert done.purged
    assert all(gone(house, turn) for turn in (*his, about))
    assert not gone(house, other)
    assert house.do(repository.list_conversations, alice.principal_id, limit=9) == ()
    assert len(house.do(repository.list_conversations, bob.principal_id, limit=9)) == 2


async def test_after_erasure_nothing_leads_from_a_reference_to_the_person(house: Household) -> None:
    alice = house.person("alice")
    turn = house.turn(alice)
    refused = house.open(alice, "C-none")
    await forget(house, Selector(person="alice"))
    for turn_id in (turn.turn_id, refused.turn_id):
        row = house.do(repository.find_turn, turn_id)
        assert row is not None
        assert (row.principal_id, row.principal_ref, row.subject_refs) == (None, None, ())
    assert house.sql("SELECT owner_id, principal_ref FROM conversations") == [(None, None)]
    assert house.sql("SELECT count(*) FROM subject_refs") == [(0,)]
    assert house.sql("SELECT count(*) FROM subjects") == [(0,)]
    assert house.sql("SELECT selector FROM erasures") == [(None,)]


async def test_an_erased_person_may_begin_anew(house: Household) -> None:
    alice = house.person("alice")
    old = house.turn(alice)
    await forget(house, Selector(person="alice"))
    new = house.turn(house.person("alice"))
    assert new.opened.subject_refs != old.opened.subject_refs
    await forget(house, Selector(person="Alice"))
    assert gone(house, new)


async def test_closing_the_account_drops_name_and_keys(house: Household) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    for who in (alice, bob):
        house.do(
            repository.create_api_key, house.ring, principal_id=who.principal_id, name=f"of {who.name}", role="user",
            now=1, expires_at=None,
        )  # fmt: skip
    house.turn(alice)
    await forget(house, Selector(person="alice", close_account=True))
    assert house.do(repository.find_person, "alice") is None
    assert [key.name for key in house.do(repository.list_api_keys)] == ["of bob"]
    assert bytes_left(house, [b"alice"]) == []
    assert house.person("alice") != alice, "the name is free again"


async def test_a_data_subject_takes_the_turns_that_list_him(house: Household) -> None:
    alice = house.person("alice")
    about = house.turn(alice, subjects=["client 1"])
    both = house.turn(alice, subjects=["client 2", "Client  1"], conversation_id=about.conversation_id)
    other = house.turn(alice, subjects=["client 2"], conversation_id=about.conversation_id)
    await forget(house, Selector(subject="CLIENT 1"))
    assert (gone(house, about), gone(house, both), gone(house, other)) == (True, True, False)
    row = house.do(repository.find_turn, other.turn_id)
    assert row is not None
    assert set(row.subject_refs) == set(other.opened.subject_refs)


@pytest.mark.parametrize("spelling", ["jo@ex.ca", " JO@EX.CA"])
async def test_an_identifier_takes_every_turn_that_holds_it(house: Household, spelling: str) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    gave = house.turn(alice, values={"<E_1>": JO, "<E_2>": AL})
    between = house.turn(alice, conversation_id=gave.conversation_id, mentions=[AL])
    mentions = house.turn(alice, conversation_id=gave.conversation_id, mentions=[JO])
    elsewhere = house.turn(bob, values={"<E_1>": JO})
    named = house.turn(bob, subjects=["jo@ex.ca"])
    other = house.turn(bob, values={"<E_1>": AL})
    await forget(house, Selector(identifier=spelling))
    assert [gone(house, turn) for turn in (gave, mentions, elsewhere, named)] == [True] * 4
    assert [gone(house, turn) for turn in (between, other)] == [False] * 2


async def test_a_value_that_came_in_with_a_subject_is_erased_where_it_is_only_mentioned(house: Household) -> None:
    alice = house.person("alice")
    about = house.turn(alice, subjects=["client 1"], values={"<E_1>": JO})
    mention = house.turn(alice, conversation_id=about.conversation_id, mentions=[JO])
    quiet = house.turn(alice, "later", "on", conversation_id=about.conversation_id, values={"<E_2>": AL})
    elsewhere = house.turn(alice, values={"<E_1>": JO})
    await forget(house, Selector(subject="client 1"))
    assert (gone(house, about), gone(house, mention)) == (True, True)
    assert (gone(house, quiet), gone(house, elsewhere)) == (False, False)
    history = house.do(repository.load_conversation, about.conversation_id, alice.principal_id, max_turns=9)
    assert history is not None
    left = recall(history, house.ring, budget=10**6)
    assert [message.content for message in left.messages] == ["later", "on"]
    assert [entry.token for entry in left.tokens.values] == ["<E_2>"]
    assert left.tokens.reserved == (("<E_1>", "EMAIL_ADDRESS"),)


async def test_many_turns_are_destroyed_in_several_chunks(house: Household) -> None:
    alice = house.person("alice")
    first = house.turn(alice)
    for _ in range(250):
        house.turn(alice, conversation_id=first.conversation_id, stop_after="input")
    steps: list[str] = []
    done = await forget(house, Selector(person="alice"), on_step=steps.append)
    assert done.counts.turns == 251
    assert steps.count("erasure.chunk_destroyed") >= 1
    assert house.sql("SELECT count(*) FROM contents") == [(0,)]


async def test_the_title_goes_with_a_turn_of_the_conversation(house: Household) -> None:
    alice = house.person("alice")
    turn = house.turn(alice, subjects=["client 1"])
    kept = house.turn(alice)
    for one in (turn, kept):
        key, wrapped = house.ring.new_turn_key(one.conversation_id)
        house.do(
            repository.rename_conversation, one.conversation_id, alice.principal_id,
            title=vault.seal(key, "title", b"x"), key=wrapped, now=1,
        )  # fmt: skip
    await forget(house, Selector(subject="client 1"))
    titles = {
        row.conversation_id: row.title is not None
        for row in house.do(repository.list_conversations, alice.principal_id, limit=9)
    }
    assert titles == {turn.conversation_id: False, kept.conversation_id: True}


async def test_a_turn_that_runs_meanwhile_stores_nothing_more(house: Household) -> None:
    alice = house.person("alice")
    about = house.turn(alice, subjects=["client 1"])
    opened = house.turn(alice, conversation_id=about.conversation_id, stop_after="open")
    running = house.turn(alice, conversation_id=about.conversation_id, stop_after="input")
    await forget(house, Selector(subject="client 1"))
    _, wrapped = house.ring.new_turn_key(opened.turn_id)
    with pytest.raises(TurnNotOpen):
        house.do(repository.commit_input, opened.turn_id, wrapped, Sealed())
    sealed = Sealed((vault.seal_content(running.key, "output", b"about him"),))
    assert house.do(repository.store_answer, running.turn_id, sealed, claimant="w1", now=1)
    assert house.sql("SELECT count(*) FROM contents") == [(0,)]


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "selector", [Selector(person="nobody"), Selector(subject="client 9"), Selector(identifier="no@ex.ca")]
)
async def test_whoever_is_unknown_is_not_erased_and_not_recorded(house: Household, selector: Selector) -> None:
    house.turn(house.person("alice"), values={"<E_1>": JO})
    log = Log(house)
    assert await forget(house, selector, record=log) == ErasureRefused("erasure.no_match")
    assert log.events == []
    assert house.sql("SELECT count(*) FROM erasures") == [(0,)]


HOLDS = {
    "on him": lambda house, turn: {"subject": house.ring.subject_index("client 1")},
    "on the conversation": lambda house, turn: {"conversation_id": turn.conversation_id},
    "on somebody else in it": lambda house, turn: {"subject": house.ring.subject_index("client 2")},
}


@pytest.mark.parametrize("place", HOLDS.values(), ids=HOLDS.keys())
async def test_a_legal_hold_forbids(house: Household, place: Any) -> None:
    turn = house.turn(house.person("alice"), subjects=["client 1", "client 2"])
    hold = house.do(repository.place_hold, code="case-7", now=1, **place(house, turn))
    log = Log(house)
    refused = await forget(house, Selector(subject="client 1"), record=log)
    assert refused == ErasureRefused("erasure.legal_hold", "case-7")
    assert log.events == []
    assert not gone(house, turn)
    house.do(repository.release_hold, hold, now=2)
    assert isinstance(await forget(house, Selector(subject="client 1")), Erased)


@pytest.mark.parametrize(
    "fields",
    [{}, {"person": "a", "subject": "b"}, {"subject": "b", "close_account": True}],
    ids=["nobody", "two", "no account"],
)
def test_a_selector_names_exactly_one(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"exactly one|account"):
        Selector(**fields)


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
