"""What every request passes first: Host and Origin are ours, and the answer carries safe headers.

A page in somebody's browser must not reach a server on loopback through DNS rebinding (Host) or a cross-site
request (Origin). A failure that nobody foresaw ends here too, so that no server prints its message or traceback, which
may carry content. Written as plain ASGI so that it costs nothing on streams.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.api.errors import problem
from runtime.denials import Denials
from runtime.errors import FilAgentError, Forbidden, Misdirected
from runtime.telemetry import Telemetry

logger = logging.getLogger("filagent")

_AUTHORITY = re.compile(rb"(\[[0-9a-f:.]+\]|[^:@/\[\]]+)(?::[0-9]{1,5})?")
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class Shield:
    """ASGI middleware; `hosts` are names without port, beside the loopback names."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], telemetry: Telemetry, denials: Denials) -> None:
        self._app = app
        self._hosts = {*LOOPBACK_NAMES, *(host.lower() for host in hosts)}
        self._telemetry = telemetry
        self._denials = denials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._judge(scope)
        if refusal is not None:
            self._telemetry.errors.labels(refusal.code).inc()
            self._denials.count(refusal.code)
            await _answer(send, refusal)
            return

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in _SAFE_HEADERS if pair[0] not in present)]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            logger.error("request failed: %s", type(error).__name__)  # noqa: TRY400 - the type alone
            self._telemetry.errors.labels("internal.error").inc()
            if not started:
                await _answer(send, FilAgentError("internal.error", "Something failed that should not have."))

    def _judge(self, scope: Scope) -> FilAgentError | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or _host_name(hosts[0]) not in self._hosts:
            return Misdirected("request.host", "This Host is not served here; see server.allowed_hosts.")
        for name, value in scope["headers"]:
            if name == b"origin" and not self._is_ours(value):
                return Forbidden("request.origin", "Requests from this Origin are not accepted.")
        return None

    def _is_ours(self, origin: bytes) -> bool:
        try:
            parts = urlsplit(origin.decode("ascii"))
        except (UnicodeDecodeError, ValueError):
            return False
        return parts.scheme in {"http", "https"} and _host_name(parts.netloc.encode()) in self._hosts


def _host_name(value: bytes) -> str | None:
    """The name in `name`, `name:port`, `[address]` or `[address]:port`; None for anything else."""
    match = _AUTHORITY.fullmatch(value.lower())
    return None if match is None else match[1].decode("latin-1")


async def _answer(send: Send, error: FilAgentError) -> None:
    body = json.dumps(problem(error)).encode()
    await send(
        {
            "type": "http.response.start",
            "status": error.status,
            "headers": [
                (b"content-type", b"application/problem+json"),
                (b"content-length", str(len(body)).encode()),
                *_SAFE_HEADERS,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
