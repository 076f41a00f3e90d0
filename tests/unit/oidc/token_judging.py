"""Judging tokens as the API does, against the provider that stands where the network ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.oidc.claims import Rules, Verified
from runtime.oidc.errors import ProviderUnavailable, TokenRefused
from runtime.oidc.provider import Patience, Provider
from runtime.oidc.verifier import Verifier
from tests.fakes.oidc_provider import AUDIENCE, CLIENT, OidcProvider


def rules(site: OidcProvider, **changes: Any) -> Rules:
    return Rules(**{"issuer": site.issuer, "audience": AUDIENCE, "client_id": CLIENT, **changes})


def judge(site: OidcProvider, *tokens: str, **changes: Any) -> list[Verified | str]:
    """What comes of tokens, one after the other by the same verifier: verified, or the word for why not."""
    wanted = rules(site, **changes)

    async def run() -> list[Verified | str]:
        provider = Provider(site.issuer, algorithms=wanted.algorithms)
        verifier = Verifier(wanted, provider)
        found: list[Verified | str] = []
        try:
            for token in tokens:
                try:
                    found.append(await verifier.verified(token))
                except TokenRefused as refused:
                    found.append(refused.reason)
                except ProviderUnavailable as gone:
                    found.append(f"provider: {gone.reason}")
        finally:
            await verifier.aclose()
        return found

    return asyncio.run(run())


def accepted(site: OidcProvider, token: str, **changes: Any) -> Verified:
    [found] = judge(site, token, **changes)
    assert isinstance(found, Verified), found
    return found


def refused(site: OidcProvider, token: str, **changes: Any) -> str:
    [found] = judge(site, token, **changes)
    assert isinstance(found, str), found
    return found


@dataclass
class Clock:
    """Seconds, as the test says."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def reading(site: OidcProvider, clock: Callable[[], float], **patience: float) -> Provider:
    """A provider as the API reads it, by a clock of the test's."""
    return Provider(site.issuer, algorithms=("RS256", "ES256", "EdDSA"), patience=Patience(**patience), clock=clock)
