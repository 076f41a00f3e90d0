"""Incidents: their records in the log, and the texts that stay out of it.

A record holds codes, dates, counts and references. What has to be said in words (what happened, to which information,
what was done) stays in a file that the operator keeps; the record commits to its bytes with a salt, so that it can be
shown later that the words were these. Several records of one incident follow each other; the newest counts.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from memory.ids import random_ref
from runtime.audit.client import LogClient
from runtime.audit.errors import RecordError
from runtime.audit.fields import HEX
from runtime.audit.fields import RECORD_ID as RECORD
from runtime.audit.files import Files
from runtime.audit.record import Appended, strict_object
from runtime.evidence import system_draft
from runtime.recorder import commitment

#: Québec asks for five years from the day on which the organisation became aware (regulation under s. 3.8).
KEPT_YEARS = 5
SIDECAR = ".commitment.json"
#: What the operator's file may say, each a text.
TEXTS = ("information", "circumstances", "risk", "measures", "public_notice")
_MAX_TEXTS = 1 << 20
_SALT = 16  # bytes

Kind = Literal["unauthorized_access", "unauthorized_use", "unauthorized_disclosure", "loss", "other"]


class Incident(BaseModel):
    """One statement about an incident.

    Attributes:
        incident: its reference; none when it is opened.
        occurred, occurred_until: when it happened, as far as known.
        known: when the organisation became aware.
        persons: how many people it concerns; `persons_approximate` where that is an estimate.
        serious_injury: whether there is a risk of it.
        authority_notified, persons_notified: when they were.
        decision: a record that it has to do with.
        details_commitment: SHA-256 over a salt and the exact bytes of the texts, in hex.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["opened", "updated", "closed"] = "opened"
    incident: str | None = Field(None, pattern=r"^i_[A-Za-z0-9_-]{16,62}$")
    kind: Kind
    known: date
    occurred: date | None = None
    occurred_until: date | None = None
    persons: int | None = Field(None, ge=0, le=10**12)
    persons_approximate: bool = False
    serious_injury: Literal["yes", "no", "undetermined"] = "undetermined"
    authority_notified: date | None = None
    persons_notified: date | None = None
    public_notice: bool = False
    decision: str | None = Field(None, pattern=RECORD.pattern)
    details_commitment: str | None = Field(None, pattern=rf"^{HEX}$")

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if (self.incident is None) != (self.action == "opened"):
            raise ValueError("an incident gets its reference when it is opened; later statements name it")
        if self.occurred_until is not None and (self.occurred is None or self.occurred_until < self.occurred):
            raise ValueError("occurred_until follows occurred")
        return self


@dataclass(frozen=True, slots=True)
class Recorded:
    """A statement in the log."""

    incident: str
    appended: Appended


async def record_incident(log: LogClient, stated: Incident, *, actor: dict[str, str]) -> Recorded:
    """Record a statement.

    Raises:
        AuditError: the log does not take it.
    """
    reference = stated.incident or random_ref("i_")
    detail: dict[str, Any] = {"action": stated.action, "incident": reference, "kind": stated.kind}
    for name in ("known", "occurred", "occurred_until", "authority_notified", "persons_notified"):
        day = getattr(stated, name)
        if day is not None:
            detail[name] = day.isoformat()
    if stated.persons is not None:
        detail |= {"persons": stated.persons, "persons_approximate": stated.persons_approximate}
    detail |= {"serious_injury": stated.serious_injury, "public_notice": stated.public_notice}
    more: dict[str, Any] = {"legal": {"retain_until": _years_later(stated.known).isoformat()}}
    if stated.decision is not None:
        more["parent_record_id"] = stated.decision
    if stated.details_commitment is not None:
        more["content"] = [{"name": "details", "commit": stated.details_commitment}]
    draft = system_draft(
        "incident",
        subject=("incident", hashlib.sha256(reference.encode()).hexdigest()),
        actor=actor,
        detail=detail,
        **more,
    )
    return Recorded(reference, await log.append(draft))


def read_texts(data: bytes) -> dict[str, str]:
    """The operator's texts about an incident.

    Raises:
        RecordError: not a JSON object of the members `TEXTS`, each a text.
    """
    if len(data) > _MAX_TEXTS:
        raise RecordError("the texts are too long")
    texts = strict_object(data)
    if not texts.keys() <= set(TEXTS) or not all(isinstance(text, str) for text in texts.values()):
        raise RecordError(f"the texts are a JSON object with some of {', '.join(TEXTS)}, each a text")
    return texts


def keep_salt(file: Path) -> bytes:
    """The salt under which a record commits to a file of texts, written beside it before there is a record.

    Without it nobody could show later what the record committed to. Where one lies there already it is used again, so
    that an earlier statement about the same file stays open to whoever kept its words.

    Raises:
        OSError: it cannot be written.
    """
    path = file.with_name(file.name + SIDECAR)
    try:
        known = bytes.fromhex(str(strict_object(path.read_bytes())["salt"]))
        if len(known) == _SALT:
            return known
    except (FileNotFoundError, KeyError, ValueError, RecordError):
        pass
    salt = secrets.token_bytes(_SALT)
    _write_sidecar(path, {"file": file.name, "salt": salt.hex()})
    return salt


def name_record(file: Path, salt: bytes, recorded: Recorded) -> Path:
    """Say beside the texts which record commits to them; where that is."""
    path = file.with_name(file.name + SIDECAR)
    found = {"incident": recorded.incident, "record_id": recorded.appended.record_id}
    _write_sidecar(path, {**found, "file": file.name, "salt": salt.hex()})
    return path


def _write_sidecar(path: Path, content: dict[str, str]) -> None:
    Files().replace(path, json.dumps(content, indent=1).encode() + b"\n", durable=True)


def opened_texts(folder: Path) -> dict[str, dict[str, str]]:
    """Commitment -> texts, of all texts in a folder that have a salt beside them; what cannot be read is left out."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob(f"*{SIDECAR}")):
        try:
            sidecar = strict_object(path.read_bytes())
            data = (folder / Path(str(sidecar["file"])).name).read_bytes()
            found[commitment(bytes.fromhex(str(sidecar["salt"])), data)] = read_texts(data)
        except (OSError, KeyError, ValueError, RecordError):
            continue
    return found


def _years_later(day: date) -> date:
    year = day.year + KEPT_YEARS
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)
