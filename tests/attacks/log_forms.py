"""The forms of a log as a second verifier reads them: envelopes, strict JSON, the tree. See `log_oracle`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_held_before: set[bytes] = set()  # digests of (key, message, signature) that were verified


class Fault(Exception):
    """Something is not what the format says."""


def demand(condition: object, words: str) -> None:
    if not condition:
        raise Fault(words)


def unbase64(text: str) -> bytes:
    value = base64.b64decode(text, validate=True)
    demand(base64.b64encode(value).decode() == text, "loose base64")
    return value


def holds(key: Ed25519PublicKey, message: bytes, signature: bytes) -> bool:
    mark = hashlib.sha256(key.public_bytes_raw() + signature + message).digest()
    if mark not in _held_before:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        _held_before.add(mark)
    return True


def keyid(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@dataclass(frozen=True)
class Envelope:
    payload: bytes
    kind: str
    keyid: str
    signature: bytes

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        kind = self.kind.encode()
        return holds(key, b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload), self.signature)


def read_envelope(line: bytes, limit: int = 65_535) -> Envelope:
    """§3: one spelling."""
    try:
        demand(len(line) <= limit, "a line too long")
        parsed = json.loads(line)
        (signature,) = parsed["signatures"]
        kind, name = parsed["payloadType"], signature["keyid"]
        payload, signed = unbase64(parsed["payload"]), unbase64(signature["sig"])
        spelled = b'{"payload":"%b","payloadType":"%b","signatures":[{"keyid":"%b","sig":"%b"}]}' % (
            base64.b64encode(payload), kind.encode(), name.encode(), base64.b64encode(signed),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Fault(f"no envelope: {type(error).__name__}") from error
    plain = re.fullmatch(r"[a-z0-9][a-z0-9.+/-]*", kind) and re.fullmatch(r"[0-9a-f]{64}", name)
    demand(spelled == line and plain and len(signed) == 64, "a line in another spelling")
    return Envelope(payload, kind, name, signed)


def strict(payload: bytes) -> dict[str, Any]:
    """§2: what can be read in one way only."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        demand(len(dict(found)) == len(found), "a member twice")
        return dict(found)

    def whole(text: str) -> int:
        demand(text != "-0" and abs(int(text)) < 2**53, "a number out of range")
        return int(text)

    def never(text: str) -> Any:
        raise Fault(f"not an integer: {text}")

    try:
        parsed = json.loads(
            payload.decode("utf-8"), object_pairs_hook=pairs, parse_int=whole, parse_float=never, parse_constant=never
        )
    except (ValueError, RecursionError) as error:
        raise Fault("not JSON") from error
    demand(isinstance(parsed, dict), "not an object")
    return dict(parsed)


class Tree:
    """RFC 9162 §2.1.1, by its recursive definition; ranges are remembered."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self._known: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        return self.mth(0, size) if size else hashlib.sha256(b"").digest()

    def mth(self, low: int, high: int) -> bytes:
        if high - low == 1:
            return self.leaves[low]
        if (low, high) not in self._known:
            k = 1 << (high - low - 1).bit_length() - 1
            pair = self.mth(low, low + k) + self.mth(low + k, high)
            self._known[low, high] = hashlib.sha256(b"\x01" + pair).digest()
        return self._known[low, high]
