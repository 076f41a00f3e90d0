"""Errors as problem+json, and the shield in front of everything, without a network."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query

from memory.errors import StorageError
from runtime.api import errors
from runtime.api.shield import Shield
from runtime.audit.errors import LogDamaged, LogUnavailable
from runtime.errors import BY_STATUS, FilAgentError, Limited, Unauthenticated
from runtime.telemetry import Telemetry

pytestmark = pytest.mark.anyio

SAID = "jean.roy@courriel.example"


class Counted:
    """What would be recorded as denials."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def count(self, code: str) -> None:
        self.codes.append(code)


def application() -> tuple[Any, Counted, Telemetry]:
    """A small application behind the shield, with a door for each kind of failure."""
    counted, telemetry = Counted(), Telemetry()
    app = FastAPI(telemetry={"tracing": False, "logs": False})
    errors.install(app, telemetry, counted)  # type: ignore[arg-type]

    @app.get("/fails/{kind}")
    async def fails(kind: str, limit: Annotated[int, Query(ge=1)] = 1) -> None:
        raise {
            "ours": Limited("limit.requests", "Slowly.", retry_after=7),
            "who": Unauthenticated("auth.missing", "Who?"),
            "log": LogUnavailable(SAID),
            "damaged": LogDamaged(SAID),
            "database": StorageError(SAID),
            "unforeseen": RuntimeError(SAID),
            "group": ExceptionGroup(SAID, [ValueError(SAID)]),
        }[kind]

    app.add_middleware(Shield, hosts=["filagent.example"], telemetry=telemetry, denials=counted)  # type: ignore[arg-type]
    return app, counted, telemetry


async def ask(
    app: Any,
    path: str,
    *,
    method: str = "GET",
    query: str = "",
    headers: Sequence[tuple[bytes, bytes]] = ((b"host", b"localhost"),),
) -> tuple[int, dict[str, str], Any]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": list(headers), "http_version": "1.1", "scheme": "http", "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], fields, json.loads(body) if body else None


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "counted"),
    [
        ("/fails/ours", "", 429, "limit.requests", False),
        ("/fails/who", "", 401, "auth.missing", True),
        ("/fails/log", "", 503, "evidence.unavailable", False),
        ("/fails/damaged", "", 503, "evidence.damaged", False),
        ("/fails/database", "", 503, "storage.unavailable", False),
        ("/fails/unforeseen", "", 500, "internal.error", False),
        ("/fails/group", "", 500, "internal.error", False),
        ("/fails/ours", "limit=0", 422, "request.invalid", True),
        ("/fails/ours", f"limit={SAID}", 422, "request.invalid", True),
        ("/nothing", "", 404, "request.not_found", False),
    ],
)
async def test_every_failure_is_a_problem_that_repeats_nothing(
    path: str, query: str, status: int, code: str, counted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app, denials, _ = application()
    with caplog.at_level(logging.DEBUG):
        answer, headers, body = await ask(app, path, query=query)
    assert (answer, body["status"], body["code"]) == (status, status, code)
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert denials.codes == ([code] if counted else [])
    assert SAID not in json.dumps(body) + str(headers) + caplog.text
    assert "Traceback" not in caplog.text


async def test_an_unforeseen_failure_is_counted_and_named_by_its_type(caplog: pytest.LogCaptureFixture) -> None:
    app, _, telemetry = application()
    await ask(app, "/fails/unforeseen")
    assert "request failed: RuntimeError" in caplog.text
    assert b'filagent_errors_total{code="internal.error"} 1.0' in telemetry.exposition()


async def test_a_failure_in_the_middle_of_an_answer_adds_nothing_to_it() -> None:
    async def breaks(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError(SAID)

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    shield = Shield(breaks, hosts=[], telemetry=Telemetry(), denials=Counted())  # type: ignore[arg-type]
    await shield({"type": "http", "headers": [(b"host", b"localhost")]}, None, send)  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


async def test_other_methods_say_which_is_allowed() -> None:
    app, _, _ = application()
    status, headers, body = await ask(app, "/fails/ours", method="POST")
    assert (status, body["code"], headers["allow"]) == (405, "request.method_not_allowed", "GET")


@pytest.mark.parametrize(
    ("host", "served"),
    [
        (b"filagent.example", True),
        (b"FILAGENT.example:443", True),
        (b"filagent.example.evil", False),
        (b"xfilagent.example", False),
        (b"filagent.example/", False),
        (b"filagent.example:", False),
        (b"filagent.example:123456", False),
        (b"user@filagent.example", False),
        (b"[::1]", True),
        (b"[::1", False),
        (b"\xff", False),
    ],
)
async def test_hosts_are_compared_whole(host: bytes, served: bool) -> None:
    app, denials, _ = application()
    status, _, body = await ask(app, "/nothing", headers=[(b"host", host)])
    assert (status, body["code"]) == ((404, "request.not_found") if served else (421, "request.host"))
    assert denials.codes == ([] if served else ["request.host"])


async def test_no_host_is_not_ours() -> None:
    app, _, _ = application()
    assert (await ask(app, "/nothing", headers=[]))[0] == 421


def test_a_problem_says_what_is_known_and_no_more() -> None:
    error = Limited("limit.requests", "Slowly.", retry_after=7)
    assert errors.problem(error) == {
        "type": "urn:filagent:error:limit.requests",
        "title": "Limit reached",
        "status": 429,
        "code": "limit.requests",
        "detail": "Slowly.",
        "retry_after": 7,
    }
    error.decision_id, error.turn_id = "DR-1", "T-1"
    assert errors.problem(error) | {"decision_id": "DR-1", "turn_id": "T-1"} == errors.problem(error)
    assert errors.headers(error)["retry-after"] == "7"
    assert "retry-after" not in errors.headers(FilAgentError("internal.error", "x"))
    assert errors.headers(Unauthenticated("auth.missing", "Who?"))["www-authenticate"].startswith("Bearer")


def test_every_status_has_a_class_and_a_title() -> None:
    assert {400, 401, 403, 404, 409, 413, 421, 422, 429, 502, 503, 504} == set(BY_STATUS)
    assert len({kind.title for kind in BY_STATUS.values()}) == len(BY_STATUS)
