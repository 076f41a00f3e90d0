"""The root's public key that this console trusts: from the file that it was given, else the first one that it met.

A file is what an operator wants: a root that was replaced together with the log shows at once. Without one, the key
that the first key manifest names is kept for the life of this process, and another one later is refused.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from functools import cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from runtime.audit.envelope import parse_line
from runtime.audit.errors import AuditError, KeysError
from runtime.audit.manifest import MAX_MANIFEST, load_manifest, load_public
from runtime.audit.record import strict_object


class Pinned:
    """The pin of one console."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._met: Ed25519PublicKey | None = None

    @property
    def by_file(self) -> bool:
        """Whether somebody chose it."""
        return self._path is not None

    def root(self, keys: bytes) -> Ed25519PublicKey:
        """The trusted root; a manifest (`keys.json`) that is given when there is none yet names it. Blocking.

        Raises:
            KeysError: the file cannot be read, or the manifest names no key that signed it.
        """
        if self._path is not None:
            try:
                return load_public(self._path.read_bytes())
            except OSError as error:
                raise KeysError("the root's public key cannot be read") from error
        if self._met is None:
            self._met = _named_by(keys)
        return self._met


@cache
def pin(path: Path | None) -> Pinned:
    """The pin of this process for a file, or without one."""
    return Pinned(path)


def _named_by(keys: bytes) -> Ed25519PublicKey:
    try:
        manifest = strict_object(parse_line(keys.removesuffix(b"\n"), max_bytes=MAX_MANIFEST).payload)
        public = load_der_public_key(b64decode(manifest["root"]["public"], validate=True))
    except (AuditError, KeyError, TypeError, ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise KeysError("the key manifest names no root key") from error
    if not isinstance(public, Ed25519PublicKey):
        raise KeysError("the key manifest names no root key")
    load_manifest(keys, public)
    return public
