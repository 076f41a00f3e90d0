"""Each door of the console with each role: who gets in is the policy's to say, and nobody else gets further."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .doors import assert_log_whole, engine, nothing_appended, records
from .harness import Filagent, running

ROLES = ("admin", "operator", "reviewer", "auditor", "privacy_officer", "user", "viewer")
TRIES = {"admin", "operator", "reviewer", "auditor", "privacy_officer"}
VERIFIES = {"admin", "operator", "reviewer", "auditor", "privacy_officer"}
NO_EXPORT = "export_" + "a" * 26
NO_VERIFICATION = "verify_" + "a" * 26

# door, body, who gets in, what one who gets in is told
DOORS: list[tuple[str, Any, set[str], int]] = [
    ("GET /me", None, set(ROLES), 200),
    ("GET /policy", None, TRIES, 200),
    ("POST /policy/evaluate", {"role": "user"}, TRIES, 200),
    ("POST /mask", {"text": "x"}, TRIES, 200),
    ("GET /stats", None, {"admin", "operator", "auditor"}, 200),
    ("GET /decisions", None, set(ROLES), 200),
    ("POST /audit/exports", {"range": {}, "turn": "t" * 20}, {"admin", "auditor"}, 422),
    ("GET /audit/exports", None, {"admin", "auditor"}, 200),
    (f"GET /audit/exports/{NO_EXPORT}", None, {"admin", "auditor"}, 404),
    (f"GET /audit/exports/{NO_EXPORT}/download", None, {"admin", "auditor"}, 404),
    (f"DELETE /audit/exports/{NO_EXPORT}", None, {"admin", "auditor"}, 404),
    ("POST /audit/verify", {"receipt": {}}, VERIFIES, 200),
    ("GET /audit/verify", None, VERIFIES, 200),
    (f"GET /audit/verify/{NO_VERIFICATION}", None, VERIFIES, 404),
    ("GET /admin/keys", None, {"admin"}, 200),
    ("POST /admin/keys", {"name": "x"}, {"admin"}, 422),
    ("DELETE /admin/keys/none", None, {"admin"}, 404),
    ("GET /admin/users", None, {"admin"}, 200),
    ("POST /admin/users/nobody/close", None, {"admin"}, 404),
    ("POST /admin/users/nobody/reopen", None, {"admin"}, 404),
    ("GET /admin/backends", None, {"admin", "operator", "auditor"}, 200),
    ("GET /admin/system", None, {"admin", "operator", "auditor"}, 200),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("roles"), engine=engine()) as started:
        for role in ROLES:
            started.key(role)
        yield started


@pytest.mark.parametrize(("door", "body", "roles", "status"), DOORS, ids=[door for door, *_ in DOORS])
def test_who_gets_in(app: Filagent, door: str, body: Any, roles: set[str], status: int) -> None:
    method, path = door.split()
    for role in ROLES:
        if role in roles:
            assert app.request(method, path, body, key=app.key(role)).status == status, role
            continue
        with nothing_appended(app):
            refused = app.request(method, path, body, key=app.key(role))
        code = "policy.forbidden" if role == "auditor" else "policy.role_lacks_permission"
        assert (refused.status, refused.json["code"]) == (403, code), role
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), [door.split() for door, *_ in DOORS], ids=[door for door, *_ in DOORS])
def test_nobody_gets_in_without_a_key(app: Filagent, method: str, path: str) -> None:
    with nothing_appended(app):
        for key, code in ((None, "auth.missing"), ("fa_" + "a" * 26 + "_" + "0" * 64, "auth.invalid")):
            refused = app.request(method, path, key=key)
            assert (refused.status, refused.json["code"]) == (401, code)


def test_the_doors_are_described(app: Filagent) -> None:
    described = app.request("GET", "/openapi.json", key=None).json["paths"]
    named = {"none": "{key_id}", "nobody": "{user_id}", NO_EXPORT: "{export_id}", NO_VERIFICATION: "{verification_id}"}
    for door, body, *_ in DOORS:
        method, path = door.split()
        path = "/".join(named.get(part, part) for part in path.split("/"))
        operation = described[path][method.lower()]
        assert operation["summary"], door
        assert ("requestBody" in operation) == (body is not None), door


def test_one_who_looks_at_others_records_is_recorded_once_an_hour(app: Filagent) -> None:
    turn = app.chat("Hello", key=app.key("user")).json["decision_id"]
    key = app.key("auditor", "another auditor")
    before = len(records(app, "admin"))
    for path in ("/decisions", f"/decisions/{turn}", f"/decisions/{turn}/explain", "/decisions"):
        assert app.request("GET", path, key=key).status == 200
    [noted] = [one for one in records(app, "admin")[before:] if one["detail"]["action"] == "decisions.read"]
    assert noted["actor"]["role"] == "auditor"
    assert noted["actor"]["ref"] == app.request("GET", "/me", key=key).json["ref"]
    with nothing_appended(app):
        assert app.request("GET", f"/decisions/{turn}", key=app.key("user")).status == 200


def test_after_all_of_this_the_log_is_whole(app: Filagent) -> None:
    assert_log_whole(app)
