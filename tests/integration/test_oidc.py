"""Tokens at the doors: who gets in as whom, what is known of him, and what is left when he is gone."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from memory.erasure import Selector
from runtime.audit.errors import LogUnavailable
from runtime.erasing import Eraser
from runtime.errors import SettingsError
from runtime.housekeeping import Housekeeper
from runtime.keys_admin import OPERATOR
from runtime.server import build_services
from tests.fakes.oidc_provider import Key, OidcProvider

from .doors import (
    SharedLog,
    assert_log_whole,
    engine,
    nothing_appended,
    on_loop,
    operational_log,
    record,
    records,
    size,
)
from .harness import Filagent, running
from .oidc_site import me, oidc_settings, rows

SUB = "auth0|Zacharie-Quintal-5f1c"
PERSONAL = {"email": "zacharie.quintal@courriel.example", "name": "Zacharie Quintal", "preferred_username": "zquintal"}


@pytest.fixture(scope="module")
def site() -> Iterator[OidcProvider]:
    with OidcProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def app(site: OidcProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    home = tmp_path_factory.mktemp("oidc")
    with running(home, engine=engine(), settings=oidc_settings(home, site)) as started:
        yield started


class MortalLog(SharedLog):
    dead = False

    async def append(self, draft: Any) -> Any:
        if self.dead:
            raise LogUnavailable("gone")
        return await super().append(draft)


def erase(app: Filagent, person_id: str, *, close: bool = True) -> dict[str, Any]:
    ledger = app.services.ledger
    eraser = Eraser(app.settings, ledger.database, ledger.keys, app.log)
    return on_loop(app, eraser.erase(Selector(person=person_id, close_account=close), actor=OPERATOR))


# who gets in ---------------------------------------------------------------------------------------------------------


def test_a_token_opens_what_its_role_opens(app: Filagent, site: OidcProvider) -> None:
    before = size(app)
    token = site.access_token(sub="first")
    told = me(app, token).json
    assert (told["role"], told["auth_method"], told["name"]) == ("user", "oidc", "")
    assert told["user_id"].startswith("P-")
    assert me(app, token).json["ref"] == told["ref"]
    [admitted] = records(app, start=before)
    assert admitted["event"] == "admin"
    assert admitted["actor"] == {"type": "principal", "ref": told["ref"], "role": "user", "auth_method": "oidc"}
    assert admitted["detail"] == {"action": "user.admitted", "role": "user"}
    refused = app.request("GET", "/admin/keys", key=token)
    assert (refused.status, refused.json["code"]) == (403, "policy.role_lacks_permission")
    assert app.request("GET", "/admin/keys", key=site.access_token(sub="first", roles=["admins"])).status == 200


def test_a_governed_turn_of_a_token_is_recorded_and_remembered(app: Filagent, site: OidcProvider) -> None:
    answered = app.chat("Hello", key=site.access_token(sub="talks")).json
    done = record(app, answered["decision_id"])
    assert (done["actor"]["auth_method"], done["actor"]["role"]) == ("oidc", "user")
    assert done["data_subject_refs"]
    again = site.access_token(sub="talks")
    assert app.request("GET", f"/turns/{answered['turn_id']}", key=again).json["content"] == answered["content"]
    assert len(app.request("GET", "/conversations", key=again).json["conversations"]) == 1
    assert app.request("GET", f"/decisions/{answered['decision_id']}", key=again).status == 200
    other = site.access_token(sub="somebody else")
    assert app.request("GET", f"/turns/{answered['turn_id']}", key=other).status == 404
    assert app.request("GET", f"/decisions/{answered['decision_id']}", key=other).status == 404


ROLE_CLAIMS: list[tuple[str, Any, str | None]] = [
    ("a text", "staff", "user"),
    ("the first that the settings name", ["staff", "auditors", "admins"], "admin"),
    ("one among many others", ["x", "y", "onlookers"], "viewer"),
    ("nothing that is mapped", ["boss"], None),
    ("the name of a role of ours, which is no value of the claim", ["admin"], None),
    ("nothing", [], None),
    ("no claim", None, None),
    ("another case", ["Admins"], None),
    ("a list in a list", [["admins"]], None),
    ("an object", {"admins": True}, None),
    ("a number", 1, None),
    ("many in one text", "staff admins", None),
]


@pytest.mark.parametrize(("value", "role"), [case[1:] for case in ROLE_CLAIMS], ids=[case[0] for case in ROLE_CLAIMS])
def test_roles_come_from_the_claim_and_from_nowhere_else(
    app: Filagent, site: OidcProvider, value: Any, role: str | None
) -> None:
    known = site.access_token(sub="has a role")
    assert me(app, known).status == 200
    for sub in ("has a role", f"never seen {value}"):
        token = site.access_token(sub=sub, roles=value)
        if role is not None:
            assert me(app, token).json["role"] == role
            continue
        with nothing_appended(app):
            refused = me(app, token)
        assert (refused.status, refused.json["code"]) == (403, "auth.no_role")
        assert "has a role" not in str(refused.json)


def test_the_claim_may_lie_deeper_and_more_may_be_demanded(site: OidcProvider, tmp_path: Path) -> None:
    settings = oidc_settings(
        tmp_path, site, roles_claim=["realm_access", "roles"], required_claims={"hd": ["example.org", "example.ca"]}
    )
    with running(tmp_path, engine=engine(), settings=settings) as app:
        deep = {"roles": ["admins"], "realm_access": {"roles": ["staff"]}}
        assert me(app, site.access_token(**deep, hd="example.ca")).json["role"] == "user"
        for changes, status in (
            ({**deep}, 401),
            ({**deep, "hd": "evil.example"}, 401),
            ({"hd": "example.org"}, 403),
            ({"hd": "example.org", "realm_access": ["staff"]}, 403),
        ):
            assert me(app, site.access_token(**changes)).status == status, changes


def test_a_role_that_the_policy_does_not_have_stops_the_start(site: OidcProvider, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="emperor"):
        build_services(oidc_settings(tmp_path, site, roles={"staff": "emperor"}))


def test_where_no_provider_is_configured_no_token_is_taken(site: OidcProvider, tmp_path: Path) -> None:
    with running(tmp_path, engine=engine()) as app:
        refused = me(app, site.access_token())
        assert (refused.status, refused.json["code"]) == (401, "auth.invalid")


BAD: list[tuple[str, dict[str, Any]]] = [
    ("over", {"iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_300}),
    ("for another API", {"aud": "other"}),
    ("of another issuer", {"iss": "https://evil.example"}),
    ("for another client", {"azp": "other"}),
]


@pytest.mark.parametrize("changes", [changes for _, changes in BAD], ids=[name for name, _ in BAD])
def test_a_refused_token_says_no_more_than_a_refused_key(
    app: Filagent, site: OidcProvider, changes: dict[str, Any]
) -> None:
    with nothing_appended(app):
        by_token = me(app, site.access_token(**changes))
        by_key = me(app, "fa_" + "a" * 26 + "_" + "0" * 64)
    assert (by_token.status, by_token.json) == (by_key.status, by_key.json)
    assert by_token.headers["www-authenticate"].startswith("Bearer")


def test_refusals_are_counted_by_reason_and_by_code(app: Filagent, site: OidcProvider) -> None:
    me(app, site.access_token(key=Key("k1")))
    me(app, "a.b.c")
    text = app.request("GET", "/metrics", key=None).raw.decode()
    for reason in ("signature", "malformed"):
        assert f'filagent_token_refusals_total{{reason="{reason}"}}' in text
    assert SUB not in text


def test_a_token_and_a_key_do_not_stand_for_each_other(app: Filagent, site: OidcProvider) -> None:
    token = site.access_token()
    assert app.request("GET", "/me", key=None, headers={"X-API-Key": token}).status == 401
    for text in (f"{token} {app.admin_key}", f"{app.admin_key}.{token}", f"fa_{token}", token.replace(".", ". ")):
        assert app.request("GET", "/me", key=text).status == 401


# what is known of him ------------------------------------------------------------------------------------------------


def test_nothing_of_the_person_is_kept_in_clear_anywhere(app: Filagent, site: OidcProvider) -> None:
    begun = size(app)
    token = site.access_token(sub=SUB, **PERSONAL)
    with operational_log() as operational:
        answers = [
            me(app, token),
            app.chat("Hello", key=token),
            app.request("GET", "/admin/keys", key=token),
            app.request("GET", "/nowhere", key=token),
            me(app, site.access_token(sub=SUB, roles=["nothing"], **PERSONAL)),
            me(app, site.access_token(sub=SUB, aud="other", **PERSONAL)),
            me(app, site.access_token(sub=SUB, key=Key("k1"), **PERSONAL)),
            app.request("GET", "/admin/users"),
        ]
    files = [path for path in app.settings.home.rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files if "agent-" not in path.name)
    told = b"".join(answer.raw for answer in answers) + app.request("GET", "/metrics", key=None).raw
    for word in (SUB, "Quintal", "zquintal", *PERSONAL.values(), *token.split(".")):
        assert word.encode() not in kept, word
        assert word.encode() not in told, word
        assert word not in operational.text, word
        assert word not in repr(records(app, start=begun)), word


def test_the_same_name_at_two_providers_is_two_people(site: OidcProvider, tmp_path: Path) -> None:
    with OidcProvider() as other:
        found = []
        for provider in (site, other, site):
            with running(tmp_path, engine=engine(), settings=oidc_settings(tmp_path, provider)) as app:
                found.append(me(app, provider.access_token(sub="same")).json["user_id"])
                foreign = other if provider is site else site
                assert me(app, foreign.access_token(sub="same")).status == 401
        assert found[0] == found[2] != found[1]


def test_everybody_who_comes_at_once_is_one(app: Filagent, site: OidcProvider) -> None:
    with running(app.settings.home, engine=engine(), log=SharedLog(app), settings=app.settings) as second:
        tokens = [site.access_token(sub="at once") for _ in range(12)]
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda pair: me(*pair), zip([app, second] * 6, tokens, strict=True)))
    assert len({(answer.json["user_id"], answer.json["ref"]) for answer in answers}) == 1


def test_who_cannot_be_recorded_is_not_made_known(app: Filagent, site: OidcProvider) -> None:
    log = MortalLog(app)
    with running(app.settings.home, engine=engine(), log=log, settings=app.settings) as other:
        log.dead = True
        before = rows(app, "SELECT count(*) FROM persons")
        refused = me(other, site.access_token(sub="nobody yet"))
        assert (refused.status, refused.json["code"]) == (503, "evidence.unavailable")
        assert rows(app, "SELECT count(*) FROM persons") == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identities SET principal_id = (SELECT principal_id FROM identities WHERE ref = ?2) WHERE ref = ?1",
        "UPDATE identities SET blind = zeroblob(32), ref = ?2 || 'x' WHERE ref = ?1",
        (
            "UPDATE principals SET person_id = (SELECT p.person_id FROM principals p JOIN identities i ON "
            "i.principal_id = p.id WHERE i.ref = ?2) WHERE id = (SELECT principal_id FROM identities WHERE ref = ?1)"
        ),
        "UPDATE identities SET mac = zeroblob(32) WHERE ref = ?1 AND ?2 <> ''",
        "UPDATE identities SET mac = NULL WHERE ref = ?1 AND ?2 <> ''",
    ],
)
def test_a_link_that_was_edited_leads_nowhere(site: OidcProvider, tmp_path: Path, statement: str) -> None:
    """Whoever writes to the database alone cannot become somebody else."""
    with running(tmp_path, engine=engine(), settings=oidc_settings(tmp_path, site)) as app:
        rogue, victim = (me(app, site.access_token(sub=sub)).json for sub in ("rogue", "victim"))
        with contextlib.suppress(sqlite3.IntegrityError):  # the database itself refuses one of them
            rows(app, statement, rogue["ref"], victim["ref"])
        after = me(app, site.access_token(sub="rogue"))
        assert after.status == 401 or after.json["user_id"] != victim["user_id"]
        assert me(app, site.access_token(sub="victim")).json["user_id"] == victim["user_id"]


# when the provider is away -------------------------------------------------------------------------------------------


def test_a_provider_that_was_never_reached_lets_nobody_in_and_keeps_no_key_out(tmp_path: Path) -> None:
    with OidcProvider() as away:
        away.mode = "down"
        with running(tmp_path, engine=engine(), settings=oidc_settings(tmp_path, away)) as app:
            refused = me(app, away.access_token())
            assert (refused.status, refused.json["code"]) == (503, "auth.provider_unavailable")
            assert int(refused.headers["retry-after"]) > 0
            assert app.request("GET", "/me").status == 200
            assert app.request("GET", "/ready", key=None).status == 200


def test_a_provider_that_goes_away_leaves_its_tokens_good(app: Filagent, site: OidcProvider) -> None:
    token = site.access_token(sub="stays")
    assert me(app, token).status == 200
    site.mode = "down"
    try:
        assert me(app, token).status == 200
        assert me(app, site.access_token(sub="stays")).status == 200
    finally:
        site.mode = "ok"


# closed and erased ---------------------------------------------------------------------------------------------------


def test_a_closed_account_is_refused_while_its_token_is_valid(app: Filagent, site: OidcProvider) -> None:
    token = site.access_token(sub="to be closed")
    user = me(app, token).json["user_id"]
    with running(app.settings.home, engine=engine(), log=SharedLog(app), settings=app.settings) as second:
        assert me(second, token).status == 200
        assert app.request("POST", f"/admin/users/{user}/close").status == 204
        for worker in (app, second):
            with nothing_appended(app):
                for shown in (
                    token,
                    site.access_token(sub="to be closed"),
                    site.access_token(sub="to be closed", roles=["admins"]),
                ):
                    refused = worker.chat("Hello", key=shown)
                    assert (refused.status, refused.json["code"]) == (401, "auth.invalid")
        assert app.request("POST", f"/admin/users/{user}/reopen").status == 204
        assert me(second, token).json["user_id"] == user


def test_an_erased_person_is_gone_and_his_token_does_not_make_him_anew(app: Filagent, site: OidcProvider) -> None:
    token = site.access_token(sub="to be erased")
    told = me(app, token).json
    turn = app.chat("Remember me", key=token).json
    receipt = erase(app, told["user_id"])
    assert receipt["counts"]["turns"] == 1
    with nothing_appended(app):
        for shown in (token, site.access_token(sub="to be erased")):
            assert me(app, shown).status == 401
    assert app.request("GET", "/admin/users").raw.find(told["user_id"].encode()) == -1
    [(principal, ref, mac)] = rows(app, "SELECT principal_id, ref, mac FROM identities WHERE erased_at IS NOT NULL")
    assert (principal, ref, mac) == (None, None, None)
    assert rows(app, "SELECT name, blind FROM persons WHERE id = ?", told["user_id"]) == [(None, None)]
    # Much later he comes back, by a token of that time: somebody new, to whom nothing leads.
    rows(app, "UPDATE identities SET erased_at = erased_at - 120000 WHERE erased_at IS NOT NULL")
    assert me(app, site.access_token(sub="to be erased", iat=int(time.time()) - 200)).status == 401
    anew = me(app, site.access_token(sub="to be erased")).json
    assert anew["user_id"] != told["user_id"]
    assert anew["ref"] != told["ref"]
    assert app.request("GET", f"/turns/{turn['turn_id']}", key=site.access_token(sub="to be erased")).status == 404
    assert_log_whole(app)


def test_an_erasure_without_closing_leaves_the_account(app: Filagent, site: OidcProvider) -> None:
    told = me(app, site.access_token(sub="starts over")).json
    app.chat("Forget this", key=site.access_token(sub="starts over"))
    assert erase(app, told["user_id"], close=False)["counts"]["turns"] == 1
    assert me(app, site.access_token(sub="starts over")).json["user_id"] == told["user_id"]
    assert app.request("GET", "/conversations", key=site.access_token(sub="starts over")).json["conversations"] == []


def test_what_is_left_of_an_erased_identity_goes_when_no_token_can_need_it(app: Filagent, site: OidcProvider) -> None:
    ledger = app.services.ledger
    keeper = Housekeeper(app.settings, ledger.database, ledger.keys, app.log)
    for sub in ("gone long ago", "gone today"):
        erase(app, me(app, site.access_token(sub=sub)).json["user_id"])
    erased = "SELECT count(*) FROM identities WHERE erased_at IS NOT NULL"
    [(before,)] = rows(app, erased)
    rows(app, "UPDATE identities SET erased_at = 1 WHERE erased_at = (SELECT min(erased_at) FROM identities)")
    on_loop(app, keeper.forget_identities())
    assert rows(app, erased) == [(before - 1,)]


def test_a_key_for_somebody_known_by_token_is_his(app: Filagent, site: OidcProvider) -> None:
    told = me(app, site.access_token(sub="wants a key")).json
    made = app.request("POST", "/admin/keys", {"name": told["user_id"], "role": "viewer"}).json
    assert app.request("GET", "/me", key=made["key"]).json["user_id"] == told["user_id"]
    [listed] = [one for one in app.request("GET", "/admin/users").json["users"] if one["user_id"] == told["user_id"]]
    assert (listed["auth_methods"], listed["keys"]) == (["api_key", "oidc"], 1)


def test_after_all_of_this_the_log_is_whole(app: Filagent) -> None:
    assert_log_whole(app)
