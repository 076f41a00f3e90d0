"""Routes beside the pages: downloads, fragments for `data-load`, other ways to sign in. One line here for each module.

A route finds its session and the API by `signed_in(request)` and `api_of(request)` of `console.requests`; what it
may do is the API's business. To send a file on as it comes: `passed_on`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from console import routes_chat, routes_oidc
from console.page import Parts
from console.signin import Way

#: Added to the site, each from its own module.
ROUTERS: tuple[APIRouter, ...] = (routes_chat.router, routes_oidc.router)


def ways(parts: Parts) -> Sequence[Way]:
    """The ways to sign in besides an API key."""
    return () if parts.oidc is None else (routes_oidc.way(parts.oidc),)


async def farewell(parts: Parts) -> str | None:
    """Where a browser that signed in elsewhere signs out there too; None: nowhere."""
    return None if parts.oidc is None else await parts.oidc.farewell()
