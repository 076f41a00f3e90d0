"""Handing a report out: its digest is in the log before anybody has it."""

from __future__ import annotations

from hashlib import sha256

from runtime.audit.client import LogClient
from runtime.audit.record import Appended
from runtime.evidence import system_draft
from runtime.reports.making import Form, Made


async def record_export(log: LogClient, made: Made, form: Form, body: bytes, *, actor: dict[str, str]) -> Appended:
    """Record that these bytes are handed out: `access.export`, with their SHA-256 as its subject.

    Raises:
        AuditError: the log does not take it: the report must not be handed out.
    """
    more = {"parent_record_id": made.about} if made.about is not None else {}
    detail = {
        "report": made.kind,
        "format": form,
        "language": made.say.language,
        "size": made.standing.size,
        "whole": made.standing.whole,
    }
    draft = system_draft(
        "access.export", subject=("report", sha256(body).hexdigest()), actor=actor, detail=detail, **more
    )
    return await log.append(draft)


async def record_reveal(log: LogClient, made_of: str, reason: str, *, actor: dict[str, str]) -> Appended:
    """Record that it is shown who is behind a reference, and why (a code).

    Raises:
        AuditError: the log does not take it: nothing may be shown.
    """
    draft = system_draft(
        "reveal",
        subject=("identity", sha256(made_of.encode()).hexdigest()),
        actor=actor,
        detail={"what": "identity"},
        parent_record_id=made_of,
        reasons=[reason],
    )
    return await log.append(draft)
