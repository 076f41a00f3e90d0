"""The last thing before the network: no request passes without the gate, and no answer passes without a bound.

It wraps an httpx2 transport. Whatever builds requests above it (an SDK with its own retries, say), each one is stopped
here until `gate(exact body)` returns, and leaves with those very bytes and with the headers listed here, no others: the
API key is added here and known nowhere above, and what an SDK reports about this machine stays here. The clocks are
kept here too, because only here is it known when a request really left and when bytes really came.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import httpx2
from pydantic import SecretStr

from runtime.backends.base import Gate, Timeouts

_HEADERS: Final = frozenset({"host", "content-type", "accept"})


class GateClosedError(Exception):
    """The gate refused; `reason` is what it raised. Caught by the backend, which raises `reason`."""

    def __init__(self, reason: Exception) -> None:
        super().__init__("the gate refused")
        self.reason = reason


class ResponseTooLargeError(Exception):
    """The answer exceeds the bound, or is compressed, so that its size is not what it seems."""


@dataclass(slots=True)
class Progress:
    """How far one call came, and until when it may go on. Shared by the transmissions of a call.

    Attributes:
        passed: the loop's time at which the gate let the last request pass; None before.
        last: the end of the whole call, fixed when its first request passed.
        answering: a success status has arrived.
        begun: the first piece of the answer has arrived.
    """

    timeouts: Timeouts
    passed: float | None = None
    last: float | None = None
    answering: bool = False
    begun: bool = False

    def start(self, now: float) -> None:
        """The gate has let a request pass."""
        self.passed = now
        self.last = now + self.timeouts.total if self.last is None else self.last

    def deadline(self) -> float | None:
        """The loop's time by which the next bytes must be here; None while nothing has left."""
        if self.passed is None or self.last is None or self.begun:
            return self.last
        return min(self.last, self.passed + self.timeouts.first_token)

    def has_time_for(self, seconds: float) -> bool:
        """Whether the call may go on after a pause of `seconds`."""
        return self.last is None or asyncio.get_running_loop().time() + seconds < self.last


class GatedTransport(httpx2.AsyncBaseTransport):
    """One call's way to the network; the connection pool is the inner transport's and outlives it.

    Args:
        inner: what sends. Never closed here.
        gate: awaited with each request's body.
        progress: its deadlines hold for the status line, for every chunk, and for the bodies of errors.
        api_key: sent as a bearer token, if given.
        max_bytes: of one response's body.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        gate: Gate,
        progress: Progress,
        *,
        api_key: SecretStr | None,
        max_bytes: int,
    ) -> None:
        self._inner = inner
        self._gate = gate
        self._progress = progress
        self._api_key = api_key
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        try:
            await self._gate(body)
        except Exception as refused:
            raise GateClosedError(refused) from refused
        self._progress.start(asyncio.get_running_loop().time())
        headers = {name: value for name, value in request.headers.items() if name.lower() in _HEADERS}
        headers |= {"user-agent": "filagent", "accept-encoding": "identity"}
        if self._api_key is not None:
            headers["authorization"] = f"Bearer {self._api_key.get_secret_value()}"
        outgoing = httpx2.Request(
            request.method, request.url, headers=headers, content=body or None, extensions=request.extensions
        )
        async with asyncio.timeout_at(self._progress.deadline()):
            response = await self._inner.handle_async_request(outgoing)
        if not isinstance(response.stream, httpx2.AsyncByteStream):
            raise TypeError("the inner transport is not asynchronous")
        response.stream = _BoundedStream(response.stream, self._progress, self._max_bytes)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise ResponseTooLargeError
        return response

    async def aclose(self) -> None:
        """The inner transport is shared: it stays open."""


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, progress: Progress, max_bytes: int) -> None:
        self._inner = inner
        self._progress = progress
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._inner)
        try:
            while True:
                async with asyncio.timeout_at(self._progress.deadline()):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                self._left -= len(chunk)
                if self._left < 0:
                    raise ResponseTooLargeError
                yield chunk
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()
