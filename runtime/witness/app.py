"""The witness's two doors over HTTP, after https://c2sp.org/tlog-witness: add a checkpoint, read the last one.

    POST /add-checkpoint                        answered with a cosignature, or 400, 403, 404, 409, 413, 422
    GET /<SHA-256 of the origin>/checkpoint     what the witness vouched for last, for auditors

Nobody authenticates: a checkpoint is judged by its own signature, and what can be read is public. Answers repeat
nothing of a request. Judging is `state`'s business.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.audit.errors import AuditError, CheckpointError
from runtime.witness.protocol import ADD_CHECKPOINT, MAX_BODY, SIZE_TYPE, parse_request, write_size
from runtime.witness.state import Kind, WitnessState

BODY_SECONDS = 20.0
_STATUS: dict[Kind, int] = {
    "cosigned": 200,
    "malformed": 400,
    "unsigned": 403,
    "unknown_log": 404,
    "conflict": 409,
    "inconsistent": 422,
}
_HASH = re.compile(r"[0-9a-f]{64}")
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def create_app(
    state: WitnessState, *, on_failure: Callable[[], object] = lambda: None, body_seconds: float = BODY_SECONDS
) -> Starlette:
    """The application.

    Args:
        state: open, and the caller's to close.
        on_failure: called when the disk failed and the server should end.
        body_seconds: how long a whole request may take to arrive.
    """

    async def add_checkpoint(request: Request) -> Response:
        try:
            wanted = parse_request(await _body(request, body_seconds))
        except _Refused as refusal:
            return _text(str(refusal), refusal.status)
        except CheckpointError as error:
            return _text(str(error), 400)
        try:
            outcome = await run_in_threadpool(state.add_checkpoint, wanted)
        except AuditError as error:
            sys.stderr.write(f"witness: {error}\n")
            if state.failed:
                on_failure()
            return _text("the witness cannot vouch for anything now", 500)
        if outcome.kind == "conflict":
            return Response(write_size(outcome.size), 409, {**_HEADERS, "content-type": SIZE_TYPE})
        if outcome.kind == "cosigned":
            return PlainTextResponse(outcome.text, headers=_HEADERS)
        return _text(outcome.text, _STATUS[outcome.kind])

    async def checkpoint(request: Request) -> Response:
        origin_hash = request.path_params["origin_hash"]
        note = state.latest(origin_hash) if _HASH.fullmatch(origin_hash) else None
        if note is None:
            return _text("nothing was vouched for of such a log", 404)
        return PlainTextResponse(note, headers=_HEADERS)

    app = Starlette(
        routes=[
            Route(f"/{ADD_CHECKPOINT}", add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", checkpoint, methods=["GET"]),
        ]
    )
    app.router.redirect_slashes = False  # a redirect would name our own scheme, which a proxy in front may not speak
    return app


async def _body(request: Request, seconds: float) -> bytes:
    """The whole body, unless it is too long or too slow."""
    data = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                data += piece
                if len(data) > MAX_BODY:
                    raise _Refused(413, f"a request has at most {MAX_BODY} bytes")
    except TimeoutError as error:
        raise _Refused(408, "the request did not arrive in time") from error
    except ClientDisconnect as error:
        raise _Refused(400, "the request did not arrive whole") from error
    return bytes(data)


def _text(reason: str, status: int) -> Response:
    return PlainTextResponse(f"{reason}\n", status, _HEADERS)
