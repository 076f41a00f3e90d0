"""Judging a token's claims: who issued it, for whom, until when, and which kind of token it is. Pure.

An id token says who signed in at a client; it is no permission to call an API, and is told from an access token by its
header (`at+jwt`, RFC 9068), by Keycloak's `typ` claim, and by the claims that only id tokens have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.oidc.compact import Token
from runtime.oidc.errors import TokenRefused

_ID_MARKS: Final = ("nonce", "at_hash", "c_hash", "s_hash")
_ACCESS_TYPES: Final = ("bearer", "at+jwt", "jwt")
_MAX_TIME: Final = 2**53
_MAX_AUDIENCES: Final = 32


@dataclass(frozen=True, slots=True)
class Rules:
    """What is expected of tokens; times are in seconds.

    Attributes:
        issuer: the exact `iss`.
        audience: must be among the `aud` of an access token.
        client_id: our client at the provider; the audience of id tokens.
        authorized_parties: further clients whose access tokens are taken (`azp`, `client_id`).
        algorithms: of `jwks.ALGORITHMS`.
        access_types: header types (lower case) under which an access token may come: `at+jwt`, `jwt`.
        id_tokens: whether id tokens are taken.
        required: claims that must have this value, or one of these.
        leeway: by how much clocks may differ.
        longest: `exp` may be at most so long after `iat`.
    """

    issuer: str
    audience: str
    client_id: str
    authorized_parties: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    access_types: tuple[str, ...] = ("at+jwt",)
    id_tokens: bool = False
    required: Mapping[str, tuple[str | int | bool, ...]] = field(default_factory=dict)
    leeway: int = 30
    longest: int = 86_400


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that was verified. Whatever is in it is personal data: it reaches no record, no metric, no error.

    Attributes:
        issued, expires: seconds since 1970.
    """

    issuer: str
    subject: str = field(repr=False)
    issued: int
    expires: int
    claims: Mapping[str, Any] = field(repr=False)


def check(rules: Rules, token: Token, *, now: float) -> Verified:
    """What the claims say, if they are as expected at `now` (seconds since 1970).

    Raises:
        TokenRefused: issuer, type, audience, party, times, expired, not_yet, too_long_lived, subject or claims.
    """
    claims = token.claims
    if claims.get("iss") != rules.issuer:
        raise TokenRefused("issuer")
    if _is_id_token(rules, token):
        _check_audience(claims, rules.client_id, (rules.client_id,))
    else:
        _check_audience(claims, rules.audience, (rules.client_id, *rules.authorized_parties))
    issued, expires = check_times(claims, now=now, leeway=rules.leeway)
    if expires - issued > rules.longest:
        raise TokenRefused("too_long_lived")
    for name, wanted in rules.required.items():
        if not any(_same(value, one) for value in _values(claims.get(name)) for one in wanted):
            raise TokenRefused("claims")
    return Verified(rules.issuer, _subject(claims), int(issued), int(expires), claims)


def check_times(claims: Mapping[str, Any], *, now: float, leeway: float) -> tuple[float, float]:
    """(`iat`, `exp`), both of which must be there; `nbf` may be.

    Raises:
        TokenRefused: times, expired or not_yet.
    """
    issued, expires = _time(claims.get("iat")), _time(claims.get("exp"))
    begins = _time(claims["nbf"]) if "nbf" in claims else issued
    if now >= expires + leeway:
        raise TokenRefused("expired")
    if max(issued, begins) > now + leeway:
        raise TokenRefused("not_yet")
    if expires <= issued:
        raise TokenRefused("times")
    return issued, expires


def values_at(claims: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    """The texts that stand in a claim, or in a member of one: a text, or those of a list; nothing else counts."""
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return tuple(value for value in _values(found) if isinstance(value, str))


def _is_id_token(rules: Rules, token: Token) -> bool:
    """Whether to judge it as an id token; otherwise as an access token. Raises when neither is accepted."""
    said = token.claims.get("typ", "")
    said = said.lower() if isinstance(said, str) else None
    if said is None or said not in {"", "id", *_ACCESS_TYPES} or "events" in token.claims:
        raise TokenRefused("type")  # a refresh or logout token, a security event
    if token.typ not in {"", "jwt", "at+jwt"}:
        raise TokenRefused("type")
    marked = said == "id" or (token.typ != "at+jwt" and any(mark in token.claims for mark in _ID_MARKS))
    if not marked and (token.typ or "jwt") in rules.access_types:
        return False
    if rules.id_tokens and token.typ != "at+jwt" and said not in _ACCESS_TYPES:
        return True
    raise TokenRefused("type")


def _check_audience(claims: Mapping[str, Any], audience: str, parties: tuple[str, ...]) -> None:
    named = claims.get("aud")
    audiences = named if isinstance(named, list) else [named]
    if len(audiences) > _MAX_AUDIENCES or not all(isinstance(one, str) for one in audiences):
        raise TokenRefused("audience")
    if audience not in audiences:
        raise TokenRefused("audience")
    said = [claims[name] for name in ("azp", "client_id") if name in claims]
    if any(party not in parties for party in said) or (len(audiences) > 1 and not said):
        raise TokenRefused("party")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not subject.isprintable():
        raise TokenRefused("subject")
    return subject


def _time(value: Any) -> float:
    """NumericDate (RFC 7519): seconds since 1970, fractions allowed."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused("times")
    if not 0 <= value <= _MAX_TIME or not math.isfinite(value):
        raise TokenRefused("times")
    return float(value)


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _same(value: Any, wanted: str | int | bool) -> bool:
    """Equal and of one type: `true` is neither 1 nor "true"."""
    return type(value) is type(wanted) and value == wanted
