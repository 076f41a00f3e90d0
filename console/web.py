"""Our own routes, and the whole console put together: sign-in, sign-out, static files, and what `routes` adds.

Signing in asks the API who a key belongs to; the key then stays in this process, and the browser gets a random cookie.
What every request passes before it comes here is `gate`'s.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from console import routes, signin
from console.client import Api, ApiDown, ApiFailure, connect
from console.faces import Faces
from console.gate import Gate
from console.oidc import SignIn
from console.page import Parts, SignedOut
from console.proving import Root
from console.requests import LANGUAGE_COOKIE, language_of, parts_of
from console.session import COOKIE, Sessions
from console.settings import ConsoleError, ConsoleSettings, Language
from console.views.failure import failure_text, notice
from console.words import Words
from runtime.audit.errors import KeysError

_STATIC = Path(__file__).parent / "static"
_MOST_FORM = 16 << 10
_MOST_KEY = 8 << 10
_YEAR = 365 * 86400


def build(settings: ConsoleSettings, clock: Callable[[], float] = time.monotonic) -> Gate:
    """The console as an ASGI application; sessions expire by `clock`, in seconds.

    Raises:
        ConsoleError: the root key that is configured cannot be used.
    """
    sessions = Sessions(
        idle_seconds=settings.idle_minutes * 60, most_seconds=settings.session_hours * 3600, clock=clock
    )
    oidc = None if settings.oidc is None else SignIn(settings.oidc)
    parts = Parts(settings, sessions, connect(settings), root_of(settings), oidc)
    faces = Faces(parts)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await faces.aclose()
        if oidc is not None:
            await oidc.aclose()
        await parts.http.aclose()

    site = FastAPI(openapi_url=None, lifespan=lifespan)
    site.state.parts = parts
    site.mount("/static", StaticFiles(directory=_STATIC))
    site.add_api_route("/favicon.ico", _icon, methods=["GET"])
    site.add_api_route("/", _first, methods=["GET"])
    site.add_api_route("/signin", _ask, methods=["GET"])
    site.add_api_route("/signin", _try, methods=["POST"])
    site.add_api_route("/signout", _leave, methods=["POST"])
    for kind in (SignedOut, ApiFailure, ApiDown):
        site.add_exception_handler(kind, _failed)
    for router in routes.ROUTERS:
        site.include_router(router)
    return Gate(site, faces, sessions, settings)


def root_of(settings: ConsoleSettings) -> Root:
    """The root key that marks hang from. Raises: ConsoleError."""
    try:
        return Root(settings.root_key)
    except (OSError, KeysError) as error:
        raise ConsoleError(f"the root key {settings.root_key} cannot be used ({type(error).__name__})") from error


async def begin(
    request: Request,
    credential: str,
    language: Language,
    *,
    renewed: Callable[[], Awaitable[str]] | None = None,
    name: str = "",
) -> Response:
    """Sign in with a credential that the API accepts: a session, its cookie, and the way to the first page.

    The page is sent with a refresh instead of a redirect: a browser that comes from another site (OIDC) would not send
    the cookie along a redirect.

    Args:
        request: the browser's.
        credential: as it is now.
        language: of the first page.
        renewed: gives the credential from now on, where it is renewed from time to time.
        name: of the person, where the API knows none.

    Raises:
        ApiFailure: the API does not accept it.
        ApiDown: it does not answer.
    """
    parts = parts_of(request)
    me = await Api(parts.http, credential, language).get("/me")
    earlier = parts.sessions.find(request.cookies.get(COOKIE))
    if earlier is not None:
        parts.sessions.end(earlier)
    session = parts.sessions.begin(credential, {**me, "name": name} if name else me)
    session.renewed = renewed
    place = f"/{language}/"
    answer = HTMLResponse(
        f'<!doctype html><meta http-equiv="refresh" content="0;url={place}"><a href="{place}">{place}</a>'
    )
    secure = parts.settings.trusted_proxy
    answer.set_cookie(COOKIE, session.id, httponly=True, samesite="strict", path="/", secure=secure)
    answer.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR, httponly=True, samesite="strict", path="/", secure=secure
    )
    return answer


async def _icon() -> Response:
    return FileResponse(_STATIC / "icon.svg", media_type="image/svg+xml")


async def _first(request: Request) -> Response:
    signed_in = parts_of(request).sessions.find(request.cookies.get(COOKIE)) is not None
    return RedirectResponse(f"/{language_of(request)}/" if signed_in else "/signin", 303)


async def _ask(request: Request) -> Response:
    words, parts = Words(language_of(request)), parts_of(request)
    cookie = request.cookies.get(COOKIE)
    ended = bool(cookie) and parts.sessions.find(cookie) is None  # signing out takes the cookie away
    message = words("frame.signed_out") if ended else ""
    return HTMLResponse(signin.page(words, message=message, ways=routes.ways(parts)))


async def _try(request: Request) -> Response:
    language = language_of(request)
    words = Words(language)
    key = await _key(request)
    if key is None:
        return HTMLResponse(
            signin.page(words, message=words("frame.key_missing"), ways=routes.ways(parts_of(request))), 400
        )
    try:
        return await begin(request, key, language)
    except ApiFailure as error:
        wrong = error.status == 401
        message = words("frame.key_wrong") if wrong else failure_text(error, words)
        return HTMLResponse(
            signin.page(words, message=message, ways=routes.ways(parts_of(request))), 401 if wrong else 502
        )
    except ApiDown as error:
        message = failure_text(error, words)
        return HTMLResponse(signin.page(words, message=message, ways=routes.ways(parts_of(request))), 503)


async def _leave(request: Request) -> Response:
    sessions = parts_of(request).sessions
    session = sessions.find(request.cookies.get(COOKIE))
    farewell = None
    if session is not None:
        elsewhere = session.renewed is not None
        sessions.end(session)
        farewell = await routes.farewell(parts_of(request)) if elsewhere else None
    answer: Response = RedirectResponse("/signin", 303) if farewell is None else _away(farewell)
    answer.delete_cookie(
        COOKIE, path="/", httponly=True, samesite="strict", secure=parts_of(request).settings.trusted_proxy
    )
    return answer


def _away(place: str) -> Response:
    """A page that leads elsewhere: a browser follows no redirect out of a form that may only lead to us."""
    shown = escape(place)
    return HTMLResponse(f'<!doctype html><meta http-equiv="refresh" content="0;url={shown}"><a href="{shown}">→</a>')


async def _failed(request: Request, error: Exception) -> Response:
    """A route of ours that could not: in words; without a session, the way to sign-in (401 for a fragment)."""
    language = language_of(request)
    words = Words(language)
    if isinstance(error, SignedOut):
        fetched = request.headers.get("sec-fetch-mode", "navigate") != "navigate"
        return Response(status_code=401) if fetched else RedirectResponse("/signin", 303)
    status = error.status if isinstance(error, ApiFailure) and error.status else 503
    return HTMLResponse(notice(failure_text(error, words), language), status)


async def _key(request: Request) -> str | None:
    """The key of the form, None where there is none that could be one."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_FORM:
            return None
    given = parse_qs(body.decode("latin-1"), max_num_fields=8).get("key", [""])[0].strip()
    return given if given and len(given) <= _MOST_KEY and given.isascii() and given.isprintable() else None
