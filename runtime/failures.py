"""Any failure inside a turn as an error that a caller can understand; nothing of its cause's text travels on."""

from __future__ import annotations

import asyncio

from memory.errors import StorageError
from policies.model import PolicyFault
from runtime.audit.errors import AuditError
from runtime.backends.base import BackendError
from runtime.errors import BY_STATUS, FilAgentError, Unavailable
from runtime.redaction.errors import RedactionError, TextTooLong


def translate(failure: BaseException) -> FilAgentError:
    """`failure` as a `FilAgentError` with a stable code (docs/errors.md)."""
    match failure:
        case FilAgentError():
            return failure
        case BackendError():
            return BY_STATUS[failure.status](failure.code, failure.detail, retry_after=failure.retry_after)
        case AuditError():
            return Unavailable(
                "evidence.unavailable", "The evidence log does not accept records: nothing was released."
            )
        case StorageError():
            return Unavailable("storage.unavailable", "The database is not available.", retry_after=5)
        case TextTooLong():
            return BY_STATUS[413]("pii.too_long", "The text is too long to be checked for personal data.")
        case RedactionError():
            return Unavailable("pii.unavailable", "Personal data cannot be masked now: the turn is refused.")
        case TimeoutError():
            return Unavailable("pii.timeout", "Masking took too long: the turn is refused.")
        case asyncio.CancelledError():
            reason = failure.args[0] if failure.args and failure.args[0] in _CANCELLED_CODES else "server.stopping"
            return Unavailable(reason, _CANCELLED_CODES[reason])
        case PolicyFault():
            return Unavailable("policy.unavailable", "No policy, no answer.")
        case _:
            return FilAgentError("internal.error", "Something failed that should not have.")


_CANCELLED_CODES = {
    "client.gone": "The caller left before the answer was complete.",
    "server.stopping": "The server is stopping.",
}
