"""A caller's own conversations and turns: list, read, rename, delete. Another owner's answer 404."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from runtime.api import wire
from runtime.api.access import permitted, services
from runtime.errors import Conflict, NotFound
from runtime.evidence import system_draft

router = APIRouter(tags=["conversations"])

_MISSING = ("conversation.not_found", "There is no such conversation for you.")
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Title(BaseModel):
    """What `PATCH /conversations/{id}` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


@router.get("/conversations", summary="One's own conversations, latest first")
async def conversations(
    request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 50, before: str | None = None
) -> dict[str, Any]:
    caller = await permitted(request, "conversation.list")
    return await services(request).archive.conversations(caller.principal_id, limit, before)


@router.get("/conversations/{conversation_id}", summary="One conversation with its messages")
async def conversation(request: Request, conversation_id: Id) -> dict[str, Any]:
    caller = await permitted(request, "conversation.read")
    found = await services(request).archive.conversation(conversation_id, caller.principal_id)
    if found is None:
        raise NotFound(*_MISSING)
    return found


@router.patch("/conversations/{conversation_id}", summary="Rename a conversation")
async def rename(request: Request, conversation_id: Id) -> dict[str, Any]:
    caller = await permitted(request, "conversation.rename")
    parts = services(request)
    body = await wire.read_body(request, parts.settings.server.request_bytes)
    title = wire.validate(Title, wire.parse_json(body)).title
    if not await parts.archive.rename(conversation_id, caller.principal_id, title):
        raise NotFound(*_MISSING)
    return {"conversation_id": conversation_id, "title": title}


@router.delete("/conversations/{conversation_id}", status_code=204, summary="Destroy a conversation and its keys")
async def delete(request: Request, conversation_id: Id) -> Response:
    """The record comes first: what cannot be recorded is not destroyed."""
    caller = await permitted(request, "conversation.delete")
    parts = services(request)
    found = await parts.archive.conversation_ref(conversation_id, caller.principal_id)
    if found is None:
        raise NotFound(*_MISSING)
    await parts.log.append(
        system_draft(
            "admin",
            subject=("conversation", hashlib.sha256(found.encode()).hexdigest()),
            actor={
                "type": "principal",
                "ref": caller.principal.ref,
                "role": caller.principal.role,
                "auth_method": caller.principal.auth_method,
            },
            detail={"action": "conversation.delete"},
            conversation_ref=found,
        )
    )
    held = await parts.archive.delete(conversation_id, caller.principal_id)
    if held is not None:
        raise Conflict("conversation.legal_hold", "A legal hold forbids this deletion.")
    return Response(status_code=204)


@router.get("/turns/{turn_id}/view", summary="What the model was given to read in one's own turn")
async def view(request: Request, turn_id: Id) -> dict[str, Any]:
    """The prompt as its backend saw it: tokens where personal data was masked."""
    caller = await permitted(request, "turn.read")
    parts = services(request)
    return await parts.archive.view_of(turn_id, caller.principal_id, parts.masking, parts.backends)


@router.get("/turns/{turn_id}", summary="One's own turn: its answer again, with its receipt")
async def turn(request: Request, turn_id: Id) -> dict[str, Any]:
    caller = await permitted(request, "turn.read")
    return (await services(request).archive.answer_of(turn_id, caller.principal_id)).as_json()
