"""What is to be exported: the body of `POST /audit/exports` as a selection of records, and the record about that.

Making the bundle is `runtime.audit.bundle`'s business, who may and what becomes of it `exports`'.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import ConfigDict, Field, StrictInt, StringConstraints, model_validator

from memory import repository
from runtime.admin_records import record_action
from runtime.api.access import services
from runtime.api.chat import Subject
from runtime.api.times import instant, stamp
from runtime.api.turns import StrictModel
from runtime.audit.bundle import Selection
from runtime.audit.fields import CODE, ENTITY, KEY, NAME, RECORD_ID, REF, is_name
from runtime.audit.search import Filter, first_at
from runtime.errors import NotFound
from runtime.exchange import Caller

_REFS_IN_A_RECORD = 32
_MOST_RECORDS = 1000

_Ref = Annotated[str, StringConstraints(pattern=f"^{REF}$")]
_Index = Annotated[StrictInt, Field(ge=0, le=2**53)]
_Code = Annotated[str, StringConstraints(pattern=f"^{CODE}$")]
_RecordId = Annotated[str, StringConstraints(pattern=f"^{RECORD_ID.pattern}$")]
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


class Matching(StrictModel):
    """Records by what they say, as `GET /decisions` filters them; `event` is `turn` by default, or `any`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)
    event: Annotated[str, StringConstraints(pattern=f"^(?:{KEY}|any)$")] = "turn"
    decision: Literal["allow", "deny", "redact", "require_approval", "error"] | None = None
    rule: _Code | None = None
    reason: _Code | None = None
    model: Annotated[str, StringConstraints(pattern=f"^{NAME}$")] | None = None
    backend: Annotated[str, StringConstraints(pattern=f"^{KEY}$")] | None = None
    principal: Annotated[str, StringConstraints(pattern=f"^(?:{REF}|{KEY})$")] | None = None
    masked: Annotated[str, StringConstraints(pattern=f"^{ENTITY}$")] | None = None
    conversation: _Ref | None = None
    turn: _Ref | None = None
    begin: _Moment | None = Field(None, alias="from")
    end: _Moment | None = Field(None, alias="to")

    def as_filter(self) -> Filter:
        """The same in the words of records."""
        return Filter(
            event=None if self.event == "any" else self.event,
            decision=self.decision,
            rule=self.rule,
            reason=self.reason,
            model=self.model,
            provider=self.backend,
            actor_ref=self.principal,
            entity=self.masked,
            conversation_ref=self.conversation,
            turn_ref=self.turn,
        )


class ExportBody(StrictModel):
    """What `POST /audit/exports` takes: one of these.

    `subject` is a person as `data_subjects` names one; `conversation`, `turn` and `subject_refs` are references as
    records have them, `records` their ids; `filter` takes what `GET /decisions` would list.
    """

    range: Indexes | None = None
    period: Period | None = None
    subject: Subject | None = None
    subject_refs: Annotated[tuple[_Ref, ...], Field(min_length=1, max_length=1000)] | None = None
    conversation: _Ref | None = None
    turn: _Ref | None = None
    records: Annotated[tuple[_RecordId, ...], Field(min_length=1, max_length=_MOST_RECORDS)] | None = None
    matching: Matching | None = Field(None, alias="filter")

    @model_validator(mode="after")
    def _one(self) -> ExportBody:
        if sum(value is not None for _, value in self) != 1:
            raise ValueError("one of range, period, subject, subject_refs, conversation, turn, records, filter")
        return self


async def selection_of(request: Request, wanted: ExportBody, size: int) -> tuple[Selection, str]:
    """What is to be exported of the first `size` records, and how the record calls that.

    Raises:
        NotFound: `export.nothing`, no record can be in it.
    """
    parts = services(request)
    if wanted.range is not None:
        until = size if wanted.range.end is None else min(size, wanted.range.end)
        return Selection(first=wanted.range.first, end=until), "range"
    if wanted.period is not None:
        first, last = await _span(request, wanted.period.begin, wanted.period.end, size)
        return Selection(first=first, end=last), "period"
    if wanted.matching is not None:
        first, last = await _span(request, wanted.matching.begin, wanted.matching.end, size)
        return Selection(first=first, end=last, matching=wanted.matching.as_filter()), "filter"
    if wanted.records is not None:
        return Selection(end=size, record_ids=frozenset(wanted.records)), "records"
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


def most_of(selection: Selection, size: int) -> int:
    """How many of the first `size` records it can be at the most."""
    if selection.record_ids:
        return len(selection.record_ids)
    return max(0, size - (selection.first or 0))


async def record_selection(request: Request, caller: Caller, job_id: str, selection: Selection, kind: str) -> str:
    """Record what is about to be exported; the id of the record. Raises: AuditError."""
    detail: dict[str, Any] = {"export": job_id, "selection": kind}
    fields: dict[str, Any] = {}
    if selection.is_range:
        detail |= {"first": selection.first or 0, "end": selection.end}
    elif selection.matching is not None:
        named = {name: value for name, value in asdict(selection.matching).items() if value is not None}
        detail |= {"first": selection.first or 0, "end": selection.end}
        detail |= {f"by_{name}": value if is_name(value) else True for name, value in named.items()}
    elif selection.record_ids:
        detail["records"] = len(selection.record_ids)
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


async def _span(request: Request, begin: str | None, end: str | None, size: int) -> tuple[int, int]:
    """The indexes of a stretch of time. Raises: NotFound, `export.nothing`."""
    logs = services(request).settings.logs_dir
    first, last = 0, size
    if begin is not None:
        first = await asyncio.to_thread(first_at, logs, stamp(instant(begin, "from")))
    if end is not None:
        last = min(size, await asyncio.to_thread(first_at, logs, stamp(instant(end, "to"))))
    if first >= last:
        raise NotFound("export.nothing", "There are no records of this period.")
    return first, last
