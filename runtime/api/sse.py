"""A governed turn as an ASGI response: plain JSON, or Server-Sent Events that begin with the first released text.

The turn runs in its own task; this response watches the client. A client that leaves cancels the turn, which still
writes its record. Until the first delta is handed over nothing has been answered, so a refusal of a streamed request
has its true HTTP status; after it, a failure is an `error` event.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.api.errors import headers as error_headers
from runtime.api.errors import problem
from runtime.errors import FilAgentError
from runtime.exchange import Answer, Release

Run = Callable[[Release], Awaitable[Answer]]


class TurnResponse(Response):
    """Runs one turn and writes its answer to the socket."""

    def __init__(
        self,
        run: Run,
        *,
        stream: bool,
        on_end: Callable[[int, FilAgentError | None], None],
        shape: Callable[[Answer], dict[str, Any]] = Answer.as_json,
    ) -> None:
        super().__init__()
        self._shape = shape
        self._run = run
        self._stream = stream
        self._on_end = on_end
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        async def release(text: str) -> None:
            if self._stream:
                await self._event(send, "delta", {"content": text})

        turn = asyncio.ensure_future(self._run(release))
        gone = asyncio.ensure_future(_client_gone(receive))
        try:
            await asyncio.wait({turn, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done():
                turn.cancel("client.gone")
            answer = await turn
        except FilAgentError as error:
            self._on_end(error.status, error)
            await self._fail(send, error)
        except asyncio.CancelledError:
            turn.cancel("server.stopping")
            await asyncio.wait({turn})
            if not turn.cancelled():
                turn.exception()  # taken, or the event loop would log it: its record is made, and nobody waits for it
            raise
        else:
            self._on_end(200, None)
            await self._finish(send, answer)
        finally:
            gone.cancel()

    async def _finish(self, send: Send, answer: Answer) -> None:
        if not self._stream:
            await _plain(send, 200, self._shape(answer), {"x-filagent-decision-id": answer.decision_id})
            return
        await self._event(send, "final", self._shape(answer))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _fail(self, send: Send, error: FilAgentError) -> None:
        if not self._started:
            extra = error_headers(error) | {"content-type": "application/problem+json"}
            await _plain(send, error.status, problem(error), extra)
            return
        await self._event(send, "error", problem(error))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _event(self, send: Send, name: str, data: dict[str, Any]) -> None:
        if not self._started:
            self._started = True
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [
                        (b"content-type", b"text/event-stream; charset=utf-8"),
                        (b"cache-control", b"no-store"),
                        (b"x-accel-buffering", b"no"),
                    ],
                }
            )
        payload = f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
        await send({"type": "http.response.body", "body": payload, "more_body": True})


async def _plain(send: Send, status: int, data: dict[str, Any], extra: dict[str, str]) -> None:
    body = json.dumps(data, ensure_ascii=False).encode()
    fields = {"content-type": "application/json", **extra, "content-length": str(len(body))}
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
