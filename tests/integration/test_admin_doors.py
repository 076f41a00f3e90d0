"""`/admin/…` and `/me`: keys with their records, backends, and how the system stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime import system
from runtime.audit.errors import LogUnavailable
from runtime.backends.base import BackendError
from runtime.backends.scripted import Script, ScriptedBackend

from .doors import SharedLog, assert_log_whole, engine, nothing_appended, operational_log, records
from .harness import Filagent, running

NAME = "Zacharie Quintal"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    ill = ScriptedBackend(name="ill", unhealthy=BackendError("upstream.unreachable", "Gone."))
    with running(tmp_path_factory.mktemp("admin"), engine=engine(), others=[ill]) as started:
        yield started


class DeadLog(SharedLog):
    async def append(self, draft: Any) -> Any:
        raise LogUnavailable("gone")

    async def status(self) -> dict[str, Any]:
        raise LogUnavailable("gone")


def test_a_key_is_made_shown_once_listed_and_revoked_each_with_its_record(app: Filagent) -> None:
    before = len(records(app, "admin"))
    made = app.request("POST", "/admin/keys", {"name": NAME, "role": "user", "days": 2})
    assert made.status == 201
    assert made.headers["cache-control"] == "no-store"
    key, key_id = made.json["key"], made.json["key_id"]
    assert app.request("GET", "/me", key=key).json["role"] == "user"
    listed = app.request("GET", "/admin/keys")
    assert key.encode() not in listed.raw
    assert key.rpartition("_")[2].encode() not in listed.raw
    [mine] = [one for one in listed.json["keys"] if one["key_id"] == key_id]
    assert (mine["name"], mine["role"], mine["state"]) == (NAME, "user", "active")
    assert mine["expires_ms"] - mine["created_ms"] == 2 * 86_400_000
    assert app.request("DELETE", f"/admin/keys/{key_id}").status == 204
    assert app.request("GET", "/me", key=key).status == 401
    assert app.request("DELETE", f"/admin/keys/{key_id}").status == 204
    states = {one["key_id"]: one["state"] for one in app.request("GET", "/admin/keys").json["keys"]}
    assert states[key_id] == "revoked"
    actions = [one["detail"]["action"] for one in records(app, "admin")[before:]]
    assert actions == ["api_key.created", "api_key.list", "api_key.revoked", "api_key.revoked", "api_key.list"]
    mine_ref = app.request("GET", "/me").json["ref"]
    assert {one["actor"]["ref"] for one in records(app, "admin")[before:]} == {mine_ref}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x", "role": "emperor"}, "key.role_unknown"),
        ({"name": "x"}, "request.invalid"),
        ({"name": " ", "role": "user"}, "request.invalid"),
        ({"name": "x" * 201, "role": "user"}, "request.invalid"),
        ({"name": "x", "role": "user", "days": 0}, "request.invalid"),
        ({"name": "x", "role": "user", "days": "1"}, "request.invalid"),
        ({"name": "x", "role": "user", "key": "mine"}, "request.invalid"),
        (b"nonsense", "request.not_json"),
    ],
)
def test_a_key_that_cannot_be_made(app: Filagent, body: Any, code: str) -> None:
    with nothing_appended(app):
        refused = app.request("POST", "/admin/keys", body)
    assert (refused.status, refused.json["code"]) == (422, code)


@pytest.mark.parametrize("key_id", ["a" * 26, "x" * 400, "%00", "..%2f..", "é"])
def test_no_such_key(app: Filagent, key_id: str) -> None:
    path = f"/admin/keys/{key_id}".replace("é", "%C3%A9")
    with nothing_appended(app):
        refused = app.request("DELETE", path)
    assert refused.status == 404


def test_what_cannot_be_recorded_is_not_done(app: Filagent) -> None:
    made = app.request("POST", "/admin/keys", {"name": "stays", "role": "user"}).json
    with running(app.settings.home, engine=engine(), log=SharedLog(app)) as other:
        other.services.log = DeadLog(app)
        for method, path, body in (
            ("GET", "/admin/keys", None),
            ("POST", "/admin/keys", {"name": "nobody", "role": "admin"}),
            ("DELETE", f"/admin/keys/{made['key_id']}", None),
        ):
            refused = other.request(method, path, body)
            assert (refused.status, refused.json["code"]) == (503, "evidence.unavailable"), path
            assert b"fa_" not in refused.raw
    assert app.request("GET", "/me", key=made["key"]).status == 200


def test_names_stay_out_of_the_log_and_out_of_operational_logs(app: Filagent) -> None:
    with operational_log() as operational:
        made = app.request("POST", "/admin/keys", {"name": NAME, "role": "user"}).json
        app.request("GET", "/admin/keys")
        app.request("GET", "/me", key=made["key"])
    for word in (NAME, "Quintal", made["key"]):
        assert word not in operational.text
        assert word not in repr(records(app))


def test_backends_say_how_they_are(app: Filagent) -> None:
    found = {one["name"]: one for one in app.request("GET", "/admin/backends").json["backends"]}
    assert found["scripted"]["healthy"] is True
    assert found["scripted"]["default"] is True
    assert found["scripted"]["models"] == ["script-1", "script-2"]
    assert (found["ill"]["healthy"], found["ill"]["code"]) == (False, "upstream.unreachable")
    said = {one["name"]: one["text"] for one in app.request("GET", "/admin/backends?lang=fr").json["backends"]}
    assert said["ill"] == "Le serveur du modèle était injoignable."
    assert (found["ill"]["text"], found["scripted"]["text"]) == ("The model's server could not be reached.", None)


def test_the_system_says_how_it_stands(app: Filagent) -> None:
    told = app.request("GET", "/admin/system").json
    assert told["log"]["records"] == told["log"]["checkpoint"]["size"] == len(records(app))
    assert told["log"]["writable"] is True
    assert told["log"]["checkpoint"]["age_seconds"] >= 0
    assert told["database"]["bytes"] > 0
    assert 0 < told["disk"]["free"] < told["disk"]["bytes"]
    assert told["versions"]["policy"] == app.services.policy.revision
    assert told["witnesses"] == {"quorum": 0, "withheld": False, "states": []}


def test_alarms_ring_in_both_languages_and_bear_the_names_of_the_shipped_rules(app: Filagent) -> None:
    rules = yaml.safe_load((Path(__file__).parents[2] / "config" / "alerts.yml").read_text("utf-8"))
    assert set(system._TEXTS) <= {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    with running(app.settings.home, engine=engine(), log=SharedLog(app)) as other:
        other.services.log = DeadLog(app)
        texts = {}
        for lang in ("en", "fr"):
            told = other.request("GET", f"/admin/system?lang={lang}").json
            assert told["log"]["writable"] is False
            texts[lang] = {one["alarm"]: one["text"] for one in told["alarms"]}["FilAgentEvidenceUnavailable"]
    assert texts["en"] != texts["fr"]


def test_failing_turns_ring(tmp_path: Path) -> None:
    fails = Script((BackendError("upstream.timeout", "Too late."),))
    backend = ScriptedBackend(lambda request: fails if "fail" in request.messages[-1].content else Script())
    with running(tmp_path, backend, engine=engine()) as app:
        app.chat("Hello")
        assert "FilAgentErrorRate" not in ringing(app)
        app.chat("Please fail")
        assert "FilAgentErrorRate" in ringing(app)


def ringing(app: Filagent) -> set[str]:
    return {one["alarm"] for one in app.request("GET", "/admin/system").json["alarms"]}


def test_me_says_what_is_used(app: Filagent) -> None:
    key = app.key("user", "somebody who asks")
    before = app.request("GET", "/me", key=key).json
    assert before["used"] == {
        "requests_per_minute": 0, "tokens_per_day": 0, "tokens_reserved": 0, "concurrent_turns": 0,
    }  # fmt: skip
    usage = app.chat("Hello", key=key).json["usage"]["total_tokens"]
    after = app.request("GET", "/me", key=key).json
    assert (after["used"]["requests_per_minute"], after["used"]["tokens_per_day"]) == (1, usage)
    assert after["limits"]["requests_per_minute"] == 60
    actions = {one["action"] for one in after["actions"]}
    assert "chat.create" in actions
    assert "admin.keys" not in actions
    assert [one["name"] for one in after["backends"]] == ["scripted", "ill"]
    assert app.request("GET", "/me", key=app.key("viewer")).json["backends"] == []


@pytest.mark.parametrize(
    ("headers", "query", "lang"),
    [
        ({}, "", "en"),
        ({"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"}, "", "fr"),
        ({"Accept-Language": "de, en;q=0.4, fr;q=0.7"}, "", "fr"),
        ({"Accept-Language": "fr;q=0"}, "", "en"),
        ({"Accept-Language": "fr"}, "?lang=en", "en"),
        ({"Accept-Language": ";;;=,q=" * 500}, "", "en"),
    ],
)
def test_the_callers_language(app: Filagent, headers: dict[str, str], query: str, lang: str) -> None:
    assert app.request("GET", f"/me{query}", headers=headers).json["lang"] == lang


def test_another_language_is_refused(app: Filagent) -> None:
    refused = app.request("GET", "/me?lang=de")
    assert (refused.status, refused.json["code"]) == (422, "request.invalid")


def test_after_all_of_this_the_log_is_whole(app: Filagent) -> None:
    assert_log_whole(app)
