"""Cosignatures: what a witness adds to a checkpoint that it found consistent. Pure: no I/O.

Source: https://c2sp.org/tlog-cosignature, version 1 with Ed25519 (signature type 0x04). Signed is

    cosignature/v1
    time <seconds since 1970>
    <the body of the checkpoint>

and the line of the note holds, in base64, the key's id (4 bytes), the time (8 bytes, big-endian) and the signature.
Whether the tree grew consistently is the witness's business; how many witnesses are enough, `witness_policy`'s.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.checkpoint import Checkpoint, NoteSignature, parse_checkpoint
from runtime.audit.errors import CheckpointError
from runtime.audit.notation import LOG_KEY, WITNESS_KEY, VerifierKey

MAX_TIME = 2**63 - 1  # seconds
_TIME_SIZE = 8
_SIGNATURE_SIZE = 64


def witness_key(name: str, key: Ed25519PrivateKey) -> VerifierKey:
    """The public half of a witness's key, under its name. Raises: KeysError."""
    return VerifierKey(name, WITNESS_KEY, key.public_key().public_bytes_raw())


def cosign(checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey, time: int) -> NoteSignature:
    """The cosignature of the witness `name` at `time` (seconds since 1970). Its key is for nothing else.

    Raises:
        CheckpointError: there is no such time.
        KeysError: there is no such name.
    """
    if type(time) is not int or not 1 <= time <= MAX_TIME:
        raise CheckpointError("a cosignature needs a time from 1 to 2^63-1")
    signature = key.sign(_message(checkpoint.body, time))
    return NoteSignature(name, witness_key(name, key).key_id, time.to_bytes(_TIME_SIZE, "big") + signature)


def time_of(cosignature: NoteSignature) -> int:
    """When a cosignature says it was made, in seconds since 1970; to be asked of verified ones only."""
    return int.from_bytes(cosignature.signature[:_TIME_SIZE], "big")


def signatures_by(checkpoint: Checkpoint, keys: Iterable[VerifierKey]) -> tuple[NoteSignature, ...]:
    """The verified signature lines of `keys`, of logs or witnesses, in the order of the note; others are ignored.

    Raises:
        CheckpointError: a line has the name and id of one of the keys, and that key did not sign it.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found = [
        (item, known[item.name, item.key_id]) for item in checkpoint.signatures if (item.name, item.key_id) in known
    ]
    for item, key in found:
        if key is not None:
            _verify(item, checkpoint.body, key)
    return tuple(item for item, key in found if key is not None)


def cosigned_at(checkpoint: Checkpoint, witness: VerifierKey) -> int | None:
    """When this witness vouched for the checkpoint, the last time if it did so repeatedly; None: it did not.

    Raises:
        CheckpointError: as `signatures_by`.
    """
    return max(map(time_of, signatures_by(checkpoint, (witness,))), default=None)


def write_signature(signature: NoteSignature) -> str:
    """A signature line with its LF."""
    return f"— {signature.name} {b64encode(signature.key_id + signature.signature).decode('ascii')}\n"


def write_note(checkpoint: Checkpoint, signatures: Sequence[NoteSignature]) -> str:
    """The note over the body of `checkpoint` with these signature lines.

    Raises:
        CheckpointError: no or too many signatures.
    """
    note = f"{checkpoint.body.decode()}\n{''.join(map(write_signature, signatures))}"
    parse_checkpoint(note)
    return note


def add_cosignature(note: str, lines: str, witness: VerifierKey) -> tuple[str, int]:
    """A note with the cosignature that a witness answered with, in the place of an earlier one of its own.

    Args:
        note: the checkpoint that was sent.
        lines: the answer: signature lines, each with its LF. Those of other keys are left out.
        witness: whose cosignature is wanted.

    Returns:
        The note, and the time of the cosignature.

    Raises:
        CheckpointError: the answer is not signature lines, or none of them is a valid one of this witness.
    """
    sent = parse_checkpoint(note)
    answered = parse_checkpoint(f"{sent.body.decode()}\n{lines}")
    made = signatures_by(answered, (witness,))
    if not made:
        raise CheckpointError("no cosignature of this witness")
    newest = max(made, key=time_of)
    others = [item for item in sent.signatures if (item.name, item.key_id) != (witness.name, witness.key_id)]
    return write_note(sent, [*others, newest]), time_of(newest)


def _message(body: bytes, time: int) -> bytes:
    return b"cosignature/v1\ntime %d\n%b" % (time, body)


def _verify(item: NoteSignature, body: bytes, key: VerifierKey) -> None:
    signature, message = item.signature, body
    if key.kind != LOG_KEY:
        time = time_of(item)
        if len(signature) != _TIME_SIZE + _SIGNATURE_SIZE or not 1 <= time <= MAX_TIME:
            raise CheckpointError("not a cosignature with its time")
        signature, message = signature[_TIME_SIZE:], _message(body, time)
    try:
        key.public.verify(signature, message)
    except InvalidSignature as error:
        raise CheckpointError("wrong signature") from error
