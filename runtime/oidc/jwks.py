"""A provider's key set (RFC 7517): what of it may verify which algorithm, and verifying with it. Pure.

A key is used only for the one algorithm that fits its type: an RSA key never verifies an HMAC, whatever a header says.
Left out are keys for encryption, symmetric ones, weak ones, ones published with their private half, and ones whose id
another key of the same kind shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from runtime.oidc.errors import TokenRefused
from runtime.oidc.strict import decode, json_object

#: Algorithms that can be allowed; `none` and the symmetric ones are not among them.
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
MAX_KEYS: Final = 64
_RSA_BITS: Final = range(2048, 8193)
# (kty, crv) -> the algorithm, the members that make the public key, and other names that a key may give the algorithm.
_FITTING: Final[Mapping[tuple[str, str | None], tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    ("RSA", None): ("RS256", ("n", "e"), ()),
    ("EC", "P-256"): ("ES256", ("crv", "x", "y"), ()),
    ("OKP", "Ed25519"): ("EdDSA", ("crv", "x"), ("Ed25519",)),
}
_IMPORTERS: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {
    "RSA": RSAKey, "EC": ECKey, "OKP": OKPKey,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key and what it may verify."""

    kid: str | None
    algorithm: str
    key: RSAKey | ECKey | OKPKey = field(repr=False)


def parse_key_set(data: bytes, algorithms: Collection[str]) -> tuple[SigningKey, ...]:
    """The usable keys of a key set for these algorithms.

    Raises:
        ValueError: it is no key set, or nothing in it is usable.
    """
    listed = json_object(data).get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError("not a key set")
    found = [key for entry in listed if (key := _usable(entry)) is not None and key.algorithm in algorithms]
    shared = Counter((key.kid, key.algorithm) for key in found)
    keys = tuple(key for key in found if key.kid is None or shared[key.kid, key.algorithm] == 1)
    if not keys:
        raise ValueError("no usable key")
    return keys


def choose(keys: Collection[SigningKey], kid: str | None, algorithm: str) -> SigningKey | None:
    """The key that a header names; None when it names one that is not here.

    Raises:
        TokenRefused: `key`: the named key is of another kind, or none is named and several would fit.
    """
    if kid is None:
        fitting = [key for key in keys if key.algorithm == algorithm]
        if len(fitting) != 1:
            raise TokenRefused("key")
        return fitting[0]
    named = [key for key in keys if key.kid == kid]
    fitting = [key for key in named if key.algorithm == algorithm]
    if named and not fitting:
        raise TokenRefused("key")
    return fitting[0] if fitting else None


def verify(key: SigningKey, signed: bytes, signature: bytes) -> None:
    """Return when `signature` over `signed` is the key's.

    Raises:
        TokenRefused: `signature`.
    """
    try:
        good = JWSRegistry.algorithms[key.algorithm].verify(signed, signature, key.key)
    except (JoseError, ValueError) as error:
        raise TokenRefused("signature") from error
    if good is not True:
        raise TokenRefused("signature")


def _usable(entry: Any) -> SigningKey | None:
    if not isinstance(entry, dict) or "d" in entry or "k" in entry:
        return None
    kty, kid, crv = entry.get("kty"), entry.get("kid"), entry.get("crv")
    fitting = _FITTING.get((kty, crv)) if isinstance(kty, str) and isinstance(crv, str | None) else None
    if fitting is None or not (kid is None or isinstance(kid, str)):
        return None
    algorithm, members, aliases = fitting
    operations = entry.get("key_ops", ["verify"])
    if (
        entry.get("alg", algorithm) not in (algorithm, *aliases)
        or entry.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
        or not all(isinstance(entry.get(member), str) for member in members)
    ):
        return None
    assert isinstance(kty, str)  # noqa: S101 - it was found in the table
    try:
        if kty == "RSA" and int.from_bytes(decode(entry["n"]), "big").bit_length() not in _RSA_BITS:
            return None
        key = _IMPORTERS[kty].import_key({"kty": kty, **{member: entry[member] for member in members}})
    except (JoseError, ValueError, TypeError):
        return None
    return SigningKey(kid, algorithm, key)
