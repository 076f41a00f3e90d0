"""What the memory island raises; callers translate it.

StorageError            storage.failed     disk full, I/O error, damaged file: nothing more can be promised
├── StorageBusy         storage.busy       another process held the write lock for the whole waiting time
├── StorageClosed       storage.closed     the database was closed by this process
├── TurnNotOpen         turn.not_open      the turn was closed, taken over or erased meanwhile
├── TokenTaken          vault.token_taken  another turn of the conversation took the token: recall, then mask again
├── Unreadable          vault.unreadable   a ciphertext does not open: altered, moved, or of another key
└── KeysUnavailable     keys.unavailable   a key file is missing, damaged, or the passphrase is wrong

Texts hold neither content nor keys nor paths.
"""

from __future__ import annotations

from typing import ClassVar


class StorageError(Exception):
    """The database or its keys failed.

    Attributes:
        code: dotted and stable across releases.
    """

    code: ClassVar[str] = "storage.failed"


class StorageBusy(StorageError):
    code = "storage.busy"


class StorageClosed(StorageError):
    code = "storage.closed"


class TurnNotOpen(StorageError):
    code = "turn.not_open"


class TokenTaken(StorageError):
    code = "vault.token_taken"


class Unreadable(StorageError):
    code = "vault.unreadable"


class KeysUnavailable(StorageError):
    code = "keys.unavailable"
