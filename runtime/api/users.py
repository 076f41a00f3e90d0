"""`/admin/users`: who has an account here, and closing one.

Keys bear names of people, so looking at the list is an `admin` record, as closing and reopening are (`users_admin`).
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from runtime import users_admin
from runtime.admin_records import actor_of, record_action
from runtime.api.access import permitted, services
from runtime.errors import Conflict, NotFound
from runtime.ledger import now_ms

router = APIRouter(tags=["administration"])
_ID_LENGTH = 64


@router.get("/admin/users", summary="Everybody with an account: roles, credentials, last day seen")
async def users(request: Request) -> dict[str, Any]:
    """`last_seen` is a UTC day. People known by tokens alone have no names here, only references."""
    caller = await permitted(request, "admin.users")
    parts = services(request)
    found = await users_admin.list_users(parts.ledger.database, now=now_ms())
    shown = json.dumps([user.person_id for user in found]).encode()
    await record_action(parts.log, caller, "admin", "user.list", ("users", shown), detail={"users": len(found)})
    return {"users": [users_admin.told(user) for user in found]}


@router.post("/admin/users/{user_id}/close", status_code=204, summary="Close an account, everywhere and at once")
async def close(request: Request, user_id: str) -> Response:
    """Every key and token of the account is refused from the next request on; nothing of it is lost."""
    caller = await permitted(request, "admin.users")
    parts = services(request)
    if caller.person_id == user_id:
        raise Conflict("user.own_account", "Somebody else has to close your account.")
    await users_admin.close_user(
        parts.ledger.database, parts.log, _checked(user_id), actor=actor_of(caller), now=now_ms()
    )
    return Response(status_code=204)


@router.post("/admin/users/{user_id}/reopen", status_code=204, summary="Let a closed account in again")
async def reopen(request: Request, user_id: str) -> Response:
    """Keys that were revoked or have expired meanwhile stay refused."""
    caller = await permitted(request, "admin.users")
    parts = services(request)
    await users_admin.reopen_user(
        parts.ledger.database, parts.log, _checked(user_id), actor=actor_of(caller), now=now_ms()
    )
    return Response(status_code=204)


def _checked(user_id: str) -> str:
    if len(user_id) > _ID_LENGTH:
        raise NotFound("user.not_found", "There is no such account.")
    return user_id
