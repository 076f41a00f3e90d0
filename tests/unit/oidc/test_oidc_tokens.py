"""Tokens, good and hostile, judged by the real verifier with keys read over real HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.oidc_provider import (
    AUDIENCE,
    CLIENT,
    Key,
    OidcProvider,
    ec_key,
    encode,
    encode_json,
    rsa_key,
    signed,
)
from tests.unit.oidc.token_judging import accepted, judge, refused


@dataclass(frozen=True)
class At:
    """So many seconds from when the test runs."""

    seconds: float
    as_text: bool = False


def resolved(changes: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    given = {name: now + value.seconds if isinstance(value, At) else value for name, value in changes.items()}
    return {name: str(value) if getattr(changes[name], "as_text", False) else value for name, value in given.items()}


JWT = {"typ": "JWT"}
MAKERS: dict[str, Callable[[str], Key]] = {"RS256": rsa_key, "ES256": ec_key, "EdDSA": Key}


@pytest.mark.parametrize("algorithm", MAKERS)
def test_a_good_token_says_who_it_is(site: OidcProvider, algorithm: str) -> None:
    site.keys = [MAKERS[algorithm]("good"), Key("other")]
    found = accepted(site, site.access_token(sub="grace"))
    assert (found.issuer, found.subject) == (site.issuer, "grace")
    assert found.claims["roles"] == ["staff"]
    assert "grace" not in repr(found)
    assert "roles" not in repr(found)


def test_the_newer_name_of_eddsa_is_the_same(site: OidcProvider) -> None:
    accepted(site, site.access_token(header={"alg": "Ed25519"}))


@pytest.mark.parametrize("algorithm", MAKERS)
def test_what_is_not_allowed_is_refused_though_it_is_well_signed(site: OidcProvider, algorithm: str) -> None:
    site.keys = [MAKERS[algorithm]("good")]
    others = tuple(name for name in MAKERS if name != algorithm)
    assert refused(site, site.access_token(), algorithms=others) == "algorithm"


CLAIMS: list[tuple[str, dict[str, Any], str]] = [
    ("another issuer", {"iss": "https://evil.example"}, "issuer"),
    ("the issuer with a slash", {"iss": "SLASH"}, "issuer"),
    ("issuers as a list", {"iss": "LIST"}, "issuer"),
    ("no issuer", {"iss": None}, "issuer"),
    ("another audience", {"aud": "other-api"}, "audience"),
    ("no audience", {"aud": None}, "audience"),
    ("an empty list of audiences", {"aud": []}, "audience"),
    ("an audience that begins so", {"aud": AUDIENCE + "x"}, "audience"),
    ("an audience that is no text", {"aud": [AUDIENCE, 1]}, "audience"),
    ("audiences in an object", {"aud": {AUDIENCE: 1}}, "audience"),
    ("audiences without end", {"aud": [AUDIENCE] * 33}, "audience"),
    ("made for another client", {"azp": "another-app"}, "party"),
    ("made for another client, by RFC 9068", {"client_id": "another-app"}, "party"),
    ("a party that is no text", {"azp": [CLIENT]}, "party"),
    ("several audiences, no party", {"aud": [AUDIENCE, "b"], "azp": None, "client_id": None}, "party"),
    ("over", {"iat": At(-900), "nbf": At(-900), "exp": At(-100)}, "expired"),
    ("never over", {"exp": None}, "times"),
    ("over in ten thousand years", {"exp": At(10**12)}, "too_long_lived"),
    ("an end in words", {"exp": At(60, as_text=True)}, "times"),
    ("an end that is true", {"exp": True}, "times"),
    ("an end beyond numbers", {"exp": 10**300}, "times"),
    ("an end before 1970", {"exp": -1}, "times"),
    ("over before it began", {"iat": At(0), "nbf": At(0), "exp": At(-10)}, "times"),
    ("not yet", {"nbf": At(300)}, "not_yet"),
    ("a beginning in words", {"nbf": "now"}, "times"),
    ("made in the future", {"iat": At(300), "exp": At(600)}, "not_yet"),
    ("made nobody knows when", {"iat": None}, "times"),
    ("lives a week", {"exp": At(7 * 86_400)}, "too_long_lived"),
    ("nobody", {"sub": None}, "subject"),
    ("an empty name", {"sub": ""}, "subject"),
    ("a number for a name", {"sub": 7}, "subject"),
    ("a long name", {"sub": "x" * 256}, "subject"),
    ("control characters in a name", {"sub": "ada\x00"}, "subject"),
    ("half a character in a name", {"sub": "ada\ud800"}, "subject"),
    ("a refresh token", {"typ": "Refresh"}, "type"),
    ("a logout token", {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "type"),
    ("a type that is no text", {"typ": ["Bearer"]}, "type"),
]


@pytest.mark.parametrize(("changes", "reason"), [case[1:] for case in CLAIMS], ids=[case[0] for case in CLAIMS])
def test_a_token_with_wrong_claims_is_refused(site: OidcProvider, changes: dict[str, Any], reason: str) -> None:
    special = {"SLASH": site.issuer + "/", "LIST": [site.issuer]}
    if changes.get("iss") in {"SLASH", "LIST"}:
        changes = {"iss": special[changes["iss"]]}
    assert refused(site, site.access_token(**resolved(changes))) == reason
    assert site.asked == [], "what is refused anyway costs the provider no request"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE, "userinfo"]},
        {"azp": None, "client_id": None},
        {"exp": At(60.5)},
        {"iat": At(20), "nbf": At(20)},
        {"iat": At(-300), "nbf": At(-300), "exp": At(-10)},
        {"nbf": None},
        {"sub": "Zoë (été)"},
        {"typ": "Bearer"},
    ],
    ids=str,
)
def test_what_may_differ(site: OidcProvider, changes: dict[str, Any]) -> None:
    accepted(site, site.access_token(**resolved(changes)))


def test_further_clients_may_be_let_in(site: OidcProvider) -> None:
    token = site.access_token(azp="batch", client_id="batch")
    assert refused(site, token) == "party"
    accepted(site, token, authorized_parties=("batch",))


# kinds of tokens -----------------------------------------------------------------------------------------------------

ID_LIKE: list[dict[str, Any]] = [{"nonce": "n"}, {"at_hash": "x"}, {"c_hash": "x"}, {"typ": "ID"}]


def test_a_token_that_does_not_say_that_it_is_for_an_api_is_refused_unless_configured(site: OidcProvider) -> None:
    for header in (JWT, {"typ": None}, {"typ": "application/jwt"}):
        token = site.access_token(header=header)
        assert refused(site, token) == "type"
        accepted(site, token, access_types=("at+jwt", "jwt"))
    for name in ("AT+JWT", "application/at+jwt"):
        accepted(site, site.access_token(header={"typ": name}))
    for name in ("dpop+jwt", "logout+jwt", "secevent+jwt"):
        token = site.access_token(header={"typ": name}, aud=CLIENT, nonce="n")
        assert refused(site, token, access_types=("at+jwt", "jwt"), id_tokens=True) == "type"


@pytest.mark.parametrize("marks", ID_LIKE, ids=str)
def test_an_id_token_is_no_access_token(site: OidcProvider, marks: dict[str, Any]) -> None:
    token = site.access_token(header=JWT, **marks)
    assert refused(site, token, access_types=("at+jwt", "jwt")) == "type"


def test_id_tokens_are_taken_where_configured_and_only_those_for_our_client(site: OidcProvider) -> None:
    assert refused(site, site.id_token()) == "type"
    accepted(site, site.id_token(), id_tokens=True)
    accepted(site, site.id_token(aud=[CLIENT, "b"], azp=CLIENT), id_tokens=True)
    assert refused(site, site.id_token(aud="another-app"), id_tokens=True) == "audience"
    assert refused(site, site.id_token(aud=AUDIENCE), id_tokens=True) == "audience"
    assert refused(site, site.id_token(aud=[CLIENT, "b"], azp=None), id_tokens=True) == "party"
    assert refused(site, site.id_token(azp="b"), id_tokens=True, authorized_parties=("b",)) == "party"
    # An access token that says so does not become an id token, nor the other way round.
    assert refused(site, site.access_token(header=JWT, aud=CLIENT, typ="Bearer"), id_tokens=True) == "type"
    assert refused(site, site.access_token(aud=CLIENT, nonce="n"), id_tokens=True) == "audience"


REQUIRED: list[tuple[dict[str, tuple[Any, ...]], dict[str, Any], bool]] = [
    ({"hd": ("example.org",)}, {"hd": "example.org"}, True),
    ({"hd": ("example.org",)}, {"hd": "evil.org"}, False),
    ({"hd": ("example.org",)}, {}, False),
    ({"hd": ("a", "b")}, {"hd": "b"}, True),
    ({"groups": ("g1",)}, {"groups": ["g0", "g1"]}, True),
    ({"groups": ("g1",)}, {"groups": ["g0"]}, False),
    ({"email_verified": (True,)}, {"email_verified": True}, True),
    ({"email_verified": (True,)}, {"email_verified": "true"}, False),
    ({"email_verified": (True,)}, {"email_verified": 1}, False),
    ({"a": ("1",), "b": ("2",)}, {"a": "1"}, False),
]


@pytest.mark.parametrize(("required", "changes", "good"), REQUIRED, ids=str)
def test_required_claims(site: OidcProvider, required: dict[str, Any], changes: dict[str, Any], good: bool) -> None:
    [found] = judge(site, site.access_token(**changes), required=required)
    assert (found != "claims") is good


# forgeries -----------------------------------------------------------------------------------------------------------


def test_no_algorithm_is_no_signature(site: OidcProvider) -> None:
    for name in ("none", "None", "NONE", "nOnE", ""):
        head = encode_json({"alg": name, "kid": "k1", "typ": "at+jwt"})
        body = f"{head}.{encode_json(site.claims())}"
        assert refused(site, f"{body}.") == "malformed"
        assert refused(site, f"{body}.{encode(b'x')}") == "algorithm"


def test_the_public_key_is_no_secret(site: OidcProvider) -> None:
    """RS256 to HS256: the forger signs with what the provider publishes."""
    key = rsa_key("k1")
    site.keys = [key]
    public = key.private.public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, spki),
        public.public_bytes(serialization.Encoding.DER, spki),
        json.dumps(key.jwk()).encode(),
    ]
    for secret in secrets:
        for name, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
            body = f"{encode_json({'alg': name, 'kid': 'k1', 'typ': 'at+jwt'})}.{encode_json(site.claims())}"
            forged = f"{body}.{encode(hmac.new(secret, body.encode(), digest).digest())}"
            assert refused(site, forged) == "algorithm"


def test_a_key_serves_the_one_algorithm_that_fits_it(site: OidcProvider) -> None:
    site.keys = [rsa_key("r"), ec_key("e"), Key("o")]
    for key in site.keys:
        for name in MAKERS:
            if name != key.algorithm:
                assert refused(site, site.access_token(key=key, header={"alg": name})) == "key"
    # PKCS#1 signatures are not PSS ones, nor P-256 another curve.
    for name in ("PS256", "RS512", "ES384", "ES256K", "HS256"):
        assert refused(site, site.access_token(key=site.keys[0], header={"alg": name})) == "algorithm"


def test_keys_that_the_token_brings_along_are_not_looked_at(site: OidcProvider) -> None:
    """By address, by value, by certificate: a forger's own key, or one under our id."""
    mine = Key("k1")
    with OidcProvider() as other:
        other.keys = [mine]
        for bait in (
            {"jwk": mine.jwk()},
            {"jku": other.root + "/jwks"},
            {"x5u": other.root + "/jwks"},
            {"x5c": ["MIIB"]},
            {"jwk": mine.jwk(), "jku": other.root + "/jwks", "kid": None},
        ):
            assert refused(site, site.access_token(key=mine, header=bait)) == "signature"
            accepted(site, site.access_token(header=bait))
        assert other.asked == []


def test_another_providers_key_under_our_issuers_name_is_refused(site: OidcProvider) -> None:
    with OidcProvider() as other:
        assert refused(site, signed(other.keys[0], site.claims())) == "signature"
        assert refused(site, other.access_token()) == "issuer"


def test_a_key_that_nobody_has_published(site: OidcProvider) -> None:
    assert refused(site, site.access_token(key=Key("elsewhere"))) == "key"
    assert refused(site, site.access_token(key=Key("k1"))) == "signature"


def test_without_a_key_id_there_must_be_one_key_that_fits(site: OidcProvider) -> None:
    accepted(site, site.access_token(header={"kid": None}))
    site.keys = [Key("a"), Key("b")]
    assert refused(site, site.access_token(header={"kid": None})) == "key"
    site.keys = [Key("a"), rsa_key("b")]
    accepted(site, site.access_token(header={"kid": None}))


FORMS: list[tuple[str, Callable[[OidcProvider], str], str]] = [
    ("nothing", lambda site: "..", "malformed"),
    ("two parts", lambda site: site.access_token().rpartition(".")[0], "malformed"),
    ("four parts", lambda site: site.access_token() + ".x", "malformed"),
    ("five parts", lambda site: ".".join(["a"] * 5), "malformed"),
    ("padding", lambda site: site.access_token() + "=", "malformed"),
    ("bits that no encoder sets", lambda site: site.access_token()[:-1] + "B", "malformed"),
    ("a line break", lambda site: site.access_token() + "\n", "malformed"),
    ("blanks", lambda site: " " + site.access_token(), "malformed"),
    ("the other alphabet", lambda site: site.access_token().replace("-", "+").replace("_", "/") + "+/", "malformed"),
    ("enormous", lambda site: site.access_token(note="x" * 20_000), "too_large"),
    ("a payload that is a list", lambda site: signed(site.keys[0], []), "malformed"),
    ("a payload that is no JSON", lambda site: signed(site.keys[0], b"sub=ada"), "malformed"),
    ("a payload in UTF-16", lambda site: signed(site.keys[0], json.dumps(site.claims()).encode("utf-16")), "malformed"),
    ("nested without end", lambda site: signed(site.keys[0], b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), "malformed"),
    ("a number without end", lambda site: signed(site.keys[0], b'{"exp":' + b"9" * 5000 + b"}"), "malformed"),
    ("infinity", lambda site: signed(site.keys[0], b'{"exp":Infinity}'), "malformed"),
    ("a header that is a list", lambda site: signed(site.keys[0], site.claims(), b"[]"), "malformed"),
    ("a header without algorithm", lambda site: signed(site.keys[0], site.claims(), b"{}"), "header"),
    ("a header with a list of algorithms", lambda site: site.access_token(header={"alg": ["EdDSA"]}), "header"),
    ("a header whose key id is a number", lambda site: site.access_token(header={"kid": 1}), "header"),
    ("a header whose key id is long", lambda site: site.access_token(header={"kid": "k" * 300}), "header"),
    ("a header with an extension", lambda site: site.access_token(header={"crit": ["b64"], "b64": False}), "header"),
    ("a header with an empty extension", lambda site: site.access_token(header={"crit": []}), "header"),
    ("a compressed payload", lambda site: site.access_token(header={"zip": "DEF"}), "header"),
    ("a header that says encrypted", lambda site: site.access_token(header={"enc": "A256GCM"}), "header"),
]


@pytest.mark.parametrize(("make", "reason"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS])
def test_a_token_of_another_form_is_refused(
    site: OidcProvider, make: Callable[[OidcProvider], str], reason: str
) -> None:
    assert refused(site, make(site)) == reason
    assert site.asked == []


@pytest.mark.parametrize("name", ["sub", "iss", "exp", "roles"])
def test_a_claim_that_stands_twice_is_refused_wherever_it_stands(site: OidcProvider, name: str) -> None:
    good = json.dumps(site.claims())
    other = json.dumps({name: site.claims()[name] if name == "roles" else "admin"})[1:-1]
    for text in (f"{{{other},{good[1:]}", f"{good[:-1]},{other}}}", f'{good[:-1]},"x":{{"a":1,"a":2}}}}'):
        assert refused(site, signed(site.keys[0], text.encode())) == "malformed"
    head = b'{"alg":"EdDSA","kid":"k1","typ":"at+jwt","alg":"none"}'
    assert refused(site, signed(site.keys[0], good.encode(), head)) == "malformed"


def test_a_signature_belongs_to_its_token(site: OidcProvider) -> None:
    first, second = site.access_token(sub="ada"), site.access_token(sub="eve")
    assert refused(site, f"{second.rpartition('.')[0]}.{first.rpartition('.')[2]}") == "signature"
    site.keys = [ec_key("k1")]
    token = site.access_token()
    body = token.rpartition(".")[0]
    for wrong in (bytes(64), b"\x00" * 63 + b"\x01", b"\xff" * 64, bytes(63), bytes(65), bytes(8)):
        assert refused(site, f"{body}.{encode(wrong)}") == "signature"
    # A DER signature is another spelling of the same: JWS knows one.
    ecdsa = ec.ECDSA(hashes.SHA256())
    der = site.keys[0].private.sign(body.encode(), ecdsa)
    assert refused(site, f"{body}.{encode(der)}") == "signature"


# remembering ---------------------------------------------------------------------------------------------------------


def test_a_verified_token_is_remembered_and_a_refused_one_never_becomes_good(site: OidcProvider) -> None:
    good, bad = site.access_token(), site.access_token(key=Key("k1"))
    found = judge(site, good, bad, good, bad, good)
    assert [isinstance(one, str) for one in found] == [False, True, False, True, False]
    assert site.asked == ["discovery", "jwks"]
    assert found[0] is found[2] is found[4]
