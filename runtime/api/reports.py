"""The doors to reports and incidents: made from the log, recorded, then handed out.

Whoever may see only what is his own gets the page of his own decision, verified by its proofs; whoever may see any
report gets it over a log that is verified as a whole, one at a time, made in a process beside the worker.
"""

from __future__ import annotations

import asyncio
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from runtime.api.access import authorize, may, permitted, services
from runtime.api.audit import is_own
from runtime.api.wire import parse_json, read_body, validate
from runtime.audit import reader
from runtime.audit.fields import RECORD_ID
from runtime.audit.keys import load_root_public
from runtime.errors import Invalid, NotFound
from runtime.exchange import Caller
from runtime.incidents import Incident, record_incident
from runtime.reports import standing
from runtime.reports.aside import Order
from runtime.reports.dossier import Identity
from runtime.reports.handing import record_export
from runtime.reports.identity import revealed
from runtime.reports.making import MEDIA, MOST_SAMPLES, Form, Made, Source, make_decision
from runtime.reports.tongue import Language

router = APIRouter(tags=["reports"])
_MISSING = ("report.no_decision", "There is no such decision for you.")
_NEAR = 2048  # lines that are looked through for a decision whose view is not written yet

Page = Annotated[Literal["html", "pdf", "json"], Query(alias="format")]
Sheet = Annotated[Literal["csv", "json"], Query(alias="format")]
Size = Annotated[int | None, Query(ge=0, le=2**53)]


@router.get("/reports/decisions/{record_id}", summary="The dossier of a decision")
async def decision_dossier(  # noqa: PLR0917 - parameters of the address
    request: Request,
    record_id: str,
    form: Page = "html",
    language: Language = "en",
    size: Size = None,
    reveal: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """`reveal`: a reason code; shows who asked, to whoever may unmask, and is a record."""
    return await _decision(
        request, kind="decision", record_id=record_id, form=form, language=language, size=size, reveal=reveal
    )


@router.get("/reports/persons/{record_id}", summary="The page for the person whom a decision concerns")
async def person_page(
    request: Request, record_id: str, form: Page = "html", language: Language = "en", size: Size = None
) -> Response:
    return await _decision(
        request, kind="person", record_id=record_id, form=form, language=language, size=size, reveal=None
    )


@router.get("/reports/period", summary="The review of a period")
async def period_review(  # noqa: PLR0917 - parameters of the address
    request: Request,
    first_day: Annotated[str, Query(alias="from", max_length=10)] = "",
    last_day: Annotated[str, Query(alias="to", max_length=10)] = "",
    form: Page = "html",
    language: Language = "en",
    size: Size = None,
    sample: Annotated[int, Query(ge=0, le=MOST_SAMPLES)] = 5,
) -> Response:
    """Days in UTC, YYYY-MM-DD, both included; without them the whole log."""
    caller = await permitted(request, "report.any")
    days = {"first_day": first_day, "last_day": last_day}
    made, body = await _made(request, "period", form, language=language, **days, size=size, samples=sample)
    return await _handed(request, caller, made, form, body)


@router.get("/reports/registers/{name}", summary="A register: processing or incidents")
async def register(
    request: Request,
    name: Literal["processing", "incidents"],
    form: Sheet = "csv",
    language: Language = "en",
    size: Size = None,
) -> Response:
    caller = await permitted(request, "report.any")
    made, body = await _made(request, "register", form, name=name, language=language, size=size)
    return await _handed(request, caller, made, form, body)


@router.post("/incidents", status_code=201, summary="State an incident: codes, dates, counts, no words")
async def state_incident(request: Request) -> dict[str, Any]:
    """The body is an `Incident`; words stay with the operator, the record may commit to them."""
    caller = await permitted(request, "incident.record")
    parts = services(request)
    body = await read_body(request, parts.settings.server.request_bytes)
    stated = validate(Incident, parse_json(body))
    recorded = await record_incident(parts.log, stated, actor=_actor(caller))
    return {
        "incident": recorded.incident,
        "record_id": recorded.appended.record_id,
        "log_index": recorded.appended.index,
    }


async def _decision(
    request: Request,
    *,
    kind: Literal["decision", "person"],
    record_id: str,
    form: Form,
    language: Language,
    size: int | None,
    reveal: str | None,
) -> Response:
    caller = await permitted(request, "report.own")
    if RECORD_ID.fullmatch(record_id) is None:
        raise NotFound(*_MISSING)
    source, parts = _source(request), services(request)
    anyones = may(request, caller, "report.any")
    found = await asyncio.to_thread(reader.read_decision, source.logs_dir, record_id, depth=_NEAR)
    if found is None or not (anyones or await is_own(request, caller, found["record"])):
        raise NotFound(*_MISSING)
    identity: Identity | None = None
    if reveal is not None:
        authorize(request, caller, "privacy.reveal")
        at = await asyncio.to_thread(standing.anchor, source.logs_dir)
        size = at.size if size is None else size  # the reveal is a record itself: the page is about the log before it
        turn_ref = str(found["record"].get("turn_ref", ""))
        database = parts.ledger.database
        identity = await revealed(database, parts.log, record_id, turn_ref, reveal, actor=_actor(caller))
    about: dict[str, Any] = {"kind": kind, "record_id": record_id, "language": language}
    if anyones:
        made, body = await _made(request, "decision", form, **about, size=size, identity=identity)
    else:
        if size is not None:
            raise Invalid("report.size", "A page of one's own decision is about the log as it stands.")
        made = await asyncio.to_thread(partial(make_decision, source=source, **about, own=True))
        body = await asyncio.to_thread(made.render, form)
    return await _handed(request, caller, made, form, body)


async def _made(
    request: Request, maker: Literal["decision", "period", "register"], form: Form, **options: Any
) -> tuple[Made, bytes]:
    """A report over the log as a whole, made in a process of its own."""
    settings = services(request).settings
    root = load_root_public(settings.keys_dir).public_bytes_raw()
    return await services(request).reports.make(Order(maker, options, form, settings.logs_dir, root, settings))


async def _handed(request: Request, caller: Caller, made: Made, form: Form, body: bytes) -> Response:
    """Record its digest, hand it out."""
    recorded = await record_export(services(request).log, made, form, body, actor=_actor(caller))
    named = f"filagent-{made.kind}-{made.standing.size}-{made.say.language}.{form}"
    headers = {
        "content-disposition": f'attachment; filename="{named}"',
        "cache-control": "no-store",
        "x-filagent-record-id": recorded.record_id,
        "x-filagent-report-sha256": sha256(body).hexdigest(),
        "x-content-type-options": "nosniff",
    }
    return Response(body, media_type=MEDIA[form], headers=headers)


def _source(request: Request) -> Source:
    settings = services(request).settings
    return Source(settings.logs_dir, load_root_public(settings.keys_dir), settings, jobs=1)


def _actor(caller: Caller) -> dict[str, str]:
    principal = caller.principal
    return {
        "type": "principal",
        "ref": principal.ref,
        "role": principal.role,
        "auth_method": principal.auth_method,
    }
