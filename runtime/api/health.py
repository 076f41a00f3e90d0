"""`/health` (alive), `/ready` (able to give a governed answer), `/metrics`."""

from __future__ import annotations

import ipaddress
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from runtime.api.access import permitted, services
from runtime.software import VERSION

router = APIRouter(tags=["operations"])


@router.get("/health", summary="The process is alive")
async def health() -> dict[str, str]:
    return {"status": "alive", "version": VERSION}


@router.get("/ready", summary="A governed answer can be given now")
async def ready(request: Request) -> JSONResponse:
    checks = await services(request).readiness()
    good = all(state == "ok" for state in checks.values())
    body: dict[str, Any] = {"status": "ready" if good else "not ready", "checks": checks}
    if circuits := services(request).backends.circuits():
        body["circuits"] = circuits
    return JSONResponse(body, status_code=200 if good else 503, headers={"cache-control": "no-store"})


@router.get("/metrics", summary="Prometheus metrics of all workers; from loopback, or with the right")
async def metrics(request: Request) -> Response:
    if not _from_loopback(request):
        await permitted(request, "metrics.read")
    return Response(services(request).telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)


def _from_loopback(request: Request) -> bool:
    """Whether the peer is this machine itself; behind a proxy every peer would be, so then it does not count."""
    if services(request).settings.server.trusted_proxy or request.client is None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
