"""Who calls: the credential of a request as a `Caller`, and what may be done, asked of the policy.

Refusals made here get no record of their own; they are counted where they are answered (`errors`), and a signed count
follows (`denials.counted`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastapi import Request

from policies.model import Effect, Query
from runtime.errors import Forbidden, Unauthenticated
from runtime.exchange import Caller

if TYPE_CHECKING:
    from runtime.server import Services


def services(request: Request) -> Services:
    """The application's parts, made by the composition root."""
    return cast("Services", request.app.state.services)


async def authenticate(request: Request) -> Caller:
    """The caller behind `Authorization: Bearer …` (an API key or a token) or `X-API-Key`.

    Raises:
        Unauthenticated: `auth.missing`, `auth.invalid` (also for a revoked, expired or altered key: no hint which).
        Forbidden: `auth.no_role`.
        Unavailable: `auth.provider_unavailable`.
    """
    parts = services(request)
    shown = _credential(request)
    if shown is None:
        raise Unauthenticated("auth.missing", "Send an API key or an access token: Authorization: Bearer …")
    caller = await parts.authenticator.caller(*shown)
    if caller is None:
        raise Unauthenticated("auth.invalid", "This key or token is not valid.")
    return caller


async def permitted(request: Request, action: str, **resource: str | int | bool) -> Caller:
    """The authenticated caller, if policy lets it do `action`.

    Raises:
        Unauthenticated: no valid credential.
        Forbidden: the policy's first reason as code.
    """
    caller = await authenticate(request)
    authorize(request, caller, action, **resource)
    return caller


def authorize(request: Request, caller: Caller, action: str, **resource: str | int | bool) -> None:
    """Raise `Forbidden` unless policy lets `caller` do `action`."""
    decision = services(request).policy.authorize(Query(caller.principal, action, resource))
    if decision.effect is not Effect.ALLOW:
        raise Forbidden(decision.reasons[0], "Policy does not allow this for your role.")


def may(request: Request, caller: Caller, action: str) -> bool:
    """Whether policy lets `caller` do `action`, without refusing."""
    return services(request).policy.authorize(Query(caller.principal, action, {})).effect is Effect.ALLOW


def _credential(request: Request) -> tuple[str, bool] | None:
    """The credential, and whether it is a bearer one: a token is nothing else."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip(), True
    key = request.headers.get("x-api-key")
    return (key, False) if key else None
