"""`GET /me`: who one is here, what one may do, and how much of one's limits is used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from memory import repository
from policies.actions import in_words
from policies.model import ACTIONS
from runtime.api.access import authenticate, may, services
from runtime.api.language import language_of
from runtime.ledger import now_ms

router = APIRouter(tags=["operations"])


@router.get("/me", summary="One's role, permissions, limits and what is used of them")
async def me(request: Request) -> dict[str, Any]:
    """`used` counts as turns are judged: requests of the last 60 seconds, tokens of this UTC day, open turns."""
    caller = await authenticate(request)
    parts, lang, now = services(request), language_of(request), now_ms()
    principal = caller.principal
    standing = await parts.ledger.database.read(lambda conn: repository.standing(conn, caller.principal_id, now))
    default = parts.backends.choose(None).name
    return {
        "name": principal.name,
        "ref": principal.ref,
        "user_id": caller.person_id,
        "role": principal.role,
        "auth_method": principal.auth_method,
        "lang": lang,
        "actions": [
            {"action": action, "text": in_words(action, lang)} for action in ACTIONS if may(request, caller, action)
        ],
        "limits": asdict(parts.policy.limits(principal)),
        "used": {
            "requests_per_minute": sum(number for _, number in standing.requests or ()),
            "tokens_per_day": standing.tokens_today,
            "tokens_reserved": standing.reserved,
            "concurrent_turns": standing.open_turns,
        },
        "backends": [
            {
                "name": backend.name,
                "kind": backend.kind,
                "models": parts.backends.models_of(backend),
                "default": backend.name == default,
            }
            for backend in parts.backends.all()
            if parts.policy.may_use_backend(principal, backend.name, backend.kind).allowed
        ],
    }
