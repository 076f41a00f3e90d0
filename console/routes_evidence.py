"""Routes of the tabs for decisions and exports: what is taken away, and files that are sent to be verified.

Both are streams between the browser and the API, with the session's credential; nothing is written down on the way.
Who may have what, and that a record precedes it, is the API's business.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from starlette.requests import ClientDisconnect

from console.api_exports import verify_file
from console.client import ApiDown, ApiFailure
from console.page import SignedOut
from console.requests import api_of, parts_of, signed_in
from console.settings import Language
from console.views.failure import failure_text
from console.views.parts import note
from console.views.verdict import of_answer
from console.words import Words
from runtime.audit.fields import RECORD_ID

router = APIRouter()
MOST_SENT = 256 << 20  # bytes; what the API takes
_HANDED_ON = ("content-type", "content-length", "x-filagent-record-id", "x-filagent-decision-id", "x-content-sha256")
_FILE = re.compile(r'filename="([A-Za-z0-9][A-Za-z0-9._-]{0,200})"')
_RecordId = Annotated[str, Path(pattern=f"^{RECORD_ID.pattern}$")]
_ExportId = Annotated[str, Path(pattern="^export_[A-Za-z0-9_-]{16,64}$")]
_Form = Annotated[Literal["html", "pdf", "json"], Query(alias="format")]
_Sheet = Annotated[Literal["csv", "json"], Query(alias="format")]
_Day = Annotated[str, Query(pattern="^(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?$")]


@router.get("/download/decisions/{record_id}")
async def record(request: Request, record_id: _RecordId) -> Response:
    return await _taken(request, f"/decisions/{record_id}", {}, f"{record_id}.json")


@router.get("/download/decisions/{record_id}/proof")
async def proof(
    request: Request, record_id: _RecordId, form: Annotated[Literal["json", "tlog-proof"], Query(alias="format")]
) -> Response:
    name = f"{record_id}.tlog-proof" if form == "tlog-proof" else f"{record_id}.proof.json"
    return await _taken(request, f"/decisions/{record_id}/proof", {"format": form}, name)


@router.get("/download/reports/{kind}/{record_id}")
async def dossier(
    request: Request,
    kind: Literal["decisions", "persons"],
    record_id: _RecordId,
    form: _Form = "html",
    language: Language = "en",
) -> Response:
    path = f"/reports/{kind}/{record_id}"
    return await _taken(request, path, {"format": form, "language": language}, f"{record_id}-{language}.{form}")


@router.get("/download/period")
async def period(
    request: Request,
    begin: Annotated[_Day, Query(alias="from")] = "",
    end: Annotated[_Day, Query(alias="to")] = "",
    form: _Form = "html",
    language: Language = "en",
) -> Response:
    asked = {"from": begin, "to": end, "format": form, "language": language}
    return await _taken(request, "/reports/period", asked, f"filagent-period-{language}.{form}")


@router.get("/download/registers")
async def register(
    request: Request, name: Literal["processing", "incidents"], form: _Sheet = "csv", language: Language = "en"
) -> Response:
    asked = {"format": form, "language": language}
    return await _taken(request, f"/reports/registers/{name}", asked, f"filagent-{name}-{language}.{form}")


@router.get("/download/exports/{export_id}")
async def bundle(request: Request, export_id: _ExportId) -> Response:
    return await _taken(request, f"/audit/exports/{export_id}/download", {}, f"filagent-{export_id}.zip")


@router.post("/verify-file")
async def verify(request: Request, lang: Language = "en") -> Response:
    """The verdict on the body of the request, as HTML for the place where the file was dropped."""
    words = Words(lang)
    try:
        api = parts_of(request).api(signed_in(request), lang)
    except SignedOut:
        return HTMLResponse(note(words("frame.signed_out"), "failed"), 401)
    declared = request.headers.get("content-length", "")
    if not declared.isdecimal():
        return HTMLResponse(note(words("exports.file_broken"), "failed"), 411)
    if int(declared) > MOST_SENT:
        return HTMLResponse(note(words("exports.file_large"), "failed"), 413)
    try:
        answer = await verify_file(api, _pieces(request))
    except (ApiFailure, ApiDown) as error:
        status = error.status if isinstance(error, ApiFailure) and error.status >= 400 and error.status != 401 else 502
        return HTMLResponse(note(failure_text(error, words), "failed"), status)
    except ClientDisconnect:
        return Response(status_code=400)
    return HTMLResponse(of_answer(answer, words))


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        if piece:
            yield piece


async def _taken(request: Request, path: str, asked: Mapping[str, str], name: str) -> Response:
    """What the API answers, streamed on as a file of a name; what it refuses is told by the site.

    Raises:
        SignedOut, ApiFailure, ApiDown: as they say.
    """
    stack = AsyncExitStack()
    answer = await stack.enter_async_context(api_of(request).open("GET", path, params=asked, patient=True))

    async def pieces() -> AsyncIterator[bytes]:
        async with stack:
            async for piece in answer.aiter_raw():
                yield piece

    headers = {key: answer.headers[key] for key in _HANDED_ON if key in answer.headers}
    if "content-encoding" in answer.headers:
        headers["content-encoding"] = answer.headers["content-encoding"]
    named = _FILE.search(answer.headers.get("content-disposition", ""))
    headers["content-disposition"] = f'attachment; filename="{named[1] if named else name}"'
    headers["cache-control"] = "no-store"
    headers["x-content-type-options"] = "nosniff"
    return StreamingResponse(pieces(), headers=headers)
