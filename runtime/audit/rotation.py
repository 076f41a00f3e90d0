"""New versions of the key manifest: keys added and retired, a log closed and another one begun.

Each version is signed by the root and names the one before it; all stay. It comes into force at the leaf that carries
its digest, which is the writer's doing (`LogWriter.reload_keys`, or its next start): until then the keys of the version
before go on. Whoever changes the keys of a running log pauses it (`LogClient.pause`), so that the size he names is that
very leaf. The private keys of a new version are durable before the version is, and the version before it is used.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from os import close
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.audit.checkpoint import is_origin
from runtime.audit.envelope import keyid_of, parse_line, seal
from runtime.audit.errors import KeysError, LogLocked
from runtime.audit.files import Files, take_lock
from runtime.audit.keys import ROOT_PUBLIC, load_public, load_versions, write_private
from runtime.audit.manifest import (
    CLOSED_BECAUSE,
    MANIFEST_SUBJECT,
    MANIFEST_TYPE,
    ROLES,
    Closed,
    Manifest,
    load_manifest,
)

#: Roles of keys that the writer holds: one of each is active.
SIGNING = ("log", "record")
Change = Callable[[dict[str, Any]], None]


class Succession:
    """Writes the next version of a log's key manifest."""

    def __init__(
        self,
        keys_dir: Path,
        logs_dir: Path,
        root: Ed25519PrivateKey,
        *,
        passphrase: bytes | None = None,
        files: Files | None = None,
    ) -> None:
        """Args: where the writer's private keys lie; the log; the root's private key; the passphrase of new keys.

        Raises:
            KeysError: the root is not the one that signed what is there, or what is there cannot be read.
        """
        public = load_public((keys_dir / ROOT_PUBLIC).read_bytes())
        if keyid_of(root.public_key()) != keyid_of(public):
            raise KeysError("this is not the root key of this log")
        self._keys_dir = keys_dir
        self._logs_dir = logs_dir
        self._root = root
        self._passphrase = passphrase
        self._files = files or Files()
        self.current = load_versions(logs_dir, public)[-1]

    def rotate(self, roles: tuple[str, ...], *, origin: str, size: int) -> Manifest:
        """Put new keys of these roles (log, record) in the place of the active ones.

        Args:
            roles: which.
            origin: of the log.
            size: how many lines it has now: the old keys may sign nothing from there on once this is in force.

        Raises:
            KeysError: no such role, or something cannot be written.
        """
        if not roles or not set(roles) <= set(SIGNING):
            raise KeysError("only the log's own keys are rotated: log, record")
        made = {role: Ed25519PrivateKey.generate() for role in roles}

        def change(manifest: dict[str, Any]) -> None:
            for entry in manifest["keys"]:
                if entry["role"] in made and entry["origin"] == origin and entry["not_after"] is None:
                    entry["not_after"] = max(size, entry["not_before"])
            manifest["keys"] += [_entry(role, key.public_key(), origin, size) for role, key in made.items()]

        return self._write(change, made)

    def add_approver(self, public: Ed25519PublicKey, *, origin: str, size: int) -> Manifest:
        """List the key of somebody who signs approvals. Raises: KeysError."""
        return self._write(lambda manifest: manifest["keys"].append(_entry("approver", public, origin, size)), {})

    def retire(self, keyid: str, *, size: int) -> Manifest:
        """Let an approver's key sign nothing any more.

        Raises:
            KeysError: there is no active one of this id; the log's own keys are replaced, not retired.
        """
        found = self.current.find(keyid)
        if found is None or found.not_after is not None or found.role in SIGNING:
            raise KeysError("there is no active approver key of this id (the log's own keys are rotated)")

        def change(manifest: dict[str, Any]) -> None:
            for entry in manifest["keys"]:
                if entry["keyid"] == keyid:
                    entry["not_after"] = max(size, entry["not_before"])

        return self._write(change, {})

    def begin_origin(self, origin: str, *, after: str, closed: Closed) -> Manifest:
        """Close the log `after` and list a new one with keys of its own.

        Raises:
            KeysError: the name cannot be one or is taken, there is no such log or reason, or something cannot be
                written.
        """
        if not is_origin(origin) or origin in self.current.origins:
            raise KeysError("a new origin is a new name: printable ASCII without spaces and '+'")
        if after not in self.current.origins or closed.reason not in CLOSED_BECAUSE:
            raise KeysError("there is no such log to close, or no such reason")
        made = {role: Ed25519PrivateKey.generate() for role in SIGNING}

        def change(manifest: dict[str, Any]) -> None:
            for entry in manifest["keys"]:
                if entry["origin"] == after and entry["not_after"] is None:
                    entry["not_after"] = max(closed.size, entry["not_before"])
            for listed in manifest["origins"]:
                if listed["origin"] == after:
                    listed["closed"] = {
                        "size": closed.size,
                        "root": closed.root.hex(),
                        "sound": closed.sound,
                        "sound_root": closed.sound_root.hex(),
                        "reason": closed.reason,
                    }
            manifest["origins"].append({"origin": origin})
            manifest["keys"] += [_entry(role, key.public_key(), origin, 0) for role, key in made.items()]

        return self._write(change, made)

    def _write(self, change: Change, made: dict[str, Ed25519PrivateKey]) -> Manifest:
        with ExitStack() as stack:
            try:
                stack.callback(close, take_lock(self._keys_dir / ".rotation"))
                before = (self._logs_dir / MANIFEST_SUBJECT).read_bytes()
                if sha256(before).hexdigest() != self.current.digest:
                    raise KeysError("the manifest has changed meanwhile: look at it and try again")
                manifest = json.loads(parse_line(before[:-1], max_bytes=1 << 20).payload)
                change(manifest)
                manifest["version"] = self.current.version + 1
                manifest["created"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
                manifest["previous"] = self.current.digest
                payload = json.dumps(manifest, separators=(",", ":")).encode("ascii")
                data = seal(payload, self._root, keyid_of(self._root.public_key()), MANIFEST_TYPE) + b"\n"
                found = load_manifest(data, self._root.public_key())  # nothing is written that cannot be read
                for role, key in made.items():
                    write_private(self._keys_dir, role, key, self._passphrase, self._files)
                self._files.replace(self._logs_dir / f"keys.{found.version}.json", data, durable=True)
                self._files.replace(self._logs_dir / MANIFEST_SUBJECT, data, durable=True)
            except LogLocked as error:
                raise KeysError("somebody else is changing the keys") from error
            except OSError as error:
                raise KeysError(f"the keys cannot be written: {error.strerror}") from error
        self.current = found
        return found


def _entry(role: str, public: Ed25519PublicKey, origin: str, size: int) -> dict[str, Any]:
    assert role in ROLES  # noqa: S101 - the callers above name them
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "role": role,
        "keyid": keyid_of(public),
        "public": b64encode(der).decode("ascii"),
        "origin": origin,
        "not_before": size,
        "not_after": None,
    }
