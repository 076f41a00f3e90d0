"""Memory under arbitrary input: sealing, indexes, limits, recall and erasure against small models of themselves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory import repository, vault
from memory.database import Database
from memory.erasure import Erased, Selector, erase
from memory.errors import Unreadable
from memory.identifiers import KINDS, normalise
from memory.keys import ContentKey, KeyRing
from memory.recall import Message, characters, decode_messages, encode_messages, recall
from memory.repository import Refused, TurnLimits
from memory.rows import History, HistoryTurn, Sealed, Usage
from tests.unit.memory.household import Household, Turn

KEY = ContentKey("T-1", bytes(range(32)))
TEXT = st.text(st.characters(exclude_categories=()), max_size=80)


# --- sealing ---------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=5_000), TEXT.filter(lambda name: name.isprintable()))
def test_sealing_is_undone_by_unsealing_and_hides_the_length(data: bytes, name: str) -> None:
    token = vault.seal(KEY, name, data)
    assert vault.unseal(KEY, name, token) == data
    padded = len(vault.pad(data))
    assert padded >= vault.SMALLEST_BUCKET
    assert padded & (padded - 1) == 0
    assert len(data) + 4 <= padded
    assert padded == vault.SMALLEST_BUCKET or len(data) + 4 > padded // 2


@given(st.binary(max_size=600), st.data())
def test_a_changed_byte_anywhere_is_noticed(data: bytes, pick: st.DataObject) -> None:
    token = bytearray(vault.seal(KEY, "input", data))
    token[pick.draw(st.integers(0, len(token) - 1))] ^= pick.draw(st.integers(1, 255))
    with pytest.raises(Unreadable):
        vault.unseal(KEY, "input", bytes(token))


@given(st.lists(st.tuples(TEXT, st.sampled_from(["caller", "model", "tool"]), TEXT), max_size=5))
def test_messages_survive_storage(rows: list[tuple[str, str, str]]) -> None:
    messages = tuple(Message(role, source, content) for role, source, content in rows)
    assert decode_messages(encode_messages(messages)) == messages


# --- indexes ---------------------------------------------------------------------------------------------------------


@given(st.sampled_from(KINDS), TEXT)
def test_a_normal_form_is_its_own_normal_form(kind: str, value: str) -> None:
    once = normalise(kind, value)
    assert normalise(kind, once) == once


@given(st.from_regex(r"[0-9A-Z]{4,20}", fullmatch=True), st.data())
def test_separators_inside_a_number_do_not_matter(number: str, pick: st.DataObject) -> None:
    spread = "".join(pick.draw(st.sampled_from(["", " ", "-", ".", "\u00a0", "\u200b", "\n"])) + c for c in number)
    assert normalise("number", spread) == normalise("number", number)


@given(st.lists(st.one_of(TEXT, st.binary(max_size=20)), max_size=4), st.lists(TEXT, max_size=4))
def test_macs_of_different_parts_differ(one: list[str | bytes], two: list[str]) -> None:
    def raw(parts: list[str | bytes]) -> list[bytes]:
        return [part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts]

    assert (_ring().mac("p", *one) == _ring().mac("p", *two)) == (raw(one) == raw(list(two)))


_RINGS: list[KeyRing] = []
_FOLDER = TemporaryDirectory(prefix="filagent-property-")


def _ring() -> KeyRing:
    """One ring for all examples: its keys do not matter."""
    if not _RINGS:
        _RINGS.append(KeyRing(Path(_FOLDER.name) / "keys"))
    return _RINGS[0]


# --- limits ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 4), st.lists(st.integers(0, 45_000), min_size=1, max_size=25))
def test_no_minute_ever_holds_more_requests_than_the_limit(limit: int, pauses: list[int]) -> None:
    with TemporaryDirectory() as folder:
        house = Household(Path(folder))
        alice, allowed = house.person("alice"), []
        for pause in pauses:
            house.clock.now += pause
            outcome = house.open(alice, limits=TurnLimits(limit, 10**9, 10**6))
            recent = [at for at in allowed if at > house.clock.now - 60_000]
            if isinstance(outcome, Refused):
                assert outcome.code == "limit.requests"
                # Seconds count whole, so a refusal may come up to two seconds after the minute; never earlier ones.
                assert len([at for at in allowed if at > house.clock.now - 62_000]) >= limit
                later = house.clock.now + outcome.retry_after * 1000
                assert len([at for at in allowed if at > later - 60_000]) < limit
            else:
                assert len(recent) < limit
                allowed.append(house.clock.now)
        house.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(["open", "answer", "abandon"]), st.integers(0, 400)), max_size=20))
def test_reserved_and_spent_tokens_never_exceed_the_budget(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        house = Household(Path(folder))
        alice = house.person("alice")
        opened: dict[str, int] = {}
        spent = 0
        for what, tokens in steps:
            if what == "open":
                outcome = house.open(alice, limits=TurnLimits(10**6, 1000, 10**6), reserve_tokens=tokens)
                fits = spent + sum(opened.values()) + tokens <= 1000
                assert isinstance(outcome, Refused) != fits
                if fits:
                    opened[outcome.turn_id] = tokens
            elif opened:
                turn_id, reserved = opened.popitem()
                if what == "answer":
                    used = min(tokens, reserved)
                    spent += used
                    answer = partial(
                        repository.store_answer, turn_id=turn_id, sealed=Sealed(), claimant="w",
                        now=house.clock(), usage=Usage(used, 0),
                    )  # fmt: skip
                    assert house.do(answer)
                else:
                    assert house.do(repository.abandon, turn_id, now=house.clock())
        assert house.do(repository.counters, house.clock()).tokens_today == spent
        house.close()


# --- recall ----------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=3), max_size=8), st.integers(0, 2_000))
def test_recall_is_the_longest_newest_run_of_whole_turns_within_the_budget(sizes: list[list[int]], budget: int) -> None:
    ring, turns, costs = _ring(), [], []
    for number, lengths in enumerate(sizes):
        key, wrapped = ring.new_turn_key(f"T-{number}")
        messages = [Message("user", "caller", f"{number:03}" + "x" * length) for length in lengths]
        costs.append(sum(map(characters, messages)))
        turns.append(
            HistoryTurn(f"T-{number}", number, wrapped, (vault.seal_content(key, "view", encode_messages(messages)),))
        )
    found = recall(History("C", tuple(reversed(turns)), ()), ring, budget=budget)
    numbers = list(dict.fromkeys(int(message.content[:3]) for message in found.messages))
    assert numbers == list(range(len(sizes) - found.turns, len(sizes)))
    assert sum(map(characters, found.messages)) <= budget
    if not found.complete:
        assert sum(costs[-found.turns - 1 :]) > budget


# --- erasure ---------------------------------------------------------------------------------------------------------

PEOPLE = ("alice", "bob")
CLIENTS = ("client 1", "client 2")
VALUES = ("jo@ex.ca", "al@ex.ca", "zo@ex.ca")


@dataclass(frozen=True)
class Story:
    """One turn to play: who, in which of his conversations, about whom, giving and mentioning which values."""

    who: str
    place: int
    about: frozenset[str]
    holds: frozenset[str]


STORIES = st.lists(
    st.builds(
        Story,
        st.sampled_from(PEOPLE),
        st.integers(0, 1),
        st.frozensets(st.sampled_from(CLIENTS), max_size=2),
        st.frozensets(st.sampled_from(VALUES), max_size=2),
    ),
    min_size=1,
    max_size=9,
)
SELECTORS = st.one_of(
    st.builds(lambda name: Selector(person=name), st.sampled_from(PEOPLE)),
    st.builds(lambda name: Selector(subject=name), st.sampled_from(CLIENTS)),
    st.builds(lambda value: Selector(identifier=value), st.sampled_from(VALUES)),
)


def expected_to_go(stories: list[Story], gave: list[frozenset[str]], selector: Selector) -> set[int]:
    """The rule in plain words: who is listed, who holds the value, and who mentions what came in with a listed turn."""
    listed = {
        number
        for number, story in enumerate(stories)
        if selector.person == story.who or selector.subject in story.about
    }
    mentioning = {
        number
        for number, story in enumerate(stories)
        for other in listed
        if (stories[other].who, stories[other].place) == (story.who, story.place) and gave[other] & story.holds
    }
    holding = {number for number, story in enumerate(stories) if selector.identifier in story.holds}
    return listed | mentioning | holding


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STORIES, SELECTORS)
def test_erasure_destroys_exactly_what_the_rule_says(stories: list[Story], selector: Selector) -> None:
    with TemporaryDirectory() as folder:
        house = Household(Path(folder))
        persons = {name: house.person(name) for name in PEOPLE}
        places: dict[tuple[str, int], str] = {}
        known: dict[tuple[str, int], set[str]] = {}
        turns: list[Turn] = []
        gave: list[frozenset[str]] = []
        for story in stories:
            place = (story.who, story.place)
            tokens = known.setdefault(place, set())
            fresh = story.holds - tokens
            tokens |= fresh
            gave.append(fresh)
            turn = house.turn(
                persons[story.who],
                conversation_id=places.get(place),
                subjects=sorted(story.about),
                values={f"<E_{VALUES.index(value)}>": ("EMAIL_ADDRESS", value) for value in fresh},
                mentions=[("EMAIL_ADDRESS", value) for value in story.holds - fresh],
            )
            places[place] = turn.conversation_id
            turns.append(turn)

        async def nothing(_event: str, _detail: object) -> None:
            return None

        async def forget() -> object:
            db = Database(house.url)
            outcome = await erase(db, house.ring, selector, record=nothing, clock=house.clock)
            await db.aclose()
            return outcome

        outcome = asyncio.run(forget())
        gone = {number for number, turn in enumerate(turns) if house.do(repository.find_turn, turn.turn_id).key is None}
        assert gone == expected_to_go(stories, gave, selector)
        assert (isinstance(outcome, Erased) and outcome.counts.turns == len(gone)) or not gone
        left = {turn.turn_id for number, turn in enumerate(turns) if number not in gone}
        assert {row[0] for row in house.sql("SELECT DISTINCT turn_id FROM contents")} == left
        assert {row[0] for row in house.sql("SELECT DISTINCT turn_id FROM turn_subjects")} == left
        assert {row[0] for row in house.sql("SELECT turn_id FROM vault_entries WHERE ciphertext IS NOT NULL")} <= left
        assert {row[0] for row in house.sql("SELECT turn_id FROM blind_indexes")} <= left
        house.close()
