"""Who is behind the reference of a decision: asked of the database, after a record says that it is asked."""

from __future__ import annotations

from functools import partial

from memory import repository
from memory.database import Database
from runtime.audit.client import LogClient
from runtime.audit.fields import is_code
from runtime.errors import Invalid
from runtime.reports.dossier import Identity
from runtime.reports.handing import record_reveal


async def revealed(
    database: Database, log: LogClient, record_id: str, turn_ref: str, reason: str, *, actor: dict[str, str]
) -> Identity:
    """The name of whoever asked, as the operator's database has it; None once he is erased.

    Raises:
        Invalid: `report.reveal_reason`: the reason is no code.
        AuditError: the log does not take the record: nothing is shown.
    """
    if not is_code(reason):
        raise Invalid("report.reveal_reason", "A reason is a code in small letters, such as access.request.")
    shown = await record_reveal(log, record_id, reason, actor=actor)
    turn = await database.read(partial(repository.find_turn_by_ref, turn_ref=turn_ref))
    if turn is None or turn.principal_id is None:
        return Identity(None, shown.record_id)
    principal_id = turn.principal_id
    person = await database.read(partial(repository.find_principal, principal_id=principal_id))
    return Identity(person.name if person is not None else None, shown.record_id)
