"""`.tlog-proof` files: one record, its place in the tree and a checkpoint, checked offline. Pure: no I/O.

Source: https://c2sp.org/tlog-proof.

    c2sp.org/tlog-proof@v1
    extra <base64, unsigned; optional>
    index <leaf index>
    <inclusion proof, one base64 hash a line, the leaf's sibling first>

    <checkpoint with its signatures>

The leaf of our logs is a whole line without its LF. Which log keys and witnesses are trusted is the caller's to say.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.audit.checkpoint import Checkpoint, parse_checkpoint
from runtime.audit.cosignature import signatures_by
from runtime.audit.errors import CheckpointError, ProofError
from runtime.audit.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from runtime.audit.notation import VerifierKey, read_base64, read_hash, read_number
from runtime.audit.witness_policy import WitnessPolicy, cosigned

MAX_PROOF_FILE = 1 << 18  # characters
MAX_HASHES = 63
_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as it was read; nothing in it is verified yet.

    Attributes:
        index: the leaf.
        inclusion: hashes of 32 bytes, the leaf's sibling first.
        note: the checkpoint with its signatures, verbatim.
        checkpoint: the same, parsed.
        extra: opaque data that nobody signed, None where there is none.
    """

    index: int
    inclusion: tuple[bytes, ...]
    note: str
    checkpoint: Checkpoint
    extra: bytes | None = None


def write_tlog_proof(index: int, inclusion: Sequence[bytes], note: str, extra: bytes | None = None) -> str:
    """The text of a proof file.

    Raises:
        ProofError: `parse_tlog_proof` would not read it.
    """
    if any(len(value) != HASH_SIZE for value in inclusion):
        raise ProofError("a hash is 32 bytes")
    lines = [_HEADER]
    if extra is not None:
        lines.append(f"extra {_base64(extra)}")
    lines += [f"index {index}", *map(_base64, inclusion)]
    text = "\n".join(lines) + f"\n\n{note}"
    parse_tlog_proof(text)
    return text


def parse_tlog_proof(text: str) -> TlogProof:
    """Read a proof that is spelled as `write_tlog_proof` spells it.

    Raises:
        ProofError: anything else.
    """
    if len(text) > MAX_PROOF_FILE:
        raise ProofError("too long for a proof")
    head, separator, note = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != _HEADER or not separator:
        raise ProofError("not a tlog-proof")
    try:
        extra = read_base64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index "):
            raise ProofError("a tlog-proof names its leaf")
        index = read_number(lines[0].removeprefix("index "))
        if len(lines) - 1 > MAX_HASHES:
            raise ProofError("too many hashes")
        return TlogProof(index, tuple(map(read_hash, lines[1:])), note, parse_checkpoint(note), extra)
    except CheckpointError as error:
        raise ProofError(f"tlog-proof: {error}") from error


def verify_tlog_proof(
    proof: TlogProof,
    line: bytes,
    origin: str,
    log_keys: Sequence[VerifierKey],
    policy: WitnessPolicy | None = None,
) -> dict[str, int]:
    """Check that `line` (without LF) is in the log `origin`, as its key says and witnesses confirm.

    Returns:
        The witnesses that vouched for the checkpoint, with the time of each (seconds since 1970).

    Raises:
        ProofError: the checkpoint is another log's, signed by none of its keys or vouched for by too few witnesses; or
            the line is not that leaf.
    """
    policy = policy or WitnessPolicy()
    checkpoint = proof.checkpoint
    if checkpoint.origin != origin:
        raise ProofError("a checkpoint of another log")
    try:
        if not signatures_by(checkpoint, log_keys):
            raise ProofError("the checkpoint is not signed by a key of this log")
        times = cosigned(checkpoint, policy.witnesses)
    except CheckpointError as error:
        raise ProofError(f"tlog-proof: {error}") from error
    if len(times) < policy.quorum:
        raise ProofError(f"{len(times)} of {policy.quorum} witnesses vouched for the checkpoint")
    verify_inclusion(leaf_hash(line), proof.index, checkpoint.size, proof.inclusion, checkpoint.root)
    return times


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
