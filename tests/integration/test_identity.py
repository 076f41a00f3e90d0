"""Who a request comes from: keys that are wrong, old, revoked or edited, everywhere and at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.keys_admin import OPERATOR, create_key, list_keys, revoke_key
from runtime.ledger import now_ms

from .doors import SharedLog, assert_log_whole, engine, nothing_appended, on_loop, records, size
from .harness import Answer, Filagent, running

HOUR = 3_600_000


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Filagent, Filagent]]:
    """Two applications over one home, as two workers are."""
    home = tmp_path_factory.mktemp("identity")
    with running(home, engine=engine()) as first, running(home, engine=engine(), log=SharedLog(first)) as second:
        yield first, second


@pytest.fixture
def app(apps: tuple[Filagent, Filagent]) -> Filagent:
    return apps[0]


def made(app: Filagent, role: str, name: str, *, expires_at: int | None = None) -> tuple[str, str]:
    """(key id, text) of a new key."""
    key = on_loop(
        app,
        create_key(
            app.services.ledger.database, app.services.ledger.keys, app.log,
            name=name, role=role, actor=OPERATOR, expires_at=expires_at, now=now_ms(),
        ),
    )  # fmt: skip
    return key.key_id, key.text


def revoke(app: Filagent, key_id: str) -> None:
    ledger = app.services.ledger
    on_loop(app, revoke_key(ledger.database, ledger.keys, app.log, key_id, actor=OPERATOR, now=now_ms()))


def edit(app: Filagent, statement: str, *values: Any) -> None:
    """Change the database behind the application's back."""
    connection = sqlite3.connect(app.settings.home / "data" / "filagent.sqlite")
    with connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


def assert_unknown(answer: Answer, code: str = "auth.invalid") -> None:
    assert (answer.status, answer.json["code"]) == (401, code)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "decision_id" not in answer.json


DOORS = [
    ("POST", "/chat"),
    ("GET", "/conversations"),
    ("GET", "/conversations/C-1"),
    ("PATCH", "/conversations/C-1"),
    ("DELETE", "/conversations/C-1"),
    ("GET", "/turns/T-1"),
    ("GET", "/decisions"),
    ("GET", "/decisions/DR-1"),
    ("GET", "/decisions/DR-1/proof"),
    ("GET", "/decisions/DR-1/explain"),
    ("GET", "/log/tile/entries/000"),
]


@pytest.mark.parametrize(("method", "path"), DOORS, ids=[" ".join(door) for door in DOORS])
def test_every_door_asks_who_is_there(app: Filagent, method: str, path: str) -> None:
    with nothing_appended(app):
        assert_unknown(app.request(method, path, key=None), "auth.missing")
        assert_unknown(app.request(method, path, key="fa_" + "a" * 26 + "_" + "0" * 64))


def test_both_ways_to_show_a_key_work(app: Filagent) -> None:
    key = app.key("user")
    for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bEARER  {key}"}, {"X-API-Key": key}):
        assert app.request("GET", "/conversations", key=None, headers=headers).status == 200


BROKEN: list[tuple[str, Callable[[str], str]]] = [
    ("another scheme", lambda key: f"Basic {key}"),
    ("no scheme", lambda key: key),
    ("nothing behind the scheme", lambda _: "Bearer "),
    ("one letter less", lambda key: f"Bearer {key[:-1]}"),
    ("one letter more", lambda key: f"Bearer {key}0"),
    ("another last letter", lambda key: f"Bearer {key[:-1]}{'0' if key[-1] != '0' else '1'}"),
    ("capitals", lambda key: f"Bearer {key.upper()}"),
    ("the key id alone", lambda key: f"Bearer {key.rpartition('_')[0]}"),
    ("the secret alone", lambda key: f"Bearer {key.rpartition('_')[2]}"),
    ("two keys", lambda key: f"Bearer {key} {key}"),
    ("accents", lambda key: f"Bearer {key}é"),
    ("very long", lambda key: f"Bearer {key * 100}"),
    ("a wildcard", lambda key: "Bearer fa_%_%"),
]


@pytest.mark.parametrize("change", [change for _, change in BROKEN], ids=[name for name, _ in BROKEN])
def test_almost_a_key_is_none(app: Filagent, change: Callable[[str], str]) -> None:
    text = change(app.key("user")).encode("latin-1").decode("latin-1")
    answer = app.request("GET", "/conversations", key=None, headers={"Authorization": text})
    assert answer.status == 401
    assert answer.json["code"] in {"auth.invalid", "auth.missing"}


def test_a_secret_opens_no_other_key(app: Filagent) -> None:
    (one, text), (other, _) = made(app, "user", "first person"), made(app, "admin", "second person")
    assert app.request("GET", "/conversations", key=text).status == 200
    assert_unknown(app.request("GET", "/conversations", key=text.replace(one, other)))


def test_nothing_tells_why_a_key_is_refused(app: Filagent) -> None:
    revoked_id, revoked = made(app, "user", "was here")
    revoke(app, revoked_id)
    _, expired = made(app, "user", "was here too", expires_at=now_ms() - 1)
    unknown = "fa_" + "b" * 26 + "_" + "0" * 64
    told = {app.request("GET", "/conversations", key=key).raw for key in (revoked, expired, unknown, "nonsense")}
    assert len(told) == 1


def test_an_expired_key_is_refused_and_one_that_will_expire_is_not(app: Filagent) -> None:
    _, expired = made(app, "admin", "short visit", expires_at=now_ms() - 1)
    _, valid = made(app, "admin", "longer visit", expires_at=now_ms() + HOUR)
    assert_unknown(app.chat("Hello", key=expired))
    assert app.chat("Hello", key=valid).status == 200


def test_a_revoked_key_is_refused_at_once_in_every_application(apps: tuple[Filagent, Filagent]) -> None:
    first, second = apps
    key_id, key = made(first, "admin", "leaves today")
    for app in apps:
        assert app.chat("Hello", key=key).status == 200
    revoke(first, key_id)
    for app in (second, first):
        assert_unknown(app.chat("Hello", key=key))
        assert_unknown(app.request("GET", "/conversations", key=key))


def test_a_new_key_works_at_once_in_every_application(apps: tuple[Filagent, Filagent]) -> None:
    _, key = made(apps[0], "user", "came today")
    assert apps[1].chat("Hello", key=key).status == 200


def test_what_one_application_answered_the_other_reads(apps: tuple[Filagent, Filagent]) -> None:
    key = apps[0].key("user", "two windows")
    answer = apps[0].chat("I am jean.roy@courriel.example", key=key).json
    again = apps[1].request("GET", f"/turns/{answer['turn_id']}", key=key)
    assert (again.status, again.json) == (200, answer)
    more = apps[1].chat("Who am I?", key=key, conversation_id=answer["conversation_id"])
    assert more.status == 200
    told = apps[0].request("GET", f"/conversations/{answer['conversation_id']}", key=key).json["messages"]
    assert [message["content"] for message in told if message["origin"] == "caller"] == [
        "I am jean.roy@courriel.example", "Who am I?",
    ]  # fmt: skip


EDITS: list[tuple[str, str, tuple[Any, ...]]] = [
    ("another role", "UPDATE api_keys SET role = 'admin' WHERE key_id = ?", ()),
    ("a later end", "UPDATE api_keys SET expires_at = 99999999999999 WHERE key_id = ?", ()),
    ("another name", "UPDATE api_keys SET name = 'Director' WHERE key_id = ?", ()),
    (
        "another person",
        "UPDATE api_keys SET principal_id = (SELECT principal_id FROM api_keys WHERE role = 'admin' LIMIT 1) WHERE key_id = ?",
        (),
    ),
    ("a secret of one's own", "UPDATE api_keys SET secret_mac = zeroblob(32) WHERE key_id = ?", ()),
    ("another origin", "UPDATE api_keys SET created = created - 1 WHERE key_id = ?", ()),
]


@pytest.mark.parametrize("statement", [edit[1] for edit in EDITS], ids=[edit[0] for edit in EDITS])
def test_a_key_edited_in_the_database_is_refused(app: Filagent, statement: str) -> None:
    key_id, key = made(app, "user", "honest person")
    assert app.request("GET", "/conversations", key=key).status == 200
    edit(app, statement, key_id)
    assert_unknown(app.request("GET", "/conversations", key=key))


def test_a_revocation_undone_in_the_database_stays(app: Filagent) -> None:
    key_id, key = made(app, "user", "dishonest person")
    revoke(app, key_id)
    edit(app, "UPDATE api_keys SET revoked_at = NULL WHERE key_id = ?", key_id)
    assert_unknown(app.request("GET", "/conversations", key=key))


def test_a_key_copied_in_the_database_is_refused(app: Filagent) -> None:
    key_id, key = made(app, "user", "copied person")
    copy = "c" * 26
    edit(
        app,
        "INSERT INTO api_keys SELECT ?, principal_id, name, role, secret_mac, created, expires_at, revoked_at, grant_mac "
        "FROM api_keys WHERE key_id = ?",
        copy, key_id,
    )  # fmt: skip
    assert_unknown(app.request("GET", "/conversations", key=key.replace(key_id, copy)))


def test_making_and_revoking_keys_is_recorded_without_names_or_secrets(app: Filagent) -> None:
    before = size(app)
    key_id, key = made(app, "auditor", "Zacharie Quintal")
    revoke(app, key_id)
    revoke(app, key_id)
    found = records(app, "admin", start=before)
    assert [one["detail"]["action"] for one in found] == ["api_key.created", "api_key.revoked", "api_key.revoked"]
    assert found[0]["detail"] == {"action": "api_key.created", "key_id": key_id, "role": "auditor"}
    assert "Quintal" not in str(found)
    assert key.rpartition("_")[2] not in str(found)


def test_keys_are_stored_as_macs(app: Filagent, tmp_path: Path) -> None:
    key = app.key("user")
    secret = key.rpartition("_")[2]
    for path in sorted(app.settings.home.rglob("*")):
        if path.is_file() and path.name != "admin.key":
            data = path.read_bytes()
            assert secret.encode() not in data, path
            assert bytes.fromhex(secret) not in data, path
    listed = on_loop(app, list_keys(app.services.ledger.database))
    assert secret not in repr(listed)


def test_after_all_of_this_the_log_is_whole(app: Filagent) -> None:
    assert_log_whole(app)
