"""The evidence doors: decisions of one's own (or all, with the right), their proofs, checkpoint and hash tiles.

Checkpoint and hash tiles are public: they hold nothing but hashes, and strangers need them to check proofs.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from memory import repository
from runtime.api.access import authorize, may, permitted, services
from runtime.audit import reader, words
from runtime.audit.fields import RECORD_ID
from runtime.audit.tlog_proof import write_tlog_proof
from runtime.errors import NotFound
from runtime.exchange import Caller

router = APIRouter(tags=["evidence"])
_DEPTH = 2048  # lines that are looked through for a record whose view is not written yet

_LINES_A_PAGE = 5_000
_MISSING = ("decision.not_found", "There is no such decision for you.")


@router.get("/decisions", summary="Decision records, newest first")
async def decisions(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    decision: Annotated[str | None, Query(pattern="^(allow|deny|redact|require_approval|error)$")] = None,
) -> dict[str, Any]:
    """One's own, or everybody's with the right to any. `next_before` continues the list; null: there is no more."""
    caller = await permitted(request, "decision.list")
    logs = services(request).settings.logs_dir
    if may(request, caller, "decision.read_any"):
        found, more = await asyncio.to_thread(_newest, logs, before, limit, decision)
    else:
        authorize(request, caller, "decision.read_own")
        indexes = await services(request).ledger.database.read(
            partial(
                repository.record_indexes_of,
                principal_id=caller.principal_id,
                limit=limit,
                before=before,
                decision=decision,
            )
        )
        found = await asyncio.to_thread(_at, logs, indexes)
        more = indexes[-1] if len(indexes) == limit else None
    return {"decisions": found, "next_before": more}


@router.get("/decisions/{record_id}", summary="One decision record with its line")
async def decision(request: Request, record_id: str) -> dict[str, Any]:
    return await _readable(request, record_id)


@router.get("/decisions/{record_id}/proof", summary="Inclusion proof against the latest checkpoint")
async def proof(
    request: Request, record_id: str, form: Annotated[Literal["json", "tlog-proof"], Query(alias="format")] = "json"
) -> Response:
    """As JSON, or as a `.tlog-proof` file (C2SP), which tools of others read."""
    found = await _readable(request, record_id)
    logs = services(request).settings.logs_dir
    proven = await asyncio.to_thread(reader.proof_for, logs, found["log_index"])
    if proven is None:
        raise NotFound(*_MISSING)
    if form == "json":
        return JSONResponse(proven)
    hashes = [b64decode(value) for value in proven["inclusion"]]
    text = write_tlog_proof(proven["log_index"], hashes, proven["checkpoint"])
    named = {"content-disposition": f'attachment; filename="{record_id}.tlog-proof"'}
    return PlainTextResponse(text, headers=named)


@router.get("/decisions/{record_id}/explain", summary="The record in plain words")
async def explain(request: Request, record_id: str, lang: Literal["en", "fr"] = "en") -> dict[str, str]:
    found = await _readable(request, record_id)
    return {"record_id": record_id, "lang": lang, "text": words.explain_record(found["record"], lang)}


@router.get("/log/checkpoint", summary="The latest signed checkpoint (C2SP tlog-checkpoint)")
async def checkpoint(request: Request) -> PlainTextResponse:
    text = await asyncio.to_thread(reader.latest_checkpoint, services(request).settings.logs_dir)
    if text is None:
        raise NotFound("log.empty", "The log has no checkpoint yet.")
    return PlainTextResponse(text, headers={"cache-control": "no-store"})


@router.get("/log/consistency", summary="The proof that the log only grew between two sizes (RFC 9162)")
async def consistency(
    request: Request,
    old: Annotated[int, Query(ge=1, le=2**53)],
    new: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> dict[str, Any]:
    """Hashes in base64. `new` is the size of the latest checkpoint by default; public, as checkpoints are."""
    logs = services(request).settings.logs_dir
    size = await asyncio.to_thread(reader.covered_size, logs) if new is None else new
    hashes = await asyncio.to_thread(reader.consistency_for, logs, old, size)
    if hashes is None:
        raise NotFound("log.no_tree", "The log has no trees of these sizes.")
    return {"old": old, "new": size, "consistency": hashes}


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
    if RECORD_ID.fullmatch(record_id) is None:
        raise NotFound(*_MISSING)
    logs = services(request).settings.logs_dir
    found = await asyncio.to_thread(reader.read_decision, logs, record_id, depth=_DEPTH)
    if found is None:
        raise NotFound(*_MISSING)
    if not may(request, caller, "decision.read_any") and not await is_own(request, caller, found["record"]):
        raise NotFound(*_MISSING)
    return found


async def is_own(request: Request, caller: Caller, record: dict[str, Any]) -> bool:
    """Whether a record is about a turn of the caller; one refused before it was opened names his key instead."""
    actor = record.get("actor", {})
    if actor.get("type") == "principal" and actor.get("ref") == caller.principal.ref:
        return True
    turn_ref = record.get("turn_ref", "")
    turn = await services(request).ledger.database.read(partial(repository.find_turn_by_ref, turn_ref=turn_ref))
    return turn is not None and turn.principal_id == caller.principal_id


def _newest(
    logs_dir: Path, before: int | None, limit: int, decision: str | None
) -> tuple[list[dict[str, Any]], int | None]:
    """The decision records below an index, newest first, and where the next page begins.

    A page looks at a bounded number of lines, so that a rare decision costs no reading of the whole log: it may hold
    fewer than `limit`, even none, while there are more.
    """
    found: list[dict[str, Any]] = []
    seen = None
    lines = reader.iter_records(logs_dir, end=before, reverse=True)
    for seen in islice(lines, _LINES_A_PAGE):
        record = seen.record
        if record.get("event") == "turn" and decision in {None, record.get("decision")}:
            found.append(record)
            if len(found) == limit:
                break
    return found, seen.index if seen is not None and seen.index > 0 else None


def _at(logs_dir: Path, indexes: Sequence[int]) -> list[dict[str, Any]]:
    """The records at these indexes, as far as the log still has them."""
    lines = ((index, reader.read_line(logs_dir, index)) for index in indexes)
    return [reader.read_record(index, line).record for index, line in lines if line is not None]
