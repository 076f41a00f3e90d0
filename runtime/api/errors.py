"""Failures as RFC 9457 problem+json with our stable codes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from memory.errors import StorageError
from runtime.audit.errors import AuditError, LogDamaged
from runtime.denials import Denials
from runtime.errors import BY_STATUS, FilAgentError, Invalid, Unavailable
from runtime.failures import translate
from runtime.telemetry import Telemetry

#: Unauthenticated, not permitted, malformed: the refusals that are counted.
_COUNTED = frozenset({400, 401, 403, 413, 422})
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


def install(app: FastAPI, telemetry: Telemetry, denials: Denials) -> None:
    """Make every failure answer in this form, and count it; one that nobody foresaw is the shield's business.

    Refusals that come here belong to no turn, so they have no record of their own: `denials` has a signed count follow.
    """

    async def known(_request: Request, error: Exception) -> JSONResponse:
        match error:
            case RequestValidationError():
                mapped: FilAgentError = _malformed(error)
            case LogDamaged():
                mapped = Unavailable("evidence.damaged", "What lies on the disk of the log is not what was signed.")
            case _:
                mapped = translate(error)
        telemetry.errors.labels(mapped.code).inc()
        if mapped.status in _COUNTED:
            denials.count(mapped.code)
        return response(mapped)

    async def framework(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        kind = BY_STATUS.get(error.status_code, FilAgentError)
        mapped = kind(_HTTP_CODES.get(error.status_code, "request.refused"), "There is nothing here for this request.")
        body = problem(mapped) | {"status": error.status_code}
        return JSONResponse(
            body, status_code=error.status_code, headers=error.headers, media_type="application/problem+json"
        )

    for kind in (FilAgentError, AuditError, StorageError, RequestValidationError):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(HTTPException, framework)


def _malformed(error: RequestValidationError) -> FilAgentError:
    """Names of our own parameters and what they must be, never what was sent."""
    fields = sorted({f"{item['loc'][-1]}: {item['msg']}" for item in error.errors()})
    return Invalid("request.invalid", "; ".join(fields)[:1000])
