"""Opening a turn: ownership, references, idempotency, limits, and the row that a refusal leaves."""

from __future__ import annotations

import re
from typing import Any

import pytest

from memory import repository
from memory.repository import OpenedTurn, Refused, Replay, TurnLimits
from memory.repository.limits import DAY_MS
from memory.rows import Sealed, TurnState, Usage
from tests.unit.memory.household import Household

REF = re.compile(r"[a-z2-7]{26}")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_a_new_conversation_has_fresh_ids_and_references(house: Household) -> None:
    alice = house.person("alice")
    one, two = house.open(alice), house.open(alice)
    for opened in (one, two):
        assert ID.fullmatch(opened.turn_id.removeprefix("T-"))
        assert ID.fullmatch(opened.conversation_id.removeprefix("C-"))
        refs = (opened.turn_ref, opened.conversation_ref, opened.principal_ref, *opened.subject_refs)
        assert [ref[:2] for ref in refs] == ["t_", "c_", "p_", "s_"]
        assert all(REF.fullmatch(ref[2:]) for ref in refs)
        assert opened.is_new
        assert opened.position == 1
    assert one.principal_ref != two.principal_ref, "a person is not linkable across conversations"
    assert one.subject_refs != two.subject_refs


def test_the_next_turn_keeps_the_references_of_its_conversation(house: Household) -> None:
    alice = house.person("alice")
    first = house.open(alice)
    second = house.open(alice, first.conversation_id)
    assert (second.conversation_ref, second.principal_ref, second.subject_refs) == (
        first.conversation_ref,
        first.principal_ref,
        first.subject_refs,
    )
    assert (second.position, second.is_new) == (2, False)
    assert second.turn_ref != first.turn_ref


def test_data_subjects_are_listed_besides_the_person_and_once(house: Household) -> None:
    alice = house.person("alice")
    index = house.ring.subject_index
    first = house.open(alice, data_subjects=(index("client 4711"), index("Alice"), index("CLIENT 4711")))
    assert len(first.subject_refs) == 2
    second = house.open(alice, first.conversation_id, data_subjects=(index("client 4712"), index("client 4711")))
    assert second.subject_refs[0] == first.subject_refs[0]
    assert second.subject_refs[2] == first.subject_refs[1]
    assert house.sql("SELECT count(*) FROM subjects") == [(3,)]
    row = house.do(repository.find_turn, second.turn_id)
    assert row is not None
    assert set(row.subject_refs) == set(second.subject_refs)


@pytest.mark.parametrize("kind", ["absent", "another's", "deleted", "path-like"])
def test_a_conversation_that_is_not_his_does_not_exist(house: Household, kind: str) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    theirs = house.turn(alice)
    wanted = {"absent": "C-none", "path-like": "../../etc/passwd"}.get(kind, theirs.conversation_id)
    asker = bob if kind == "another's" else alice
    if kind == "deleted":
        house.do(repository.delete_conversation, theirs.conversation_id, alice.principal_id, now=house.clock())
    refused = house.open(asker, wanted)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.retry_after, refused.conversation_ref) == ("conversation.not_found", None, None)
    assert refused.principal_ref != theirs.opened.principal_ref


def test_a_refusal_leaves_a_row_that_takes_its_record(house: Household) -> None:
    alice = house.person("alice")
    first = house.open(alice)
    refused = house.open(alice, first.conversation_id, limits=TurnLimits(10, 10, 10), reserve_tokens=11)
    assert isinstance(refused, Refused)
    assert refused.conversation_ref == first.conversation_ref
    assert refused.principal_ref == first.principal_ref
    row = house.do(repository.find_turn, refused.turn_id)
    assert row is not None
    assert (row.state, row.turn_ref, row.key) == (TurnState.CLOSING, refused.turn_ref, None)
    assert house.do(
        repository.close_turn, refused.turn_id, now=house.clock(), decision="deny", record_id="DR-1", log_index=3,
        receipt_json=None,
    )  # fmt: skip
    assert house.do(repository.records_of, alice.principal_id) == ("DR-1",)
    assert house.open(alice, first.conversation_id).position == 2, "a refusal takes no place in the conversation"


# --- idempotency -----------------------------------------------------------------------------------------------------


def keyed(house: Household, body: str = "body", key: str = "key") -> dict[str, Any]:
    return {"idempotency_key": house.ring.mac("idempotency", key), "request_mac": house.ring.mac("request", body)}


def close(house: Household, turn_id: str, decision: str) -> None:
    house.do(
        repository.close_turn, turn_id, now=house.clock(), decision=decision, record_id="DR", log_index=1,
        receipt_json=None,
    )  # fmt: skip


def test_the_same_request_again_is_a_replay_once_it_is_closed(house: Household) -> None:
    alice = house.person("alice")
    first = house.open(alice, **keyed(house))
    running = house.open(alice, **keyed(house))
    assert (running.code, running.retry_after) == ("idempotency.in_progress", 1)
    close(house, first.turn_id, "allow")
    assert house.open(alice, **keyed(house)) == Replay(first.turn_id)


def test_the_same_key_with_another_body_is_a_mismatch(house: Household) -> None:
    alice = house.person("alice")
    first = house.open(alice, **keyed(house))
    for _ in range(2):
        assert house.open(alice, **keyed(house, body="another")).code == "idempotency.mismatch"
        close(house, first.turn_id, "allow")


def test_keys_belong_to_their_principal(house: Household) -> None:
    assert isinstance(house.open(house.person("alice"), **keyed(house)), OpenedTurn)
    assert isinstance(house.open(house.person("bob"), **keyed(house)), OpenedTurn)


@pytest.mark.parametrize("end", ["error", "abandon"])
def test_a_turn_without_an_answer_may_be_tried_again(house: Household, end: str) -> None:
    alice = house.person("alice")
    first = house.open(alice, **keyed(house))
    if end == "error":
        close(house, first.turn_id, "error")
    else:
        house.do(repository.abandon, first.turn_id, now=house.clock())
    assert isinstance(house.open(alice, **keyed(house)), OpenedTurn)


# --- limits ----------------------------------------------------------------------------------------------------------


def test_requests_in_any_minute(house: Household) -> None:
    alice, limits = house.person("alice"), TurnLimits(3, 10**6, 100)
    start = house.clock.now
    for offset in (0, 20_000, 40_000):
        house.clock.now = start + offset
        assert isinstance(house.open(alice, limits=limits), OpenedTurn)
    house.clock.now = start + 59_999
    refused = house.open(alice, limits=limits)
    assert (refused.code, refused.retry_after) == ("limit.requests", 2)
    house.clock.now += refused.retry_after * 1000
    assert isinstance(house.open(alice, limits=limits), OpenedTurn)
    assert house.open(alice, limits=limits).code == "limit.requests"
    assert isinstance(house.open(house.person("bob"), limits=limits), OpenedTurn)


def test_a_refused_request_does_not_push_the_next_one_away(house: Household) -> None:
    alice, limits = house.person("alice"), TurnLimits(1, 10**6, 100)
    house.open(alice, limits=limits)
    for _ in range(5):
        refused = house.open(alice, limits=limits)
    house.clock.now += refused.retry_after * 1000
    assert isinstance(house.open(alice, limits=limits), OpenedTurn)


def test_a_clock_that_steps_back_forgets_no_request(house: Household) -> None:
    alice, limits = house.person("alice"), TurnLimits(3, 10**6, 100)
    house.open(alice, limits=limits)
    house.clock.now -= 30_000
    house.open(alice, limits=limits)
    house.open(alice, limits=limits)
    assert house.open(alice, limits=limits).code == "limit.requests"


def test_a_replay_counts_as_a_request(house: Household) -> None:
    alice, limits = house.person("alice"), TurnLimits(2, 10**6, 100)
    first = house.open(alice, limits=limits, **keyed(house))
    close(house, first.turn_id, "allow")
    assert isinstance(house.open(alice, limits=limits, **keyed(house)), Replay)
    assert house.open(alice, limits=limits, **keyed(house)).code == "limit.requests"


def test_concurrent_turns(house: Household) -> None:
    alice, limits = house.person("alice"), TurnLimits(100, 10**6, 2)
    first, _ = house.open(alice, limits=limits), house.open(alice, limits=limits)
    refused = house.open(alice, limits=limits)
    assert (refused.code, refused.retry_after) == ("limit.concurrent", 1)
    close(house, first.turn_id, "error")
    assert isinstance(house.open(alice, limits=limits), OpenedTurn)


def test_tokens_are_reserved_then_settled(house: Household) -> None:
    alice, limits = house.person("alice"), TurnLimits(100, 1000, 100)
    first = house.open(alice, limits=limits, reserve_tokens=600)
    refused = house.open(alice, limits=limits, reserve_tokens=500)
    assert refused.code == "limit.tokens"
    assert refused.retry_after == (DAY_MS - house.clock.now % DAY_MS + 999) // 1000
    house.do(repository.store_answer, first.turn_id, Sealed(), claimant="w1", now=house.clock(), usage=Usage(100, 200))
    assert house.open(alice, limits=limits, reserve_tokens=701).code == "limit.tokens"
    second = house.open(alice, limits=limits, reserve_tokens=700)
    assert isinstance(second, OpenedTurn)
    house.do(repository.abandon, second.turn_id, now=house.clock())
    assert isinstance(house.open(alice, limits=limits, reserve_tokens=700), OpenedTurn)


def test_the_token_budget_is_new_each_utc_day(house: Household) -> None:
    alice, limits = house.person("alice"), TurnLimits(100, 1000, 100)
    house.clock.now = (house.clock.now // DAY_MS + 1) * DAY_MS - 1
    first = house.open(alice, limits=limits, reserve_tokens=1000)
    house.do(repository.store_answer, first.turn_id, Sealed(), claimant="w1", now=house.clock(), usage=Usage(500, 500))
    assert house.open(alice, limits=limits, reserve_tokens=1).code == "limit.tokens"
    house.clock.now += 1
    assert isinstance(house.open(alice, limits=limits, reserve_tokens=1000), OpenedTurn)


def test_a_limit_of_zero_allows_nothing(house: Household) -> None:
    alice = house.person("alice")
    for limits, code in (
        (TurnLimits(0, 10, 10), "limit.requests"),
        (TurnLimits(10, 0, 10), "limit.tokens"),
        (TurnLimits(10, 10, 0), "limit.concurrent"),
    ):
        refused = house.open(alice, limits=limits, reserve_tokens=1)
        assert refused.code == code
        assert refused.retry_after >= 1
