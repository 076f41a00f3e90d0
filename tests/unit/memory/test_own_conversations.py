"""One's own conversations, and what deleting one destroys."""

from __future__ import annotations

import pytest

from memory import repository, vault
from memory.repository import Deleted, Held, Person
from memory.rows import Sealed
from tests.unit.memory.household import Household


def rename(house: Household, conversation_id: str, who: Person, title: str) -> bool:
    key, wrapped = house.ring.new_turn_key(conversation_id)
    sealed = vault.seal(key, "title", title.encode())
    return house.do(
        repository.rename_conversation, conversation_id, who.principal_id, title=sealed, key=wrapped,
        now=house.clock(),
    )  # fmt: skip


def test_a_list_has_ones_own_latest_first_in_pages(house: Household) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    ids = [house.turn(alice).conversation_id for _ in range(5)]
    house.turn(bob)
    house.turn(alice, conversation_id=ids[1])
    expected = [ids[1], ids[4], ids[3], ids[2], ids[0]]
    page = house.do(repository.list_conversations, alice.principal_id, limit=10)
    assert [row.conversation_id for row in page] == expected
    assert [row.turns for row in page] == [2, 1, 1, 1, 1]
    found: list[str] = []
    before = None
    while page := house.do(repository.list_conversations, alice.principal_id, limit=2, before=before):
        found += [row.conversation_id for row in page]
        before = (page[-1].updated, page[-1].conversation_id)
    assert found == expected


def test_conversations_of_one_instant_are_all_listed(house: Household) -> None:
    alice = house.person("alice")
    ids = {house.open(alice).conversation_id for _ in range(5)}
    found: set[str] = set()
    before = None
    while page := house.do(repository.list_conversations, alice.principal_id, limit=2, before=before):
        found |= {row.conversation_id for row in page}
        before = (page[-1].updated, page[-1].conversation_id)
    assert found == ids


def test_a_title_is_sealed_and_only_the_owner_sets_it(house: Household) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    turn = house.turn(alice)
    assert not rename(house, turn.conversation_id, bob, "mine now")
    assert rename(house, turn.conversation_id, alice, "About Émilie")
    row = house.do(repository.read_conversation, turn.conversation_id, alice.principal_id)
    assert row is not None
    assert row.title is not None
    assert row.title_key is not None
    key = house.ring.unwrap(turn.conversation_id, row.title_key)
    assert vault.unseal(key, "title", row.title).decode() == "About Émilie"
    assert house.do(repository.read_conversation, turn.conversation_id, bob.principal_id) is None
    house.close()
    for path in house.path.parent.iterdir():
        assert b"milie" not in path.read_bytes()


def test_deleting_destroys_keys_contents_and_title(house: Household) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    first = house.turn(alice, values={"<E_1>": ("EMAIL_ADDRESS", "jo@ex.ca")}, subjects=["client 1"])
    house.turn(alice, conversation_id=first.conversation_id, mentions=[("EMAIL_ADDRESS", "jo@ex.ca")])
    kept = house.turn(alice)
    rename(house, first.conversation_id, alice, "title")
    args = (first.conversation_id,)
    assert house.do(repository.delete_conversation, *args, bob.principal_id, now=house.clock()) is None
    done = house.do(repository.delete_conversation, *args, alice.principal_id, now=house.clock())
    assert done == Deleted(first.opened.conversation_ref, 2)
    assert house.do(repository.delete_conversation, *args, alice.principal_id, now=house.clock()) is None
    assert house.do(repository.read_conversation, *args, alice.principal_id) is None
    assert house.do(repository.load_conversation, *args, alice.principal_id, max_turns=9) is None
    assert house.sql("SELECT count(*) FROM contents WHERE turn_id <> ?", kept.turn_id) == [(0,)]
    assert house.sql("SELECT count(*) FROM vault_entries") == [(0,)]
    assert house.sql("SELECT count(*) FROM blind_indexes") == [(0,)]
    assert house.sql("SELECT title, wrapped_key FROM conversations WHERE id = ?", *args) == [(None, None)]
    stored = house.do(repository.read_turn, first.turn_id, alice.principal_id)
    assert stored is not None
    assert (stored.turn.key, stored.contents, stored.turn.receipt) == (None, (), None)
    assert stored.turn.erased_at is not None
    assert stored.turn.record_id is not None, "the record stays findable"
    left = house.do(repository.load_conversation, kept.conversation_id, alice.principal_id, max_turns=9)
    assert left is not None
    assert len(left.turns) == 1


@pytest.mark.parametrize("on", ["conversation", "subject"])
def test_a_hold_forbids_deletion_until_it_is_released(house: Household, on: str) -> None:
    alice = house.person("alice")
    turn = house.turn(alice, subjects=["client 1"])
    target = (
        {"conversation_id": turn.conversation_id}
        if on == "conversation"
        else {"subject": house.ring.subject_index("client 1")}
    )
    hold = house.do(repository.place_hold, code="case-7", now=1, **target)
    args = (turn.conversation_id, alice.principal_id)
    assert house.do(repository.delete_conversation, *args, now=2) == Held("case-7")
    assert house.do(repository.read_turn, turn.turn_id, alice.principal_id).contents
    assert house.do(repository.release_hold, hold, now=3)
    assert not house.do(repository.release_hold, hold, now=4)
    assert isinstance(house.do(repository.delete_conversation, *args, now=5), Deleted)
    (listed,) = house.do(repository.list_holds)
    assert (listed.code, listed.placed, listed.released_at) == ("case-7", 1, 3)


def test_a_turn_that_runs_while_its_conversation_is_deleted_stores_nothing(house: Household) -> None:
    alice = house.person("alice")
    turn = house.turn(alice, stop_after="input")
    house.do(repository.delete_conversation, turn.conversation_id, alice.principal_id, now=house.clock())
    sealed = vault.seal_content(turn.key, "output", b"late")
    assert house.do(repository.store_answer, turn.turn_id, Sealed((sealed,)), claimant="w1", now=house.clock()), (
        "it still closes it"
    )
    assert house.sql("SELECT count(*) FROM contents") == [(0,)]
