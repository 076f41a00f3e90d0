"""Is this record what its keys signed? Answered in this process, by the verifier itself, not by the API's word.

A record, its inclusion proof, the checkpoint and the key manifest make a receipt; `runtime.audit` judges it against the
root key that is pinned. That the log only grew since an earlier look is judged by a consistency proof. How a verdict is
shown is `views.verdict`'s business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.envelope import parse_line
from runtime.audit.errors import EnvelopeError, ProofError, RecordError
from runtime.audit.merkle import verify_consistency
from runtime.audit.receipt import check_answer, read_answer, read_hashes
from runtime.audit.record import parse_statement
from runtime.audit.report import Note, Report

#: What is said of receipts that people keep, and means nothing here: there is no question and no answer to compare.
_BESIDE = frozenset({"question.not_given", "answer.none"})


@dataclass(frozen=True, slots=True)
class Look:
    """A tree that was verified: its origin, size and root."""

    origin: str
    size: int
    root: bytes


def judge(
    record: Mapping[str, Any], proof: Mapping[str, Any], keys: bytes, root: Ed25519PublicKey
) -> tuple[Report, Look | None]:
    """Verify one record as the API handed it out.

    Args:
        record: of `GET /decisions/{id}`.
        proof: of `GET /decisions/{id}/proof`.
        keys: of `GET /log/keys`.
        root: the root's public key that is trusted.

    Returns:
        The report, and the tree that it was proved in, where the checkpoint's signature holds.
    """
    receipt: dict[str, Any] = {
        "record_id": record.get("record_id"),
        "envelope": record.get("line"),
        "keys": keys.decode("utf-8", "replace"),
        "salts": {},
        **{name: proof.get(name) for name in ("log_index", "inclusion", "checkpoint")},
    }
    try:
        answer = read_answer(json.dumps({"receipt": receipt}).encode())
        report, signed = check_answer(answer, root)
    except RecordError as error:
        report, signed = Report("receipt"), None
        report.problem("receipt.record", reason=str(error))
    report.remarks[:] = [note for note in report.remarks if note.code not in _BESIDE]
    if record.get("log_index") != proof.get("log_index"):
        report.problem("receipt.index")
    if record.get("record") != _predicate_of(record.get("line")):
        report.problem("receipt.record", reason="what is shown is not what the line says")
    look = None
    if signed is not None:
        look = Look(signed.checkpoint.origin, signed.checkpoint.size, signed.checkpoint.root)
    return report, look


def judge_growth(earlier: Look, now: Look, proof: Sequence[str]) -> Note | None:
    """What is wrong with how the log grew between two looks; None: nothing."""
    if earlier.origin != now.origin:
        return None  # another log took its place, and its manifest says so: nothing to compare
    if now.size < earlier.size:
        return Note("lines.missing", {"lines": now.size, "size": earlier.size, "source": "console"})
    try:
        verify_consistency(earlier.size, now.size, read_hashes(list(proof)), earlier.root, now.root)
    except ProofError as error:
        return Note("tree.root", {"size": earlier.size, "source": "checkpoint", "reason": str(error)})
    return None


def _predicate_of(line: object) -> object:
    try:
        return parse_statement(parse_line(str(line).encode()).payload)["predicate"]
    except (EnvelopeError, RecordError):
        return None
