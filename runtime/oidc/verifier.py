"""Verifying a token.

The order, numbered as in the code:

(1) Read it strictly; the algorithm is one of those allowed.
(2) Judge its claims, though nobody vouches for them yet: what would be refused anyway costs no request.
(3) Find the key that it names among the provider's; an unknown one has the keys read again, at most every few seconds.
(4) Verify the signature, over the very bytes that were judged.

A verified token is remembered by its hash for a minute at most, never beyond its end, and only while the provider's
keys are the same. Who is behind it is looked up at each request (`runtime.auth`).
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from runtime.oidc.claims import Rules, Verified, check
from runtime.oidc.compact import parse
from runtime.oidc.errors import TokenRefused
from runtime.oidc.jwks import SigningKey, choose, verify
from runtime.oidc.provider import Provider

_REMEMBERED: Final = 1024
_REMEMBER_SECONDS: Final = 60


class Verifier:
    """Verifies the tokens of one provider by one set of rules."""

    def __init__(self, rules: Rules, provider: Provider, *, clock: Callable[[], float] = time.time) -> None:
        self._rules = rules
        self._provider = provider
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Verified, float, float]] = OrderedDict()
        self._known_by: tuple[SigningKey, ...] = ()

    async def aclose(self) -> None:
        await self._provider.aclose()

    async def verified(self, text: str) -> Verified:
        """What a token says, once it is verified.

        Raises:
            TokenRefused: it is not acceptable.
            ProviderUnavailable: nobody can say now.
        """
        now = self._clock()
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is not None and known[1] <= now < known[2] and await self._provider.keys() is self._known_by:
            return known[0]
        # (1)
        token = parse(text)
        if token.algorithm not in self._rules.algorithms:
            raise TokenRefused("algorithm")
        # (2)
        found = check(self._rules, token, now=now)
        # (3)
        keys = await self._provider.keys()
        key = choose(keys, token.kid, token.algorithm)
        if key is None:
            keys = await self._provider.keys_anew()
            key = choose(keys, token.kid, token.algorithm)
        if key is None:
            raise TokenRefused("key")
        # (4)
        verify(key, token.signed, token.signature)
        until = min(now + _REMEMBER_SECONDS, found.expires + self._rules.leeway)
        self._remember(digest, keys, (found, now, until))
        return found

    def _remember(self, digest: bytes, keys: tuple[SigningKey, ...], found: tuple[Verified, float, float]) -> None:
        if keys is not self._known_by:
            self._known.clear()
            self._known_by = keys
        self._known[digest] = found
        self._known.move_to_end(digest)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
