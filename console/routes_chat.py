"""Beside the Chat tab: receipts to download, and the view that a model saw, when somebody opens it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response

from console.client import ApiFailure
from console.requests import api_of, language_of, passed_on, signed_in
from console.views.chat import view_html
from console.words import Words

router = APIRouter()

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@router.get("/fragment/view/{turn_id}")
async def view(request: Request, turn_id: Id) -> HTMLResponse:
    found: dict[str, Any] = await api_of(request).get(f"/turns/{turn_id}/view")
    return HTMLResponse(view_html(found, Words(language_of(request))))


@router.get("/download/receipt/{turn_id}")
async def receipt(request: Request, turn_id: Id) -> Response:
    """The answer with its receipt, as `filagent verify --receipt` takes it."""
    return await passed_on(request, f"/turns/{turn_id}", f"answer-{turn_id}.json")


@router.get("/download/refusal/{decision_id}")
async def refusal(request: Request, decision_id: Id) -> Response:
    """A refusal of this session with its receipt; the API does not give it again."""
    kept = signed_in(request).kept.get("chat/refusals", {}).get(decision_id)
    if kept is None:
        raise ApiFailure(404, "decision.not_found")
    named = {"content-disposition": f'attachment; filename="refusal-{decision_id}.json"'}
    return Response(json.dumps(kept, ensure_ascii=False), media_type="application/json", headers=named)
