"""What can go wrong in the log and its proofs.

AuditError
├── ProofError       an inclusion or consistency proof does not hold
├── EnvelopeError    a line is not a DSSE envelope in its one accepted form, or its signature is wrong
├── CheckpointError  a checkpoint is not a signed note in its one accepted form, or its signature is wrong
├── RecordError      a statement cannot be read strictly
│   └── DraftRefused a draft holds something that may not enter the log
├── KeysError        keys or their manifest are missing, unreadable or do not belong together
├── NothingSelected  no record is in the selection
├── RecordsPruned    some of the records in the selection are gone
├── AlreadyClosed    the turn has its decision record already
└── LogUnavailable   nothing was acknowledged; the caller must not go on
    ├── LogLocked    another process writes this log
    └── LogDamaged   what is on the disk is not what was signed
"""

from __future__ import annotations

from typing import ClassVar


class AuditError(Exception):
    """Base of all errors of this package; `code` is stable across releases and crosses the writer's socket."""

    code: ClassVar[str] = "audit.error"


class ProofError(AuditError):
    code = "audit.proof"


class EnvelopeError(AuditError):
    code = "audit.envelope"


class CheckpointError(AuditError):
    code = "audit.checkpoint"


class RecordError(AuditError):
    code = "audit.record"


class DraftRefused(RecordError):
    code = "audit.draft_refused"


class KeysError(AuditError):
    code = "audit.keys"


class NothingSelected(AuditError):
    code = "audit.nothing_selected"


class RecordsPruned(AuditError):
    code = "audit.pruned"


class AlreadyClosed(AuditError):
    code = "audit.already_closed"


class LogUnavailable(AuditError):
    code = "audit.unavailable"


class LogLocked(LogUnavailable):
    code = "audit.locked"


class LogDamaged(LogUnavailable):
    code = "audit.damaged"


BY_CODE: dict[str, type[AuditError]] = {
    kind.code: kind
    for kind in (
        *(ProofError, EnvelopeError, CheckpointError, RecordError, DraftRefused, KeysError, AlreadyClosed),
        *(NothingSelected, RecordsPruned, LogUnavailable, LogLocked, LogDamaged),
    )
}
