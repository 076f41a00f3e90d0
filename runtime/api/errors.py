"""Failures as RFC 9457 problem+json with our stable codes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from runtime.errors import BY_STATUS, FilAgentError
from runtime.telemetry import Telemetry

_HTTP_CODES = {404: "request.not_found", 405: "request.method_not_allowed"}


def problem(error: FilAgentError) -> dict[str, Any]:
    """The body of an error answer; `decision_id` and `receipt` where the refusal was recorded."""
    body: dict[str, Any] = {
        "type": f"urn:filagent:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
    }
    for name in ("decision_id", "conversation_id", "turn_id", "receipt", "retry_after"):
        value = getattr(error, name)
        if value is not None:
            body[name] = value
    return body


def headers(error: FilAgentError) -> dict[str, str]:
    values = {"cache-control": "no-store"}
    if error.retry_after is not None:
        values["retry-after"] = str(error.retry_after)
    if error.status == 401:
        values["www-authenticate"] = 'Bearer realm="filagent"'
    return values


def response(error: FilAgentError) -> JSONResponse:
    return JSONResponse(
        problem(error), status_code=error.status, headers=headers(error), media_type="application/problem+json"
    )


def install(app: FastAPI, telemetry: Telemetry) -> None:
    """Make every failure of the application answer in this form; an unforeseen one says nothing of its cause."""

    async def known(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, FilAgentError)  # noqa: S101 - registered for this class alone
        telemetry.errors.labels(error.code).inc()
        return response(error)

    async def framework(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        kind = BY_STATUS.get(error.status_code, FilAgentError)
        mapped = kind(_HTTP_CODES.get(error.status_code, "request.refused"), "There is nothing here for this request.")
        body = problem(mapped) | {"status": error.status_code}
        return JSONResponse(body, status_code=error.status_code, media_type="application/problem+json")

    async def unforeseen(_request: Request, _error: Exception) -> JSONResponse:
        telemetry.errors.labels("internal.error").inc()
        return response(FilAgentError("internal.error", "Something failed that should not have; nothing was released."))

    app.add_exception_handler(FilAgentError, known)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(Exception, unforeseen)
