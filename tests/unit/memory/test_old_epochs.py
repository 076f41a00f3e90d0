"""Epoch keys grow old: living turns move on, erased ones die in their backups."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3

import pytest

from memory import repository, vault
from memory.database import Database
from memory.epochs import Rewrapped, rewrap
from memory.errors import KeysUnavailable
from memory.keys import KeyRing, epoch_day
from memory.recall import recall
from memory.rows import WrappedKey
from tests.unit.memory.household import Household

pytestmark = pytest.mark.anyio
DAY = dt.date(2026, 11, 21)


class Calendar:
    def __init__(self) -> None:
        self.day = DAY

    def __call__(self) -> dt.date:
        return self.day


@pytest.fixture
def calendar(house: Household) -> Calendar:
    calendar = Calendar()
    house.ring = KeyRing(house.home / "keys", today=calendar)
    return calendar


async def run(house: Household, calendar: Calendar, days: int) -> Rewrapped:
    db = Database(house.url)
    try:
        return await rewrap(db, house.ring, older_than_days=days, today=calendar)
    finally:
        await db.aclose()


async def test_living_turns_move_on_and_old_keys_are_destroyed(house: Household, calendar: Calendar) -> None:
    alice = house.person("alice")
    old = house.turn(alice, "old", values={"<P_1>": ("PERSON", "Émilie")})
    key, wrapped = house.ring.new_turn_key(old.conversation_id)
    sealed = vault.seal(key, "title", b"title")
    house.do(repository.rename_conversation, old.conversation_id, alice.principal_id, title=sealed, key=wrapped, now=1)
    calendar.day += dt.timedelta(days=4)
    house.turn(alice, "new", conversation_id=old.conversation_id)
    first, second = house.ring.epochs()
    assert await run(house, calendar, 4) == Rewrapped(0, 0, ())
    calendar.day += dt.timedelta(days=1)
    assert await run(house, calendar, 4) == Rewrapped(2, 0, (first,))
    assert [epoch_day(epoch) for epoch in house.ring.epochs()] == [epoch_day(second), calendar.day]
    fresh = KeyRing(house.home / "keys", today=calendar)
    history = house.do(repository.load_conversation, old.conversation_id, alice.principal_id, max_turns=9)
    assert history is not None
    recalled = recall(history, fresh, budget=10**6)
    assert [message.content for message in recalled.messages[::2]] == ["old", "new"]
    assert recalled.tokens.values[0].value == "Émilie"
    row = house.do(repository.read_conversation, old.conversation_id, alice.principal_id)
    assert row is not None
    assert vault.unseal(fresh.unwrap(row.conversation_id, row.title_key), "title", row.title) == b"title"
    assert await run(house, calendar, 4) == Rewrapped(0, 0, ())


async def test_a_backup_cannot_open_what_was_erased_before_its_epoch_died(house: Household, calendar: Calendar) -> None:
    alice = house.person("alice")
    doomed, kept = house.turn(alice, "doomed"), house.turn(alice, "kept")
    house.close()
    backup = house.home / "backup.sqlite"
    shutil.copy(house.path, backup)
    house.do(repository.delete_conversation, doomed.conversation_id, alice.principal_id, now=1)
    calendar.day += dt.timedelta(days=3)
    await run(house, calendar, 2)
    copy = sqlite3.connect(backup)
    rows = copy.execute("SELECT id, epoch, wrapped_key FROM turns").fetchall()
    copy.close()
    assert {row[0] for row in rows} == {doomed.turn_id, kept.turn_id}
    for turn_id, epoch, wrapped in rows:
        with pytest.raises(KeysUnavailable):
            house.ring.unwrap(turn_id, WrappedKey(epoch, wrapped))
    row = house.do(repository.find_turn, kept.turn_id)
    assert row is not None
    assert row.key is not None
    assert house.ring.unwrap(kept.turn_id, row.key) == kept.key


async def test_many_turns_are_moved_in_pages(house: Household, calendar: Calendar) -> None:
    alice = house.person("alice")
    first = house.turn(alice)
    for _ in range(450):
        house.turn(alice, conversation_id=first.conversation_id, stop_after="input")
    calendar.day += dt.timedelta(days=9)
    done = await run(house, calendar, 1)
    assert (done.keys, len(done.epochs)) == (451, 1)


async def test_an_unreadable_key_keeps_its_epoch(house: Household, calendar: Calendar) -> None:
    alice = house.person("alice")
    broken = house.turn(alice)
    house.turn(alice)
    house.sql("UPDATE turns SET wrapped_key = zeroblob(40) WHERE id = ?", broken.turn_id)
    calendar.day += dt.timedelta(days=9)
    assert await run(house, calendar, 1) == Rewrapped(1, 1, ())


async def test_an_epoch_lives_for_a_day_at_least(house: Household, calendar: Calendar) -> None:
    with pytest.raises(ValueError, match="at least one day"):
        await run(house, calendar, 0)
