"""The manifest that says which keys may sign what in which log: reading it, and the form of its first version.

`root` signs every version and is the one key an auditor pins. `record` keys sign lines, `log` keys sign checkpoints;
`approver` keys are listed for those who sign approvals. A version takes effect at the leaf that carries the SHA-256 of
its file as the subject `keys.json`; the first leaf of every log carries version 1. Files and private keys are `keys`'
business; whether a signature at a leaf was made by a key valid there is for `verify` to say.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from runtime.audit.checkpoint import is_origin
from runtime.audit.envelope import check_signature, keyid_of, parse_line
from runtime.audit.errors import EnvelopeError, KeysError, RecordError
from runtime.audit.record import strict_object

MANIFEST_TYPE = "application/vnd.filagent.keys+json"
MANIFEST_SUBJECT = "keys.json"
MAX_MANIFEST = 1 << 20  # bytes
ROLES = frozenset({"log", "record", "approver"})
CUSTODIES = frozenset({"logging-host", "offline"})
_ROOT = re.compile(r"[0-9a-f]{64}")
CLOSED_BECAUSE = frozenset({"damage", "restore"})


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One public key of a manifest.

    Attributes:
        role: log, record or approver.
        keyid: hex SHA-256 of the DER SubjectPublicKeyInfo.
        public: the key.
        origin: the log it belongs to; for a `log` key also the name it signs checkpoints with.
        not_before: the first leaf index it may sign at.
        not_after: the first leaf index it may no longer sign at, or None while it is active.
    """

    role: str
    keyid: str
    public: Ed25519PublicKey
    origin: str
    not_before: int
    not_after: int | None

    def valid_at(self, index: int) -> bool:
        return self.not_before <= index and (self.not_after is None or index < self.not_after)


@dataclass(frozen=True, slots=True)
class Closed:
    """How a log ended before another one went on in its place.

    Attributes:
        size: lines under the last checkpoint known.
        root: its root, 32 bytes.
        sound: how many lines, from the first on, were still there and whole; those from there to `size` are lost.
        sound_root: the root over these, 32 bytes: from now on nobody changes them.
        reason: one of CLOSED_BECAUSE.
    """

    size: int
    root: bytes
    sound: int
    sound_root: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of keys.json whose root signature holds.

    Attributes:
        version: counted from 1.
        created: RFC 3339 in UTC.
        custody: where the root's private key is held, by the operator's own word: 'logging-host' or 'offline'.
        origins: every log under this root, so that a hidden one shows.
        closed: of those that ended, how.
        previous: hex SHA-256 of the version before, None for version 1.
        digest: hex SHA-256 of this version's file.
    """

    version: int
    created: str
    custody: str
    root_keyid: str
    origins: tuple[str, ...]
    keys: tuple[KeyEntry, ...]
    closed: Mapping[str, Closed]
    previous: str | None
    digest: str

    def find(self, keyid: str) -> KeyEntry | None:
        return next((entry for entry in self.keys if entry.keyid == keyid), None)

    def of_role(self, role: str) -> Iterator[KeyEntry]:
        """The keys of a role that are not retired."""
        return (entry for entry in self.keys if entry.role == role and entry.not_after is None)


def load_manifest(data: bytes, root_public: Ed25519PublicKey) -> Manifest:
    """Read one version of keys.json and verify that the root signed it.

    Raises:
        KeysError: not one envelope and an LF, not signed by this root, or a content that makes no sense.
    """
    if not data.endswith(b"\n"):
        raise KeysError("a key manifest is one line")
    try:
        envelope = parse_line(data[:-1], max_bytes=MAX_MANIFEST)
        if envelope.payload_type != MANIFEST_TYPE:
            raise KeysError("not a key manifest")
        if envelope.keyid != keyid_of(root_public):
            raise KeysError("a key manifest of another root key")
        check_signature(envelope, root_public)
        return _read_manifest(strict_object(envelope.payload), envelope.keyid, sha256(data).hexdigest())
    except (EnvelopeError, RecordError) as error:
        raise KeysError(f"key manifest: {error}") from error


def load_public(pem: bytes) -> Ed25519PublicKey:
    """An Ed25519 public key in PEM. Raises: KeysError."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeysError("not a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeysError("not an Ed25519 key")
    return key


def changes(before: Manifest, after: Manifest) -> list[tuple[str, KeyEntry]]:
    """What a later version says of keys that an earlier one did not: (`key.added` or `key.retired`, the key)."""
    added = [("key.added", entry) for entry in after.keys if before.find(entry.keyid) is None]
    retired = [
        ("key.retired", entry)
        for entry in after.keys
        if entry.not_after is not None and (known := before.find(entry.keyid)) is not None and known.not_after is None
    ]
    return added + retired


def public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _der(key: Ed25519PublicKey) -> str:
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode("ascii")


def first_manifest(root: Ed25519PublicKey, custody: str, origin: str, keys: Mapping[str, Ed25519PublicKey]) -> bytes:
    """The payload of version 1: one log, its keys (by role) valid from the first leaf."""
    listed = [
        {
            "role": role,
            "keyid": keyid_of(key),
            "public": _der(key),
            "origin": origin,
            "not_before": 0,
            "not_after": None,
        }
        for role, key in keys.items()
    ]
    manifest = {
        "version": 1,
        "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "root": {"keyid": keyid_of(root), "public": _der(root), "custody": custody},
        "origins": [{"origin": origin}],
        "keys": listed,
        "previous": None,
    }
    return json.dumps(manifest, separators=(",", ":")).encode("ascii")


def _read_manifest(parsed: dict[str, Any], root_keyid: str, digest: str) -> Manifest:
    # Unknown fields are tolerated: a later version may say more, and the root has signed it.
    version = _field(parsed, "version", int)
    root = _field(parsed, "root", dict)
    previous = parsed.get("previous")
    custody = _field(root, "custody", str)
    origins = tuple(_field(item, "origin", str) for item in _field(parsed, "origins", list))
    keys = tuple(_read_entry(item, origins) for item in _field(parsed, "keys", list))
    if version < 1 or (previous is None) != (version == 1) or not isinstance(previous, str | None):
        raise KeysError("key manifest: version 1 has no previous one, every other has")
    if _field(root, "keyid", str) != root_keyid or custody not in CUSTODIES:
        raise KeysError("key manifest: root does not describe the key that signed it")
    if not origins or len(set(origins)) != len(origins) or not all(map(is_origin, origins)):
        raise KeysError("key manifest: origins")
    if len({entry.keyid for entry in keys} | {root_keyid}) != len(keys) + 1:
        raise KeysError("key manifest: a key listed twice")
    created = _field(parsed, "created", str)
    closed = {
        item["origin"]: _read_closed(item["closed"]) for item in parsed["origins"] if item.get("closed") is not None
    }
    return Manifest(version, created, custody, root_keyid, origins, keys, closed, previous, digest)


def _read_closed(item: Any) -> Closed:
    size, sound = _field(item, "size", int), _field(item, "sound", int)
    root, sound_root, reason = (_field(item, name, str) for name in ("root", "sound_root", "reason"))
    if (
        not 0 <= sound <= size
        or not _ROOT.fullmatch(root)
        or not _ROOT.fullmatch(sound_root)
        or reason not in CLOSED_BECAUSE
    ):
        raise KeysError("key manifest: closed")
    return Closed(size, bytes.fromhex(root), sound, bytes.fromhex(sound_root), reason)


def _read_entry(item: Any, origins: tuple[str, ...]) -> KeyEntry:
    role, keyid, origin = (_field(item, name, str) for name in ("role", "keyid", "origin"))
    try:
        public = load_der_public_key(b64decode(_field(item, "public", str), validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise KeysError("key manifest: a key that cannot be read") from error
    not_before, not_after = _field(item, "not_before", int), item.get("not_after")
    if role not in ROLES or origin not in origins:
        raise KeysError("key manifest: a key of no known role or origin")
    if not isinstance(public, Ed25519PublicKey) or keyid_of(public) != keyid:
        raise KeysError("key manifest: a key that is not its keyid's")
    if not_before < 0 or not (not_after is None or (type(not_after) is int and not_after >= not_before)):
        raise KeysError("key manifest: a key with an impossible validity")
    return KeyEntry(role, keyid, public, origin, not_before, not_after)


def _field(item: Any, name: str, kind: type[Any]) -> Any:
    if not isinstance(item, dict) or type(item.get(name)) is not kind:
        raise KeysError(f"key manifest: {name}")
    return item[name]
