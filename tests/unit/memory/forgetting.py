"""What the tests of erasure share: a log to record into, and the search for what is left."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from memory import repository
from memory.database import Database
from memory.erasure import ErasureEvent, Selector, erase
from tests.unit.memory.household import Household, Turn

JO = ("EMAIL_ADDRESS", "jo@ex.ca")
AL = ("EMAIL_ADDRESS", "al@ex.ca")


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
