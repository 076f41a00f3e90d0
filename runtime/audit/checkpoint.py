"""Checkpoints: a C2SP signed note over origin, size and root of the tree. Pure: no I/O.

Sources: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint. Ours have no extension lines and are signed
with Ed25519 (signature type 0x01). Signature lines of other keys (witnesses) are read and left to whoever knows them.

    example.org/filagent
    3
    bRNLx8mWZK3y8W1cV0KQm5Dbd6fI1ZrZ0sSd2pCqgB4=

    — example.org/filagent o2s7vQx…
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from runtime.audit.errors import CheckpointError
from runtime.audit.merkle import HASH_SIZE, MAX_SIZE

MAX_NOTE = 65_535  # characters
MAX_SIGNATURES = 64
_ED25519 = b"\x01"
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
# A key name has no white space and no '+' (signed-note); control characters would make two names look alike, and
# surrogates have no UTF-8.
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name, the first four bytes of its id, and the rest as it stands."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A parsed checkpoint. `size` counts leaves, `root` has 32 bytes; the signatures are not verified yet."""

    origin: str
    size: int
    root: bytes
    signatures: tuple[NoteSignature, ...]

    @property
    def body(self) -> bytes:
        """The bytes that are signed."""
        return _body(self.origin, self.size, self.root).encode()


def key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    """The four bytes by which a signature line names its key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key.public_bytes_raw()).digest()[:4]


def vkey(name: str, public_key: Ed25519PublicKey) -> str:
    """The verifier key of signed-note, name+hash+key: what third-party tools take."""
    _check_name(name)
    key = b64encode(_ED25519 + public_key.public_bytes_raw()).decode("ascii")
    return f"{name}+{key_id(name, public_key).hex()}+{key}"


def is_origin(text: str) -> bool:
    """Whether a log of ours may be called so: printable ASCII without white space and '+', at most 255 characters."""
    return text.isascii() and _NAME.fullmatch(text) is not None


def sign_checkpoint(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> str:
    """The signed note, ending in LF.

    Raises:
        CheckpointError: no such origin, size or root can be.
    """
    if not is_origin(origin):
        raise CheckpointError("an origin is printable ASCII without spaces and '+'")
    if type(size) is not int or not 0 <= size <= MAX_SIZE or len(root) != HASH_SIZE:
        raise CheckpointError("a checkpoint needs a size from 0 to 2^53-1 and a root of 32 bytes")
    body = _body(origin, size, root)
    signature = b64encode(key_id(origin, key.public_key()) + key.sign(body.encode())).decode("ascii")
    return f"{body}\n— {origin} {signature}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a note that is spelled in the one accepted way.

    Raises:
        CheckpointError: anything else: extension lines, leading zeros, base64 that is not canonical, CR, no signature.
    """
    if len(text) > MAX_NOTE:
        raise CheckpointError("too long for a checkpoint")
    body, separator, tail = text.partition("\n\n")
    fields = body.split("\n")
    lines = tail.split("\n")
    if not separator or len(fields) != 3 or len(lines) < 2 or lines[-1] != "":
        raise CheckpointError("not a signed note over origin, size and root")
    origin, size, root = fields
    _check_name(origin)
    if _SIZE.fullmatch(size) is None or int(size) > MAX_SIZE:
        raise CheckpointError("bad size")
    hashed = _decode(root)
    if len(hashed) != HASH_SIZE:
        raise CheckpointError("a root is 32 bytes")
    if len(lines) - 1 > MAX_SIGNATURES:
        raise CheckpointError("too many signatures")
    return Checkpoint(origin, int(size), hashed, tuple(_parse_signature(line) for line in lines[:-1]))


def check_checkpoint(text: str, origin: str, public_key: Ed25519PublicKey) -> Checkpoint:
    """Read a checkpoint and verify that `public_key` signed it as `origin`.

    Raises:
        CheckpointError: not well formed, of another origin, or not signed by this key.
    """
    checkpoint = parse_checkpoint(text)
    if checkpoint.origin != origin:
        raise CheckpointError("a checkpoint of another origin")
    known = key_id(origin, public_key)
    ours = [item for item in checkpoint.signatures if item.name == origin and item.key_id == known]
    if not ours:
        raise CheckpointError("not signed by this log's key")
    for item in ours:
        try:
            public_key.verify(item.signature, checkpoint.body)
        except InvalidSignature as error:
            raise CheckpointError("wrong signature") from error
    return checkpoint


def _body(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{b64encode(root).decode('ascii')}\n"


def _parse_signature(line: str) -> NoteSignature:
    mark, name, value = [*line.split(" "), "", ""][:3]
    if line.count(" ") != 2 or mark != "—":
        raise CheckpointError("not a signature line")
    _check_name(name)
    decoded = _decode(value)
    if len(decoded) < 5:
        raise CheckpointError("a signature too short")
    return NoteSignature(name, decoded[:4], decoded[4:])


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise CheckpointError("bad key name")


def _decode(text: str) -> bytes:
    try:
        value = b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise CheckpointError("bad base64") from error
    if b64encode(value).decode("ascii") != text:
        raise CheckpointError("base64 that is not canonical")
    return value
