"""`/admin/users` and `filagent users`: who has an account, closing one everywhere and at once, and its records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.errors import LogUnavailable
from runtime.cli import main
from tests.fakes.oidc_provider import OidcProvider

from .doors import SharedLog, assert_log_whole, engine, nothing_appended, on_loop, operational_log, records, size
from .harness import Filagent, running
from .oidc_site import me, oidc_settings

NAME = "Zacharie Quintal"


@pytest.fixture(scope="module")
def site() -> Iterator[OidcProvider]:
    with OidcProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def app(site: OidcProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    home = tmp_path_factory.mktemp("users")
    with running(home, engine=engine(), settings=oidc_settings(home, site)) as started:
        yield started


def listed(app: Filagent, **wanted: Any) -> list[dict[str, Any]]:
    users = app.request("GET", "/admin/users").json["users"]
    return [user for user in users if all(user[name] == value for name, value in wanted.items())]


def user_of(app: Filagent, key: str) -> str:
    return str(app.request("GET", "/me", key=key).json["user_id"])


def test_the_list_says_who_is_known_and_is_a_record(app: Filagent, site: OidcProvider) -> None:
    for role in ("user", "viewer"):
        app.request("POST", "/admin/keys", {"name": NAME, "role": role})
    gone = app.request("POST", "/admin/keys", {"name": NAME, "role": "operator"}).json["key_id"]
    app.request("DELETE", f"/admin/keys/{gone}")
    by_token = me(app, site.access_token(sub="by token", roles=["auditors"])).json
    on_loop(app, app.services.authenticator.save_visits())
    before = size(app)
    [person] = listed(app, names=[NAME])
    assert (person["roles"], person["auth_methods"], person["keys"]) == (["user", "viewer"], ["api_key"], 2)
    assert (person["state"], person["closed_ms"], person["last_seen"]) == ("active", None, None)
    assert len(person["refs"]) == 3
    [token_user] = listed(app, user_id=by_token["user_id"])
    assert (token_user["names"], token_user["roles"], token_user["auth_methods"]) == ([], ["auditor"], ["oidc"])
    assert (token_user["keys"], token_user["refs"]) == (0, [by_token["ref"]])
    assert token_user["last_seen"] == datetime.now(UTC).date().isoformat()
    told = records(app, start=before)
    assert [one["detail"]["action"] for one in told] == ["user.list", "user.list"]
    assert told[0]["detail"]["users"] == len(app.request("GET", "/admin/users").json["users"])


def test_a_closed_account_is_refused_everywhere_and_can_be_opened_again(app: Filagent) -> None:
    keys = [app.request("POST", "/admin/keys", {"name": "Closing", "role": "user"}).json for _ in range(2)]
    user = user_of(app, keys[0]["key"])
    turn = app.chat("Hello", key=keys[0]["key"]).json["turn_id"]
    before = size(app)
    with running(app.settings.home, engine=engine(), log=SharedLog(app), settings=app.settings) as second:
        assert second.request("GET", "/me", key=keys[1]["key"]).status == 200
        assert app.request("POST", f"/admin/users/{user}/close").status == 204
        for worker in (app, second):
            for key in keys:
                refused = worker.chat("Hello", key=key["key"])
                assert (refused.status, refused.json["code"]) == (401, "auth.invalid")
    [closed] = listed(app, user_id=user)
    assert closed["state"] == "closed"
    assert closed["closed_ms"] > 0
    states = {one["key_id"]: one["state"] for one in app.request("GET", "/admin/keys").json["keys"]}
    assert {states[key["key_id"]] for key in keys} == {"closed"}
    # Closing twice keeps the first time; a key cannot be had past it.
    assert app.request("POST", f"/admin/users/{user}/close").status == 204
    assert listed(app, user_id=user)[0]["closed_ms"] == closed["closed_ms"]
    for name in ("Closing", " closing "):
        more = app.request("POST", "/admin/keys", {"name": name, "role": "user"})
        assert (more.status, more.json["code"]) == (409, "user.closed"), name
    app.request("DELETE", f"/admin/keys/{keys[1]['key_id']}")
    assert app.request("POST", f"/admin/users/{user}/reopen").status == 204
    assert app.request("GET", f"/turns/{turn}", key=keys[0]["key"]).status == 200
    assert app.request("GET", "/me", key=keys[1]["key"]).status == 401  # revoked meanwhile
    mine = app.request("GET", "/me").json["ref"]
    done = [one for one in records(app, "admin", start=before) if one["detail"]["action"].startswith("user.")]
    actions = [one["detail"]["action"] for one in done if one["detail"]["action"] != "user.list"]
    assert actions == ["user.closed", "user.closed", "user.reopened"]
    assert {one["actor"]["ref"] for one in done} == {mine}


def test_one_s_own_account_is_for_somebody_else_to_close(app: Filagent) -> None:
    with nothing_appended(app):
        refused = app.request("POST", f"/admin/users/{user_of(app, app.admin_key)}/close")
    assert (refused.status, refused.json["code"]) == (409, "user.own_account")


@pytest.mark.parametrize("user", ["P-nobody", "x" * 400, "%00", "..%2f..", "%C3%A9", "%25"])
@pytest.mark.parametrize("act", ["close", "reopen"])
def test_no_such_account(app: Filagent, user: str, act: str) -> None:
    with nothing_appended(app):
        refused = app.request("POST", f"/admin/users/{user}/{act}")
    assert refused.status == 404


class MortalLog(SharedLog):
    dead = False

    async def append(self, draft: Any) -> Any:
        if self.dead:
            raise LogUnavailable("gone")
        return await super().append(draft)


def test_what_cannot_be_recorded_is_not_done(app: Filagent) -> None:
    key = app.key("user", "stays open")
    user = user_of(app, key)
    log = MortalLog(app)
    with running(app.settings.home, engine=engine(), log=log, settings=app.settings) as other:
        log.dead = True
        for method, path in (("GET", "/admin/users"), ("POST", f"/admin/users/{user}/close")):
            refused = other.request(method, path)
            assert (refused.status, refused.json["code"]) == (503, "evidence.unavailable")
            assert b"stays open" not in refused.raw
    assert app.request("GET", "/me", key=key).status == 200


def test_names_stay_out_of_the_log(app: Filagent) -> None:
    with operational_log() as operational:
        app.request("GET", "/admin/users")
    assert NAME not in operational.text
    assert "Quintal" not in repr(records(app))


def command(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["users", *words]) == status
    return capsys.readouterr().out


def test_the_command(
    site: OidcProvider, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = oidc_settings(tmp_path, site)
    token = site.access_token(sub="auth0|ada")
    with running(tmp_path, engine=engine(), settings=settings) as app:
        key = app.key("user", NAME)
        user = me(app, token).json["user_id"]
        me(app, site.access_token(sub="another"))
        app.request("GET", "/me", key=key)
    monkeypatch.setenv("FILAGENT_HOME", str(tmp_path))
    monkeypatch.setenv("FILAGENT_CONFIG", str(next(tmp_path.glob("agent-*.yaml"))))
    monkeypatch.setenv("LLM_BACKEND", "scripted")
    rows = [json.loads(line) for line in command(capsys, "list", "--json").splitlines()]
    assert [row["names"] for row in rows if row["names"]][-1] == [NAME]
    assert rows[-1]["last_seen"] is not None, "what was not stored yet is stored when the server ends"
    [found] = command(capsys, "list", "--subject", "auth0|ada", "--json").splitlines()
    assert json.loads(found)["user_id"] == user
    assert NAME in command(capsys, "list")
    assert command(capsys, "list", "--subject", "nobody", status=1) == ""
    assert command(capsys, "close", "P-nobody", status=1) == ""
    command(capsys, "close", user)
    with running(tmp_path, engine=engine(), settings=settings) as app:
        assert me(app, token).status == 401
    command(capsys, "reopen", user)
    with running(tmp_path, engine=engine(), settings=settings) as app:
        assert me(app, token).status == 200
        shells = [one for one in records(app, "admin") if one["detail"]["action"].startswith("user.")]
        done = [one["detail"]["action"] for one in shells if one["actor"].get("auth_method") == "shell"]
        assert done == ["user.closed", "user.reopened"]
        assert_log_whole(app)
