"""Any failure inside a turn as an error that a caller can understand; nothing of its cause's text travels on."""

from __future__ import annotations

import asyncio
import logging

from memory.errors import StorageError
from policies.model import PolicyFault
from runtime.audit.errors import AuditError
from runtime.backends.base import BackendError
from runtime.errors import BY_STATUS, FilAgentError, Unavailable
from runtime.redaction.errors import RedactionError, TextTooLong

logger = logging.getLogger("filagent")


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
            # The type alone: a message or a traceback may carry content.
            logger.error("turn failed: %s", type(failure).__name__)
            return FilAgentError("internal.error", "Something failed that should not have.")


def not_opened(code: str, retry_after: int | None) -> FilAgentError:
    """Memory's refusal to open a turn (`memory.repository.Refused`) as the error for the caller."""
    status, detail = _NOT_OPENED[code]
    return BY_STATUS[status](code, detail, retry_after=retry_after)


_CANCELLED_CODES = {
    "client.gone": "The caller left before the answer was complete.",
    "server.stopping": "The server is stopping.",
}
_NOT_OPENED = {
    "conversation.not_found": (404, "There is no such conversation for you."),
    "limit.requests": (429, "Too many requests in a minute."),
    "limit.tokens": (429, "The daily token budget is used up."),
    "limit.concurrent": (429, "Too many turns at the same time."),
    "idempotency.in_progress": (409, "A request with this Idempotency-Key is still running."),
    "idempotency.mismatch": (409, "This Idempotency-Key was used with another request."),
}
