"""Keys of content: one for each turn, wrapped by the day's epoch key; and the pepper behind every MAC.

A turn's key is stored in its row, wrapped (AES-KW, RFC 3394); clearing that cell destroys the turn. An old backup of
the database still has the cell, so the keys that wrap live outside the database, one for each UTC day, in files that
backups of the database do not contain: `epochs.rewrap` moves the living turns to today's and destroys old files, after
which no backup older than that opens an erased turn.

The pepper (`<keys>/pepper`) keys the blind indexes and MACs: without it a copy of the database tells neither whether a
given e-mail occurs in it nor which secret an API key has.
"""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import os
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from memory.errors import KeysUnavailable, Unreadable
from memory.identifiers import KINDS, kind_of, normalise
from memory.keyfiles import SECRET_BYTES, SecretFiles
from memory.rows import WrappedKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_EPOCH: Final = re.compile(r"(\d{4})(\d{2})(\d{2})-[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ContentKey:
    """A key in clear, for as long as its turn runs.

    `owner_id`, the id of a turn or of a conversation, is bound into everything that it seals.
    """

    owner_id: str
    secret: bytes = field(repr=False)


def utc_today() -> date:
    """The UTC day, which is an epoch."""
    return datetime.now(UTC).date()


def epoch_day(epoch: str) -> date:
    """The day of an epoch name.

    Raises:
        KeysUnavailable: not an epoch name.
    """
    match = _EPOCH.fullmatch(epoch)
    if match is None:
        raise KeysUnavailable("not the name of an epoch")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise KeysUnavailable("not the name of an epoch") from error


class KeyRing:
    """The keys of one installation. Safe to share among threads; processes may each have one over the same folder.

    Args:
        keys_dir: the folder `keys`, made when absent; the pepper and `epoch/` live in it.
        passphrase: seals key files at rest.
        today: the clock.

    Raises:
        KeysUnavailable: the pepper cannot be read or made.
    """

    def __init__(
        self, keys_dir: Path, *, passphrase: bytes | None = None, today: Callable[[], date] = utc_today
    ) -> None:
        self._today = today
        self._files = SecretFiles(keys_dir, passphrase)
        self._epoch_dir = keys_dir / "epoch"
        self._epoch_dir.mkdir(mode=0o700, exist_ok=True)
        self._pepper = self._files.read_or_create(keys_dir / "pepper")
        self._epochs: dict[str, bytes] = {}
        self._current: tuple[date, str] | None = None
        self._lock = threading.Lock()

    def new_turn_key(self, owner_id: str) -> tuple[ContentKey, WrappedKey]:
        """A fresh 256-bit key bound to `owner_id`, and the form in which it is stored.

        Raises:
            KeysUnavailable: today's epoch key cannot be made or read.
        """
        key = ContentKey(owner_id, os.urandom(SECRET_BYTES))
        return key, self._wrap(key.secret)

    def unwrap(self, owner_id: str, wrapped: WrappedKey) -> ContentKey:
        """The key of `owner_id` from its stored form.

        Raises:
            KeysUnavailable: its epoch key is gone.
            Unreadable: it was not wrapped by that epoch key.
        """
        try:
            return ContentKey(owner_id, aes_key_unwrap(self._epoch_key(wrapped.epoch), wrapped.wrapped))
        except (InvalidUnwrap, ValueError) as error:
            raise Unreadable("a wrapped key does not open") from error

    def rewrap(self, wrapped: WrappedKey) -> WrappedKey:
        """The same key under today's epoch key."""
        return self._wrap(self.unwrap("", wrapped).secret)

    def epochs(self) -> tuple[str, ...]:
        """The epochs whose key files exist, oldest first."""
        names = (path.stem for path in self._epoch_dir.glob("*.key"))
        return tuple(sorted(name for name in names if _EPOCH.fullmatch(name)))

    def destroy_epoch(self, epoch: str) -> None:
        """Destroy an epoch's key file: whatever only that key wraps is lost. Only for epochs that nothing refers to.

        Raises:
            KeysUnavailable: it is today's, or the file cannot be removed.
        """
        if epoch_day(epoch) >= self._today():
            raise KeysUnavailable("today's epoch key is in use")
        self._files.destroy(self._epoch_dir / f"{epoch}.key")
        with self._lock:
            self._epochs.pop(epoch, None)

    def mac(self, purpose: str, *parts: str | bytes) -> bytes:
        """HMAC-SHA256 under the pepper over `purpose` and `parts`, each with its length: no two inputs collide."""
        message = bytearray()
        for part in (purpose, *parts):
            data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            message += len(data).to_bytes(8, "big") + data
        return hmac.digest(self._pepper, message, "sha256")

    def subject_index(self, subject: str) -> bytes:
        """The blind index of a data subject as callers name him: case and spaces do not matter."""
        return self.mac("subject", normalise("text", subject))

    def identifier_index(self, entity: str, value: str) -> bytes:
        """The blind index of a detected value: the same for every spelling of it (see `identifiers`)."""
        kind = kind_of(entity)
        return self._identifier(kind, value)

    def identifier_candidates(self, value: str) -> tuple[bytes, ...]:
        """Every index under which a value of unknown entity may have been entered."""
        return tuple(self._identifier(kind, value) for kind in KINDS if normalise(kind, value))

    def _identifier(self, kind: str, value: str) -> bytes:
        return self.mac("identifier", kind, normalise(kind, value))

    def _wrap(self, secret: bytes) -> WrappedKey:
        epoch = self._current_epoch()
        return WrappedKey(epoch, aes_key_wrap(self._epochs[epoch], secret))

    def _epoch_key(self, epoch: str) -> bytes:
        key = self._epochs.get(epoch)
        if key is None:
            epoch_day(epoch)  # never build a path from a cell of the database that is not an epoch's name
            key = self._files.read(self._epoch_dir / f"{epoch}.key")
            with self._lock:
                self._epochs[epoch] = key
        return key

    def _current_epoch(self) -> str:
        today = self._today()
        current = self._current
        if current is not None and current[0] == today:
            return current[1]
        with self._lock, self._exclusive():
            day = today.strftime("%Y%m%d")
            known = [name for name in self.epochs() if name.startswith(day)]
            epoch = known[0] if known else f"{day}-{os.urandom(8).hex()}"
            self._epochs[epoch] = self._files.read_or_create(self._epoch_dir / f"{epoch}.key")
            self._current = (today, epoch)
            return epoch

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Only one process at a time looks for today's key and makes it."""
        try:
            descriptor = os.open(self._epoch_dir / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise KeysUnavailable(f"the key folder cannot be locked: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
