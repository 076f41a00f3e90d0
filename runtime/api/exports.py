"""`/audit/exports`: a part of the log as a bundle that others verify, made in the background.

Two records of `access.export` precede what they name: that an export was asked for, before it is made, and that this
very file (by its SHA-256) is handed over, before its first byte is. Exports are their maker's alone.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from runtime.admin_records import record_action
from runtime.api import wire
from runtime.api.access import permitted, services
from runtime.api.language import Language, language_of
from runtime.api.selections import ExportBody, most_of, record_selection, selection_of
from runtime.api.turns import schema
from runtime.audit.reader import covered_size
from runtime.errors import Conflict, NotFound
from runtime.exchange import Caller
from runtime.jobs import DAY_MS, Job

router = APIRouter(tags=["evidence"])
_MISSING = ("export.not_found", "There is no such export for you.")
_A_RECORD = 8192  # bytes that a record and its proof take in a bundle, with room to spare


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
    selection, kind = await selection_of(request, wanted, end)
    needed = 2 * _A_RECORD * most_of(selection, end)
    job_id = await asyncio.to_thread(parts.jobs.reserve, "export", caller.principal_id, needed=needed)
    try:
        record_id = await record_selection(request, caller, job_id, selection, kind)
        task = {"logs": str(parts.settings.logs_dir), "selection": selection.for_task()}
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
