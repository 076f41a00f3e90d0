"""What a turn remembers: whole turns, newest first within the budget, only the owner's, and nothing altered."""

from __future__ import annotations

import pytest

from memory import repository
from memory.errors import KeysUnavailable, Unreadable
from memory.keys import KeyRing
from memory.recall import Message, Recalled, decode_messages, encode_messages, open_stored, recall
from memory.repository import Person
from tests.unit.memory.household import Household


def remembered(
    house: Household, who: Person, conversation_id: str, *, budget: int = 10**6, max_turns: int = 50
) -> Recalled:
    history = house.do(repository.load_conversation, conversation_id, who.principal_id, max_turns=max_turns)
    assert history is not None
    return recall(history, house.ring, budget=budget)


def texts(recalled: Recalled) -> list[str]:
    return [message.content for message in recalled.messages]


def test_a_conversation_is_remembered_in_order(house: Household) -> None:
    alice = house.person("alice")
    first = house.turn(alice, "q1", "a1")
    house.turn(alice, "q2", "a2", conversation_id=first.conversation_id)
    house.turn(alice, "elsewhere", "no")
    found = remembered(house, alice, first.conversation_id)
    assert texts(found) == ["q1", "a1", "q2", "a2"]
    assert [(message.role, message.source) for message in found.messages[:2]] == [
        ("user", "caller"),
        ("assistant", "model"),
    ]
    assert (found.turns, found.complete) == (2, True)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(0, []), (35, []), (36, ["q3", "a3"]), (71, ["q3", "a3"]), (72, ["q2", "a2", "q3", "a3"]), (107, ["q2", "a2", "q3", "a3"])],
)  # fmt: skip
def test_the_budget_takes_the_newest_whole_turns(house: Household, budget: int, expected: list[str]) -> None:
    alice = house.person("alice")
    first = house.turn(alice, "q1", "a1")
    for number in (2, 3):
        house.turn(alice, f"q{number}", f"a{number}", conversation_id=first.conversation_id)
    found = remembered(house, alice, first.conversation_id, budget=budget)
    assert texts(found) == expected
    assert not found.complete


def test_a_turn_that_does_not_fit_hides_what_is_older(house: Household) -> None:
    alice = house.person("alice")
    first = house.turn(alice, "old", "old")
    house.turn(alice, "x" * 500, "big", conversation_id=first.conversation_id)
    house.turn(alice, "new", "new", conversation_id=first.conversation_id)
    assert texts(remembered(house, alice, first.conversation_id, budget=200)) == ["new", "new"]


def test_only_so_many_turns_are_loaded(house: Household) -> None:
    alice = house.person("alice")
    first = house.turn(alice, "q0", "a0")
    for number in range(1, 5):
        house.turn(alice, f"q{number}", f"a{number}", conversation_id=first.conversation_id)
    assert texts(remembered(house, alice, first.conversation_id, max_turns=2)) == ["q3", "a3", "q4", "a4"]


def test_another_owner_remembers_nothing(house: Household) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    turn = house.turn(alice)
    assert house.do(repository.load_conversation, turn.conversation_id, bob.principal_id, max_turns=5) is None
    assert house.do(repository.load_conversation, "C-none", alice.principal_id, max_turns=5) is None


@pytest.mark.parametrize("unfinished", ["open", "input", "answer"])
def test_what_is_not_closed_is_not_remembered(house: Household, unfinished: str) -> None:
    alice = house.person("alice")
    first = house.turn(alice, "q1", "a1")
    house.turn(alice, "q2", "a2", conversation_id=first.conversation_id, stop_after=unfinished)
    assert texts(remembered(house, alice, first.conversation_id)) == ["q1", "a1"]


@pytest.mark.parametrize("decision", ["deny", "error"])
def test_a_refused_turn_is_not_remembered(house: Household, decision: str) -> None:
    alice = house.person("alice")
    turn = house.turn(alice, stop_after="input")
    house.do(
        repository.close_turn, turn.turn_id, now=1, decision=decision, record_id="DR", log_index=1, receipt_json=None
    )
    assert texts(remembered(house, alice, turn.conversation_id)) == []


def test_tokens_of_all_turns_come_back_in_order(house: Household) -> None:
    alice = house.person("alice")
    first = house.turn(alice, values={"<P_1>": ("PERSON", "Émilie"), "<E_1>": ("EMAIL_ADDRESS", "e@x.ca")})
    house.turn(alice, values={"<P_2>": ("PERSON", "Jo")}, conversation_id=first.conversation_id)
    house.turn(alice, values={"<P_1>": ("PERSON", "another conversation")})
    found = remembered(house, alice, first.conversation_id, budget=0)
    values = [(entry.token, entry.entity, entry.value) for entry in found.tokens.values]
    assert values == [
        ("<E_1>", "EMAIL_ADDRESS", "e@x.ca"),
        ("<P_1>", "PERSON", "Émilie"),
        ("<P_2>", "PERSON", "Jo"),
    ]
    assert found.tokens.reserved == ()


def test_a_destroyed_turn_leaves_its_tokens_reserved(house: Household) -> None:
    alice = house.person("alice")
    first = house.turn(alice, "q1", values={"<P_1>": ("PERSON", "Émilie")})
    house.turn(alice, "q2", "a2", values={"<P_2>": ("PERSON", "Jo")}, conversation_id=first.conversation_id)
    house.sql("UPDATE vault_entries SET ciphertext = NULL, blind = NULL WHERE token = '<P_1>'")
    house.sql("UPDATE turns SET wrapped_key = NULL, epoch = NULL WHERE id = ?", first.turn_id)
    found = remembered(house, alice, first.conversation_id)
    assert texts(found) == ["q2", "a2"]
    assert [entry.token for entry in found.tokens.values] == ["<P_2>"]
    assert found.tokens.reserved == (("<P_1>", "PERSON"),)


TAMPERINGS = {
    "content altered": "UPDATE contents SET ciphertext = CAST(replace(ciphertext, '..', '..A') AS BLOB) WHERE name = 'view'",
    "contents exchanged": "UPDATE contents SET ciphertext = (SELECT c.ciphertext FROM contents c WHERE c.name = 'output'"
    " AND c.turn_id = contents.turn_id) WHERE name = 'view'",
    "token renamed": "UPDATE vault_entries SET token = '<P_9>'",
    "entity changed": "UPDATE vault_entries SET entity = 'LOCATION'",
    "key altered": "UPDATE turns SET wrapped_key = zeroblob(40)",
}  # fmt: skip


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_nothing_is_remembered_around_an_altered_row(house: Household, statement: str) -> None:
    alice = house.person("alice")
    turn = house.turn(alice, values={"<P_1>": ("PERSON", "Émilie")})
    house.sql(statement)
    with pytest.raises(Unreadable):
        remembered(house, alice, turn.conversation_id)


def test_a_content_moved_to_another_turn_does_not_open(house: Household) -> None:
    alice = house.person("alice")
    one = house.turn(alice)
    two = house.turn(alice, conversation_id=one.conversation_id)
    house.sql(
        "UPDATE contents SET ciphertext = (SELECT c.ciphertext FROM contents c WHERE c.turn_id = ? AND c.name = 'view')"
        " WHERE turn_id = ? AND name = 'view'",
        one.turn_id,
        two.turn_id,
    )
    with pytest.raises(Unreadable):
        remembered(house, alice, one.conversation_id)


def test_without_the_epoch_key_nothing_opens(house: Household) -> None:
    alice = house.person("alice")
    turn = house.turn(alice)
    for path in (house.home / "keys" / "epoch").glob("*.key"):
        path.unlink()
    history = house.do(repository.load_conversation, turn.conversation_id, alice.principal_id, max_turns=5)
    assert history is not None
    with pytest.raises(KeysUnavailable):
        recall(history, KeyRing(house.home / "keys"), budget=10**6)


def test_a_stored_turn_opens_for_its_owner(house: Household) -> None:
    alice = house.person("alice")
    turn = house.turn(alice, "q", "a", values={"<P_1>": ("PERSON", "Émilie")})
    stored = house.do(repository.read_turn, turn.turn_id, alice.principal_id)
    assert stored is not None
    contents, tokens = open_stored(stored, house.ring)
    assert decode_messages(contents["output"])[0].content == "a"
    assert tokens.values[0].value == "Émilie"


def test_messages_survive_storage_whatever_they_hold() -> None:
    messages = (Message("user", "caller", "Émilie \U0001f600 \ud800 \0 \"'"), Message("tool", "tool", ""))
    assert decode_messages(encode_messages(messages)) == messages


@pytest.mark.parametrize(
    "plaintext", [b"", b"{}", b"[1]", b'[["user","caller"]]', b'[["user","caller",1]]', b'[["user","me","x"]]', b"\xff"]
)
def test_what_is_not_a_list_of_messages_is_refused(plaintext: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_messages(plaintext)
