"""`/audit/exports`: a part of the log as a bundle that others verify, made in the background.

Two records of `access.export` precede what they name: that an export was asked for, before it is made, and that this
very file (by its SHA-256) is handed over, before its first byte is. Exports are their maker's alone.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import ConfigDict, Field, StrictInt, StringConstraints, model_validator

from memory import repository
from runtime.admin_records import record_action
from runtime.api import wire
from runtime.api.access import permitted, services
from runtime.api.chat import Subject
from runtime.api.language import Language, language_of
from runtime.api.times import instant, stamp
from runtime.api.turns import StrictModel, schema
from runtime.audit.bundle import Selection
from runtime.audit.fields import REF
from runtime.audit.reader import covered_size
from runtime.audit.search import first_at
from runtime.errors import Conflict, NotFound
from runtime.exchange import Caller
from runtime.jobs import DAY_MS, Job

router = APIRouter(tags=["evidence"])
_MISSING = ("export.not_found", "There is no such export for you.")
_REFS_IN_A_RECORD = 32
_A_RECORD = 8192  # bytes that a record and its proof take in a bundle, with room to spare

_Ref = Annotated[str, StringConstraints(pattern=f"^{REF}$")]
_Index = Annotated[StrictInt, Field(ge=0, le=2**53)]
_Moment = Annotated[str, StringConstraints(max_length=40)]


class Indexes(StrictModel):
    """Records by index, up to but not including `end`."""

    first: _Index = 0
    end: _Index | None = None


class Period(StrictModel):
    """Records by time, up to but not including `to`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)
    begin: _Moment = Field(alias="from")
    end: _Moment | None = Field(None, alias="to")


class ExportBody(StrictModel):
    """What `POST /audit/exports` takes: one of these.

    `subject` is a person as `data_subjects` names one; `conversation`, `turn` and `subject_refs` are references as
    records have them.
    """

    range: Indexes | None = None
    period: Period | None = None
    subject: Subject | None = None
    subject_refs: Annotated[tuple[_Ref, ...], Field(min_length=1, max_length=1000)] | None = None
    conversation: _Ref | None = None
    turn: _Ref | None = None

    @model_validator(mode="after")
    def _one(self) -> ExportBody:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("one of range, period, subject, subject_refs, conversation, turn")
        return self


@router.post(
    "/audit/exports", status_code=202, summary="Export evidence", openapi_extra=schema(ExportBody, replays=False)
)
async def export(request: Request) -> JSONResponse:
    """Begins an export; ask for it by its id."""
    caller = await permitted(request, "audit.export")
    parts, lang = services(request), language_of(request)
    body = await wire.read_body(request, parts.settings.server.request_bytes)
    wanted = wire.validate(ExportBody, wire.parse_json(body))
    # What is there now: the record of this export is not in it.
    end = await asyncio.to_thread(covered_size, parts.settings.logs_dir)
    selection, kind = await _selection(request, wanted, end)
    needed = 2 * _A_RECORD * max(0, end - (selection.first or 0))
    job_id = await asyncio.to_thread(parts.jobs.reserve, "export", caller.principal_id, needed=needed)
    try:
        record_id = await _record(request, caller, job_id, selection, kind)
        chosen = asdict(selection) | {"subject_refs": sorted(selection.subject_refs)}
        task = {"logs": str(parts.settings.logs_dir), "selection": chosen}
        await asyncio.to_thread(parts.jobs.begin, job_id, task, record_id)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(parts.jobs.drop, job_id))
        raise
    job = await _own(request, caller, job_id)
    return JSONResponse(_told(job, lang), status_code=202, headers={"location": f"/audit/exports/{job_id}"})


@router.get("/audit/exports", summary="One's own exports, the newest first")
async def exports(request: Request) -> dict[str, Any]:
    caller = await permitted(request, "audit.export")
    lang = language_of(request)
    jobs = await asyncio.to_thread(services(request).jobs.all)
    mine = [job for job in jobs if job.kind == "export" and job.owner == caller.principal_id]
    return {"exports": [_told(job, lang) for job in mine]}


@router.get("/audit/exports/{export_id}", summary="How an export stands")
async def standing(request: Request, export_id: str) -> dict[str, Any]:
    caller = await permitted(request, "audit.export")
    return _told(await _own(request, caller, export_id), language_of(request))


@router.get("/audit/exports/{export_id}/download", summary="The bundle (.zip)")
async def download(request: Request, export_id: str) -> Response:
    """Each download is a record of its own, with the SHA-256 of the file."""
    caller = await permitted(request, "audit.export")
    job = await _own(request, caller, export_id)
    if job.bundle is None:
        raise Conflict("export.not_ready", "There is nothing to download: see how this export stands.")
    made = await record_action(
        services(request).log,
        caller,
        "access.export",
        "audit.export.download",
        ("bundle", str(job.result["sha256"])),
        parent_record_id=job.record_id,
        detail={"export": job.job_id, "bytes": job.result["bytes"], "records": job.result["bundle"]["records"]},
    )
    return FileResponse(
        job.bundle,
        media_type="application/zip",
        filename=f"filagent-{export_id}.zip",
        headers={"x-filagent-decision-id": made.record_id, "x-content-sha256": str(job.result["sha256"])},
    )


@router.delete("/audit/exports/{export_id}", status_code=204, summary="Remove an export before its day is over")
async def remove(request: Request, export_id: str) -> Response:
    caller = await permitted(request, "audit.export")
    await _own(request, caller, export_id)
    await asyncio.to_thread(services(request).jobs.drop, export_id)
    return Response(status_code=204)


async def _selection(request: Request, wanted: ExportBody, size: int) -> tuple[Selection, str]:
    """What is to be exported of the first `size` records, and how the record calls that.

    Raises:
        NotFound: `export.nothing`, no record can be in it.
    """
    parts = services(request)
    if wanted.range is not None:
        until = size if wanted.range.end is None else min(size, wanted.range.end)
        return Selection(first=wanted.range.first, end=until), "range"
    if wanted.period is not None:
        logs, begin = parts.settings.logs_dir, instant(wanted.period.begin, "from")
        first, last = await asyncio.to_thread(first_at, logs, stamp(begin)), size
        if wanted.period.end is not None:
            last = min(size, await asyncio.to_thread(first_at, logs, stamp(instant(wanted.period.end, "to"))))
        if first >= last:
            raise NotFound("export.nothing", "There are no records of this period.")
        return Selection(first=first, end=last), "period"
    if wanted.conversation is not None:
        return Selection(conversation_ref=wanted.conversation, end=size), "conversation"
    if wanted.turn is not None:
        return Selection(turn_ref=wanted.turn, end=size), "turn"
    refs = wanted.subject_refs or ()
    if wanted.subject is not None:
        blind = parts.ledger.keys.subject_index(wanted.subject)
        refs = await parts.ledger.database.read(partial(repository.refs_of_subject, blind=blind))
    if not refs:
        raise NotFound("export.nothing", "There are no records about this person.")
    return Selection(subject_refs=frozenset(refs), end=size), "subject"


async def _record(request: Request, caller: Caller, job_id: str, selection: Selection, kind: str) -> str:
    detail: dict[str, Any] = {"export": job_id, "selection": kind}
    fields: dict[str, Any] = {}
    if selection.is_range:
        detail |= {"first": selection.first or 0, "end": selection.end}
    elif selection.conversation_ref is not None:
        fields["conversation_ref"] = selection.conversation_ref
    elif selection.turn_ref is not None:
        fields["turn_ref"] = selection.turn_ref
    else:
        detail["subjects"] = len(selection.subject_refs)
        fields["data_subject_refs"] = sorted(selection.subject_refs)[:_REFS_IN_A_RECORD]
    subject = ("selection", json.dumps(selection.as_json(), sort_keys=True).encode())
    made = await record_action(
        services(request).log, caller, "access.export", "audit.export.begin", subject, detail=detail, **fields
    )
    return made.record_id


async def _own(request: Request, caller: Caller, export_id: str) -> Job:
    job = await asyncio.to_thread(services(request).jobs.find, export_id)
    if job is None or job.kind != "export" or job.owner != caller.principal_id:
        raise NotFound(*_MISSING)
    return job


def _told(job: Job, lang: Language) -> dict[str, Any]:
    code = job.result.get("code") if job.state == "failed" else None
    return {
        "export_id": job.job_id,
        "state": job.state,
        "created_ms": job.created,
        "expires_ms": job.created + DAY_MS,
        "progress": {"done": job.done, "total": job.total},
        "decision_id": job.record_id,
        "bundle": job.result.get("bundle"),
        "bytes": job.result.get("bytes"),
        "sha256": job.result.get("sha256"),
        "failure": None if code is None else {"code": code, "text": failure_text(code, lang)},
        "download": f"/audit/exports/{job.job_id}/download" if job.bundle is not None else None,
    }


def failure_text(code: str, lang: Language) -> str:
    """Why a job failed, in words."""
    known = _FAILURES.get(code)
    return code if known is None else known[lang == "fr"]


_FAILURES = {
    "export.nothing": ("No record is in this selection.", "Aucun enregistrement ne correspond."),
    "export.pruned": (
        "Some of these records are past their term and gone: choose a later beginning.",
        "Certains de ces enregistrements ont atteint leur terme et ont disparu : choisissez un début plus tardif.",
    ),
    "job.failed": ("The log could not be read, or the file not be written.", "Lecture ou écriture impossible."),
    "job.timeout": ("It took too long.", "Cela a pris trop de temps."),
    "job.interrupted": ("It was interrupted: begin again.", "Interrompu : recommencez."),
}
