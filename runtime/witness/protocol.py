"""What log and witness say to each other, in the one accepted spelling. Pure: no I/O.

Source: https://c2sp.org/tlog-witness. A request to add a checkpoint:

    old <size that the witness vouched for last>
    <consistency proof, one base64 hash a line>

    <checkpoint>

The answer is signature lines (`runtime.audit.cosignature`), or with status 409 the size that it did vouch for last.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.audit.errors import CheckpointError
from runtime.audit.notation import read_hash, read_number

ADD_CHECKPOINT = "add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MAX_BODY = 1 << 17  # bytes, of a request or an answer
MAX_PROOF = 63  # hashes


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request as it was read: `proof` has hashes of 32 bytes, `note` is not looked at yet."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str


def write_request(old_size: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of a request."""
    lines = [f"old {old_size}", *(b64encode(value).decode("ascii") for value in proof)]
    return "".join(f"{line}\n" for line in [*lines, ""]).encode() + note.encode()


def parse_request(body: bytes) -> AddCheckpoint:
    """Read the body of a request.

    Raises:
        CheckpointError: it is spelled in any other way, or has more hashes than a proof can have.
    """
    try:
        head, separator, note = body.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError as error:
        raise CheckpointError("not UTF-8") from error
    first, *lines = head.split("\n")
    if not separator or not first.startswith("old "):
        raise CheckpointError("not an old size, a proof, an empty line and a checkpoint")
    if len(lines) > MAX_PROOF:
        raise CheckpointError("too many hashes")
    return AddCheckpoint(read_number(first.removeprefix("old ")), tuple(map(read_hash, lines)), note)


def write_size(size: int) -> bytes:
    """The body of an answer with status 409."""
    return b"%d\n" % size


def parse_size(body: bytes) -> int:
    """The size in an answer with status 409. Raises: CheckpointError."""
    text = body.decode("ascii", "replace")
    if not text.endswith("\n"):
        raise CheckpointError("not a size and a line feed")
    return read_number(text[:-1])
