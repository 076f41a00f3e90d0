"""A token's form: compact JWS (RFC 7515) with a JSON payload (RFC 7519), read strictly before anything is believed.

Header members that would bring a key along (`jwk`, `jku`, `x5u`, `x5c`) are not looked at: keys come from the
provider's own set alone. Extensions (`crit`, `b64`) and encryption are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from runtime.oidc.errors import TokenRefused
from runtime.oidc.strict import decode, json_object

MAX_TOKEN: Final = 16_384  # characters; tokens that list many groups have some 8,000
_MAX_KID: Final = 256
_REFUSED_HEADERS: Final = ("crit", "b64", "enc", "zip")
_RENAMED: Final = {"Ed25519": "EdDSA"}  # RFC 9864


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; nothing in it is to be believed yet.

    Attributes:
        typ: the header's, lower case, without `application/`; empty where there is none.
        signed: the bytes that the signature covers.
    """

    algorithm: str
    kid: str | None
    typ: str
    claims: dict[str, Any] = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def looks_like_token(credential: str) -> bool:
    """Whether a credential is to be judged as a token: three parts."""
    return credential.count(".") == 2


def parse(text: str) -> Token:
    """The parts of a token.

    Raises:
        TokenRefused: `too_large`, `malformed` or `header`.
    """
    if len(text) > MAX_TOKEN:
        raise TokenRefused("too_large")
    parts = text.split(".")
    if len(parts) != 3:
        raise TokenRefused("malformed")
    try:
        header, claims = json_object(decode(parts[0])), json_object(decode(parts[1]))
        signature = decode(parts[2])
    except ValueError as error:
        raise TokenRefused("malformed") from error
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if (
        not isinstance(algorithm, str)
        or not isinstance(typ, str)
        or not (kid is None or (isinstance(kid, str) and 0 < len(kid) <= _MAX_KID))
        or any(name in header for name in _REFUSED_HEADERS)
    ):
        raise TokenRefused("header")
    kind = typ.lower().removeprefix("application/")
    return Token(
        _RENAMED.get(algorithm, algorithm), kid, kind, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), signature
    )
