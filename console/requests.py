"""What a route of ours needs: the session behind a request, the API for it, and a download passed on as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx2
from fastapi import Request
from starlette.responses import StreamingResponse

from console.client import Api
from console.page import Parts, SignedOut
from console.session import COOKIE, Session
from console.settings import LANGUAGES, Language

LANGUAGE_COOKIE = "filagent_language"


def parts_of(request: Request) -> Parts:
    """What the whole console shares."""
    parts: Parts = request.app.state.parts
    return parts


def language_of(request: Request) -> Language:
    """The language of a page of ours: asked for, chosen before, configured, the browser's, else English."""
    settings = parts_of(request).settings
    for given in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE), settings.language):
        for known in LANGUAGES:
            if given == known:
                return known
    for part in request.headers.get("accept-language", "")[:200].split(","):
        for known in LANGUAGES:
            if part.strip()[:2].lower() == known:
                return known
    return LANGUAGES[0]


def signed_in(request: Request) -> Session:
    """The session behind a request. Raises: SignedOut, which the site answers with the way to sign-in."""
    session = parts_of(request).sessions.find(request.cookies.get(COOKIE))
    if session is None:
        raise SignedOut
    return session


def api_of(request: Request) -> Api:
    """The API with the credential of the session behind a request. Raises: SignedOut."""
    return parts_of(request).api(signed_in(request), language_of(request))


async def passed_on(request: Request, path: str, name: str) -> StreamingResponse:
    """A file of the API, passed on piece by piece and kept nowhere.

    Args:
        request: the browser's.
        path: of the API's door.
        name: of the file, as it is offered; letters, digits, dots, dashes.

    Raises:
        SignedOut: no session.
        ApiFailure: the API refuses.
        ApiDown: it does not answer.
    """
    async with AsyncExitStack() as stack:
        answer = await stack.enter_async_context(api_of(request).open("GET", path))
        kind = answer.headers.get("content-type", "application/octet-stream")
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_pieces(answer, stack.pop_all()), media_type=kind, headers=headers)


async def _pieces(answer: httpx2.Response, stack: AsyncExitStack) -> AsyncIterator[bytes]:
    async with stack:
        async for piece in answer.aiter_bytes():
            yield piece
