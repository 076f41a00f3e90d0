"""Keys over HTTP: kept, refreshed, rotated; and a provider that is down, slow, lying or elsewhere."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from runtime.oidc.errors import ProviderUnavailable
from runtime.oidc.jwks import parse_key_set
from runtime.oidc.provider import Provider
from runtime.oidc.strict import usable_address
from runtime.oidc.verifier import Verifier
from tests.fakes.certificates import self_signed
from tests.fakes.oidc_provider import Key, OidcProvider, ec_key, encode, rsa_key
from tests.unit.oidc.token_judging import Clock, judge, reading, refused, rules

BROKEN = ["down", "http_500", "redirect", "not_json", "huge", "empty", "twice"]


@pytest.mark.parametrize("where", ["discovery", "jwks"])
@pytest.mark.parametrize("mode", BROKEN)
def test_a_provider_that_answers_badly_lets_nobody_in(site: OidcProvider, where: str, mode: str) -> None:
    site.modes[where] = mode
    assert refused(site, site.access_token()).startswith("provider: ")
    assert "/elsewhere" not in site.asked


@pytest.mark.parametrize("mode", ["hang", "drip"])
@pytest.mark.parametrize("where", ["discovery", "jwks"])
def test_a_provider_that_does_not_come_to_an_end_is_not_waited_for(site: OidcProvider, where: str, mode: str) -> None:
    site.modes[where] = mode

    async def run() -> str:
        provider = reading(site, Clock(), answer=0.2)
        try:
            with pytest.raises(ProviderUnavailable) as gone:
                await provider.keys()
            return gone.value.reason
        finally:
            await provider.aclose()

    assert asyncio.run(run()) == "too_slow"


LIES: list[tuple[dict[str, Any], str]] = [
    ({"issuer": "https://evil.example"}, "issuer"),
    ({"issuer": None}, "issuer"),
    ({"jwks_uri": None}, "metadata"),
    ({"jwks_uri": "http://keys.example/jwks"}, "address"),
    ({"jwks_uri": "file:///etc/passwd"}, "address"),
    ({"jwks_uri": "https://user:secret@keys.example/"}, "address"),
    ({"jwks_uri": ["https://keys.example"]}, "metadata"),
]


@pytest.mark.parametrize(("metadata", "reason"), LIES, ids=str)
def test_metadata_that_lie_are_not_believed(site: OidcProvider, metadata: dict[str, Any], reason: str) -> None:
    site.metadata = metadata
    assert refused(site, site.access_token()) == f"provider: {reason}"
    assert "jwks" not in site.asked


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://login.example/realms/a", True),
        ("http://127.0.0.1:8080/realms/a", True),
        ("http://[::1]:8080/", True),
        ("http://localhost/", True),
        ("http://login.example/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("https://a@login.example/", False),
        ("https://login.example/#x", False),
        ("https:///nowhere", False),
        ("https://login.example:port/", False),
        ("https://[::1/", False),
        ("https://login.example/a b", False),
        ("https://evil.example\\@login.example/", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_addresses_that_may_be_asked(url: str, good: bool) -> None:
    assert usable_address(url) is good


# which keys count ----------------------------------------------------------------------------------------------------

EC, RSA_KEY, OKP = ec_key("e"), rsa_key("r"), Key("o")
P384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
UNUSABLE: list[tuple[str, Any]] = [
    ("for encryption", OKP.jwk(use="enc")),
    ("for signing only", OKP.jwk(key_ops=["sign"])),
    ("for another algorithm", EC.jwk(alg="ES384")),
    ("symmetric", {"kty": "oct", "kid": "s", "k": encode(b"x" * 32), "alg": "HS256"}),
    ("symmetric in disguise", RSA_KEY.jwk(k=encode(b"x" * 32))),
    ("with its private half", OKP.jwk(d=encode(OKP.private.private_bytes_raw()))),
    ("of another curve", {"kty": "EC", "crv": "P-384", "kid": "p", "x": encode(P384.x.to_bytes(48, "big")), "y": encode(P384.y.to_bytes(48, "big"))}),
    ("not on its curve", EC.jwk(y=EC.jwk()["x"])),
    ("too short for its curve", OKP.jwk(x=encode(b"x" * 31))),
    ("weak", Key("w", rsa.generate_private_key(65537, 1024)).jwk()),
    ("with an exponent of one", RSA_KEY.jwk(e=encode(b"\x01"))),
    ("absurdly large", RSA_KEY.jwk(n=encode(b"\xff" * 4096))),
    ("without its numbers", {"kty": "RSA", "kid": "r"}),
    ("with a number for an id", OKP.jwk(kid=1)),
    ("no object", "key"),
    ("of no type", {"kid": "x"}),
    ("of a type that is a list", {"kty": ["RSA"], "kid": "x"}),
    ("with a curve that is a list", {"kty": "EC", "crv": ["P-256"]}),
]  # fmt: skip


@pytest.mark.parametrize("entry", [entry for _, entry in UNUSABLE], ids=[name for name, _ in UNUSABLE])
def test_a_key_that_may_not_be_used_is_left_out(entry: Any) -> None:
    data = json.dumps({"keys": [entry, Key("good").jwk()]}).encode()
    assert [key.kid for key in parse_key_set(data, ("RS256", "ES256", "EdDSA"))] == ["good"]
    with pytest.raises(ValueError, match="no usable key"):
        parse_key_set(json.dumps({"keys": [entry]}).encode(), ("RS256", "ES256", "EdDSA"))


def test_keys_of_one_id_are_nobodys() -> None:
    both = [Key("a").jwk(), Key("a").jwk(), rsa_key("a").jwk(), Key("b").jwk()]
    found = parse_key_set(json.dumps({"keys": both}).encode(), ("RS256", "EdDSA"))
    assert [(key.kid, key.algorithm) for key in found] == [("a", "RS256"), ("b", "EdDSA")]


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"keys":{}}', b'{"keys":[]}', b'{"keys":[],"keys":[]}', b"\xff"])
def test_what_is_no_key_set(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_key_set(data, ("EdDSA",))


def test_a_key_set_has_an_end() -> None:
    listed = [Key(f"k{number}").jwk() for number in range(65)]
    with pytest.raises(ValueError, match="not a key set"):
        parse_key_set(json.dumps({"keys": listed}).encode(), ("EdDSA",))


# keeping and refreshing ------------------------------------------------------------------------------------------------


async def kids(provider: Provider) -> list[str | None]:
    return [key.kid for key in await provider.keys()]


def test_keys_are_read_again_when_old_and_kept_while_nobody_answers(site: OidcProvider) -> None:
    async def run() -> None:
        clock = Clock()
        provider = reading(site, clock, refresh=300, keep=1000, pause=10)
        assert await kids(provider) == ["k1"]
        first = await provider.keys()
        clock.now += 299
        site.keys = [Key("k2")]
        assert await provider.keys() is first
        assert len(site.asked) == 2
        clock.now += 2
        assert await kids(provider) == ["k2"]  # a key that was taken back counts no more
        second = await provider.keys()
        clock.now += 301
        assert await provider.keys() is second  # read, and the same
        assert len(site.asked) == 6
        site.mode = "down"
        clock.now += 900
        assert await provider.keys() is second
        asked = len(site.asked)
        for _ in range(20):
            assert await provider.keys() is second
        assert len(site.asked) == asked, "who is down is not asked by every request"
        clock.now += 101
        for _ in range(2):
            with pytest.raises(ProviderUnavailable) as gone:
                await provider.keys()
            assert gone.value.reason == "unreachable"
        site.mode = "ok"
        clock.now += 10
        assert await kids(provider) == ["k2"]
        await provider.aclose()

    asyncio.run(run())


def test_an_unknown_key_has_them_read_again_once_and_not_for_everybody(site: OidcProvider) -> None:
    async def run() -> None:
        clock = Clock()
        provider = reading(site, clock, pause=10)
        verifier = Verifier(rules(site), provider)
        await verifier.verified(site.access_token())
        asked = len(site.asked)
        site.keys = [Key("k2"), *site.keys]  # rotated
        clock.now += 10
        await verifier.verified(site.access_token())
        assert len(site.asked) == asked + 2
        for number in range(50):
            with pytest.raises(Exception, match="key"):
                await verifier.verified(site.access_token(key=Key(f"made up {number}")))
        assert len(site.asked) == asked + 2
        clock.now += 11
        strangers = [verifier.verified(site.access_token(key=Key(f"new {number}"))) for number in range(50)]
        found = await asyncio.gather(*strangers, return_exceptions=True)
        assert {str(error) for error in found} == {"key"}
        assert len(site.asked) == asked + 4
        await verifier.aclose()

    asyncio.run(run())


def test_an_unknown_key_while_nobody_answers_is_neither_good_nor_bad(site: OidcProvider) -> None:
    async def run() -> None:
        clock = Clock()
        provider = reading(site, clock, pause=10)
        verifier = Verifier(rules(site), provider)
        known = site.access_token()
        await verifier.verified(known)
        site.mode = "down"
        clock.now += 11
        for _ in range(3):
            with pytest.raises(ProviderUnavailable):
                await verifier.verified(site.access_token(key=Key("k2")))
            await verifier.verified(site.access_token())
        await verifier.aclose()

    asyncio.run(run())


def test_a_slow_provider_takes_no_more_than_a_tenth_of_the_time(site: OidcProvider) -> None:
    """The clock is the test's: an attempt of four seconds is followed by forty without one."""

    async def run() -> None:
        clock = Clock()
        steps = iter([0.0, 4.0])
        provider = reading(site, lambda: clock.now + next(steps, 4.0), pause=1)
        site.mode = "down"
        for wait, more in ((0.0, True), (20.0, False), (39.0, False), (41.0, True)):
            clock.now = 1000 + wait
            asked = len(site.asked)
            with pytest.raises(ProviderUnavailable):
                await provider.keys()
            assert (len(site.asked) > asked) is more, wait
        await provider.aclose()

    asyncio.run(run())


def test_a_key_that_is_taken_back_ends_what_was_remembered(site: OidcProvider) -> None:
    async def run() -> None:
        clock = Clock()
        verifier = Verifier(rules(site), reading(site, clock, refresh=300))
        token = site.access_token()
        await verifier.verified(token)
        site.keys = [Key("k2")]
        clock.now += 301
        with pytest.raises(Exception, match="key"):
            await verifier.verified(token)
        await verifier.aclose()

    asyncio.run(run())


def test_what_is_remembered_ends_with_the_token(site: OidcProvider) -> None:
    async def run() -> None:
        clock = Clock(now=float(site.claims()["iat"]))
        verifier = Verifier(rules(site, leeway=0), reading(site, Clock()), clock=clock)
        token = site.access_token(exp=int(clock.now) + 20)
        await verifier.verified(token)
        clock.now += 19
        await verifier.verified(token)
        clock.now += 1
        with pytest.raises(Exception, match="expired"):
            await verifier.verified(token)
        clock.now -= 3600  # a clock that was set back remembers nothing
        with pytest.raises(Exception, match="not_yet"):
            await verifier.verified(token)
        await verifier.aclose()

    asyncio.run(run())


def test_the_address_of_the_keys_may_be_configured(site: OidcProvider) -> None:
    async def run() -> None:
        provider = Provider(site.issuer, jwks_uri=site.root + "/jwks", algorithms=("EdDSA",))
        assert await kids(provider) == ["k1"]
        await provider.aclose()

    asyncio.run(run())
    assert site.asked == ["jwks"]


# TLS -----------------------------------------------------------------------------------------------------------------


def test_certificates_are_checked_against_those_that_are_named(tmp_path: Path) -> None:
    """A provider that shows a certificate of its own making is not asked; where that is named to be trusted, it is."""
    shown = self_signed(tmp_path / "shown.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown)
    with OidcProvider(tls=context) as secure:

        async def run(ca_file: Path | None) -> list[str | None]:
            provider = Provider(secure.issuer, algorithms=("EdDSA",), ca_file=ca_file)
            try:
                return await kids(provider)
            finally:
                await provider.aclose()

        for trusted in (None, self_signed(tmp_path / "another.pem"), tmp_path / "absent.pem"):
            with pytest.raises(ProviderUnavailable):
                asyncio.run(run(trusted))
        assert secure.asked == []
        assert asyncio.run(run(shown)) == ["k1"]


def test_two_judgements_of_one_token_agree(site: OidcProvider) -> None:
    token = site.access_token()
    first, second = judge(site, token), judge(site, token)
    assert first == second
