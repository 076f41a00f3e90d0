"""`/oidc/begin` and `/oidc/callback`: a browser leaves for the provider, and comes back with a code.

The cookie between the two is for `/oidc/` alone, and Lax: the way back begins at another site. What a sign-in consists
of is `oidc`'s business.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console import signin
from console.client import ApiDown, ApiFailure
from console.oidc import Held, SignIn, SignInFailed
from console.requests import language_of, parts_of
from console.settings import Language
from console.signin import Way
from console.views.failure import failure_text
from console.words import Words
from runtime.oidc.errors import ProviderUnavailable

router = APIRouter()
COOKIE = "filagent_signin"
_PATH = "/oidc/"
_SECONDS = 600
_MOST_QUERY = 8192
_STATUS = {"denied": 403, "stale": 400, "failed": 502, "ended": 401}


def way(oidc: SignIn) -> Way:
    """The button."""
    name = oidc.client.name
    return Way(f"{_PATH}begin", "identity.sign_in_with" if name else "identity.sign_in", name)


@router.get(f"{_PATH}begin")
async def begin(request: Request) -> Response:
    """Send the browser to the provider."""
    parts, language = parts_of(request), language_of(request)
    if parts.oidc is None:
        return RedirectResponse("/signin", 303)
    ours = urlsplit(parts.oidc.client.address)
    if request.headers.get("host", "").lower() != ours.netloc.lower() and "here" not in request.query_params:
        # The provider sends the browser back to that name, and the cookie has to be there. Once: a proxy may rename us.
        return RedirectResponse(f"{parts.oidc.client.address}{_PATH}begin?lang={language}&here=1", 303)
    try:
        target, cookie = await parts.oidc.begin(language)
    except ProviderUnavailable:
        return _told(request, language, "identity.provider_down", 503)
    answer = RedirectResponse(target, 303)
    answer.set_cookie(
        COOKIE, cookie, max_age=_SECONDS, httponly=True, samesite="lax", path=_PATH, secure=_secure(request)
    )
    return answer


@router.get(f"{_PATH}callback")
async def callback(request: Request) -> Response:
    """Take the browser back."""
    answer = await _ended(request)
    answer.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="lax", secure=_secure(request))
    return answer


async def _ended(request: Request) -> Response:
    from console.web import begin as begin_session  # it imports this module

    oidc, language = parts_of(request).oidc, language_of(request)
    if oidc is None:
        return RedirectResponse("/signin", 303)
    try:
        given = _query(request)
        pending = oidc.claim(request.cookies.get(COOKIE), given.get("state"))
        language = pending.language
        tokens = await oidc.finish(pending, given)
        return await begin_session(request, tokens.bearer, language, renewed=Held(oidc, tokens), name=tokens.name)
    except SignInFailed as error:
        return _told(request, language, f"identity.{error.word}", _STATUS[error.word])
    except ProviderUnavailable:
        return _told(request, language, "identity.provider_down", 503)
    except ApiFailure as error:
        if error.status == 401:
            return _told(request, language, "identity.not_accepted", 401)
        return _shown(request, language, failure_text(error, Words(language)), error.status or 502)
    except ApiDown as error:
        return _shown(request, language, failure_text(error, Words(language)), 503)


def _query(request: Request) -> dict[str, str]:
    """The parameters that the provider sent along, each once. Raises: SignInFailed."""
    pairs = request.query_params.multi_items()
    found = dict(pairs)
    if len(found) != len(pairs) or len(request.url.query) > _MOST_QUERY:
        raise SignInFailed("failed")
    return found


def _told(request: Request, language: Language, key: str, status: int) -> Response:
    return _shown(request, language, Words(language)(key), status)


def _shown(request: Request, language: Language, message: str, status: int) -> Response:
    """The sign-in page again, with what happened."""
    oidc = parts_of(request).oidc
    ways = () if oidc is None else (way(oidc),)
    return HTMLResponse(signin.page(Words(language), message=message, ways=ways), status)


def _secure(request: Request) -> bool:
    return parts_of(request).settings.trusted_proxy
