"""No change to a signed token is accepted: any bit, any cut, any splice, any other claim under the same signature."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.oidc.claims import Rules, Verified
from runtime.oidc.errors import TokenRefused
from runtime.oidc.provider import Provider
from runtime.oidc.verifier import Verifier
from tests.fakes.oidc_provider import AUDIENCE, CLIENT, Key, OidcProvider, ec_key, encode, rsa_key


class Court:
    """One verifier with its keys read; every judgement by the same."""

    def __init__(self, site: OidcProvider) -> None:
        self.site = site
        self._loop = asyncio.new_event_loop()
        rules = Rules(issuer=site.issuer, audience=AUDIENCE, client_id=CLIENT)
        self._verifier = Verifier(rules, Provider(site.issuer, algorithms=rules.algorithms))
        self.tokens = [site.access_token(key=key, sub="ada") for key in site.keys]
        for token in self.tokens:
            assert isinstance(self.judge(token), Verified)

    def judge(self, text: str) -> Verified | str:
        try:
            return self._loop.run_until_complete(self._verifier.verified(text))
        except TokenRefused as refused:
            return refused.reason

    def close(self) -> None:
        self._loop.run_until_complete(self._verifier.aclose())
        self._loop.close()


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with OidcProvider() as site:
        site.keys = [rsa_key("r"), ec_key("e"), Key("o")]
        made = Court(site)
        yield made
        made.close()


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\x00é"


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_signed_token_is_accepted(court: Court, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(court.tokens))
    kind = data.draw(st.sampled_from(["replace", "delete", "insert", "swap", "cut", "repeat", "splice"]))
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(ALPHABET))
    lower, upper = min(at, other), max(at, other)
    changed = {
        "replace": token[:at] + letter + token[at + 1 :],
        "delete": token[:at] + token[at + 1 :],
        "insert": token[:at] + letter + token[at:],
        "swap": token[:lower] + token[upper] + token[lower + 1 : upper] + token[lower] + token[upper + 1 :],
        "cut": token[lower:upper],
        "repeat": token[:upper] + token[lower:],
        "splice": token[:at] + data.draw(st.sampled_from(court.tokens))[at:],
    }[kind]
    if changed not in court.tokens:
        assert isinstance(court.judge(changed), str)


@settings(max_examples=300, deadline=None)
@given(
    which=st.integers(0, 2),
    name=st.sampled_from(["sub", "roles", "aud", "exp", "iss", "azp", "extra"]),
    value=st.one_of(st.text(max_size=20), st.integers(0, 2**40), st.lists(st.text(max_size=8), max_size=3)),
)
def test_no_other_claim_stands_under_the_same_signature(court: Court, which: int, name: str, value: object) -> None:
    token = court.tokens[which]
    head, body, signature = token.split(".")
    claims = json.loads(urlsafe_b64decode(body + "=="))
    if claims.get(name) == value:
        return
    changed = encode(json.dumps({**claims, name: value}).encode())
    assert isinstance(court.judge(f"{head}.{changed}.{signature}"), str)


@pytest.mark.parametrize("which", range(3))
def test_every_single_bit_counts(court: Court, which: int) -> None:
    token = court.tokens[which]
    for at in range(len(token)):
        for bit in range(8):
            changed = token[:at] + chr(ord(token[at]) ^ (1 << bit)) + token[at + 1 :]
            assert isinstance(court.judge(changed), str), (at, bit)
