"""One log line: a DSSE envelope in one exact form, signed with Ed25519. Pure: no I/O.

Source: https://github.com/secure-systems-lab/dsse (protocol.md, envelope.md). DSSE allows any JSON; a line of our log
has one accepted spelling, so that a line and its leaf hash determine each other. What the payload says is `record`'s
(or `keys`') business; which key may sign what is the manifest's.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.audit.errors import EnvelopeError

STATEMENT_TYPE = "application/vnd.in-toto+json"
MAX_LINE = 65_535  # bytes, without the LF

# Whatever has this head, canonical base64 up to the next quote, and this tail is spelled in the only way `seal` can.
_HEAD = b'{"payload":"'
_TAIL = re.compile(
    rb'","payloadType":"([a-z0-9][a-z0-9.+/-]{0,99})",'
    rb'"signatures":\[\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/]{85}[AQgw]==)"\}\]\}'
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope; nothing in it is verified yet."""

    payload: bytes
    payload_type: str
    keyid: str
    signature: bytes


def pae(payload_type: str, body: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def keyid_of(public_key: Ed25519PublicKey) -> str:
    """Hex SHA-256 of the key's DER SubjectPublicKeyInfo."""
    return sha256(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def seal(payload: bytes, key: Ed25519PrivateKey, keyid: str, payload_type: str = STATEMENT_TYPE) -> bytes:
    """The signed line over `payload`, without LF. `keyid` is `keyid_of` the key's public half."""
    signature = key.sign(pae(payload_type, payload))
    return b'{"payload":"%b","payloadType":"%b","signatures":[{"keyid":"%b","sig":"%b"}]}' % (
        b64encode(payload),
        payload_type.encode(),
        keyid.encode(),
        b64encode(signature),
    )


def parse_line(line: bytes, *, max_bytes: int = MAX_LINE) -> Envelope:
    """Read a line (without LF) that is spelled exactly as `seal` would spell it.

    Raises:
        EnvelopeError: too long, any other spelling, base64 that is not canonical, not exactly one signature.
    """
    if len(line) > max_bytes:
        raise EnvelopeError(f"a line of {len(line)} bytes; at most {max_bytes} are allowed")
    end = line.find(b'"', len(_HEAD))
    match = _TAIL.fullmatch(line, end) if end >= 0 and line.startswith(_HEAD) else None
    if match is None:
        raise EnvelopeError("not a DSSE envelope in its one accepted form")
    payload = line[len(_HEAD) : end]
    payload_type, keyid, signature = match.groups()
    # The pattern admits one spelling of 64 bytes; the payload's is `_decode`'s to judge.
    return Envelope(
        _decode(payload), payload_type.decode("ascii"), keyid.decode("ascii"), binascii.a2b_base64(signature)
    )


def check_signature(envelope: Envelope, public_key: Ed25519PublicKey) -> None:
    """Verify the signature over payload and payload type; the caller has chosen the key by its `keyid`.

    Raises:
        EnvelopeError: the signature is not this key's over these bytes.
    """
    try:
        public_key.verify(envelope.signature, pae(envelope.payload_type, envelope.payload))
    except InvalidSignature as error:
        raise EnvelopeError("wrong signature") from error


def _decode(text: bytes) -> bytes:
    try:
        value = binascii.a2b_base64(text, strict_mode=True) if text else b""
    except binascii.Error as error:
        raise EnvelopeError("bad base64") from error
    # Trailing bits that are not zero decode all the same: only re-encoding tells. They are in the last four characters.
    if b64encode(value[(len(value) - 1) // 3 * 3 :]) != text[-4:]:
        raise EnvelopeError("base64 that is not canonical")
    return value
