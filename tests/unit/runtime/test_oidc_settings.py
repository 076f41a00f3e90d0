"""The `oidc` section: off unless it is whole, and refused where it would let in what nobody meant."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from runtime.errors import SettingsError
from runtime.oidc_settings import OidcSettings

GOOD: dict[str, Any] = {
    "enabled": True,
    "issuer": "https://login.example/realms/staff",
    "audience": "filagent-api",
    "client_id": "filagent-console",
    "roles": {"staff": "user"},
}


def test_it_is_off_until_it_is_switched_on() -> None:
    assert OidcSettings().enabled is False
    assert OidcSettings(issuer="nonsense").enabled is False


def test_a_whole_section_is_what_is_expected_of_tokens() -> None:
    rules = OidcSettings(**GOOD, required_claims={"hd": "a", "tid": ["b", "c"], "email_verified": True}).rules()
    assert (rules.issuer, rules.audience, rules.client_id) == (GOOD["issuer"], "filagent-api", "filagent-console")
    assert rules.required == {"hd": ("a",), "tid": ("b", "c"), "email_verified": (True,)}
    assert (rules.access_types, rules.id_tokens) == (("at+jwt",), False)


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ""},
        {"audience": ""},
        {"client_id": ""},
        {"roles": {}},
        {"issuer": "http://login.example"},
        {"issuer": "https://user:secret@login.example"},
        {"issuer": "https://login.example?tenant=a"},
        {"issuer": "login.example"},
        {"jwks_uri": "http://login.example/keys"},
        {"audience": "filagent-console"},
        {"token_types": []},
        {"token_types": ["at+jwt", "id_token"]},
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["RS256", "HS256"]},
        {"roles_claim": []},
        {"roles": {"": "user"}},
        {"leeway_seconds": 3600},
        {"max_token_seconds": 10**7},
        {"refresh_seconds": 600, "keep_seconds": 300},
        {"required_claims": {"x": None}},
        {"scopes": ["profile"]},
        {"console_address": "http://console.example"},
        {"console_address": "https://console.example/path"},
        {"password": "x"},
    ],
    ids=str,
)
def test_a_section_that_is_not_whole_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OidcSettings(**{**GOOD, **changes})


def test_id_tokens_may_be_all_that_a_provider_has() -> None:
    only = {**GOOD, "audience": GOOD["client_id"], "token_types": [], "accept_id_tokens": True}
    assert OidcSettings(**only).rules().id_tokens is True


def test_roles_are_those_of_the_policy() -> None:
    OidcSettings(**GOOD).check_roles({"user"})
    OidcSettings(roles={"staff": "emperor"}).check_roles({"user"})  # it is off
    with pytest.raises(SettingsError, match="emperor"):
        OidcSettings(**{**GOOD, "roles": {"staff": "user", "boss": "emperor"}}).check_roles({"user"})
