"""The runtime's error tree: every failure that a caller can see has a stable code and an HTTP status.

Islands (policies, memory, audit, redaction, backends) raise their own errors; `runtime/turn.py` and the doors
translate them into these. A detail text is written for the caller: it never holds content, keys or paths.

FilAgentError
├── BadRequest        400  malformed at the HTTP level
├── Unauthenticated   401
├── Forbidden         403  policy.* and guard.*
├── NotFound          404
├── Conflict          409
├── TooLarge          413
├── Misdirected       421  a Host that is not ours
├── Invalid           422
├── Limited           429  with Retry-After
├── UpstreamFailed    502
├── Unavailable       503  evidence, PII engine, database or model not available
└── UpstreamTimeout   504
"""

from __future__ import annotations

from typing import Any, ClassVar


class FilAgentError(Exception):
    """A failure with a stable `code`, an HTTP `status` and a sentence for the caller.

    Attributes:
        code: dotted, stable across releases; listed in docs/errors.md.
        detail: one sentence without content, keys or paths.
        retry_after: seconds after which trying again may help, or None.
        decision_id: the record of this refusal or failure, where one was made.
        receipt: what proves that record, where one was made.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, code: str, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.decision_id: str | None = None
        self.conversation_id: str | None = None
        self.turn_id: str | None = None
        self.receipt: dict[str, Any] | None = None


class BadRequest(FilAgentError):
    status, title = 400, "Bad request"


class Unauthenticated(FilAgentError):
    status, title = 401, "Authentication required"


class Forbidden(FilAgentError):
    status, title = 403, "Refused by policy"


class NotFound(FilAgentError):
    status, title = 404, "Not found"


class Conflict(FilAgentError):
    status, title = 409, "Conflict"


class TooLarge(FilAgentError):
    status, title = 413, "Too large"


class Misdirected(FilAgentError):
    status, title = 421, "Misdirected request"


class Invalid(FilAgentError):
    status, title = 422, "Invalid request"


class Limited(FilAgentError):
    status, title = 429, "Limit reached"


class UpstreamFailed(FilAgentError):
    status, title = 502, "The model's provider failed"


class Unavailable(FilAgentError):
    status, title = 503, "Not available"


class UpstreamTimeout(FilAgentError):
    status, title = 504, "The model's provider did not answer in time"


class SettingsError(Exception):
    """The configuration is wrong: the process does not start (exit 2)."""


BY_STATUS: dict[int, type[FilAgentError]] = {
    cls.status: cls
    for cls in (
        BadRequest,
        Unauthenticated,
        Forbidden,
        NotFound,
        Conflict,
        TooLarge,
        Misdirected,
        Invalid,
        Limited,
        UpstreamFailed,
        Unavailable,
        UpstreamTimeout,
    )
}
