"""`/audit/verify`: the verifier's verdict on this log, or on a bundle or receipt that somebody sends.

What is sent is taken for hostile: it is streamed to a file up to a limit, read by a process with limits of its own
(`runtime/audit/confined.py`), and gone with the answer. It is judged by this installation's root key. Of the log that
is served, one verification runs at a time, in the background, and is an `admin` record before it begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from runtime.admin_records import record_action
from runtime.api.access import permitted, services
from runtime.api.exports import failure_text
from runtime.api.language import Language, language_of
from runtime.audit import words
from runtime.audit.keys import ROOT_PUBLIC
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.audit.report import Note, Report
from runtime.errors import BadRequest, Invalid, Limited, NotFound, TooLarge, Unavailable
from runtime.exchange import Caller
from runtime.jobs import Job, command, environment

router = APIRouter(tags=["evidence"])
MOST_SENT = 256 << 20  # bytes of a bundle or receipt
MOST_UNPACKED = 1 << 30  # bytes
_MEMORY = 1 << 30  # bytes
_CPU_SECONDS, _SECONDS = 120, 180  # of the process; of waiting for it
_SILENCE, _ARRIVAL = 30.0, 600.0  # seconds without a byte; seconds for all of them
_PIECE = 1 << 20
_MOST_REPORT = 1 << 22
_BINARY = {"requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


@router.post("/audit/verify", summary="Verify this log, or a bundle or receipt that is sent", openapi_extra=_BINARY)
async def verify(request: Request) -> JSONResponse:
    """Without a body: this log, in the background (202). With one (.zip, .tar, .tar.gz, or a saved answer): that."""
    caller = await permitted(request, "audit.verify")
    lang = language_of(request)
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        job = await _begin(request, caller)
        location = {"location": f"/audit/verify/{job.job_id}"}
        return JSONResponse(_told(job, lang), status_code=202, headers=location)
    return JSONResponse(await _sent(request, lang))


@router.get("/audit/verify", summary="Verifications of this log, the newest first")
async def verifications(request: Request) -> dict[str, Any]:
    await permitted(request, "audit.verify")
    lang = language_of(request)
    jobs = await asyncio.to_thread(services(request).jobs.all)
    return {"verifications": [_told(job, lang) for job in jobs if job.kind == "verify"]}


@router.get("/audit/verify/{verification_id}", summary="How a verification of this log stands, and its verdict")
async def standing(request: Request, verification_id: str) -> dict[str, Any]:
    await permitted(request, "audit.verify")
    job = await asyncio.to_thread(services(request).jobs.find, verification_id)
    if job is None or job.kind != "verify":
        raise NotFound("verify.not_found", "There is no such verification.")
    return _told(job, language_of(request))


async def _begin(request: Request, caller: Caller) -> Job:
    parts = services(request)
    settings = parts.settings
    job_id = await asyncio.to_thread(parts.jobs.reserve, "verify", caller.principal_id, needed=0)
    try:
        manifest = await asyncio.to_thread((settings.logs_dir / MANIFEST_SUBJECT).read_bytes)
        made = await record_action(
            parts.log, caller, "admin", "audit.verify", ("manifest", manifest), detail={"verification": job_id}
        )
        task = {"logs": str(settings.logs_dir), "root_key": str(settings.keys_dir / ROOT_PUBLIC)}
        await asyncio.to_thread(parts.jobs.begin, job_id, task, made.record_id)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(parts.jobs.drop, job_id))
        raise
    job = await asyncio.to_thread(parts.jobs.find, job_id)
    if job is None:
        raise Unavailable("job.interrupted", "It was removed meanwhile.")
    return job


async def _sent(request: Request, lang: Language) -> dict[str, Any]:
    parts = services(request)
    if parts.uploads.locked():
        raise Limited("verify.busy", "Other files are being verified: try again.", retry_after=5)
    async with parts.uploads:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(parts.jobs.scratch(MOST_SENT + MOST_UNPACKED))
            kind = await _receive(request, folder / "sent")
            report = await _judge(request, folder, kind)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return {"kind": kind, **_report(report, lang)}


async def _receive(request: Request, path: Path) -> str:
    """Stream the body to a file; what it looks like.

    Raises:
        TooLarge: `request.too_large`. BadRequest: `request.incomplete`, `request.slow`. Invalid: `verify.unreadable`.
    """
    too_large = TooLarge("request.too_large", f"At most {MOST_SENT} bytes can be verified here.")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MOST_SENT:
        raise too_large
    size, head = 0, b""
    pieces = bytearray()
    stream = request.stream().__aiter__()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            async with asyncio.timeout(_ARRIVAL):
                while (piece := await asyncio.wait_for(anext(stream, None), _SILENCE)) is not None:
                    size += len(piece)
                    if size > MOST_SENT:
                        raise too_large
                    head = head or bytes(piece[:64])
                    pieces += piece
                    if len(pieces) >= _PIECE:
                        await asyncio.to_thread(file.write, bytes(pieces))
                        pieces.clear()
            await asyncio.to_thread(file.write, bytes(pieces))
    except ClientDisconnect as error:
        raise BadRequest("request.incomplete", "The request ended before its body was complete.") from error
    except TimeoutError as error:
        raise BadRequest("request.slow", "The body of the request took too long to arrive.") from error
    if not size:
        raise Invalid("verify.unreadable", "This is neither a bundle nor a receipt.")
    return "receipt" if head.lstrip().startswith(b"{") else "bundle"


async def _judge(request: Request, folder: Path, kind: str) -> dict[str, Any]:
    """What the verifier reports of the file that was sent.

    Raises:
        Invalid: `verify.unreadable`; `verify.limits`, it cannot be verified within its limits.
        BadRequest: `request.incomplete`, the caller left.
    """
    words_ = command(
        "runtime.audit.confined",
        *("--seconds", str(_CPU_SECONDS), "--memory", str(_MEMORY), "--unpacked", str(MOST_UNPACKED)),
        *("--root-key", str(services(request).settings.keys_dir / ROOT_PUBLIC), kind, "sent"),
    )
    process = await asyncio.create_subprocess_exec(
        *words_,
        cwd=folder,
        env=environment(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    told = asyncio.ensure_future(_read(process))
    gone = asyncio.ensure_future(_leaves(request))
    try:
        await asyncio.wait({told, gone}, timeout=_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not told.done() and gone.done():
            raise BadRequest("request.incomplete", "The caller left before the verdict.")
        if told.done() and process.returncode in {0, 1}:
            with contextlib.suppress(ValueError):
                found = json.loads(told.result())
                if isinstance(found, dict):
                    return found
    finally:
        told.cancel()
        gone.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 2:
        raise Invalid("verify.unreadable", "This is neither a bundle nor a receipt.")
    raise Invalid("verify.limits", "This cannot be verified within the limits for files that are sent.")


async def _read(process: asyncio.subprocess.Process) -> bytes:
    if process.stdout is None:
        raise AssertionError("it was started with a pipe")
    found = bytearray()
    while piece := await process.stdout.read(_PIECE):
        found += piece
        if len(found) > _MOST_REPORT:
            process.kill()
            break
    await process.wait()
    return bytes(found)


async def _leaves(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _told(job: Job, lang: Language) -> dict[str, Any]:
    code = job.result.get("code") if job.state == "failed" else None
    told = {
        "verification_id": job.job_id,
        "state": job.state,
        "created_ms": job.created,
        "progress": {"done": job.done, "total": job.total},
        "decision_id": job.record_id,
        "failure": None if code is None else {"code": code, "text": failure_text(code, lang)},
    }
    return told | (_report(job.result["report"], lang) if job.state == "done" else {"whole": None})


def _report(found: dict[str, Any], lang: Language) -> dict[str, Any]:
    """A report as our own process printed it, said again in the caller's language."""
    report = Report(found["subject"], found["facts"])
    report.problems += [Note(note["code"], note["facts"]) for note in found["problems"]]
    report.remarks += [Note(note["code"], note["facts"]) for note in found["remarks"]]
    report.counts.update(found["counts"])
    return {
        "whole": report.whole,
        "verdict": words.verdict(report, lang),
        "text": words.render(report, lang),
        "report": words.to_json(report, lang),
    }
