"""Secrets of 32 bytes as files: made once, whoever comes first; 0600; sealed when a passphrase is given.

A file is one line: `filagent-key-v1 clear <base64>` or `filagent-key-v1 sealed <base64>`. A sealed one is AES-256-GCM
(12 bytes of nonce first) under scrypt(passphrase, salt file), bound to the file's name. What a secret is for is the
business of `keys`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import stat
import threading
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from memory.errors import KeysUnavailable

if TYPE_CHECKING:
    from pathlib import Path

SECRET_BYTES: Final = 32
_MAGIC: Final = "filagent-key-v1"
_NONCE_BYTES: Final = 12
# OWASP's minimum for scrypt; paid once per process and only when there is a passphrase.
_SCRYPT: Final = {"n": 2**17, "r": 8, "p": 1}


class SecretFiles:
    """The secrets of one folder (made 0700).

    Args:
        folder: also holds the salt when there is a passphrase.
        passphrase: seals what is made from now on; needed to read what is sealed.

    Raises:
        KeysUnavailable: the folder cannot be made.
    """

    def __init__(self, folder: Path, passphrase: bytes | None) -> None:
        self._folder = folder
        self._passphrase = passphrase
        self._sealing_key: bytes | None = None
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise KeysUnavailable(f"the key folder cannot be made: {error.strerror}") from error

    def read_or_create(self, path: Path) -> bytes:
        """The secret at `path`, made when there is none; every process gets the same one.

        Raises:
            KeysUnavailable: unreadable, of the wrong form, open to others, or the passphrase is wrong or missing.
        """
        if not path.exists():
            secret = os.urandom(SECRET_BYTES)
            if self._link_new(path, self._encode(path.name, secret)):
                return secret
        return self.read(path)

    def read(self, path: Path) -> bytes:
        """The secret at `path`.

        Raises:
            KeysUnavailable: as in `read_or_create`, or there is none.
        """
        return self._decode(path.name, _read_private(path))

    def destroy(self, path: Path) -> None:
        """Overwrite the file and remove it, durably. What an SSD keeps of overwritten blocks is beyond us.

        Raises:
            KeysUnavailable: it could not be removed.
        """
        try:
            with contextlib.suppress(FileNotFoundError):
                with path.open("r+b") as file:
                    file.write(b"\0" * path.stat().st_size)
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()
            sync_folder(path.parent)
        except OSError as error:
            raise KeysUnavailable(f"a key file cannot be destroyed: {error.strerror}") from error

    def _encode(self, name: str, secret: bytes) -> bytes:
        if self._passphrase is None:
            return f"{_MAGIC} clear {base64.b64encode(secret).decode('ascii')}\n".encode("ascii")
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + AESGCM(self._sealing()).encrypt(nonce, secret, name.encode())
        return f"{_MAGIC} sealed {base64.b64encode(sealed).decode('ascii')}\n".encode("ascii")

    def _decode(self, name: str, line: bytes) -> bytes:
        try:
            magic, form, text = line.decode("ascii").removesuffix("\n").split(" ")
            body = base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error) as error:
            raise KeysUnavailable("a key file is damaged") from error
        if magic == _MAGIC and form == "sealed":
            if self._passphrase is None:
                raise KeysUnavailable("a key file is sealed and no passphrase was given")
            try:
                body = AESGCM(self._sealing()).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], name.encode())
            except (InvalidTag, ValueError) as error:
                raise KeysUnavailable("a key file does not open: wrong passphrase, or damaged") from error
        elif magic != _MAGIC or form != "clear":
            raise KeysUnavailable("a key file is of an unknown form")
        if len(body) != SECRET_BYTES:
            raise KeysUnavailable("a key file is damaged")
        return body

    def _sealing(self) -> bytes:
        """The key that seals, derived once per process."""
        with self._lock:
            if self._sealing_key is None:
                path = self._folder / "salt"
                if not path.exists():
                    self._link_new(path, os.urandom(SECRET_BYTES))
                salt = _read_private(path)
                self._sealing_key = Scrypt(salt=salt, length=SECRET_BYTES, **_SCRYPT).derive(self._passphrase or b"")
            return self._sealing_key

    @staticmethod
    def _link_new(path: Path, body: bytes) -> bool:
        """Put a complete, durable file at `path` unless there is one; whether it is ours."""
        temporary = path.parent / f".{path.name}.{os.urandom(8).hex()}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                try:
                    os.link(temporary, path)
                except FileExistsError:
                    return False
            finally:
                temporary.unlink()
            sync_folder(path.parent)
        except OSError as error:
            raise KeysUnavailable(f"a key file cannot be written: {error.strerror}") from error
        return True


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeysUnavailable("a key file is open to other users: it must be 0600")
            return file.read(4096)
    except OSError as error:
        raise KeysUnavailable(f"a key file cannot be read: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
