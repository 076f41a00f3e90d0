"""API keys: what opens, what does not, and what an edit of the database cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory import repository
from memory.errors import KeysUnavailable
from memory.keys import KeyRing
from memory.repository import ApiKey, NewApiKey, Person
from tests.unit.memory.household import Household


def make(house: Household, person: Person | None = None, **changes: object) -> NewApiKey:
    who = person or house.person("alice")
    fields = {"name": "laptop", "role": "user", "now": 1_000, "expires_at": 9_000}
    return house.do(repository.create_api_key, house.ring, principal_id=who.principal_id, **(fields | changes))


def check(house: Household, text: str, *, now: int = 2_000, ring: KeyRing | None = None) -> str | None:
    parsed = repository.parse_api_key(text)
    assert parsed is not None
    key = house.do(repository.find_api_key, parsed[0])
    assert key is not None
    return repository.accepts(ring or house.ring, key, parsed[1], now=now)


def test_a_key_opens_and_says_whose_it_is(house: Household) -> None:
    alice = house.person("alice")
    new = make(house, alice)
    assert check(house, new.text) is None
    key = house.do(repository.find_api_key, new.key_id)
    assert key is not None
    assert (key.principal_id, key.person_id) == (alice.principal_id, alice.person_id)
    assert (key.name, key.role, key.expires_at) == ("laptop", "user", 9_000)
    assert house.do(repository.list_api_keys) == (key,)
    assert house.do(repository.find_api_key, "none") is None


def test_the_secret_is_in_no_file_and_no_repr(house: Household) -> None:
    new = make(house)
    secret = new.text.rsplit("_", 1)[1]
    assert len(secret) == 64
    house.close()
    for path in house.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert secret.encode() not in data
            assert bytes.fromhex(secret) not in data
    assert secret not in repr(new)


@pytest.mark.parametrize(
    "text",
    ["", "fa_", "fa_x_y", "xx_" + "a" * 26 + "_" + "0" * 64, "fa_" + "a" * 26 + "_" + "0" * 63,
     "fa_" + "a" * 26 + "_" + "0" * 64 + "\n", "fa_" + "a" * 26 + "_" + "٠" * 64, "fa_" + "A" * 26 + "_" + "0" * 64],
)  # fmt: skip
def test_what_is_not_a_key_is_not_looked_up(text: str) -> None:
    assert repository.parse_api_key(text) is None


@pytest.mark.parametrize(
    ("now", "verdict"), [(8_999, None), (9_000, "expired"), (10**15, "expired")], ids=["before", "at", "after"]
)
def test_expiry(house: Household, now: int, verdict: str | None) -> None:
    assert check(house, make(house).text, now=now) == verdict


def test_a_key_without_expiry_lasts(house: Household) -> None:
    assert check(house, make(house, expires_at=None).text, now=10**15) is None


def test_a_revoked_key_is_refused_and_keeps_its_first_time(house: Household) -> None:
    new = make(house)
    assert house.do(repository.revoke_api_key, house.ring, new.key_id, now=3_000)
    assert house.do(repository.revoke_api_key, house.ring, new.key_id, now=4_000)
    assert not house.do(repository.revoke_api_key, house.ring, "none", now=4_000)
    assert check(house, new.text) == "revoked"
    key = house.do(repository.find_api_key, new.key_id)
    assert key is not None
    assert key.revoked_at == 3_000


def test_a_wrong_secret_is_refused(house: Household) -> None:
    one, two = make(house), make(house)
    assert check(house, one.text[:-1] + ("0" if one.text[-1] != "0" else "1")) == "bad_secret"
    assert check(house, f"fa_{one.key_id}_{two.text.rsplit('_', 1)[1]}") == "bad_secret"


def test_with_another_pepper_no_key_opens(house: Household, tmp_path: Path) -> None:
    assert check(house, make(house).text, ring=KeyRing(tmp_path / "other")) == "bad_secret"


EDITS = {
    "role": ("UPDATE api_keys SET role = 'admin'", "altered"),
    "expiry": ("UPDATE api_keys SET expires_at = 99999999999", "altered"),
    "no expiry": ("UPDATE api_keys SET expires_at = NULL", "altered"),
    "name": ("UPDATE api_keys SET name = 'other'", "altered"),
    "created": ("UPDATE api_keys SET created = 1", "altered"),
    "revoked": ("UPDATE api_keys SET revoked_at = 5", "altered"),
    "somebody else": ("UPDATE api_keys SET principal_id = (SELECT id FROM principals ORDER BY id DESC LIMIT 1)", "altered"),
    "secret": ("UPDATE api_keys SET secret_mac = zeroblob(32)", "bad_secret"),
    "grant": ("UPDATE api_keys SET grant_mac = zeroblob(32)", "altered"),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "verdict"), EDITS.values(), ids=EDITS.keys())
def test_a_key_edited_in_the_database_is_refused(house: Household, edit: str, verdict: str) -> None:
    new = make(house)
    house.person("zoe")
    house.sql(edit)
    assert check(house, new.text) == verdict


def test_a_revoked_key_cannot_be_revived_by_an_edit(house: Household) -> None:
    new = make(house)
    house.do(repository.revoke_api_key, house.ring, new.key_id, now=3_000)
    house.sql("UPDATE api_keys SET revoked_at = NULL")
    assert check(house, new.text) == "altered"


def test_the_grant_of_one_key_does_not_fit_another(house: Household) -> None:
    weak, strong = make(house), make(house, role="admin")
    house.sql(
        "UPDATE api_keys SET role = 'admin', grant_mac = (SELECT grant_mac FROM api_keys WHERE key_id = ?)"
        " WHERE key_id = ?",
        strong.key_id,
        weak.key_id,
    )
    assert check(house, weak.text) == "altered"


def test_a_person_is_made_once(house: Household) -> None:
    alice = house.person("alice")
    assert house.person("alice") == alice == house.do(repository.find_person, "alice")
    assert house.do(repository.find_principal, alice.principal_id) == alice
    assert house.do(repository.find_person, "Alice") is None
    bob = house.person("bob")
    assert house.do(repository.list_persons) == (alice, bob)


def test_a_database_belongs_to_its_pepper(house: Household, tmp_path: Path) -> None:
    house.do(repository.bind_pepper, house.ring)
    house.do(repository.bind_pepper, KeyRing(tmp_path / "keys"))
    with pytest.raises(KeysUnavailable):
        house.do(repository.bind_pepper, KeyRing(tmp_path / "other"))


def test_a_stored_key_does_not_show_its_macs() -> None:
    key = ApiKey("k", "a", "p", "n", "user", 1, None, None, b"secret-mac", b"grant-mac")
    assert "mac" not in repr(key)


def test_a_name_in_another_spelling_is_the_same_person(house: Household) -> None:
    first = house.do(repository.ensure_person, house.ring, "Front Desk", now=1)
    again = house.do(repository.ensure_person, house.ring, "front  desk", now=2)
    assert first.principal_id == again.principal_id
