"""The evidence doors: decisions of one's own (or all, with the right), their proofs, checkpoint and hash tiles.

Checkpoint and hash tiles are public: they hold nothing but hashes, and strangers need them to check proofs.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, Response

from memory import repository
from runtime.api.access import authorize, may, permitted, services
from runtime.audit import reader, words
from runtime.audit.fields import RECORD_ID
from runtime.errors import NotFound
from runtime.exchange import Caller

router = APIRouter(tags=["evidence"])


@router.get("/decisions", summary="Decision records, newest first")
async def decisions(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    decision: Annotated[str | None, Query(pattern="^(allow|deny|redact|require_approval|error)$")] = None,
) -> dict[str, Any]:
    caller = await permitted(request, "decision.list")
    everybodys = may(request, caller, "decision.read_any")
    own = None if everybodys else await _own_records(request, caller)
    logs = services(request).settings.logs_dir
    found = await asyncio.to_thread(_collect, logs, before, limit, decision, own)
    return {"decisions": found, "next_before": found[-1]["seq"] if len(found) == limit else None}


@router.get("/decisions/{record_id}", summary="One decision record with its line")
async def decision(request: Request, record_id: str) -> dict[str, Any]:
    return await _readable(request, record_id)


@router.get("/decisions/{record_id}/proof", summary="Inclusion proof against the latest checkpoint")
async def proof(request: Request, record_id: str) -> dict[str, Any]:
    found = await _readable(request, record_id)
    logs = services(request).settings.logs_dir
    return await asyncio.to_thread(reader.proof_for, logs, found["record"]["seq"])


@router.get("/decisions/{record_id}/explain", summary="The record in plain words")
async def explain(
    request: Request, record_id: str, lang: Annotated[str, Query(pattern="^(en|fr)$")] = "en"
) -> dict[str, str]:
    found = await _readable(request, record_id)
    return {"record_id": record_id, "lang": lang, "text": words.explain_record(found["record"], lang)}


@router.get("/log/checkpoint", summary="The latest signed checkpoint (C2SP tlog-checkpoint)")
async def checkpoint(request: Request) -> PlainTextResponse:
    text = await asyncio.to_thread(reader.latest_checkpoint, services(request).settings.logs_dir)
    if text is None:
        raise NotFound("log.empty", "The log has no checkpoint yet.")
    return PlainTextResponse(text, headers={"cache-control": "no-store"})


@router.get("/log/tile/{path:path}", summary="Hash tiles (C2SP tlog-tiles)")
async def tile(request: Request, path: str) -> Response:
    if path.startswith("entries/"):
        await permitted(request, "log.entries")
    data = await asyncio.to_thread(reader.read_tile, services(request).settings.logs_dir, path)
    if data is None:
        raise NotFound("log.no_tile", "There is no such tile.")
    return Response(data, media_type="application/octet-stream")


async def _readable(request: Request, record_id: str) -> dict[str, Any]:
    """The decoded record, if it is the caller's own or he may read any; the same 404 for absent and foreign ones."""
    caller = await permitted(request, "decision.read_own")
    missing = NotFound("decision.not_found", "There is no such decision for you.")
    if RECORD_ID.fullmatch(record_id) is None:
        raise missing
    found = await asyncio.to_thread(reader.read_decision, services(request).settings.logs_dir, record_id)
    if found is None:
        raise missing
    if not may(request, caller, "decision.read_any"):
        turn_ref = found["record"].get("turn_ref", "")
        turn = await services(request).ledger.database.read(partial(repository.find_turn_by_ref, turn_ref=turn_ref))
        if turn is None or turn.principal_id != caller.principal_id:
            raise missing
    return found


async def _own_records(request: Request, caller: Caller) -> set[str]:
    authorize(request, caller, "decision.read_own")
    return await services(request).ledger.database.read(
        lambda conn: set(repository.records_of(conn, caller.principal_id))
    )
