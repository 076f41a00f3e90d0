"""Erasure: whom it finds and what it destroys."""

from __future__ import annotations

from typing import Any

import pytest

from memory import repository, vault
from memory.erasure import Erased, ErasureRefused, Selector
from memory.errors import TurnNotOpen
from memory.recall import recall
from memory.repository.destroying import Destroyed
from memory.rows import Sealed
from tests.unit.memory.forgetting import AL, JO, Log, bytes_left, forget, gone
from tests.unit.memory.household import Household

pytestmark = pytest.mark.anyio


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
