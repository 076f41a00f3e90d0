"""One OpenID provider over HTTP: its metadata (OpenID Connect Discovery) and its keys, kept and refreshed.

The keys are read again when they are older than `refresh` seconds, and once when a token names one that is unknown;
between two attempts lie at least `pause` seconds, whoever asks and however many, and ten times as long as the first one
took, so that a slow provider does not slow us. While the provider cannot be read,
the keys that are known go on for `keep` seconds; after that nothing can be judged, and nothing is accepted.

The provider is believed as far as TLS and its own issuer name go: answers are bounded in size and time, redirects are
not followed, and nothing but https is asked, except on loopback.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx2

from runtime.oidc.errors import ProviderUnavailable
from runtime.oidc.jwks import SigningKey, parse_key_set
from runtime.oidc.strict import json_object, usable_address

MAX_ANSWER: Final = 1 << 18
WELL_KNOWN: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for one whole answer, between two attempts, until keys are read anew, until they count no more."""

    answer: float = 5.0
    pause: float = 10.0
    refresh: float = 300.0
    keep: float = 86_400.0


class Provider:
    """What a provider says of itself. One instance for each process; use it from one event loop."""

    def __init__(
        self,
        issuer: str,
        *,
        jwks_uri: str | None = None,
        algorithms: Collection[str],
        ca_file: Path | None = None,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nobody is asked before the first call.

        Args:
            issuer: its address, exactly as tokens name it.
            jwks_uri: where the keys are; None: where its metadata says.
            algorithms: that keys are wanted for.
            ca_file: certificates to trust instead of the system's.
            patience: see there.
            clock: seconds that only grow.
        """
        self.issuer = issuer
        self._jwks_uri = jwks_uri
        self._algorithms = tuple(algorithms)
        self._ca_file = ca_file
        self._patience = patience or Patience()
        self._clock = clock
        self._client: httpx2.AsyncClient | None = None
        self._lock = asyncio.Lock()
        self._keys: tuple[SigningKey, ...] = ()
        self._read_at: float | None = None
        self._not_before = float("-inf")
        self._failure: str | None = "never_read"

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def keys(self) -> tuple[SigningKey, ...]:
        """The keys in force: the same object for as long as they have not changed.

        Raises:
            ProviderUnavailable: there are none, or they are too old.
        """
        if self._age() > self._patience.refresh:
            await self._attempt()
        if self._age() > self._patience.keep:
            raise ProviderUnavailable(self._failure or "too_old")
        return self._keys

    async def keys_anew(self) -> tuple[SigningKey, ...]:
        """The keys for a token that names an unknown one: read again, if that was not done just now.

        Raises:
            ProviderUnavailable: the last attempt failed, so it cannot be said whether the key exists.
        """
        await self._attempt()
        if self._failure is not None:
            raise ProviderUnavailable(self._failure)
        return self._keys

    async def metadata(self) -> dict[str, Any]:
        """The provider's metadata, of this issuer; every address in it that we use is one that may be asked.

        Raises:
            ProviderUnavailable: it cannot be had, or it is another issuer's.
        """
        found = _object(await self.ask("GET", self.issuer.rstrip("/") + WELL_KNOWN))
        if found.get("issuer") != self.issuer:
            raise ProviderUnavailable("issuer")
        return found

    async def ask(
        self, method: str, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The body of an answer with status 200.

        Raises:
            ProviderUnavailable: unreachable, too slow, too large, another status (redirects too), an address that may
                not be asked.
        """
        if not usable_address(url):
            raise ProviderUnavailable("address")
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._patience.answer),
                self._http().stream(method, url, data=form, headers=headers) as response,
            ):
                status = response.status_code
                async for piece in response.aiter_raw():
                    body += piece
                    if len(body) > MAX_ANSWER:
                        raise ProviderUnavailable("too_large")
        except TimeoutError as error:
            raise ProviderUnavailable("too_slow") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise ProviderUnavailable("unreachable") from error
        if status != HTTPStatus.OK:
            raise ProviderUnavailable(f"http_{status}")
        return bytes(body)

    async def _attempt(self) -> None:
        """Read the keys, unless somebody tried just now; a failure leaves them as they are."""
        async with self._lock:
            begun = self._clock()
            if begun < self._not_before:
                return
            self._failure = "interrupted"
            try:
                async with asyncio.timeout(self._patience.answer):
                    found = await self._read_keys()
            except ProviderUnavailable as error:
                self._failure = error.reason
                return
            except TimeoutError:
                self._failure = "too_slow"
                return
            finally:
                ended = self._clock()
                self._not_before = ended + max(self._patience.pause, 10 * (ended - begun))
            self._failure, self._read_at = None, begun
            if _named(found) != _named(self._keys):
                self._keys = found

    async def _read_keys(self) -> tuple[SigningKey, ...]:
        address = self._jwks_uri or (await self.metadata()).get("jwks_uri")
        if not isinstance(address, str):
            raise ProviderUnavailable("metadata")
        data = await self.ask("GET", address)
        try:
            return parse_key_set(data, self._algorithms)
        except ValueError as error:
            raise ProviderUnavailable("keys") from error

    def _age(self) -> float:
        return float("inf") if self._read_at is None else self._clock() - self._read_at

    def _http(self) -> httpx2.AsyncClient:
        """Made at the first use: reading certificates takes a while."""
        if self._client is None:
            if self.issuer.startswith("http://") and self._ca_file is None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback: trusts nobody, and is not asked
            else:
                context = ssl.create_default_context(cafile=self._ca_file)
            self._client = httpx2.AsyncClient(
                verify=context,
                headers={"user-agent": "filagent", "accept": "application/json", "accept-encoding": "identity"},
                timeout=httpx2.Timeout(self._patience.answer),
                follow_redirects=False,
            )
        return self._client


def _object(data: bytes) -> dict[str, Any]:
    try:
        return json_object(data)
    except ValueError as error:
        raise ProviderUnavailable("metadata") from error


def _named(keys: tuple[SigningKey, ...]) -> list[tuple[str | None, str, str]]:
    """What tells key sets apart: ids, algorithms and thumbprints."""
    return [(key.kid, key.algorithm, key.key.thumbprint()) for key in keys]
