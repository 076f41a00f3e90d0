"""How C2SP's text formats spell numbers, hashes and keys: each is read in the one accepted way. Pure: no I/O.

Source of verifier keys: https://c2sp.org/signed-note#verifier-keys. Of the signature types we know two, both Ed25519:
0x01, with which logs sign checkpoints, and 0x04, with which witnesses cosign them. What is signed is the business of
`checkpoint` and `cosignature`.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.checkpoint import is_origin
from runtime.audit.errors import CheckpointError, KeysError
from runtime.audit.merkle import HASH_SIZE, MAX_SIZE

KeyKind = Literal[1, 4]
LOG_KEY: KeyKind = 1  # an Ed25519 signature over the note
WITNESS_KEY: KeyKind = 4  # a timestamped Ed25519 cosignature
KEY_SIZE = 32
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_MAX_VKEY = 400  # characters


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under.

    Attributes:
        name: printable ASCII without white space and '+'.
        kind: the signature type, LOG_KEY or WITNESS_KEY.
        raw: the public key, 32 bytes.

    Raises:
        KeysError: no such key or name can be.
    """

    name: str
    kind: KeyKind
    raw: bytes

    def __post_init__(self) -> None:
        if not is_origin(self.name):
            raise KeysError("the name of a key is printable ASCII without spaces and '+'")
        if self.kind not in {LOG_KEY, WITNESS_KEY} or len(self.raw) != KEY_SIZE:
            raise KeysError("not an Ed25519 key")

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names its key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.raw).digest()[:4]

    @property
    def public(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)

    def __str__(self) -> str:
        """The verifier key of signed-note, name+id+key."""
        key = b64encode(bytes([self.kind]) + self.raw).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{key}"


def parse_vkey(text: str, kind: KeyKind) -> VerifierKey:
    """Read a verifier key of one kind.

    Raises:
        KeysError: it is spelled in any other way than `str` spells it, or is of another kind.
    """
    name, _, rest = text.partition("+")
    key_id, separator, encoded = rest.partition("+")
    if len(text) > _MAX_VKEY or not separator or _KEY_ID.fullmatch(key_id) is None:
        raise KeysError("not a verifier key: name+id+key is expected")
    try:
        decoded = read_base64(encoded)
    except CheckpointError as error:
        raise KeysError("not a verifier key: bad base64") from error
    if decoded[:1] != bytes([kind]):
        wanted = "a log's (type 1)" if kind == LOG_KEY else "a witness's (type 4)"
        raise KeysError(f"a verifier key of another type than {wanted}")
    key = VerifierKey(name, kind, decoded[1:])
    if key.key_id.hex() != key_id:
        raise KeysError("a verifier key whose id is not its own")
    return key


def read_base64(text: str) -> bytes:
    """Canonical base64. Raises: CheckpointError."""
    try:
        value = b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise CheckpointError("bad base64") from error
    if b64encode(value).decode("ascii") != text:
        raise CheckpointError("base64 that is not canonical")
    return value


def read_hash(text: str) -> bytes:
    """A hash of 32 bytes in base64. Raises: CheckpointError."""
    value = read_base64(text)
    if len(value) != HASH_SIZE:
        raise CheckpointError("a hash is 32 bytes")
    return value


def read_number(text: str) -> int:
    """A size or an index in decimal, from 0 to 2^53-1. Raises: CheckpointError."""
    if _NUMBER.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise CheckpointError("not a number from 0 to 2^53-1 without leading zeros")
    return int(text)
