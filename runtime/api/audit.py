"""The evidence doors: decisions of one's own (or all, with the right), their proofs, checkpoint and hash tiles.

Checkpoint and hash tiles are public: they hold nothing but hashes, and strangers need them to check proofs.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from memory import repository
from runtime import reason_words
from runtime.api.access import authorize, may, permitted, services
from runtime.api.language import language_of
from runtime.api.times import instant, stamp
from runtime.audit import reader, words
from runtime.audit.fields import CODE, ENTITY, KEY, NAME, RECORD_ID, REF
from runtime.audit.manifest import MANIFEST_SUBJECT, MAX_MANIFEST
from runtime.audit.search import Filter, first_at, related, search
from runtime.audit.survey import read_limited
from runtime.audit.tlog_proof import write_tlog_proof
from runtime.errors import NotFound
from runtime.exchange import Caller

router = APIRouter(tags=["evidence"])
_DEPTH = 2048  # lines that are looked through for a record whose view is not written yet

_LINES_A_PAGE = 5_000
_OWN_LOOKS = 20  # pages of one's own turns that are looked through for one page of some of them
_MISSING = ("decision.not_found", "There is no such decision for you.")


def filter_of(
    *,
    event: Annotated[str, Query(pattern=f"^(?:{KEY}|any)$")] = "turn",
    decision: Annotated[str | None, Query(pattern="^(allow|deny|redact|require_approval|error)$")] = None,
    rule: Annotated[str | None, Query(pattern=f"^{CODE}$")] = None,
    reason: Annotated[str | None, Query(pattern=f"^{CODE}$")] = None,
    model: Annotated[str | None, Query(pattern=f"^{NAME}$")] = None,
    backend: Annotated[str | None, Query(pattern=f"^{KEY}$")] = None,
    principal: Annotated[str | None, Query(pattern=f"^(?:{REF}|{KEY})$")] = None,
    masked: Annotated[str | None, Query(pattern=f"^{ENTITY}$")] = None,
    conversation: Annotated[str | None, Query(pattern=f"^{REF}$")] = None,
    turn: Annotated[str | None, Query(pattern=f"^{REF}$")] = None,
) -> Filter:
    """What a query asks for, in the words of records: `backend` is the model's provider, the rest are references."""
    return Filter(
        event=None if event == "any" else event,
        decision=decision,
        rule=rule,
        reason=reason,
        model=model,
        provider=backend,
        actor_ref=principal,
        entity=masked,
        conversation_ref=conversation,
        turn_ref=turn,
    )


@router.get("/decisions", summary="Decision records, newest first")
async def decisions(
    *,
    request: Request,
    wanted: Annotated[Filter, Depends(filter_of)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    begin: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
) -> dict[str, Any]:
    """One's own, or everybody's with the right to any; `event` other than `turn` is for the latter alone.

    `next_before` continues the list, whatever is written meanwhile; null: there is no more. A page looks at a bounded
    part of the log: it may hold fewer than `limit`, even none, while there are more.
    """
    caller = await permitted(request, "decision.list")
    logs = services(request).settings.logs_dir
    start = 0 if begin is None else await asyncio.to_thread(first_at, logs, stamp(instant(begin, "from")))
    if end is not None:
        until = await asyncio.to_thread(first_at, logs, stamp(instant(end, "to")))
        before = until if before is None else min(before, until)
    if may(request, caller, "decision.read_any"):
        await services(request).readings.note(caller)
        page = partial(search, logs, wanted, start=start, before=before, limit=limit, lines=_LINES_A_PAGE)
        found, more = await asyncio.to_thread(page)
    else:
        authorize(request, caller, "decision.read_own")
        found, more = await _own(request, caller, wanted, start=start, before=before, limit=limit)
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
async def explain(request: Request, record_id: str) -> dict[str, Any]:
    """`summary` in one or two sentences (null where nothing was decided), `reasons` one by one, `text` all of it."""
    lang = language_of(request)
    record = (await _readable(request, record_id))["record"]
    return {
        "record_id": record_id,
        "lang": lang,
        "summary": reason_words.summary(record, lang),
        "reasons": [
            {"code": code, "text": reason_words.reason_text(code, lang)} for code in reason_words.codes_of(record)
        ],
        "text": words.explain_record(record, lang),
    }


@router.get("/decisions/{record_id}/related", summary="The records that belong to it")
async def related_records(request: Request, record_id: str) -> dict[str, Any]:
    """`turn`: of its turn, in their order; `parent`: the one that it names; `children`: those that name it.

    `complete` false: only what lies near it and the newest records were looked through. Whoever may read his own alone
    is shown those of the turn.
    """
    found = await _readable(request, record_id)
    logs, record = services(request).settings.logs_dir, found["record"]
    near = await asyncio.to_thread(partial(related, logs, found["log_index"], record, lines=_DEPTH))
    shown = asdict(near)
    if not may(request, await permitted(request, "decision.read_own"), "decision.read_any"):
        turn = record.get("turn_ref")
        mine = {one["record_id"] for one in near.turn} if turn is not None else {record_id}
        shown["children"] = [one for one in near.children if one["record_id"] in mine]
        shown["parent"] = near.parent if near.parent is not None and near.parent["record_id"] in mine else None
    return {"record_id": record_id, **shown}


@router.get("/log/keys", summary="The newest key manifest, signed by the root key")
async def manifest(request: Request) -> Response:
    """`keys.json` as it stands: with the root's public key, a record and its proof can be verified."""
    data = await asyncio.to_thread(read_limited, services(request).settings.logs_dir / MANIFEST_SUBJECT, MAX_MANIFEST)
    if data is None:
        raise NotFound("log.empty", "The log has no key manifest yet.")
    return Response(data, media_type="application/json", headers={"cache-control": "no-store"})


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
    if not await is_own(request, caller, found["record"]):
        if not may(request, caller, "decision.read_any"):
            raise NotFound(*_MISSING)
        await services(request).readings.note(caller)
    return found


async def is_own(request: Request, caller: Caller, record: dict[str, Any]) -> bool:
    """Whether a record is about a turn of the caller; one refused before it was opened names his key instead."""
    actor = record.get("actor", {})
    if actor.get("type") == "principal" and actor.get("ref") == caller.principal.ref:
        return True
    turn_ref = record.get("turn_ref", "")
    turn = await services(request).ledger.database.read(partial(repository.find_turn_by_ref, turn_ref=turn_ref))
    return turn is not None and turn.principal_id == caller.principal_id


async def _own(
    request: Request, caller: Caller, wanted: Filter, *, start: int, before: int | None, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """The caller's own decisions in [start, before), as `search` gives them; the database says where they stand."""
    parts = services(request)
    found: list[dict[str, Any]] = []
    for _ in range(_OWN_LOOKS):
        indexes = await parts.ledger.database.read(
            partial(
                repository.record_indexes_of,
                principal_id=caller.principal_id,
                limit=limit,
                before=before,
                decision=wanted.decision,
            )
        )
        inside = [index for index in indexes if index >= start]
        for record in await asyncio.to_thread(_at, parts.settings.logs_dir, inside):
            if wanted.wants(record) and len(found) < limit:
                found.append(record)
                before = int(record["seq"])
        more = len(indexes) == limit == len(inside)
        if len(found) == limit or not more:
            break
        before = indexes[-1]
    return found, before if len(found) == limit or more else None


def _at(logs_dir: Path, indexes: Sequence[int]) -> list[dict[str, Any]]:
    """The records at these indexes, as far as the log still has them."""
    lines = ((index, reader.read_line(logs_dir, index)) for index in indexes)
    return [reader.read_record(index, line).record for index, line in lines if line is not None]
