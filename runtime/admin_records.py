"""What a person does to FilAgent through a door, as `admin` and `access.export` records name it."""

from __future__ import annotations

import hashlib
from typing import Any

from runtime.audit.client import LogClient
from runtime.audit.record import Appended
from runtime.evidence import system_draft
from runtime.exchange import Caller
from runtime.ledger import now_ms

_HOUR_MS = 3_600_000


def actor_of(caller: Caller) -> dict[str, str]:
    """Who acts, as records name it."""
    principal = caller.principal
    return {"type": "principal", "ref": principal.ref, "role": principal.role, "auth_method": principal.auth_method}


async def record_action(
    log: LogClient, caller: Caller, event: str, action: str, subject: tuple[str, str | bytes], **fields: Any
) -> Appended:
    """Record what `caller` is about to do; it may be done once this returns.

    Args:
        log: the log.
        caller: who.
        event: `admin` or `access.export`.
        action: a code.
        subject: what it is done to: a name, and its SHA-256 in hex or the bytes that it is made of.
        fields: further members of the predicate; `detail` is added to the action.

    Raises:
        AuditError: it could not be recorded: it must not be done.
    """
    name, digest = subject
    detail = {"action": action, **fields.pop("detail", {})}
    hashed = hashlib.sha256(digest).hexdigest() if isinstance(digest, bytes) else digest
    return await log.append(
        system_draft(event, subject=(name, hashed), actor=actor_of(caller), detail=detail, **fields)
    )


class Readings:
    """Who looks through the records of others: one `admin` record for each reader and hour, before he sees any.

    Records hold no content, so not every look is one of its own; a list that refreshes itself would fill the log.
    """

    def __init__(self, log: LogClient) -> None:
        self._log = log
        self._noted: dict[str, int] = {}

    async def note(self, caller: Caller) -> None:
        """Return once it is recorded that `caller` reads, in this hour. Raises: AuditError."""
        reader, hour = caller.principal.ref, now_ms() // _HOUR_MS
        if self._noted.get(reader) == hour:
            return
        await record_action(self._log, caller, "admin", "decisions.read", ("reading", f"{reader} {hour}".encode()))
        self._noted = {other: at for other, at in self._noted.items() if at == hour} | {reader: hour}
