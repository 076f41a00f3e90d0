"""`/admin/keys`, `/admin/backends`, `/admin/system`: for those who run this installation.

Keys bear names of people, so looking at the list is an `admin` record, as making and revoking are (`keys_admin`).
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field, StrictInt, StringConstraints

from memory.repository import ApiKey
from runtime import keys_admin, system
from runtime.admin_records import actor_of, record_action
from runtime.api import wire
from runtime.api.access import permitted, services
from runtime.api.language import language_of
from runtime.api.turns import StrictModel, schema
from runtime.backends.base import BackendError, ChatBackend
from runtime.errors import Invalid, NotFound
from runtime.ledger import now_ms

router = APIRouter(tags=["administration"])
_DAY_MS = 86_400_000
_HEALTH_SECONDS = 5.0
_ID_LENGTH = 64


class KeyBody(StrictModel):
    """What `POST /admin/keys` takes; without `days` the key does not expire."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    role: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
    days: Annotated[StrictInt, Field(ge=1, le=3650)] | None = None


@router.get("/admin/keys", summary="All API keys, without their secrets")
async def keys(request: Request) -> dict[str, Any]:
    caller = await permitted(request, "admin.keys")
    parts, now = services(request), now_ms()
    found = await keys_admin.list_keys(parts.ledger.database)
    shown = json.dumps([key.key_id for key in found]).encode()
    await record_action(parts.log, caller, "admin", "api_key.list", ("api_keys", shown), detail={"keys": len(found)})
    return {"keys": [_told(key, now) for key in found]}


@router.post(
    "/admin/keys", status_code=201, summary="A new API key, shown once", openapi_extra=schema(KeyBody, replays=False)
)
async def create(request: Request) -> JSONResponse:
    """`key` is in this answer and nowhere else."""
    caller = await permitted(request, "admin.keys")
    parts, now = services(request), now_ms()
    body = await wire.read_body(request, parts.settings.server.request_bytes)
    wanted = wire.validate(KeyBody, wire.parse_json(body))
    if wanted.role not in parts.policy.bundle.roles:
        raise Invalid("key.role_unknown", "The policy has no such role.")
    made = await keys_admin.create_key(
        parts.ledger.database,
        parts.ledger.keys,
        parts.log,
        name=wanted.name,
        role=wanted.role,
        actor=actor_of(caller),
        expires_at=None if wanted.days is None else now + wanted.days * _DAY_MS,
        now=now,
    )
    told = {
        "key": made.text,
        "key_id": made.key_id,
        "name": made.name,
        "role": made.role,
        "expires_ms": made.expires_at,
    }
    return JSONResponse(told, status_code=201)


@router.delete("/admin/keys/{key_id}", status_code=204, summary="Revoke an API key, everywhere and at once")
async def revoke(request: Request, key_id: str) -> Response:
    """Revoking a second time changes nothing."""
    caller = await permitted(request, "admin.keys")
    parts = services(request)
    if len(key_id) > _ID_LENGTH:
        raise NotFound("key.not_found", "There is no such key.")
    await keys_admin.revoke_key(
        parts.ledger.database, parts.ledger.keys, parts.log, key_id, actor=actor_of(caller), now=now_ms()
    )
    return Response(status_code=204)


@router.get("/admin/backends", summary="Backends, their models, and whether they can be asked")
async def backends(request: Request) -> dict[str, Any]:
    """`healthy` is asked now, of each; `code` says why not; `circuit` where calls pass through a circuit breaker."""
    await permitted(request, "admin.system")
    known = services(request).backends
    default = known.choose(None).name
    circuits = known.circuits()
    codes = await asyncio.gather(*(_ill(backend) for backend in known.all()))
    return {
        "backends": [
            {
                "name": backend.name,
                "kind": backend.kind,
                "default": backend.name == default,
                "provider": backend.describe().provider,
                "model": backend.describe().request_model,
                "models": known.models_of(backend),
                "healthy": code is None,
                "code": code,
                "circuit": circuits.get(backend.name),
            }
            for backend, code in zip(known.all(), codes, strict=True)
        ]
    }


@router.get("/admin/system", summary="Disk, log, witnesses, database, versions, alarms")
async def standing(request: Request) -> dict[str, Any]:
    await permitted(request, "admin.system")
    lang = language_of(request)
    return {"lang": lang, **await system.describe(services(request), french=lang == "fr")}


async def _ill(backend: ChatBackend) -> str | None:
    """Why a backend cannot be asked now; None where it can."""
    try:
        await asyncio.wait_for(backend.health(), _HEALTH_SECONDS)
    except BackendError as error:
        return error.code
    except TimeoutError:
        return "upstream.timeout"
    return None


def _told(key: ApiKey, now: int) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "role": key.role,
        "state": _state(key, now),
        "created_ms": key.created,
        "expires_ms": key.expires_at,
        "revoked_ms": key.revoked_at,
    }


def _state(key: ApiKey, now: int) -> str:
    """`closed` is said of the account: the key counts again when that is reopened."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return "active" if key.closed_at is None else "closed"
