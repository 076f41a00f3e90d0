"""Routes beside the pages: downloads, fragments for `data-load`, other ways to sign in. One line here for each module.

A route finds its session and the API by `signed_in(request)` and `api_of(request)` of `console.requests`; what it
may do is the API's business. To send a file on as it comes: `passed_on`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from console import routes_chat
from console.page import Parts
from console.signin import Way

#: Added to the site, each from its own module.
ROUTERS: tuple[APIRouter, ...] = (routes_chat.router,)


def ways(_parts: Parts) -> Sequence[Way]:
    """The ways to sign in besides an API key."""
    return ()
