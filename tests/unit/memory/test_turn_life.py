"""A turn after it was opened: input, answer, closing, leases, taking over, reading back."""

from __future__ import annotations

import pytest

from memory import repository, vault
from memory.errors import TokenTaken, TurnNotOpen
from memory.repository import OpenedTurn
from memory.rows import Sealed, TurnState, Usage
from tests.unit.memory.household import Household


def close(house: Household, turn_id: str, **changes: object) -> bool:
    fields = {"decision": "allow", "record_id": "DR-1", "log_index": 7, "receipt_json": "{}", "released": 5}
    return house.do(repository.close_turn, turn_id, now=house.clock(), **(fields | changes))


def test_a_whole_turn_is_read_back_by_its_owner_alone(house: Household) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    turn = house.turn(alice, values={"<EMAIL_ADDRESS_1>": ("EMAIL_ADDRESS", "jo@ex.ca")})
    stored = house.do(repository.read_turn, turn.turn_id, alice.principal_id)
    assert stored is not None
    assert [content.name for content in stored.contents] == ["output", "view"]
    assert stored.turn.state is TurnState.CLOSED
    assert stored.turn.usage == Usage(10, 20)
    assert (stored.turn.decision, stored.turn.log_index, stored.turn.receipt) == ("allow", 1, '{"receipt":"r"}')
    assert (stored.turn.model, stored.turn.released) == ("m", 8)
    assert [entry.token for entry in stored.vault] == ["<EMAIL_ADDRESS_1>"]
    assert house.do(repository.read_turn, turn.turn_id, bob.principal_id) is None
    assert house.do(repository.read_turn, "T-none", alice.principal_id) is None
    by_ref = house.do(repository.find_turn_by_ref, turn.opened.turn_ref)
    assert by_ref == stored.turn == house.do(repository.find_turn, turn.turn_id)


def test_exactly_one_closer_wins(house: Household) -> None:
    turn = house.turn(house.person("alice"), stop_after="input")
    answers = [
        house.do(repository.store_answer, turn.turn_id, Sealed(), claimant=who, now=house.clock(), usage=Usage(1, 1))
        for who in ("a", "b", "c")
    ]
    assert answers == [True, False, False]
    row = house.do(repository.find_turn, turn.turn_id)
    assert row is not None
    assert (row.state, row.worker) == (TurnState.CLOSING, "a")
    assert house.do(repository.counters, house.clock()).tokens_today == 2, "settled once"


def test_a_closed_turn_stays_as_it_is(house: Household) -> None:
    turn = house.turn(house.person("alice"), stop_after="answer")
    assert close(house, turn.turn_id)
    assert not close(house, turn.turn_id, decision="error", record_id="DR-2")
    assert not house.do(repository.store_answer, turn.turn_id, Sealed(), claimant="x", now=house.clock())
    assert not house.do(repository.abandon, turn.turn_id, now=house.clock())
    row = house.do(repository.find_turn, turn.turn_id)
    assert row is not None
    assert (row.decision, row.record_id) == ("allow", "DR-1")


def test_closing_an_open_turn_settles_what_it_used(house: Household) -> None:
    turn = house.turn(house.person("alice"), stop_after="input")
    assert close(house, turn.turn_id, decision="error", usage=Usage(3, 4))
    row = house.do(repository.find_turn, turn.turn_id)
    assert row is not None
    assert row.usage == Usage(3, 4)
    assert house.do(repository.counters, house.clock()).tokens_today == 7


@pytest.mark.parametrize("state", ["answer", "closed", "absent"])
def test_input_is_committed_only_into_an_open_turn(house: Household, state: str) -> None:
    alice = house.person("alice")
    turn_id = "T-none" if state == "absent" else house.turn(alice, stop_after=state).turn_id
    key, wrapped = house.ring.new_turn_key(turn_id)
    with pytest.raises(TurnNotOpen):
        house.do(repository.commit_input, turn_id, wrapped, Sealed((vault.seal_content(key, "again", b"x"),)))
    assert house.sql("SELECT count(*) FROM contents WHERE name = 'again'") == [(0,)]


def test_a_token_belongs_to_the_turn_that_gave_it_first(house: Household) -> None:
    alice = house.person("alice")
    first = house.turn(alice, stop_after="open")
    second = house.open(alice, first.conversation_id)
    assert isinstance(second, OpenedTurn)
    sealed = []
    for turn_id, value in ((first.turn_id, "jo@ex.ca"), (second.turn_id, "al@ex.ca")):
        key, wrapped = house.ring.new_turn_key(turn_id)
        index = house.ring.identifier_index("EMAIL_ADDRESS", value)
        sealed.append((wrapped, Sealed((), (vault.seal_value(key, "<E_1>", "EMAIL_ADDRESS", value, index),))))
    house.do(repository.commit_input, first.turn_id, *sealed[0])
    with pytest.raises(TokenTaken):
        house.do(repository.commit_input, second.turn_id, *sealed[1])
    row = house.do(repository.find_turn, second.turn_id)
    assert row is not None
    assert (row.state, row.key) == (TurnState.OPEN, None), "the whole commit was undone"
    with pytest.raises(TokenTaken):
        house.do(repository.store_answer, second.turn_id, sealed[1][1], claimant="w", now=house.clock())
    assert house.do(repository.store_answer, second.turn_id, Sealed(), claimant="w", now=house.clock())


def test_the_same_token_may_be_given_in_another_conversation(house: Household) -> None:
    alice = house.person("alice")
    for _ in range(2):
        house.turn(alice, values={"<E_1>": ("EMAIL_ADDRESS", "jo@ex.ca")})
    assert house.sql("SELECT count(*) FROM vault_entries") == [(2,)]


def test_a_value_mentioned_in_input_and_answer_is_indexed_once(house: Household) -> None:
    turn = house.turn(house.person("alice"), mentions=[("EMAIL_ADDRESS", "jo@ex.ca")] * 2, stop_after="input")
    again = Sealed(blinds=(house.ring.identifier_index("EMAIL_ADDRESS", "JO@ex.ca"),))
    assert house.do(repository.store_answer, turn.turn_id, again, claimant="w", now=house.clock())
    assert house.sql("SELECT count(*) FROM blind_indexes") == [(1,)]


# --- leases ----------------------------------------------------------------------------------------------------------


def test_expired_turns_are_those_whose_lease_ended(house: Household) -> None:
    alice = house.person("alice")
    early = house.open(alice, lease_until=house.clock() + 1_000)
    late = house.open(alice, lease_until=house.clock() + 9_000, worker="w2")
    answered = house.turn(alice, stop_after="answer")
    house.turn(alice)
    at = house.clock()
    assert house.do(repository.expired_turns, at) == ()
    assert [row.turn_id for row in house.do(repository.expired_turns, at + 2_000)] == [early.turn_id]
    assert house.do(repository.renew_leases, "w1", at + 90_000) == 2
    expired = house.do(repository.expired_turns, at + 80_000)
    assert [row.turn_id for row in expired] == [late.turn_id]
    assert expired[0].turn_ref == late.turn_ref
    assert expired[0].conversation_ref == late.conversation_ref
    assert expired[0].principal_ref == late.principal_ref
    assert expired[0].subject_refs == late.subject_refs
    everybody = house.do(repository.expired_turns, at + 10**9)
    assert [row.turn_id for row in everybody] == [early.turn_id, late.turn_id, answered.turn_id]
    assert len(house.do(repository.expired_turns, at + 10**9, limit=2)) == 2


def test_turns_of_dead_workers(house: Household) -> None:
    alice = house.person("alice")
    for worker in ("w1", "w2", "w3"):
        house.open(alice, worker=worker)
    gone = house.do(repository.turns_of_dead_workers, ["w2", "w9"])
    assert [row.worker for row in gone] == ["w1", "w3"]
    assert len(house.do(repository.turns_of_dead_workers, [])) == 3


@pytest.mark.parametrize("stop", ["input", "answer"])
def test_a_turn_is_taken_over_once_and_its_worker_loses(house: Household, stop: str) -> None:
    house.turn(house.person("alice"), stop_after=stop)
    (seen,) = house.do(repository.expired_turns, house.clock() + 10**6)
    until = house.clock() + 2_000_000
    assert house.do(repository.take_over, seen, claimant="h1", until=until)
    assert not house.do(repository.take_over, seen, claimant="h2", until=until)
    assert not house.do(repository.store_answer, seen.turn_id, Sealed(), claimant="w1", now=house.clock())
    row = house.do(repository.find_turn, seen.turn_id)
    assert row is not None
    assert (row.state, row.worker, row.lease_expires) == (TurnState.CLOSING, "h1", until)


def test_a_renewed_lease_cannot_be_taken_over(house: Household) -> None:
    house.turn(house.person("alice"), stop_after="input")
    (seen,) = house.do(repository.expired_turns, house.clock() + 10**6)
    house.do(repository.renew_leases, "w1", house.clock() + 10**6)
    assert not house.do(repository.take_over, seen, claimant="h1", until=1)
    row = house.do(repository.find_turn, seen.turn_id)
    assert row is not None
    assert (row.state, row.worker) == (TurnState.OPEN, "w1")


def test_counters(house: Household) -> None:
    alice = house.person("alice")
    house.turn(alice)
    house.turn(alice, stop_after="answer")
    house.open(alice, lease_until=house.clock() - 1)
    house.do(
        repository.create_api_key, house.ring, principal_id=alice.principal_id, name="k", role="user",
        now=1, expires_at=None,
    )  # fmt: skip
    now = house.do(repository.counters, house.clock())
    assert (now.open_turns, now.closing_turns, now.expired_turns) == (1, 1, 1)
    assert (now.tokens_today, now.live_api_keys, now.pending_erasures) == (60, 1, 0)
    assert house.do(repository.counters, house.clock() + 86_400_000).tokens_today == 0
